//! The examples of the README are configurations that the plugin takes.

use keyway_sdk::testing::MockHost;
use realm::Realm;
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
