//! The examples of the README are configurations that the plugin takes, and it names every key.

use keyway_sdk::schemars::schema_for;
use keyway_sdk::testing::MockHost;
use realm::{Config, Realm};
use serde_json::Value;

#[test]
fn every_example_is_usable() {
    let text = include_str!("../../README.md");
    let examples = text.split("```toml\n").skip(1);
    let mut count = 0;
    for example in examples {
        let example = example.split("```").next().unwrap_or_default();
        let tables: Value = toml::from_str(example).unwrap();
        for backend in tables["backend"].as_array().unwrap() {
            if backend["plugin"] == "realm" {
                assert_eq!(
                    MockHost::new().check_config::<Realm>(&backend["config"]),
                    Ok(()),
                    "{example}"
                );
                count += 1;
            }
        }
    }
    assert!(count >= 3, "{count}");
}

/// The names of all properties anywhere in a schema.
fn keys(schema: &Value, found: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.extend(properties.keys().cloned());
    }
    let parts: Vec<&Value> = match schema {
        Value::Object(table) => table.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    for part in parts {
        keys(part, found);
    }
}

#[test]
fn every_key_is_in_a_table() {
    let text = include_str!("../../README.md");
    let tables: String = text.lines().filter(|line| line.starts_with('|')).collect();
    let mut found = Vec::new();
    keys(&serde_json::to_value(schema_for!(Config)).unwrap(), &mut found);
    assert!(found.len() > 30, "{found:?}");
    for key in found {
        let is_told = [format!("`{key}`"), format!(".{key}`"), format!("`{key}.")];
        assert!(is_told.iter().any(|told| tables.contains(told)), "{key}");
    }
}
