//! What the configuration lacks, as it is written there.

use std::fmt::Write as _;

use keyway_core::import::privacyidea::{Wanted, WantedLdap};
use keyway_core::model::BackendName;

/// Lines of TOML with a line of explanation before each part.
pub(super) fn toml(wanted: &[Wanted], backend: &BackendName) -> String {
    let mut own = String::new();
    let mut delegates = Vec::new();
    let mut others = String::new();
    for wanted in wanted {
        // Writing into a string cannot fail.
        let _ = match wanted {
            Wanted::File { resolver, grant, path } => {
                let path = quoted(path);
                writeln!(
                    own,
                    "# the file of the resolver `{resolver}`\ngrants.file.{grant} = {{ path = {path} }}"
                )
            }
            Wanted::Database {
                resolver,
                grant,
                url,
                has_password,
            } => {
                let password = if *has_password {
                    format!(", password = {{ file = {} }}", quoted(&format!("{grant}.pass")))
                } else {
                    String::new()
                };
                let url = quoted(url);
                writeln!(
                    own,
                    "# the database of the resolver `{resolver}`\ngrants.sql.{grant} = {{ url = {url}{password} }}"
                )
            }
            Wanted::Http { resolver, url, .. } => writeln!(
                own,
                "# the service of the resolver `{resolver}`, {}: a resolver of the type `http`, as the plugin's README has it",
                quoted(url)
            ),
            Wanted::Ldap(ldap) => {
                delegates.push(quoted(&ldap.backend));
                others.push_str(&directory(ldap));
                resolver(&mut own, ldap)
            }
        };
    }
    let mut text = format!("# in the [[backend]] `{backend}`\n{own}");
    if !delegates.is_empty() {
        let _ = writeln!(
            text,
            "# besides those that are there\ngrants.delegate = [{}]",
            delegates.join(", ")
        );
    }
    text.push_str(&others);
    text
}

/// The resolver that leads to a directory.
fn resolver(text: &mut String, ldap: &WantedLdap) -> std::fmt::Result {
    let pairs = ldap.attributes.iter();
    let pairs: Vec<_> = pairs
        .map(|(ours, theirs)| format!("{} = {}", quoted(ours), quoted(theirs)))
        .collect();
    writeln!(
        text,
        "# the directory of the resolver `{}`\nconfig.resolvers.{} = {{ type = \"backend\", backend = {}, map = {{ {} }} }}",
        ldap.resolver,
        quoted(&ldap.resolver),
        quoted(&ldap.backend),
        pairs.join(", ")
    )
}

