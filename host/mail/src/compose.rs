//! From a letter to a mail.

use std::time::{Duration, SystemTime};

use keyway_core::model::Timestamp;
use keyway_core::port::{Letter, MailerError, Random, Topic};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use minijinja::{Value, context};
use time::macros::format_description;

use crate::{MailSettings, Templates};

/// The longest subject in characters.
const MAX_SUBJECT: usize = 200;

/// Tells other machines not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Writes the mail. Headers are typed, so that no value can end its own; what a line break in a name would do to the text, it does not.
pub(crate) fn compose(
    letter: &Letter,
    settings: &MailSettings,
    templates: &Templates,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Message, MailerError> {
    let address: Address = letter
        .address
        .parse()
        .map_err(|_| unwritable("the address is none that mail can be sent to"))?;
    let values = values(letter, settings);
    let name = letter.topic.name();
    let fill = |extension: &str| {
        let filled = templates.fill(&format!("{name}.{extension}"), values.clone());
        filled.map_err(|reason| MailerError::Unwritable { reason })
    };
    let sender = settings.sender(letter.topic);
    let message = Message::builder()
        .from(sender.mailbox())
        .to(Mailbox::new(None, address))
        .subject(subject(&fill("subject.txt")?))
        .date(date(now))
        .message_id(Some(format!("<{}@{}>", random.uuid(), sender.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(fill("txt")?, fill("html")?));
    message.map_err(|_| unwritable("it has no sender or no recipient"))
}

fn values(letter: &Letter, settings: &MailSettings) -> Value {
    let text = |text: &Option<String>| line(text.as_deref().unwrap_or_default());
    let email = match letter.topic {
        Topic::PasswordReset | Topic::Recovery => String::new(),
        Topic::EmailConfirmation(email) => email.to_string(),
    };
    context! {
        link => settings.links.of(letter),
        base_url => settings.base_url.as_str(),
        token => letter.token.expose().as_str(),
        user_uuid => letter.user.to_string(),
        email_uuid => email,
        username => text(&letter.login),
        firstname => text(&letter.firstname),
        lastname => text(&letter.lastname),
        account => text(&letter.account),
        address => line(&letter.address),
        expires_at => readable(letter.expires_at),
    }
}

/// The text on one line.
fn line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn subject(filled: &str) -> String {
    let words: Vec<_> = filled.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_SUBJECT).collect()
}

fn readable(at: Timestamp) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let at = at.to_utc();
    // Formatting a date into a string cannot fail; the fallback says the same in more digits.
    at.format(form).unwrap_or_else(|_| at.to_string())
}

fn date(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
}

fn unwritable(reason: &str) -> MailerError {
    MailerError::Unwritable {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
