//! `[directory]`, and which web pages may read wazo's answers.

use std::time::Duration;

use keyway_core::model::Purpose;

use super::*;

#[test]
fn what_users_may_do_has_the_originals_defaults() {
    let config = parse("").expect("nothing at all");
    let rules = config.directory.rules;
    assert_eq!((rules.max_sessions, rules.registration), (0, false));
    assert_eq!(rules.password_reset_lifetime, Duration::from_hours(48));
    assert_eq!(rules.email_confirmation_lifetime, Duration::from_hours(48));
    assert_eq!((rules.default_policy, rules.admin_status), (None, None));
    assert!(config.directory.provisions.update);
    let cors = config.dialect.wazo_cors;
    assert!(cors.enabled && cors.origins.is_empty() && cors.headers.contains(&"X-Auth-Token".to_owned()));
}

#[test]
fn policies_groups_and_the_first_user_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("root.pass"), "s3cre7\n").expect("written");
    let text = r##"
        [directory]
        update_on_start = false
        registration = true
        max_sessions = 10
        password_reset_lifetime = "1h"
        email_confirmation_lifetime = "2h"
        default_user_policy = "user"
        admin_status = { policy = "boss", group = "bosses", purposes = ["user", "external_api"] }
        [directory.policies]
        user = { acl = ["auth.users.me.#"], description = "what all may do" }
        boss.acl = ["#"]
        [directory.all_users_policies]
        user = true
        boss = false
        [directory.groups]
        bosses.policies.BOSS = true
        staff.name = "The staff"
        [directory.bootstrap_user]
        username = "root"
        password = { file = "root.pass" }
        purpose = "internal"
        policy = "boss"
    "##;
    let file = folder.path().join("keyway.toml");
    let config = Config::parse(&file, text, &[]).expect("it is right");
    assert_eq!(config.files, [folder.path().join("root.pass")]);
    let rules = config.directory.rules;
    assert_eq!((rules.max_sessions, rules.registration), (10, true));
    assert_eq!(rules.password_reset_lifetime, Duration::from_hours(1));
    assert_eq!(rules.email_confirmation_lifetime, Duration::from_hours(2));
    assert_eq!(rules.default_policy.as_deref(), Some("user"));
    let status = rules.admin_status.expect("it is asked for");
    assert_eq!((status.policy.as_str(), status.group.as_str()), ("boss", "bosses"));
    assert_eq!(status.purposes, [Purpose::User, Purpose::ExternalApi]);
    let provisions = config.directory.provisions;
    let slugs: Vec<_> = provisions.policies.iter().map(|policy| policy.slug.as_str()).collect();
    assert_eq!(
        (slugs.as_slice(), provisions.update),
        (["boss", "user", "account_admin"].as_slice(), false)
    );
    assert_eq!(provisions.policies[1].description.as_deref(), Some("what all may do"));
    assert_eq!(provisions.all_users, ["user"]);
    let groups: Vec<_> = provisions
        .groups
        .iter()
        .map(|group| (group.slug.as_str(), group.name.as_str(), group.policies.join(" ")))
        .collect();
    assert_eq!(
        groups,
        [
            ("bosses", "bosses", "BOSS".to_owned()),
            ("staff", "The staff", String::new())
        ]
    );
    let first = provisions.first_user.expect("it is there");
    assert_eq!((first.login.as_str(), first.purpose), ("root", Purpose::Internal));
    assert_eq!(first.password.expose(), b"s3cre7");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, or one story told in its order")]
