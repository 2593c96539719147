//! What a configuration may hold, and what each mistake in it is answered with: the key, the file and the line.

use keyway_core::model::BackendName;
use keyway_runtime::Instances;

use super::*;

mod backend;
mod dialect;
mod directory;
mod endpoint;
mod events;
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
