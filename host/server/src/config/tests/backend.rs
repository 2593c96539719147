//! `[[backend]]`.

use super::{backend_refusal, refusal};

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
