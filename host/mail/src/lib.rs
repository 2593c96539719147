//! Mails and pages: the ports [`Mailer`](keyway_core::port::Mailer) and [`Pages`](keyway_core::port::Pages) over templates that an operator can
//! replace, and a queue in front of an SMTP server.
//!
//! A mail's link is a secret. Nothing here logs a mail, an address or what a mail server says in its own words, which may repeat either.

mod compose;
mod outbox;
mod settings;
mod template;
#[cfg(test)]
mod testing;
mod transport;

pub use outbox::Outbox;
pub use settings::{Account, Encryption, MailServer, MailSettings, Retry, SenderAddress, SettingsError};
pub use template::{TemplateError, Templates};
