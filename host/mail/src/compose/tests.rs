//! What a mail looks like, and what nobody can make of it.

use keyway_core::port::{Clock as _, SystemRandom};
use keyway_core::testing::StillClock;

use super::*;
use crate::testing::{TOKEN, confirmation, letter, recovery, settings};

fn written(letter: &Letter) -> String {
    let templates = Templates::built_in().expect("templates");
    let mail = compose(letter, &settings(), &templates, StillClock::new().now(), &SystemRandom).expect("a mail");
    String::from_utf8(mail.formatted()).expect("text")
}

fn now() -> Timestamp {
    StillClock::new().now()
}

/// The header lines, each with what is folded into it.
fn headers(mail: &str) -> Vec<String> {
    let (head, _) = mail.split_once("\r\n\r\n").expect("a head and a body");
    head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_mail_has_its_headers_and_a_link_in_both_of_its_parts() {
    let mail = written(&letter(now()));
    let headers = headers(&mail);
    for header in [
        "From: =?utf-8?b?SsO8cmdlbiwgS2V5d2F5?= <noreply@example.org>",
        "To: alice@example.org",
        "Subject: Set a new password",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(headers.iter().any(|line| line == header), "{header}: {headers:#?}");
    }
    let id = headers.iter().find(|line| line.starts_with("Message-ID: <"));
    assert!(id.is_some_and(|id| id.ends_with("@example.org>")), "{headers:#?}");
    assert_eq!(mail.replace("=\r\n", "").matches(TOKEN).count(), 2, "{mail}");
    assert!(mail.contains("for the user\r\nalice."), "{mail}");
    assert!(mail.contains("2026-01-01 01:00 UTC"), "{mail}");
}

#[test]
fn a_confirmation_repeats_nothing_that_a_stranger_wrote_into_a_form() {
    let mut letter = confirmation(now());
    letter.login = Some("You-have-won".to_owned());
    letter.firstname = Some("http://evil.example".to_owned());
    letter.lastname = Some("Prize".to_owned());
    let mail = written(&letter);
    assert!(
        headers(&mail).iter().any(|line| line == "From: hello@example.org"),
        "{mail}"
    );
    for text in ["You-have-won", "evil", "Prize"] {
        assert!(!mail.contains(text), "{mail}");
    }
}

#[test]
fn a_recovery_leads_to_its_own_page_and_names_the_account() {
    let mail = written(&recovery(now())).replace("=\r\n", "");
    let subject = "Subject: Log in again and set a new password".to_owned();
    assert!(headers(&mail).contains(&subject), "{mail}");
    let text = format!("\r\nhttps://ui.example.org/?recovery={TOKEN}\r\n");
    // Escaped for HTML, and then for a mail.
    let html = format!("<a href=3D\"https:&#x2f;&#x2f;ui.example.org&#x2f;?recovery=3D{TOKEN}\">");
    assert!(mail.contains(&text) && mail.contains(&html), "{mail}");
    assert!(mail.contains("alice (account Example Ltd.)."), "{mail}");
    let nameless = Letter {
        login: None,
        account: None,
        ..recovery(now())
    };
    let mail = written(&nameless);
    assert!(!mail.contains("of the user") && !mail.contains("(account"), "{mail}");
}

#[test]
fn nothing_in_a_letter_adds_a_header_a_recipient_or_markup() {
    const ATTACK: &str = "x\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>";
    let attacked = Letter {
        login: Some(ATTACK.to_owned()),
        firstname: Some(ATTACK.to_owned()),
        lastname: Some(ATTACK.to_owned()),
        account: Some(ATTACK.to_owned()),
        ..letter(now())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let subject = folder.path().join("password_reset.subject.txt");
    std::fs::write(subject, "{{ username }}\nBcc: other@example.org\n{{ firstname }}").expect("a file");
    let templates = Templates::load(folder.path()).expect("templates");
    let mail = compose(&attacked, &settings(), &templates, now(), &SystemRandom).expect("a mail");
    assert_eq!(mail.envelope().to().len(), 1);
    let text = String::from_utf8(mail.formatted()).expect("text");
    let names: Vec<_> = headers(&text)
        .iter()
        .map(|line| line.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert!(!names.contains(&"Bcc".to_owned()), "{text}");
    assert!(!text.contains("\nBcc:"), "{text}");
    let (_, html) = text.split_once("text/html").expect("an HTML part");
    assert!(!html.contains("<script>"), "{text}");
}

#[test]
fn an_address_that_would_be_more_than_one_is_refused() {
    for address in [
        "",
        "alice",
        "a@example.org\r\nRCPT TO:<b@example.org>",
        "a@example.org, b@example.org",
        "a@example.org>\r\nDATA",
        "\"a@example.org",
        "a b@example.org",
        "a@",
        "@example.org",
    ] {
        let letter = Letter {
            address: address.to_owned(),
            ..letter(now())
        };
        let templates = Templates::built_in().expect("templates");
        let refused = compose(&letter, &settings(), &templates, now(), &SystemRandom);
        assert!(matches!(refused, Err(MailerError::Unwritable { .. })), "{address}");
    }
}
