//! `[dialect.webitel]`.

use std::time::Duration;

use keyway_http::{CdrSettings, UnknownUser, WebitelSettings};

use super::parse;

fn of(lines: &str) -> Result<WebitelSettings, String> {
    let text = format!("[[listen]]\naddress = \"127.0.0.1:0\"\n[dialect.webitel]\n{lines}");
    parse(&text).map(|config| config.dialect.webitel)
}

#[test]
fn the_webitel_dialect_says_through_whom_and_for_how_long() {
    assert_eq!(of("").expect("it is enough"), WebitelSettings::default());
    let all = of(
        "backend = \"xivo_user\"\ntoken_ttl = \"30d\"\nunknown_user = \"not-found\"\n\
         cdr = { host = \"http://cdr:10023\", use_proxy = true }\ncors = { allow_origins = [\"https://a.test\"] }",
    )
    .expect("all of them");
    let usual = WebitelSettings::default();
    assert_eq!(all.cors.headers, usual.cors.headers);
    assert_eq!(all.cors.origins, ["https://a.test"]);
    let expected = WebitelSettings {
        backend: "xivo_user".to_owned(),
        token_ttl: Duration::from_hours(30 * 24),
        unknown_user: UnknownUser::NotFound,
        cdr: CdrSettings {
            host: "http://cdr:10023".to_owned(),
            use_proxy: true,
        },
        cors: all.cors.clone(),
    };
    assert_eq!(all, expected);
    for (line, problem) in [
        (
            "backend = \"nosuch\"",
            "`dialect.webitel.backend`: no `[[backend]]` has the name or alias `nosuch`",
        ),
        (
            "token_ttl = \"1ms\"",
            "`dialect.webitel.token_ttl`: must be at least `1s`",
        ),
        (
            "token_ttl = \"40000d\"",
            "`dialect.webitel.token_ttl`: must be at most `36500d`",
        ),
    ] {
        let refused = of(line).expect_err(line);
        assert_eq!(refused, format!("/srv/keyway.toml:4: {problem}"));
    }
}
