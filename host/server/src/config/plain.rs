//! A plugin's own configuration, from TOML to the plain JSON that it sees.

use serde_json::{Map, Number, Value};

/// The table as a JSON object. Dates become text.
///
/// # Errors
/// What JSON cannot hold.
pub(super) fn object(table: &toml::Table) -> Result<Value, String> {
    let mut object = Map::new();
    for (key, value) in table {
        object.insert(key.clone(), plain(value)?);
    }
    Ok(Value::Object(object))
}

fn plain(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::Number((*number).into()),
        toml::Value::Float(number) => Number::from_f64(*number)
            .map(Value::Number)
            .ok_or_else(|| format!("`{number}` is no number that a plugin could be given"))?,
        toml::Value::Boolean(truth) => Value::Bool(*truth),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(plain).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => object(table)?,
    })
}
