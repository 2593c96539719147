//! Which dialects a listener serves, and `[dialect.privacyidea]`.

use std::time::Duration;

use keyway_http::dialect::Dialect;
use keyway_http::{ErrorCodes, PrivacyideaSettings};

use super::parse;

#[test]
fn a_listener_may_name_every_dialect() {
    let text = |dialects: &str| format!("[[listen]]\naddress = \"127.0.0.1:0\"\n{dialects}");
    let served = |dialects: &str| parse(&text(dialects)).map(|config| config.listen[0].dialects.clone());
    let every = "dialects = [\"wazo\", \"privacyidea\", \"kazoo\", \"webitel\"]";
    assert_eq!(served(every), Ok(Dialect::ALL.to_vec()));
    assert_eq!(served(""), Ok(Dialect::ALL.to_vec()));
    assert_eq!(served("dialects = [\"kazoo\"]"), Ok(vec![Dialect::Kazoo]));
    assert_eq!(served("dialects = []"), Ok(Vec::new()));
}

#[test]
fn the_privacyidea_dialect_says_through_whom_and_how() {
    const BACKENDS: &str = "[[backend]]\nname = \"realms\"\nplugin = \"realm\"\n\
        [[backend]]\nname = \"wazo_user\"\nplugin = \"wazo_user\"\naliases = [\"xivo_user\"]\n[dialect.privacyidea]\n";
    let of = |lines: &str| parse(&format!("{BACKENDS}{lines}")).map(|config| config.dialect.privacyidea);
    let usual = of("").expect("it is enough");
    assert_eq!(usual, PrivacyideaSettings::default());
    let all = of(
        "backend = \"realms\"\nadmin_backend = \"xivo_user\"\nsuperuser_realms = [\"Admins\"]\n\
        error_codes = \"seed\"\nsign_responses = true\naudit_keep = \"30d\"",
    );
    let expected = PrivacyideaSettings {
        backend: "realms".to_owned(),
        admin_backend: "xivo_user".to_owned(),
        superuser_realms: vec!["admins".to_owned()],
        error_codes: ErrorCodes::Seed,
        sign_responses: true,
        audit_keep: Duration::from_hours(30 * 24),
    };
    assert_eq!(all.expect("all of them"), expected);
    for (line, problem) in [
        (
            "admin_backend = \"nosuch\"",
            "`dialect.privacyidea.admin_backend`: no `[[backend]]` has the name or alias `nosuch`",
        ),
        (
            "superuser_realms = [\"a\", \"b c\"]",
            "`dialect.privacyidea.superuser_realms`: `b c` is no name of a realm: those are of `A-Z`, `a-z`, `0-9`, `_`, `-` and `.`",
        ),
        (
            "error_codes = \"old\"",
            "`dialect.privacyidea.error_codes`: unknown value `old`, expected `modern` or `seed`",
        ),
        (
            "audit_keep = \"1s\"",
            "`dialect.privacyidea.audit_keep`: must be at least `1m`",
        ),
        (
            "audit_keep = \"40000d\"",
            "`dialect.privacyidea.audit_keep`: must be at most `36500d`",
        ),
        (
            "sign = true",
            "unknown key `dialect.privacyidea.sign`; the keys here are `backend`, `admin_backend`, `superuser_realms`, `error_codes`, \
             `sign_responses`, `audit_keep`",
        ),
    ] {
        let refused = of(line).expect_err(line);
        assert_eq!(refused, format!("/srv/keyway.toml:9: {problem}"));
    }
}
