//! What an operator decides about mail.

use std::time::Duration;

use keyway_core::Secret;
use keyway_core::port::{Links, Topic};
use lettre::Address;

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The server that takes it.
    pub server: MailServer,
    /// From whom mails about passwords are.
    pub password_reset_from: SenderAddress,
    /// From whom mails about addresses are.
    pub email_confirmation_from: SenderAddress,
    /// Where people reach this server, without a slash at the end; templates see it.
    pub base_url: String,
    /// Where links lead.
    pub links: Links,
    /// How many mails may wait.
    pub capacity: usize,
    /// How long a mail that was not taken waits.
    pub retry: Retry,
}

/// The server that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    /// Its name, which its certificate must have, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// Certificate authorities in PEM, in the place of the machine's.
    pub authorities: Option<Vec<u8>>,
    /// Whom to log in as.
    pub account: Option<Account>,
    /// What this host calls itself.
    pub hello: String,
    /// How long one mail may take, from connecting to the server's last word.
    pub timeout: Duration,
    /// How many mails are sent at once.
    pub connections: u32,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// By STARTTLS, without which nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// A login at the mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
}

/// From whom a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderAddress {
    name: String,
    address: Address,
}

/// How long a mail that was not taken waits: twice as long after each attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// After the first attempt.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_mins(5),
        }
    }
}

impl Retry {
    /// How long to wait after so many attempts, of which there was at least one.
    pub(crate) fn after(self, attempts: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Why something cannot be used for mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Nobody can be written to there.
    #[error("`{0}` is no email address")]
    Address(String),
    /// The name would break out of its header.
    #[error("a name is at most 128 characters, none of them a control character")]
    Name,
    /// The certificate authorities.
    #[error("the file holds no certificate in PEM form")]
    Authorities,
}

impl SenderAddress {
    /// Checks both; an empty name is none.
    ///
    /// # Errors
    /// [`SettingsError::Address`], [`SettingsError::Name`].
    pub fn parse(name: &str, address: &str) -> Result<Self, SettingsError> {
        if name.chars().count() > 128 || name.contains(char::is_control) {
            return Err(SettingsError::Name);
        }
        let parsed = address.parse();
        Ok(Self {
            name: name.to_owned(),
            address: parsed.map_err(|_| SettingsError::Address(address.to_owned()))?,
        })
    }

    /// The name; empty for none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address.
    pub fn address(&self) -> &str {
        self.address.as_ref()
    }

    pub(crate) fn mailbox(&self) -> lettre::message::Mailbox {
        let name = (!self.name.is_empty()).then(|| self.name.clone());
        lettre::message::Mailbox::new(name, self.address.clone())
    }

    /// The part behind the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.address.domain()
    }
}

impl MailServer {
    /// Whether these authorities can be used, without connecting to anything.
    ///
    /// # Errors
    /// [`SettingsError::Authorities`].
    pub fn check_authorities(pem: &[u8]) -> Result<(), SettingsError> {
        crate::transport::authorities(pem).map(drop)
    }
}

impl MailSettings {
    /// From whom a mail about this is.
    pub(crate) fn sender(&self, topic: Topic) -> &SenderAddress {
        match topic {
            Topic::PasswordReset | Topic::Recovery => &self.password_reset_from,
            Topic::EmailConfirmation(_) => &self.email_confirmation_from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_and_a_name_of_one_line() {
        assert!(SenderAddress::parse("Keyway", "noreply@example.org").is_ok());
        assert!(SenderAddress::parse("", "noreply@example.org").is_ok());
        for name in ["a\r\nBcc: b@example.org", "a\nb", "\0", &"x".repeat(129)] {
            assert_eq!(
                SenderAddress::parse(name, "noreply@example.org"),
                Err(SettingsError::Name)
            );
        }
        for address in [
            "",
            "noreply",
            "a@b@c",
            "a b@example.org",
            "a@example.org\r\nRCPT TO:<b>",
        ] {
            assert_eq!(
                SenderAddress::parse("Keyway", address),
                Err(SettingsError::Address(address.to_owned()))
            );
        }
    }

    #[test]
    fn each_attempt_is_waited_for_twice_as_long_up_to_a_bound() {
        let retry = Retry {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5),
        };
        let waits: Vec<_> = [1, 2, 3, 4, 40, u32::MAX].map(|n| retry.after(n).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 5, 5, 5]);
    }
}
