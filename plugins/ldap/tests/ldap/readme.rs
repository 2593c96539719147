//! What the README shows is what the plugin takes.

use keyway_sdk::testing::MockHost;
use ldap::Ldap;

#[test]
fn the_examples_are_accepted() {
    let examples: Vec<_> = include_str!("../../README.md")
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 2, "OpenLDAP and Active Directory");
    for example in examples {
        let file: toml::Table = toml::from_str(example).unwrap();
        for backend in file["backend"].as_array().unwrap() {
            assert_eq!(backend["plugin"].as_str(), Some("ldap"));
            let config = serde_json::to_value(&backend["config"]).unwrap();
            assert_eq!(MockHost::new().check_config::<Ldap>(&config), Ok(()), "{example}");
        }
    }
}

#[test]
fn every_key_is_told() {
    let schema = keyway_sdk::schemars::schema_for!(ldap::Config);
    let keys = schema.as_value()["properties"].as_object().unwrap();
    for key in keys.keys() {
        assert!(
            include_str!("../../README.md").contains(&format!("| `{key}` |")),
            "`{key}` is not in the README"
        );
    }
}
