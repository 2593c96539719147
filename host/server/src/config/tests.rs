//! What a configuration may hold, and what each mistake in it is answered with: the key, the file and the line.

use std::time::Duration;

use keyway_core::model::{BackendName, EventKind};
use keyway_runtime::Instances;

use super::*;

mod directory;
mod endpoint;
mod grant;
mod kazoo;
mod rights;
mod webitel;

fn parse_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::parse(Path::new("/srv/keyway.toml"), text, &environment).map_err(|error| error.to_string())
}

fn parse(text: &str) -> Result<Config, String> {
    parse_with(text, &[])
}

fn refusal(text: &str) -> String {
    parse(text).map(|_| ()).expect_err(text)
}

/// A backend's mistake, below a correct first backend.
fn backend_refusal(lines: &str) -> String {
    refusal(&format!("[[backend]]\nname = \"a\"\nplugin = \"p\"\n{lines}"))
}

#[test]
fn unknown_keys_are_named_with_file_and_line() {
    let table = [
        (
            "datadir = \"var\"",
            "/srv/keyway.toml:1: unknown key `datadir`; the keys here are `data_dir`, `plugins_dir`, `time_zone`, `listen`, `store`, `token`, \
             `password`, `directory`, `rights`, `dialect`, `http`, `keys`, `mail`, `log`, `events`, `backend`",
        ),
        (
            "# a comment\n\n[token]\ndefault_ttl = \"2h\"\ndefualt_ttl = \"3h\"",
            "/srv/keyway.toml:5: unknown key `token.defualt_ttl`; the keys here are `default_ttl`, `max_ttl`, `sweep_interval`, \
             `sweep_batch`, `cache`, `refresh_ttl`",
        ),
        (
            "[store]\nurl = \"sqlite:x\"\nulr = \"sqlite:x\"",
            "/srv/keyway.toml:3: unknown key `store.ulr`; the keys here are `url`, `connections`",
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:1\"\ntls = { selfsigned = true }",
            "/srv/keyway.toml:3: unknown key `listen.tls.selfsigned`; the keys here are `self_signed`, `cert`, `key`",
        ),
        (
            "[dialect.sip]\nbackend = \"x\"",
            "/srv/keyway.toml:1: unknown key `dialect.sip`; the keys here are `wazo`, `kazoo`, `privacyidea`, `webitel`",
        ),
        (
            "log.colour = true",
            "/srv/keyway.toml:1: unknown key `log.colour`; the keys here are `level`, `format`",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), message);
    }
    assert_eq!(
        backend_refusal("limits = { deadlin = \"5s\" }"),
        "/srv/keyway.toml:4: unknown key `backend.limits.deadlin`; the keys here are `deadline`, `memory`, `table_elements`, `handles`, \
         `host_call_bytes`, `log_lines`, `lookups`, `comparisons`, `fetched_bytes`, `delegations`, `concurrency`, `queue`, `breaker_faults`, `breaker_cooldown`"
    );
    assert_eq!(
        backend_refusal("secrets.pw = { flie = \"x\" }"),
        "/srv/keyway.toml:4: unknown key `backend.secrets.pw.flie`; the keys here are `file`"
    );
}

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

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn wrong_values_are_named_with_file_and_line() {
    let table = [
        (
            "data_dir = 5",
            "/srv/keyway.toml:1: `data_dir`: invalid type: integer `5`, expected a string",
        ),
        (
            "data_dir = \"var\"\ntime_zone = \"Europe/Pairs\"",
            "/srv/keyway.toml:2: `time_zone`: `Europe/Pairs` is no time zone; write a name of the IANA database, `Europe/Paris` or `UTC` for \
             example",
        ),
        (
            "\ntoken = \"2h\"",
            "/srv/keyway.toml:2: `token`: invalid type: string \"2h\", expected a table",
        ),
        (
            "[token]\nmax_ttl = \"2 parsecs\"",
            "/srv/keyway.toml:2: `token.max_ttl`: `2 parsecs` is no duration; write `250ms`, `5s`, `2h` or `365d`",
        ),
        (
            "[token]\nmax_ttl = 5",
            "/srv/keyway.toml:2: `token.max_ttl`: invalid type: integer `5`, expected a string",
        ),
        (
            "[token]\nmax_ttl = \"0s\"",
            "/srv/keyway.toml:2: `token.max_ttl`: must be at least `1s`",
        ),
        (
            "[token]\nmax_ttl = \"1h\"\ndefault_ttl = \"2h\"",
            "/srv/keyway.toml:3: `token.default_ttl`: must not be longer than `token.max_ttl`",
        ),
        (
            "[token]\ncache = 0",
            "/srv/keyway.toml:2: `token.cache`: must be at least 1",
        ),
        (
            "[password]\nmemory = \"8MiB\"",
            "/srv/keyway.toml:2: `password.memory`: too weak; use at least `19MiB` with 2 iterations, or `46MiB` with 1",
        ),
        (
            "[password]\nmemory = \"64 MB\"",
            "/srv/keyway.toml:2: `password.memory`: `64 MB` is no size; write `512KiB`, `64MiB` or `1GiB`",
        ),
        (
            "[password]\nworkers = 0",
            "/srv/keyway.toml:2: `password.workers`: must be 1 to 1024",
        ),
        (
            "[password]\niterations = -1",
            "/srv/keyway.toml:2: `password.iterations`: invalid value: integer `-1`, expected u32",
        ),
        (
            "[store]\nurl = \"mysql://root:hunter2@db\"",
            "/srv/keyway.toml:2: `store.url`: no such kind of store; write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`",
        ),
        (
            "[store]\nurl = \"sqlite:\"",
            "/srv/keyway.toml:2: `store.url`: name a file, `sqlite:var/keyway.db` for example",
        ),
        (
            "[store]\nurl = 7",
            "/srv/keyway.toml:2: `store.url`: expected text, or `{ file = \"...\" }`",
        ),
        (
            "[http]\ntrusted_proxies = [\n  \"10.0.0.0/8\",\n  \"ten\",\n]",
            "/srv/keyway.toml:4: `http.trusted_proxies`: `ten` is no network; write `10.0.0.0/8` or `192.0.2.7`",
        ),
        (
            "[http]\nrequest_timeout = \"0s\"",
            "/srv/keyway.toml:2: `http.request_timeout`: must not be zero",
        ),
        (
            "[http]\nbody_limit = \"0B\"",
            "/srv/keyway.toml:2: `http.body_limit`: must not be zero",
        ),
        (
            "[http]\nmax_buffered = \"512KiB\"",
            "/srv/keyway.toml:2: `http.max_buffered`: must be at least `http.body_limit`",
        ),
        (
            "[http]\nbody_limit = \"65MiB\"",
            "/srv/keyway.toml:2: `http.body_limit`: must be at most `http.max_buffered`; raise that as well",
        ),
        (
            "[log]\nlevel = \"loud\"",
            "/srv/keyway.toml:2: `log.level`: unknown value `loud`, expected one of `critical`, `error`, `warning`, `info`, `debug`",
        ),
        (
            "[dialect.wazo]\nbackend = \"nope\"",
            "/srv/keyway.toml:2: `dialect.wazo.backend`: no `[[backend]]` has the name or alias `nope`",
        ),
        (
            "[dialect.wazo]\nxivo_uuid = \"no word\"",
            "/srv/keyway.toml:2: `dialect.wazo.xivo_uuid`: `no word` is no word of at most 64 ASCII characters",
        ),
        (
            "[keys]\nmaster_key = {}",
            "/srv/keyway.toml:2: `keys.master_key`: write `{ file = \"...\" }` or `{ env = \"...\" }`",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn a_listener_needs_an_address_and_known_dialects() {
    let table = [
        (
            "[[listen]]\ntls = { self_signed = true }",
            "/srv/keyway.toml:1: missing key `listen.address`",
        ),
        (
            "[[listen]]\naddress = \"localhost\"",
            "/srv/keyway.toml:2: `listen.address`: `localhost` is no address; write an IP address and a port, `127.0.0.1:9497` or \
             `[::]:9497`",
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:1\"\n[[listen]]\naddress = \"127.0.0.1:1\"",
            "/srv/keyway.toml:4: `listen.address`: `127.0.0.1:1` is listened on twice",
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:1\"\ndialects = [\"wazo\", \"sip\"]",
            "/srv/keyway.toml:3: `listen.dialects`: unknown dialect `sip`; this version has: wazo, privacyidea, kazoo, webitel",
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:1\"\ntls = { cert = \"a.pem\" }",
            "/srv/keyway.toml:3: `listen.tls`: write `{ self_signed = true }` or `{ cert = \"...\", key = \"...\" }`, or leave `tls` out for \
             plain HTTP",
        ),
        (
            "[[listen]]\naddress = \"127.0.0.1:1\"\ntls = { cert = \"a.pem\", key = \"b.pem\" }",
            "/srv/keyway.toml:3: `listen.tls.cert`: cannot read `/srv/a.pem`: No such file or directory (os error 2)",
        ),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn a_backend_needs_a_name_of_its_own_and_a_plugin() {
    let table = [
        (
            "[[backend]]\nname = \"b\"",
            "/srv/keyway.toml:4: missing key `backend.plugin`",
        ),
        (
            "[[backend]]\nplugin = \"b\"",
            "/srv/keyway.toml:4: missing key `backend.name`",
        ),
        (
            "[[backend]]\nname = \"a\"\nplugin = \"b\"",
            "/srv/keyway.toml:5: `backend.name`: `a` is taken by the backend `a`",
        ),
        (
            "[[backend]]\nname = \"b\"\naliases = [\"a\"]\nplugin = \"b\"",
            "/srv/keyway.toml:6: `backend.aliases`: `a` is taken by the backend `a`",
        ),
        (
            "aliases = [\"c\", \"c\"]",
            "/srv/keyway.toml:4: `backend.aliases`: `c` is taken by the backend `a`",
        ),
        (
            "[[backend]]\nname = \"b/c\"\nplugin = \"b\"",
            "/srv/keyway.toml:5: `backend.name`: `b/c` is not acceptable; a backend name is 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `_`, \
             `-` and `.`",
        ),
        (
            "[[backend]]\nname = \"keyway\"\nplugin = \"b\"",
            "/srv/keyway.toml:5: `backend.name`: `keyway` stands for the server itself",
        ),
        (
            "aliases = [\"keyway\"]",
            "/srv/keyway.toml:4: `backend.aliases`: `keyway` stands for the server itself",
        ),
        (
            "[[backend]]\nname = \"b\"\nplugin = \"../evil\"",
            "/srv/keyway.toml:6: `backend.plugin`: `../evil` is not the name of a file in `plugins_dir`",
        ),
        (
            "[[backend]]\nname = \"b\"\nplugin = \"p.wasm\"",
            "/srv/keyway.toml:6: `backend.plugin`: write `p`, without `.wasm`",
        ),
        (
            "[[backend]]\nname = \"b\"\nplugin = \"\"",
            "/srv/keyway.toml:6: `backend.plugin`: name a plugin, `wazo_user` for example",
        ),
    ];
    for (lines, message) in table {
        assert_eq!(backend_refusal(lines), message);
    }
}

#[test]
fn a_backends_limits_grants_and_secrets_are_checked() {
    let table = [
        (
            "limits = { deadline = \"0s\" }",
            "/srv/keyway.toml:4: `backend.limits.deadline`: must not be zero",
        ),
        (
            "limits.memory = \"0MiB\"",
            "/srv/keyway.toml:4: `backend.limits.memory`: must not be zero",
        ),
        (
            "limits.concurrency = 0",
            "/srv/keyway.toml:4: `backend.limits.concurrency`: must be 1 to 1000000",
        ),
        (
            "instances = \"pooled\"",
            "/srv/keyway.toml:4: `backend.instances`: unknown value `pooled`, expected `fresh` or `reuse`",
        ),
        (
            "grants.directory = [\"find\", \"write\"]",
            "/srv/keyway.toml:4: `backend.grants.directory`: unknown value `write`, expected one of `find`, `verify`, `list`, `link`",
        ),
        (
            "grants.credential = [\"all\"]",
            "/srv/keyway.toml:4: `backend.grants.credential`: unknown value `all`, expected `expose`",
        ),
        (
            "grants.delegate = [\"b\"]",
            "/srv/keyway.toml:4: `backend.grants.delegate`: no backend has the name `b`",
        ),
        (
            "grants.kv = true",
            "/srv/keyway.toml:4: `backend.grants.kv`: not supported by this version, which grants `log`, `directory`, `credential`, `net`, `file`, \
             `sql` and `delegate`",
        ),
        (
            "secrets.pw = { file = \"absent.pass\" }",
            "/srv/keyway.toml:4: `backend.secrets.pw.file`: cannot read the secret's file `/srv/absent.pass`: No such file or directory (os \
             error 2)",
        ),
        (
            "pin = \"sha256:12\"",
            "/srv/keyway.toml:4: `backend.pin`: a plugin digest is `sha256:` and 64 hexadecimal digits",
        ),
        (
            "config.ratio = nan",
            "/srv/keyway.toml:4: `backend.config`: `NaN` is no number that a plugin could be given",
        ),
    ];
    for (lines, message) in table {
        assert_eq!(backend_refusal(lines), message);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for lines in [
        "secrets.bind_password = \"hunter2, expected\"",
        "secrets = \"hunter2\"",
        "secrets.bind_password = { file = [\"hunter2\"] }",
        "config = \"hunter2\"",
    ] {
        let message = backend_refusal(lines);
        assert!(!message.contains("hunter2"), "{message}");
        assert!(
            message.contains("keyway.toml:4") && message.contains("backend."),
            "{message}"
        );
    }
    assert!(!refusal("store = \"postgres://u:hunter2@h/d\"").contains("hunter2"));
}

#[test]
fn text_that_is_not_toml_is_named_with_its_line() {
    assert!(refusal("a = 1\nb = = 2").starts_with("/srv/keyway.toml:2: "));
    assert!(refusal("data_dir = \"a\"\ndata_dir = \"b\"").starts_with("/srv/keyway.toml:2: "));
}

#[test]
fn a_listener_alone_is_a_whole_configuration() {
    let config = parse("[[listen]]\naddress = \"127.0.0.1:0\"").expect("it is enough");
    assert_eq!(config.data_dir, Path::new("/srv/var"));
    assert_eq!(config.plugins_dir, Path::new("/srv/plugins"));
    assert_eq!(config.store.url.expose(), "sqlite:/srv/var/keyway.db");
    assert_eq!(config.dialect.wazo_backend, "wazo_user");
    let [backend] = config.backends.as_slice() else {
        panic!("one backend: {:?}", config.backends);
    };
    assert_eq!(backend.name.as_str(), "wazo_user");
    assert_eq!(backend.aliases.first().map(BackendName::as_str), Some("xivo_user"));
    assert_eq!(config.listen.first().map(|listen| listen.dialects.len()), Some(4));
}

#[test]
fn the_names_of_later_dialects_are_accepted() {
    let config = parse(
        "[[listen]]\naddress = \"127.0.0.1:0\"\ndialects = [\"wazo\", \"kazoo\", \"privacyidea\", \"webitel\"]\n\
         [dialect.privacyidea]\nbackend = \"wazo_user\"",
    )
    .expect("they are names of the contract");
    let listen = config.listen.first().expect("one listener");
    assert_eq!(listen.dialects, keyway_http::dialect::Dialect::ALL);
    assert_eq!(listen.not_built, Vec::<&str>::new());
}

#[test]
fn the_privacyidea_dialect_says_through_whom_and_how() {
    const BACKENDS: &str = "[[backend]]\nname = \"realms\"\nplugin = \"realm\"\n\
        [[backend]]\nname = \"wazo_user\"\nplugin = \"wazo_user\"\naliases = [\"xivo_user\"]\n[dialect.privacyidea]\n";
    let of = |lines: &str| parse(&format!("{BACKENDS}{lines}")).map(|config| config.dialect.privacyidea);
    let usual = of("").expect("it is enough");
    assert_eq!(usual, keyway_http::PrivacyideaSettings::default());
    let all = of(
        "backend = \"realms\"\nadmin_backend = \"xivo_user\"\nsuperuser_realms = [\"Admins\"]\n\
        error_codes = \"seed\"\nsign_responses = true\naudit_keep = \"30d\"",
    );
    let expected = keyway_http::PrivacyideaSettings {
        backend: "realms".to_owned(),
        admin_backend: "xivo_user".to_owned(),
        superuser_realms: vec!["admins".to_owned()],
        error_codes: keyway_http::ErrorCodes::Seed,
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

#[test]
fn everything_that_can_be_written_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pw"), "s3cret\n").expect("a file");
    std::fs::write(folder.path().join("url"), "postgres://u:p@h/d\n").expect("a file");
    let text = r#"
        data_dir = "/data"
        plugins_dir = "p"
        time_zone = "Asia/Kathmandu"
        store.url = { file = "url" }
        token = { default_ttl = "1h30m", max_ttl = "2d", sweep_interval = "0s", sweep_batch = 7, cache = 9, refresh_ttl = "90d" }
        password = { memory = "19MiB", iterations = 2, parallelism = 1, workers = 3, queue = 0 }
        dialect.wazo = { backend = "x", xivo_uuid = "63f3dc3c-865d-419e-bec2-e18c4b118224" }
        http = { trusted_proxies = ["10.0.0.0/8", "::1"], body_limit = "2MiB", max_buffered = "1GiB", request_timeout = "5s" }
        log = { level = "warning", format = "json" }
        [[listen]]
        address = "[::1]:0"
        tls = { self_signed = true }
        [[backend]]
        name = "x"
        plugin = "y"
        config = { a = 1, b = { c = [true, "d", 1.5, 2026-11-22] } }
        secrets.bind = { file = "pw" }
        limits = { deadline = "250ms", memory = "64MiB", concurrency = 2, queue = 0 }
        instances = "reuse"
        grants = { log = false, directory = ["find"], credential = ["expose"] }
        acl_ceiling = ["a.#"]
        group_policies = { "staff of sales" = ["work", "calls"] }
        pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    "#;
    let config = Config::parse(&folder.path().join("keyway.toml"), text, &[]).expect("it is correct");
    assert_eq!(config.data_dir, Path::new("/data"));
    assert_eq!(config.time_zone.iana_name(), Some("Asia/Kathmandu"));
    assert_eq!(config.store.url.expose(), "postgres://u:p@h/d");
    assert_eq!(config.token.default_ttl.as_secs(), 5_400);
    assert!(config.token.sweep_interval.is_zero());
    assert_eq!(config.token.refresh_ttl.map(|ttl| ttl.as_secs()), Some(7_776_000));
    assert_eq!(config.password.workers, 3);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.http.max_body, 2 << 20);
    assert_eq!(config.http.max_buffered, 1 << 30);
    let backend = config.backends.first().expect("one");
    assert_eq!(
        backend.config,
        serde_json::json!({"a": 1, "b": {"c": [true, "d", 1.5, "2026-11-22"]}})
    );
    assert_eq!(
        backend.secrets.get("bind").map(|secret| secret.expose().as_slice()),
        Some(b"s3cret".as_slice())
    );
    assert_eq!(backend.limits.deadline.as_millis(), 250);
    assert_eq!(
        backend.group_policies.get("staff of sales"),
        Some(&vec!["work".to_owned(), "calls".to_owned()])
    );
    assert!(!backend.grants.log && backend.grants.directory_find && !backend.grants.directory_verify);
    assert!(backend.grants.credential_expose && backend.grants.net.is_empty());
    assert_eq!(backend.instances, Instances::Reuse);
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn variables_win_over_the_file() {
    let text = "[store]\nurl = \"sqlite:a\"\n[[listen]]\naddress = \"127.0.0.1:1\"";
    let config = parse_with(
        text,
        &[
            ("KEYWAY__LISTEN__0__ADDRESS", "127.0.0.1:2"),
            ("KEYWAY__LISTEN__1__ADDRESS", "127.0.0.1:3"),
            ("KEYWAY__LOG__LEVEL", "debug"),
            ("KEYWAY__STORE__URL", "sqlite:/b"),
            ("KEYWAY__TOKEN", "{ cache = 3 }"),
            ("KEYWAY__TOKEN__SWEEP_BATCH", "4"),
        ],
    )
    .expect("they are correct");
    assert_eq!(config.store.url.expose(), "sqlite:/b");
    assert_eq!((config.token.cache_capacity, config.token.sweep_batch), (3, 4));
    assert_eq!(config.log.level, LogLevel::Debug);
    let ports: Vec<_> = config.listen.iter().map(|listen| listen.address.port()).collect();
    assert_eq!(ports, [2, 3]);
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let table = [
        (
            ("KEYWAY__STORE__ULR", "x"),
            "environment variable `KEYWAY__STORE__ULR`: unknown key `store.ulr`; the keys here are `url`, `connections`",
        ),
        (
            ("KEYWAY__TOKEN__MAX_TTL", "soon"),
            "environment variable `KEYWAY__TOKEN__MAX_TTL`: `token.max_ttl`: `soon` is no duration; write `250ms`, `5s`, `2h` or `365d`",
        ),
        (
            ("KEYWAY__LISTEN__4__ADDRESS", "x"),
            "environment variable `KEYWAY__LISTEN__4__ADDRESS`: `listen` is a list of 0, and `4` is no place in it",
        ),
        (
            ("KEYWAY__TOKEN__", "x"),
            "environment variable `KEYWAY__TOKEN__`: the name has an empty step; write `KEYWAY__SECTION__KEY`",
        ),
    ];
    for (variable, message) in table {
        assert_eq!(
            parse_with("data_dir = \"var\"", &[variable])
                .map(|_| ())
                .expect_err("a mistake"),
            message
        );
    }
}

#[test]
fn the_example_configurations_are_good_ones() {
    for (name, text) in [
        ("minimal.toml", include_str!("../../../../examples/config/minimal.toml")),
        ("full.toml", include_str!("../../../../examples/config/full.toml")),
    ] {
        let file = Path::new("/srv").join(name);
        if let Err(error) = Config::parse(&file, text, &[]) {
            panic!("{error}");
        }
    }
}