fn mistakes_are_named_with_file_and_line() {
    let table = [
        (
            "[directory]\nmax_session = 3",
            "/srv/keyway.toml:2: unknown key `directory.max_session`; the keys here are `update_on_start`, `registration`, `max_sessions`, \
             `password_reset_lifetime`, `email_confirmation_lifetime`, `default_user_policy`, `policies`, `all_users_policies`, `groups`, \
             `bootstrap_user`, `admin_status`",
        ),
        (
            "[directory.policies.p]\nacls = []",
            "/srv/keyway.toml:2: unknown key `directory.policies.p.acls`; the keys here are `acl`, `description`",
        ),
        (
            "[directory.policies]\n\"a b\" = {}",
            "/srv/keyway.toml:2: `directory.policies.a b`: slug: letters, digits, `_` and `-`, not too many of them",
        ),
        (
            "[directory.policies]\np = { acl = [\"a\", \"!\"] }",
            "/srv/keyway.toml:2: `directory.policies.p`: access: at most 1024 patterns of 1 to 1024 bytes each, without control characters",
        ),
        (
            "[directory]\ndefault_user_policy = \"nope\"",
            "/srv/keyway.toml:2: `directory.default_user_policy`: there is no `[directory.policies.nope]`",
        ),
        (
            "[directory.all_users_policies]\nnope = true",
            "/srv/keyway.toml:2: `directory.all_users_policies.nope`: there is no `[directory.policies.nope]`",
        ),
        (
            "[directory.groups.g]\npolicies.nope = true",
            "/srv/keyway.toml:2: `directory.groups.g.policies.nope`: there is no `[directory.policies.nope]`",
        ),
        (
            "[directory.groups]\ng.name = \"\"",
            "/srv/keyway.toml:2: `directory.groups.g`: group name: 1 to 128 characters, none of them a control character",
        ),
        (
            "[directory]\npassword_reset_lifetime = \"0s\"",
            "/srv/keyway.toml:2: `directory.password_reset_lifetime`: must not be zero",
        ),
        (
            "[directory.bootstrap_user]\nusername = \"root\"\npassword = { file = \"/nope\" }\npolicy = \"nope\"",
            "/srv/keyway.toml:4: `directory.bootstrap_user.policy`: there is no `[directory.policies.nope]`",
        ),
        (
            "[directory.bootstrap_user]\nusername = \"root\"\npassword = { file = \"/nope\" }\npolicy = \"admin\"",
            "/srv/keyway.toml:3: `directory.bootstrap_user.password.file`: cannot read the secret's file `/nope`: No such file or directory \
             (os error 2)",
        ),
        (
            "[dialect.wazo.cors]\nallow_origins = [\n\"app.example.org\"]",
            "/srv/keyway.toml:3: `dialect.wazo.cors.allow_origins`: `app.example.org` is no origin; write `https://app.example.org`, or `*` for \
             all",
        ),
        (
            "[dialect.wazo.cors]\nallow_headers = [\"a b\"]",
            "/srv/keyway.toml:2: `dialect.wazo.cors.allow_headers`: `a b` is no name of a header",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_repeated() {
    let text = "[directory.bootstrap_user]\nusername = \"root\"\npassword = \"s3cre7\"\npolicy = \"admin\"";
    let refusal = refusal(text);
    assert!(
        refusal.starts_with("/srv/keyway.toml:3: ") && !refusal.contains("s3cre7"),
        "{refusal}"
    );
}

#[test]
fn origins_are_all_some_or_none() {
    let cors = |value: &str| {
        let text = format!("dialect.wazo.cors = {value}");
        parse(&text).expect(value).dialect.wazo_cors
    };
    assert!(!cors("{ enabled = false }").enabled);
    assert!(!cors("{ allow_origins = [] }").enabled);
    let all = cors("{ allow_origins = [\"https://a.example.org\", \"*\"] }");
    assert!(all.enabled && all.origins.is_empty());
    let some = cors(
        "{ allow_origins = [\"https://a.example.org\", \"http://127.0.0.1:8080\"], allow_headers = [\"X-Auth-Token\"] }",
    );
    assert_eq!(some.origins, ["https://a.example.org", "http://127.0.0.1:8080"]);
    assert_eq!(some.headers, ["X-Auth-Token"]);
    for wrong in [
        "https://a.example.org/",
        "https://a.example.org/x",
        "HTTPS://A",
        "null",
        "//a",
    ] {
        let text = format!("dialect.wazo.cors.allow_origins = [\"{wrong}\"]");
        assert!(parse(&text).is_err(), "{wrong}");
    }
}

#[test]
fn the_installations_id_is_the_files_else_the_environments() {
    use super::super::dialect::xivo_uuid;
    let (first, second) = (
        "63f3dc3c-865d-419e-bec2-e18c4b118224",
        "00000000-0000-4000-8000-000000000001",
    );
    let (source, _) = Source::parse(Path::new("/srv/keyway.toml"), "", &[]).expect("nothing at all");
    let written = Spanned::new(0..0, first.to_owned());
    let id =
        |raw, variable: &str| xivo_uuid(raw, Some(variable.to_owned()), &source).map_err(|error| error.to_string());
    assert_eq!(id(Some(&written), second), Ok(Some(first.to_owned())));
    assert_eq!(id(None, second), Ok(Some(second.to_owned())));
    assert_eq!(id(None, ""), Ok(None));
    assert_eq!(id(None, "the-first-one"), Ok(Some("the-first-one".to_owned())));
    assert_eq!(
        id(None, "no word\n"),
        Err("environment variable `XIVO_UUID`: `no word\\n` is no word of at most 64 ASCII characters".to_owned())
    );
}
