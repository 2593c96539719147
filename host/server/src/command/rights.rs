//! `keyway rights`: the table of what the same person is to each dialect.

use keyway_core::rights::Rights;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{Output, plain};
use crate::cli::Global;
use crate::config::Config;

pub(crate) fn run(global: &Global, output: Output) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    output.many(
        &rows(&config.rights),
        &[
            ("ACCESS", |row| match &row["access"] {
                Value::Null => "(everybody else)".to_owned(),
                access => plain(access),
            }),
            ("POLICY", |row| plain(&row["policy"])),
            ("KAZOO", |row| plain(&row["kazoo"])),
            ("WEBITEL", |row| plain(&row["webitel"])),
        ],
    );
    Ok(())
}

fn rows(rights: &Rights) -> Value {
    json!(rights.rows())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_shown_row_by_row() {
        assert_eq!(
            rows(&Rights::default()),
            json!([
                { "access": "keyway.root", "policy": null, "kazoo": "admin", "webitel": "root" },
                { "access": "keyway.admin", "policy": "account_admin", "kazoo": "admin", "webitel": "admin" },
                { "access": null, "policy": null, "kazoo": "user", "webitel": "user" },
            ])
        );
    }
}
