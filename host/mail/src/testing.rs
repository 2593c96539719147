//! What this crate's tests share.

use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::{EmailId, Timestamp, UserId};
use keyway_core::port::{Letter, Links, Topic};
use uuid::Uuid;

use crate::{Encryption, MailServer, MailSettings, Retry, SenderAddress};

pub(crate) const TOKEN: &str = "7e4f2a10-9a5b-4c6d-8e7f-0123456789ab";

pub(crate) fn settings() -> MailSettings {
    MailSettings {
        server: MailServer {
            host: "127.0.0.1".to_owned(),
            port: 1,
            encryption: Encryption::None,
            authorities: None,
            account: None,
            hello: "auth.example.org".to_owned(),
            timeout: Duration::from_secs(10),
            connections: 2,
        },
        password_reset_from: SenderAddress::parse("Jürgen, Keyway", "noreply@example.org").expect("an address"),
        email_confirmation_from: SenderAddress::parse("", "hello@example.org").expect("an address"),
        base_url: "https://auth.example.org".to_owned(),
        links: Links {
            password_reset: "https://auth.example.org/reset?user={user}&token={token}".to_owned(),
            email_confirmation: "https://auth.example.org/confirm/{email}?token={token}".to_owned(),
        },
        capacity: 3,
        retry: Retry {
            first: Duration::from_secs(1),
            longest: Duration::from_mins(1),
        },
    }
}

/// A letter to alice whose link is good for an hour.
pub(crate) fn letter(now: Timestamp) -> Letter {
    Letter {
        topic: Topic::PasswordReset,
        address: "alice@example.org".to_owned(),
        user: UserId(Uuid::from_u128(2)),
        login: Some("alice".to_owned()),
        firstname: None,
        lastname: None,
        account: None,
        link: None,
        token: Secret::new(TOKEN.to_owned()),
        expires_at: now.plus(Duration::from_hours(1)),
    }
}

pub(crate) fn confirmation(now: Timestamp) -> Letter {
    Letter {
        topic: Topic::EmailConfirmation(EmailId(Uuid::from_u128(3))),
        ..letter(now)
    }
}

/// A letter to alice whose link leads to somebody's own page.
pub(crate) fn recovery(now: Timestamp) -> Letter {
    Letter {
        topic: Topic::Recovery,
        account: Some("Example Ltd.".to_owned()),
        link: Some(Secret::new(format!("https://ui.example.org/?recovery={TOKEN}"))),
        ..letter(now)
    }
}
