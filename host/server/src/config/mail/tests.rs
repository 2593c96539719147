//! What `[mail]` may hold.

use crate::config::Config;

use super::*;

const WHOLE: &str = "[mail]\nbase_url = \"https://auth.example.org/api/auth/\"\nhost = \"mail.example.org\"\nfrom = { name = \"Keyway\", address = \"noreply@example.org\" }\n";

fn parse_in(folder: &Path, text: &str) -> Result<Config, String> {
    Config::parse(&folder.join("keyway.toml"), text, &[]).map_err(|error| error.to_string())
}

fn settings(more: &str) -> MailSettings {
    let config = parse_in(Path::new("/srv"), &format!("{WHOLE}{more}")).expect(more);
    config.mail.settings.expect("settings")
}

fn refusal(more: &str) -> String {
    parse_in(Path::new("/srv"), &format!("{WHOLE}{more}")).expect_err(more)
}

#[test]
fn without_mail_there_are_pages_and_no_mails() {
    let config = parse_in(Path::new("/srv"), "").expect("a configuration");
    assert_eq!(config.mail.settings, None);
    assert_eq!(config.mail.limit, MailLimit::default());
}

#[test]
fn three_keys_are_enough_and_tls_is_usual() {
    let settings = settings("");
    assert_eq!(settings.base_url, "https://auth.example.org/api/auth");
    assert_eq!(
        settings.links.email_confirmation,
        "https://auth.example.org/api/auth/0.1/emails/{email}/confirm?token={token}"
    );
    assert_eq!(
        (settings.server.port, settings.server.encryption),
        (587, Encryption::StartTls)
    );
    assert_eq!(settings.server.hello, "auth.example.org");
    assert_eq!(settings.capacity, 1000);
}

#[test]
fn the_port_follows_the_tls_mode() {
    for (more, port) in [
        ("tls = \"none\"", 25),
        ("tls = \"implicit\"", 465),
        ("tls = \"starttls\"\nport = 2525", 2525),
    ] {
        assert_eq!(settings(more).server.port, port, "{more}");
    }
}

#[test]
fn mistakes_are_named_with_key_and_line() {
    for (more, message) in [
        ("tls = \"ssl\"", "/srv/keyway.toml:5: `mail.tls`: unknown value"),
        ("port = 99999", "/srv/keyway.toml:5: `mail.port`"),
        (
            "user = \"u\"",
            "/srv/keyway.toml:5: `mail.user`: there is no `mail.password` to it",
        ),
        (
            "password = \"p\"",
            "/srv/keyway.toml:5: `mail.password`: there is no `mail.user` to it",
        ),
        (
            "user = \"u\"\ntls = \"none\"\npassword = \"s3cre7\"",
            "/srv/keyway.toml:7: `mail.password`: a password goes over a network only in TLS",
        ),
        (
            "password_reset_from = { address = \"x\" }",
            "/srv/keyway.toml:5: `mail.password_reset_from`: `x` is no email address",
        ),
        (
            "email_confirmation_from = { name = \"a\\r\\nBcc: b@c.d\", address = \"x@y.z\" }",
            "/srv/keyway.toml:5: `mail.email_confirmation_from`: a name is at most 128 characters",
        ),
        (
            "ca = \"nowhere.pem\"",
            "/srv/keyway.toml:5: `mail.ca`: cannot read `/srv/nowhere.pem`",
        ),
        ("queue = 0", "/srv/keyway.toml:5: `mail.queue`: must be 1 to 100000"),
        (
            "timeout = \"1ms\"",
            "/srv/keyway.toml:5: `mail.timeout`: must be at least `1s`",
        ),
        (
            "retry.first = \"0s\"",
            "/srv/keyway.toml:5: `mail.retry.first`: must be more than zero",
        ),
        (
            "limit.burst = 0",
            "/srv/keyway.toml:5: `mail.limit.burst`: must be 1 to 1000",
        ),
        (
            "templates = \"nowhere\"",
            "/srv/keyway.toml:5: `mail.templates`: `/srv/nowhere`: cannot read",
        ),
        ("subject = \"x\"", "/srv/keyway.toml:5: unknown key `mail.subject`"),
    ] {
        let refused = refusal(more);
        assert!(refused.starts_with(message), "{refused}");
        assert!(!refused.contains("s3cre7"), "{refused}");
    }
    let refused = refusal("user = \"u\"\npassword = 123456789");
    assert!(!refused.contains("123456789"), "{refused}");
}

#[test]
fn a_base_url_is_one_and_holds_nothing_secret() {
    for url in [
        "auth.example.org",
        "ftp://auth.example.org",
        "https://",
        "https://u:p@auth.example.org",
        "https://auth.example.org/?a=b",
        "https://auth.example.org/#x",
        "https://auth.example.org/{token}",
        "javascript:alert(1)",
    ] {
        let text = WHOLE.replace("https://auth.example.org/api/auth/", url);
        let refused = parse_in(Path::new("/srv"), &text).expect_err(url);
        assert!(
            refused.starts_with("/srv/keyway.toml:2: `mail.base_url`: write where"),
            "{refused}"
        );
    }
}

#[test]
fn a_template_that_cannot_be_used_is_named_with_its_own_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let templates = folder.path().join("templates");
    std::fs::create_dir(&templates).expect("a folder");
    let file = templates.join("password_reset.txt");
    let text = format!("{WHOLE}templates = \"templates\"");
    std::fs::write(&file, "{{ link }}\n").expect("a file");
    let config = parse_in(folder.path(), &text).expect("a configuration");
    assert!(config.files.contains(&file), "a reload reads it again");
    std::fs::write(&file, "{{ link }}\n\n{{ nickname }}\n").expect("a file");
    let refused = parse_in(folder.path(), &text).expect_err("a wrong template");
    assert!(refused.starts_with(&format!("{}:3: ", file.display())), "{refused}");
}
