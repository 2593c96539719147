//! `[events]`.

use std::time::Duration;

use keyway_core::model::EventKind;

use crate::config::{Config, ExchangeType};

#[test]
#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
fn events_have_receivers_with_names_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, content) in [("hook.key", "k3y\n"), ("mq.password", "s3cre7"), ("ca.pem", "nothing")] {
        std::fs::write(folder.path().join(file), content).expect("room");
    }
    let parse = |text: &str| Config::parse(&folder.path().join("keyway.toml"), text, &[]);
    let refused = |text: &str| {
        let error = parse(text).expect_err(text).to_string();
        let place = folder.path().join("keyway.toml").display().to_string();
        error
            .replace(&place, "")
            .replace(&folder.path().display().to_string(), "")
    };
    let usual = parse("").expect("a configuration").events;
    assert_eq!(usual.settings.retention, Duration::from_hours(7 * 24));
    assert_eq!((usual.webhooks.len(), usual.amqp.is_none()), (0, true));

    let text = "events.retention = \"1d\"\nevents.max_events = 5\nevents.max_streams = 0\ntoken.sweep_interval = \"7s\"\n\
        [events.amqp]\nuri = \"amqp://keyway@127.0.0.1/%2F\"\npassword = { file = \"mq.password\" }\nexchange_type = \"headers\"\n\
        [[events.webhook]]\nurl = \"https://example.org/a?key=1\"\nsecret = { file = \"hook.key\" }\n\
        [[events.webhook]]\nname = \"b\"\nurl = \"http://example.org\"\nsecret = { file = \"hook.key\" }\n\
        events = [\"auth_session_deleted\"]\n";
    let events = parse(text).expect(text).events;
    assert_eq!(events.settings.max_events, 5);
    assert_eq!(events.settings.expire_soon, Duration::from_secs(7));
    assert_eq!(events.streams.max_streams, 0);
    let names: Vec<_> = events.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
    assert_eq!(names, ["example.org", "b"]);
    assert_eq!(events.webhooks[0].secret.expose(), b"k3y");
    let wanted = |kind| events.webhooks[1].events.contains(kind);
    assert!(wanted(EventKind::SessionDeleted) && !wanted(EventKind::SessionCreated));
    let amqp = events.amqp.expect("a broker");
    assert_eq!(
        (amqp.exchange.as_str(), amqp.exchange_type),
        ("xivo", ExchangeType::Headers)
    );
    assert_eq!(
        amqp.password.map(|password| password.expose().clone()),
        Some("s3cre7".to_owned())
    );

    let hook = |lines: &str| format!("[[events.webhook]]\nsecret = {{ file = \"hook.key\" }}\n{lines}");
    let table = [
        (
            "events.retention = \"0s\"".to_owned(),
            ":1: `events.retention`: must not be zero",
        ),
        (
            "events.max_events = 0".to_owned(),
            ":1: `events.max_events`: must be 1 to 4294967295",
        ),
        (hook("url = \"s3cre7\""), ":3: `events.webhook.url`: is no URL"),
        (
            hook("url = \"ftp://s3cre7\""),
            ":3: `events.webhook.url`: write `https://HOST/PATH`",
        ),
        (
            hook("url = \"http://a\"\nname = \"\""),
            ":4: `events.webhook.name`: must be 1 to 255 characters without line breaks",
        ),
        (
            hook("url = \"http://a\"\n") + &hook("url = \"http://a/b\""),
            ":4: `events.webhook`: another webhook has this name; give each a `name` of its own",
        ),
        (
            hook("url = \"http://a\"\nca = \"ca.pem\""),
            ":4: `events.webhook.ca`: `/ca.pem` holds no certificate in PEM",
        ),
        (
            "events.amqp.uri = \"http://x:s3cre7@y\"".to_owned(),
            ":1: `events.amqp.uri`: is no URI of a broker; write `amqp://USER@HOST:5672/VHOST` or `amqps://...`",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refused(&text), message, "{text}");
    }
    let unknown = refused(&hook("url = \"http://a\"\nevents = [\"auth_x\"]"));
    assert!(
        unknown.contains("`auth_x` is no event; there are `auth_session_created`, "),
        "{unknown}"
    );
}
