//! `grants.net` and `dialect.wazo.ldap`.

use std::time::Duration;

use keyway_runtime::{AddressPolicy, Balance, Protection};

use super::{backend_refusal, parse, refusal};

#[test]
fn an_endpoint_is_checked() {
    let table = [
        (
            "grants.net.directory = { tls = \"none\" }",
            "/srv/keyway.toml:4: missing key `backend.grants.net.directory.address`",
        ),
        (
            "grants.net.directory = { address = \"h:1\" }",
            "/srv/keyway.toml:4: missing key `backend.grants.net.directory.tls`",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"ssl\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.tls`: unknown value `ssl`, expected one of `none`, `starttls`, `implicit`",
        ),
        (
            "grants.net.directory = { address = [], tls = \"none\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.address`: names no server",
        ),
        (
            "grants.net.directory = { address = \"ldap.example.org\", tls = \"none\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.address`: `ldap.example.org` is no server; write `ldap.example.org:636`, \
             `192.0.2.7:636` or `[2001:db8::7]:636`",
        ),
        (
            "grants.net.directory = { address = \"ldaps://h:1\", tls = \"none\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.address`: `ldaps://h:1` is no server; write `ldap.example.org:636`, \
             `192.0.2.7:636` or `[2001:db8::7]:636`",
        ),
        (
            "grants.net.Directory = { address = \"h:1\", tls = \"none\" }",
            "/srv/keyway.toml:4: `backend.grants.net.Directory`: an endpoint's name is of lower-case letters, digits, `_` and `-`",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"none\", ca = \"x.pem\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.ca`: is of no use with `tls = \"none\"`",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"implicit\", ca = \"absent.pem\" }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.ca`: cannot read the secret's file `/srv/absent.pem`: No such file or directory (os \
             error 2)",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"none\", allow = [\"10.0.0.0/33\"] }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.allow`: `10.0.0.0/33` is no network; write `10.0.0.0/8`, `192.0.2.7` or `fd00::/8`",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"none\", connections = 0 }",
            "/srv/keyway.toml:4: `backend.grants.net.directory.connections`: must be 1 to 1000",
        ),
        (
            "grants.net.directory = { address = \"h:1\", tls = \"none\", port = 7 }",
            "/srv/keyway.toml:4: unknown key `backend.grants.net.directory.port`",
        ),
    ];
    for (lines, message) in table {
        let refusal = backend_refusal(lines);
        assert!(refusal.starts_with(message), "{refusal}\n{message}");
    }
}

#[test]
fn what_an_endpoint_says_is_what_it_gets() {
    let text = r#"
        [[backend]]
        name = "corp"
        plugin = "ldap"
        [backend.grants.net.directory]
        address = ["a.example.org:389", "[2001:db8::7]:1389", "192.0.2.7:389"]
        balance = "round-robin"
        tls = "none"
        allow = ["10.0.0.0/8"]
        connect_timeout = "250ms"
        timeout = "1s"
        retry_after = "0s"
        connections = 2
        bytes = "1MiB"
        idle = 0
        idle_timeout = "9s"
    "#;
    let config = parse(text).expect("it is correct");
    let grants = &config.backends.first().expect("one").grants;
    let endpoint = grants.net.get("directory").expect("it is granted");
    let servers: Vec<_> = endpoint.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["a.example.org:389", "[2001:db8::7]:1389", "192.0.2.7:389"]);
    assert_eq!(endpoint.balance, Balance::RoundRobin);
    assert!(matches!(endpoint.protection, Protection::None));
    assert_eq!(
        endpoint.policy,
        AddressPolicy::allowing(["10.0.0.0/8"]).expect("a network")
    );
    assert_eq!(endpoint.connect_timeout, Duration::from_millis(250));
    assert_eq!(endpoint.io_timeout, Duration::from_secs(1));
    assert_eq!(endpoint.dead_for, Duration::ZERO);
    assert_eq!((endpoint.connections, endpoint.bytes, endpoint.idle), (2, 1 << 20, 0));
    assert_eq!(endpoint.idle_timeout, Duration::from_secs(9));
}

#[test]
fn tenants_directories_are_served_unless_somebody_says_otherwise() {
    let usual = parse("").expect("it is correct");
    let template = usual.tenant_ldap.as_ref().map(|ldap| &ldap.template).expect("it is on");
    assert_eq!(
        (template.name.as_str(), template.plugin.as_str()),
        ("ldap_user", "ldap")
    );
    assert!(template.is_template && template.grants.directory_link && !template.grants.directory_verify);
    assert_eq!(usual.desired().len(), 2);
    for text in [
        "dialect.wazo.ldap.enabled = false",
        "[[backend]]\nname = \"ldap_user\"\nplugin = \"ldap\"",
        "[[backend]]\nname = \"x\"\nplugin = \"ldap\"\naliases = [\"ldap_user\"]",
    ] {
        let config = parse(text).expect(text);
        assert!(config.tenant_ldap.is_none(), "{text}");
        assert_eq!(config.desired().len(), 1, "{text}");
    }
    assert_eq!(
        refusal("dialect.wazo.ldap.allow = [\"x\"]"),
        "/srv/keyway.toml:1: `dialect.wazo.ldap.allow`: `x` is no network; write `10.0.0.0/8`, `192.0.2.7` or `fd00::/8`"
    );
    assert_eq!(
        refusal("dialect.wazo.ldap.plugin = \"../ldap\""),
        "/srv/keyway.toml:1: `dialect.wazo.ldap.plugin`: `../ldap` is not the name of a file in `plugins_dir`"
    );
}
