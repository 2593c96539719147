//! The pieces that the page is made of. Whatever comes from outside this file is escaped in it.

use std::fmt;

use serde_json::Value;

/// A text in HTML.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// The text of a field; an empty one where there is none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list; none where there is no list.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The fields of an object; none where there is no object.
pub(super) fn fields<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// A sentence or several; what stands between backticks is code, and an empty line begins a paragraph.
pub(super) fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| element("p", &inline(paragraph))).collect()
}

/// A sentence; what stands between backticks is code.
pub(super) fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| {
            if index % 2 == 1 {
                code(part)
            } else {
                Escaped(part).to_string()
            }
        })
        .collect()
}

pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", Escaped(text))
}

/// A name as a part of an id: without spaces, which ids may not hold.
pub(super) fn anchor(name: &str) -> String {
    Escaped(&name.replace(' ', "-")).to_string()
}

/// Markup within an element of a line of its own.
pub(super) fn element(name: &str, markup: &str) -> String {
    format!("<{name}>{markup}</{name}>\n")
}

/// A table; nothing without rows.
pub(super) fn table(title: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: String = rows.map(|cells| element("tr", &row(&cells))).collect();
    if rows.is_empty() {
        return rows;
    }
    let title = element("caption", &Escaped(title).to_string());
    element("table", &(title + &rows))
}

/// The cells of a row, whose first names it.
fn row(cells: &[String]) -> String {
    let Some((name, cells)) = cells.split_first() else {
        return String::new();
    };
    let cells: String = cells.iter().map(|cell| element("td", cell)).collect();
    format!("<th scope=\"row\">{name}</th>\n{cells}")
}

/// What a schema takes, in words.
pub(super) fn shape(schema: &Value) -> String {
    if let Some(name) = text(schema, "$ref").rsplit('/').next().filter(|name| !name.is_empty()) {
        let name = Escaped(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for key in ["anyOf", "oneOf"] {
        let choices: Vec<_> = items(schema, key).iter().map(shape).collect();
        if !choices.is_empty() {
            return choices.join(" or ");
        }
    }
    let words: Vec<_> = items(schema, "enum").iter().map(Value::to_string).collect();
    let kind = match schema.get("type") {
        _ if !words.is_empty() => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" or "),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            Escaped(&kinds.join(" or ")).to_string()
        }
        Some(Value::String(kind)) if kind == "array" => {
            format!("list of {}", schema.get("items").map(shape).unwrap_or_default())
        }
        Some(Value::String(kind)) => Escaped(kind).to_string(),
        _ => "anything".to_owned(),
    };
    let inner: Vec<_> = fields(schema, "properties")
        .map(|(name, schema)| format!("{}: {}", code(name), shape(schema)))
        .collect();
    let inner = if inner.is_empty() {
        String::new()
    } else {
        format!(" with {}", inner.join("; "))
    };
    format!("{kind}{inner}{}", rules(schema))
}

/// What else a schema asks for.
fn rules(schema: &Value) -> String {
    const RULES: [(&str, &str); 9] = [
        ("format", ""),
        ("minLength", "at least this long: "),
        ("maxLength", "at most this long: "),
        ("minimum", "at least "),
        ("maximum", "at most "),
        ("maxItems", "at most so many: "),
        ("uniqueItems", "each once: "),
        ("pattern", "like "),
        ("default", "by default "),
    ];
    RULES
        .iter()
        .filter_map(|(key, words)| {
            let rule = schema.get(*key)?;
            let rule = rule.as_str().map_or_else(|| rule.to_string(), str::to_owned);
            Some(format!(", {words}{}", Escaped(&rule)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markup_in_a_text_is_text() {
        assert_eq!(
            prose("<b> `a&b` \"'\n\n\n\nc"),
            "<p>&lt;b&gt; <code>a&amp;b</code> &quot;&#39;</p>\n<p>c</p>\n"
        );
    }

    #[test]
    fn a_schema_is_told_in_words() {
        let table = [
            (json!({"type": "string", "format": "uuid"}), "string, uuid"),
            (
                json!({"type": ["string", "null"], "maxLength": 4}),
                "string or null, at most this long: 4",
            ),
            (
                json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}}),
                "list of <a href=\"#shape-A\">A</a>",
            ),
            (
                json!({"oneOf": [{"type": "null"}, {"type": "<b>"}]}),
                "null or &lt;b&gt;",
            ),
            (json!({}), "anything"),
        ];
        for (schema, words) in table {
            assert_eq!(shape(&schema), words);
        }
    }
}
