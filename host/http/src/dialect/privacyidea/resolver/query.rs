//! Queries for a table of users, as privacyIDEA's SQL resolver names one. Nothing of a caller's own words gets into a query that is no plain name, number or
//! quoted text.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::dialect::privacyidea::error::Failure;

/// The queries of a resolver.
pub(super) struct Queries {
    pub(super) by_login: String,
    pub(super) by_id: String,
    pub(super) list: String,
    /// The columns by what they hold.
    pub(super) map: Map<String, Value>,
}

/// Queries for this table.
///
/// # Errors
/// [`Failure::Parameter`].
pub(super) fn of_table(
    table: &str,
    map: &Map<String, Value>,
    condition: Option<&str>,
    driver: Option<&str>,
) -> Result<Queries, Failure> {
    let table = name(table, "Table")?;
    let mut columns: Vec<&str> = Vec::new();
    for column in map.values() {
        let column = column.as_str().ok_or_else(|| wrong("Map", "an object of columns"))?;
        let column = name(column, "Map")?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let of = |attribute: &str| {
        let column = map.get(attribute).and_then(Value::as_str);
        column.ok_or_else(|| Failure::Parameter(format!("The parameter `Map` has no column for `{attribute}`")))
    };
    let (userid, login) = (of("userid")?, of("username")?);
    let condition = condition.map(conditions).transpose()?.unwrap_or_default();
    // MySQL knows its parameters by their place, PostgreSQL by their number, SQLite by either.
    let parameter = if driver.is_some_and(|driver| driver.trim().to_ascii_lowercase().starts_with("mysql")) {
        "?"
    } else {
        "$1"
    };
    let select = format!("SELECT {} FROM {table} WHERE", columns.join(", "));
    Ok(Queries {
        by_login: format!("{select} {login} = {parameter}{condition}"),
        by_id: format!("{select} {userid} = {parameter}{condition}"),
        list: format!("{select} {login} LIKE {parameter}{condition}"),
        map: map
            .iter()
            .map(|(attribute, column)| (attribute.clone(), json!(column)))
            .collect(),
    })
}

/// A name of a table or a column, perhaps with that of its schema.
fn name<'a>(text: &'a str, parameter: &str) -> Result<&'a str, Failure> {
    let text = text.trim();
    let is_name = |part: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !part.is_empty()
            && part.len() <= 64
            && part.chars().all(legal)
            && !part.starts_with(|c: char| c.is_ascii_digit())
    };
    if text.split('.').count() <= 2 && text.split('.').all(is_name) {
        return Ok(text);
    }
    Err(wrong(parameter, "made of plain names (letters, digits and `_`)"))
}

/// `column op value`, joined by `and`: what privacyIDEA calls `Where`. Each begins with ` AND `.
fn conditions(text: &str) -> Result<String, Failure> {
    let mut written = String::new();
    for part in split_and(text) {
        let part = part.trim();
        let wrong = || wrong("Where", "`column op value`, with one of `==`, `=`, `>`, `<` and `like`");
        let (column, rest) = part.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let (operator, value) = rest.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let operator = match operator.to_ascii_lowercase().as_str() {
            "==" | "=" => "=",
            ">" => ">",
            "<" => "<",
            "like" => "LIKE",
            _ => return Err(wrong()),
        };
        let (column, value) = (name(column, "Where")?, literal(value.trim())?);
        // Writing to a text never fails.
        let _ = write!(written, " AND {column} {operator} {value}");
    }
    Ok(written)
}

/// The parts between the word `and`, in any case.
fn split_and(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split_whitespace() {
        if word.eq_ignore_ascii_case("and") {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(word);
            part.push(' ');
        }
    }
    parts
}

/// A number as it is; anything else as a quoted text.
fn literal(value: &str) -> Result<String, Failure> {
    if !value.is_empty() && value.len() <= 18 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(value.to_owned());
    }
    let quoted = |mark: char| value.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    let text = quoted('\'').or_else(|| quoted('"')).unwrap_or(value);
    // MySQL takes a backslash for the beginning of an escape; no other character but the quote means anything in a quoted text.
    if text.contains(['\\', '\0']) {
        return Err(wrong("Where", "free of backslashes"));
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

fn wrong(parameter: &str, wanted: &str) -> Failure {
    Failure::Parameter(format!("The parameter `{parameter}` is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(table: &str, condition: Option<&str>, driver: Option<&str>) -> Result<Queries, String> {
        let map = json!({"userid": "id", "username": "login", "password": "pw", "email": "login"});
        let map = map.as_object().cloned().expect("an object");
        of_table(table, &map, condition, driver).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn table_becomes_queries_with_one_parameter() {
        let made = queries(
            "hr.people",
            Some("active == 1 AND name like O'Brien% and kind = 'a b'"),
            None,
        )
        .expect("queries");
        insta::assert_snapshot!([made.by_login, made.by_id, made.list].join("\n"), @r"
        SELECT id, login, pw FROM hr.people WHERE login = $1 AND active = 1 AND name LIKE 'O''Brien%' AND kind = 'a b'
        SELECT id, login, pw FROM hr.people WHERE id = $1 AND active = 1 AND name LIKE 'O''Brien%' AND kind = 'a b'
        SELECT id, login, pw FROM hr.people WHERE login LIKE $1 AND active = 1 AND name LIKE 'O''Brien%' AND kind = 'a b'
        ");
        let made = queries("people", None, Some("mysql+pymysql")).expect("queries");
        insta::assert_snapshot!(made.by_login, @"SELECT id, login, pw FROM people WHERE login = ?");
    }

    #[test]
    fn nothing_but_names_numbers_and_quoted_texts_gets_into_a_query() {
        for table in ["", "a b", "a;--", "a.b.c", "1a", "a'", "\"a\"", "a(b)"] {
            assert!(queries(table, None, None).is_err(), "{table}");
        }
        for condition in [
            "",
            "a",
            "a ==",
            "a != 1",
            "a ; 1",
            "a' == 1",
            "a == x\\'",
            "1 == 1",
            "a == 1 and",
            "a in (1)",
        ] {
            assert!(queries("t", Some(condition), None).is_err(), "{condition}");
        }
        let made = queries("t", Some("a == ' or 1=1 --"), None).expect("queries");
        assert!(made.by_login.ends_with("AND a = ''' or 1=1 --'"), "{}", made.by_login);
    }
}