/// The backend that stands on a directory.
fn directory(ldap: &WantedLdap) -> String {
    let servers: Vec<Server> = ldap.servers.iter().map(|uri| Server::parse(uri)).collect();
    let is_implicit = servers.first().is_some_and(|server| server.is_implicit);
    let (together, apart): (Vec<&Server>, Vec<&Server>) =
        servers.iter().partition(|server| server.is_implicit == is_implicit);
    let addresses: Vec<_> = together.iter().map(|server| quoted(&server.address)).collect();
    let tls = match (is_implicit, ldap.start_tls) {
        (true, _) => "implicit",
        (false, true) => "starttls",
        (false, false) => "none",
    };
    let name = quoted(&ldap.backend);
    let mut lines = vec![
        format!("\n[[backend]]\nname = {name}\nplugin = \"ldap\"\ngrants.credential = [\"expose\"]"),
        format!(
            "# certificates are verified; `ca = \"FILE\"` names their authority if this machine does not know it\n\
             grants.net.directory = {{ address = [{}], tls = \"{tls}\" }}",
            addresses.join(", ")
        ),
    ];
    if !apart.is_empty() {
        let apart: Vec<_> = apart.iter().map(|server| server.address.as_str()).collect();
        lines.push(format!(
            "# left out, because all servers of a grant have the same kind of TLS: {}",
            apart.join(", ")
        ));
    }
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{key} = {}", quoted(value)));
        }
    };
    put("config.user_base_dn", &ldap.base_dn);
    put("config.bind_dn", &ldap.bind_dn);
    let login = ldap.login_attributes.first().map_or("uid", String::as_str);
    put("config.user_login_attribute", login);
    put("config.search_filters", &filter(ldap));
    let names_by_entry = ldap.uid_attribute.eq_ignore_ascii_case("DN");
    put(
        "config.uid_attribute",
        if names_by_entry { "" } else { &ldap.uid_attribute },
    );
    let attributes: Vec<_> = ldap.attributes.iter().map(|(_, theirs)| quoted(theirs)).collect();
    lines.push(format!("config.attributes = [{}]", attributes.join(", ")));
    if ldap.has_password {
        lines.push(format!(
            "secrets.bind_password = {{ file = {} }}",
            quoted(&format!("{}.pass", ldap.backend))
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Whoever fits the resolver's filter and has the login in one of the attributes for it.
fn filter(ldap: &WantedLdap) -> String {
    let logins = ldap.login_attributes.iter();
    let logins: Vec<_> = logins.map(|attribute| format!("({attribute}={{username}})")).collect();
    match logins.as_slice() {
        [] => String::new(),
        [one] => format!("(&{}{one})", ldap.filter),
        several => format!("(&{}(|{}))", ldap.filter, several.concat()),
    }
}

/// A server of a directory.
struct Server {
    address: String,
    is_implicit: bool,
}

impl Server {
    fn parse(uri: &str) -> Self {
        let (scheme, rest) = uri.split_once("://").unwrap_or(("ldap", uri));
        let is_implicit = scheme.eq_ignore_ascii_case("ldaps");
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
        let port = if is_implicit { 636 } else { 389 };
        let address = if after.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        };
        Self { address, is_implicit }
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn all() -> Vec<Wanted> {
        vec![
            Wanted::File {
                resolver: "Passwd.1".to_owned(),
                grant: "passwd_1".to_owned(),
                path: "/etc/\"odd\\name\u{1}".to_owned(),
            },
            Wanted::Database {
                resolver: "hr".to_owned(),
                grant: "hr".to_owned(),
                url: "postgres://u%40x@db:5433/hr".to_owned(),
                has_password: true,
            },
            Wanted::Http {
                resolver: "scim".to_owned(),
                grant: "scim".to_owned(),
                url: "https://s\n".to_owned(),
            },
            Wanted::Ldap(Box::new(WantedLdap {
                resolver: "Corp.1".to_owned(),
                backend: "corp_1".to_owned(),
                servers: ["ldaps://a", "ldaps://[::1]", "ldaps://b:1636/x", "ldap://c"]
                    .map(str::to_owned)
                    .to_vec(),
                base_dn: "dc=x".to_owned(),
                bind_dn: "cn=s,dc=x".to_owned(),
                has_password: true,
                login_attributes: vec!["uid".to_owned(), "mail".to_owned()],
                filter: "(uid=*)(objectClass=person)".to_owned(),
                uid_attribute: "DN".to_owned(),
                attributes: vec![("phone".to_owned(), "telephoneNumber".to_owned())],
                ..WantedLdap::default()
            })),
        ]
    }

    #[test]
    fn what_is_to_be_written_is_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hr.pass", "corp_1.pass"] {
            std::fs::write(folder.path().join(name), "s3cre7\n").unwrap();
        }
        let backend = BackendName::parse("realms").unwrap();
        let text = format!(
            "[[backend]]\nname = \"realms\"\nplugin = \"realm\"\n{}",
            toml(&all(), &backend)
        );
        let config = Config::parse(&folder.path().join("keyway.toml"), &text, &[])
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        let realms = &config.backends[0];
        let file = &realms.grants.file["passwd_1"];
        assert_eq!(file.path.to_str(), Some("/etc/\"odd\\name\u{1}"));
        assert!(realms.grants.sql["hr"].password.is_some());
        assert!(realms.grants.delegate.contains("corp_1"));
        assert_eq!(realms.config["resolvers"]["Corp.1"]["map"]["phone"], "telephoneNumber");
        let corp = &config.backends[1];
        let config = &corp.config;
        assert_eq!(
            config["search_filters"],
            "(&(uid=*)(objectClass=person)(|(uid={username})(mail={username})))"
        );
        assert_eq!(config.get("uid_attribute"), None, "an entry's name is not an attribute");
        assert_eq!(corp.grants.net["directory"].servers.len(), 3);
        assert!(corp.secrets.contains_key("bind_password"));
    }

    #[test]
    fn a_server_has_the_port_of_its_protocol() {
        for (uri, address, is_implicit) in [
            ("ldap://a", "a:389", false),
            ("LDAPS://a", "a:636", true),
            ("a", "a:389", false),
            ("ldap://a:1389/dc=x?uid", "a:1389", false),
            ("ldaps://[::1]", "[::1]:636", true),
            ("ldap://[::1]:1", "[::1]:1", false),
        ] {
            let server = Server::parse(uri);
            assert_eq!(
                (server.address.as_str(), server.is_implicit),
                (address, is_implicit),
                "{uri}"
            );
        }
    }
}
