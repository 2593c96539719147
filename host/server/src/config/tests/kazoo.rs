//! `[dialect.kazoo]`.

use std::num::NonZeroU32;
use std::time::Duration;

use keyway_http::{BucketSettings, Impersonation, KazooSettings};

use super::parse;
use crate::config::kazoo::KazooConfig;

fn of(lines: &str) -> Result<KazooConfig, String> {
    let text = format!("[[listen]]\naddress = \"127.0.0.1:0\"\n[dialect.kazoo]\n{lines}");
    parse(&text).map(|config| config.dialect.kazoo)
}

#[test]
fn the_kazoo_dialect_says_through_whom_and_for_how_long() {
    let usual = of("").expect("it is enough");
    assert_eq!(usual.settings, KazooSettings::default());
    assert_eq!(usual.attempts_keep, Duration::from_hours(90 * 24));
    let all = of(
        "backend = \"xivo_user\"\ntoken_ttl = \"30m\"\nui_urls = [\"https://ui.example.org/app/\"]\n\
         recovery_lifetime = \"10m\"\ndisclose_unknown = true\nimpersonation = \"master\"\nattempts_keep = \"7d\"\n\
         bucket = { size = 20, refill = 1, login_cost = 5 }",
    );
    let number = |number| NonZeroU32::new(number).expect("a number");
    let settings = KazooSettings {
        backend: "xivo_user".to_owned(),
        token_ttl: Duration::from_mins(30),
        ui_urls: vec!["https://ui.example.org/app/".to_owned()],
        recovery_lifetime: Duration::from_mins(10),
        disclose_unknown: true,
        impersonation: Impersonation::Master,
        bucket: BucketSettings {
            size: number(20),
            refill: number(1),
            login_cost: number(5),
        },
    };
    let expected = KazooConfig {
        settings,
        attempts_keep: Duration::from_hours(7 * 24),
    };
    assert_eq!(all, Ok(expected));
}

#[test]
fn what_the_kazoo_dialect_cannot_do_is_refused() {
    for (lines, word) in [
        ("backend = \"nosuch\"", "nosuch"),
        ("token_ttl = \"0s\"", "at least"),
        ("token_ttl = \"99999d\"", "at most"),
        ("ui_urls = [\"ui.example.org\"]", "no address of a page"),
        ("ui_urls = [\"ftp://ui.example.org\"]", "no address of a page"),
        ("ui_urls = [\"https://me@ui.example.org\"]", "no address of a page"),
        ("ui_urls = [\"https://ui.example.org/?a\"]", "no address of a page"),
        ("impersonation = \"all\"", "impersonation"),
        ("bucket = { size = 5, login_cost = 6 }", "cannot cost more"),
        ("bucket = { size = 0 }", "size"),
        ("apps = 1", "apps"),
    ] {
        let problem = of(lines).expect_err(lines);
        assert!(problem.contains(word), "{lines}: {problem}");
    }
}
