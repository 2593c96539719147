//! Environment variables as a layer over the file: `KEYWAY__STORE__URL` is `store.url`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// What the names of these variables begin with.
const PREFIX: &str = "KEYWAY__";

/// The variables that belong to the configuration, sorted by name.
pub(crate) fn read() -> Vec<(String, String)> {
    let mut found: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    found.sort();
    found
}

/// The value of one variable outside the layer, `KEYWAY_MASTER_KEY` for example.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the room where the environment is read"
    )]
    std::env::var(name).ok()
}

/// Puts one variable's value in its place. Two underscores part the steps of the path; a number is a place in a list, the list's length
/// for a new element. The value is TOML where it parses as such, else text.
///
/// # Errors
/// What is wrong with the name.
pub(super) fn overlay<'i>(
    table: &mut DeTable<'i>,
    name: &str,
    value: &'i str,
    span: Range<usize>,
) -> Result<(), String> {
    let path = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let steps: Vec<&str> = path.split("__").collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err("the name has an empty step; write `KEYWAY__SECTION__KEY`".to_owned());
    }
    let layer = Layer { span };
    let value = layer.parse(value);
    layer.insert(table, &steps, value)
}

/// One variable: everything that it brings carries its span.
struct Layer {
    span: Range<usize>,
}

impl Layer {
    fn at<T>(&self, value: T) -> Spanned<T> {
        Spanned::new(self.span.clone(), value)
    }

    fn parse<'i>(&self, text: &'i str) -> Spanned<DeValue<'i>> {
        match DeValue::parse(text) {
            Ok(value) => self.respan(value.into_inner()),
            Err(_) => self.at(DeValue::String(text.into())),
        }
    }

    fn respan<'i>(&self, value: DeValue<'i>) -> Spanned<DeValue<'i>> {
        self.at(match value {
            DeValue::Table(table) => DeValue::Table(
                table
                    .into_iter()
                    .map(|(key, value)| (self.at(key.into_inner()), self.respan(value.into_inner())))
                    .collect(),
            ),
            DeValue::Array(items) => {
                DeValue::Array(items.into_iter().map(|item| self.respan(item.into_inner())).collect())
            }
            single => single,
        })
    }

    fn insert<'i>(&self, table: &mut DeTable<'i>, steps: &[&str], value: Spanned<DeValue<'i>>) -> Result<(), String> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(());
        };
        let key = self.at((*step).to_owned().into());
        if rest.is_empty() {
            // Remove first: an insertion alone would keep the span of the file's key.
            table.remove(*step);
            table.insert(key, value);
            return Ok(());
        }
        let is_list = rest.first().is_some_and(|next| next.parse::<usize>().is_ok());
        let below = table.entry(key).or_insert_with(|| self.at(empty(is_list)));
        match below.get_mut() {
            DeValue::Table(table) => self.insert(table, rest, value),
            DeValue::Array(items) => self.insert_element(items, step, rest, value),
            _ => Err(format!("`{step}` is a single value")),
        }
    }

    fn insert_element<'i>(
        &self,
        items: &mut DeArray<'i>,
        list: &str,
        steps: &[&str],
        value: Spanned<DeValue<'i>>,
    ) -> Result<(), String> {
        let (place, rest) = steps.split_first().unwrap_or((&"", &[]));
        let index = place
            .parse::<usize>()
            .ok()
            .filter(|index| *index <= items.len())
            .ok_or_else(|| format!("`{list}` is a list of {}, and `{place}` is no place in it", items.len()))?;
        if index == items.len() {
            items.push(self.at(empty(false)));
        }
        match items.get_mut(index) {
            Some(element) if rest.is_empty() => *element = value,
            Some(element) => match element.get_mut() {
                DeValue::Table(table) => return self.insert(table, rest, value),
                _ => return Err(format!("`{list}` is no list of tables")),
            },
            None => {}
        }
        Ok(())
    }
}

fn empty<'i>(is_list: bool) -> DeValue<'i> {
    if is_list {
        DeValue::Array(DeArray::default())
    } else {
        DeValue::Table(DeTable::new())
    }
}
