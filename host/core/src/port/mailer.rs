//! Mail to people, and the pages that its links lead to: facts go in, wording is the implementation's.

use crate::Secret;
use crate::model::{EmailId, Timestamp, UserId};

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Somebody wants a new password for this user.
    PasswordReset,
    /// The address is to be confirmed.
    EmailConfirmation(EmailId),
    /// Somebody wants to log in as this user without the password, to set a new one.
    Recovery,
}

impl Topic {
    /// For logs and for templates: `password_reset`, `email_confirmation` or `recovery`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailConfirmation(_) => "email_confirmation",
            Self::Recovery => "recovery",
        }
    }
}

/// A mail to be written. What is in it of a user may be whatever somebody once wrote into a form.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What it is about.
    pub topic: Topic,
    /// Where it goes.
    pub address: String,
    /// Whom it is about.
    pub user: UserId,
    /// That user's login.
    pub login: Option<String>,
    /// That user's given name.
    pub firstname: Option<String>,
    /// That user's family name.
    pub lastname: Option<String>,
    /// The name of the account that it is about, where the mail is to say it.
    pub account: Option<String>,
    /// What makes the link good.
    pub token: Secret<String>,
    /// The whole link, where it leads elsewhere than all of its topic do: a recovery's.
    pub link: Option<Secret<String>>,
    /// From when on it is not.
    pub expires_at: Timestamp,
}

/// Why a letter was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// As many wait as may.
    #[error("the mail queue is full: {capacity} mails wait")]
    Full {
        /// How many may.
        capacity: usize,
    },
    /// It cannot be written as a mail.
    #[error("the mail cannot be written: {reason}")]
    Unwritable {
        /// Why, without what is secret in it.
        reason: String,
    },
}

/// Sends letters. To add one: a type that implements it, and a line in the composition root.
pub trait Mailer: Send + Sync {
    /// Takes a letter in and returns at once. It is sent as soon as the mail server takes it, which is tried for as long as its link is good.
    ///
    /// # Errors
    /// [`MailerError`].
    fn post(&self, letter: &Letter) -> Result<(), MailerError>;
}

/// A page that somebody sees who follows a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page<'a> {
    /// The address is confirmed.
    EmailConfirmed {
        /// Which.
        address: &'a str,
    },
    /// The form for a new password, which sends the field `password` to its own address.
    PasswordForm {
        /// Whose password it is.
        login: &'a str,
        /// What is wrong with the password that was sent.
        problem: Option<&'a str>,
    },
    /// The new password is set.
    PasswordSet,
    /// The link is not good, or not any more.
    LinkExpired,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[error("the template `{template}` cannot be filled: {reason}")]
pub struct PageError {
    /// The template's name.
    pub template: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Writes pages as HTML, with whatever was not written by the operator escaped.
pub trait Pages: Send + Sync {
    /// The page.
    ///
    /// # Errors
    /// [`PageError`].
    fn render(&self, page: &Page<'_>) -> Result<String, PageError>;
}

/// Where the links of mails lead. `{user}`, `{email}` and `{token}` stand for what belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// To the form for a new password.
    pub password_reset: String,
    /// To the confirmation of an address.
    pub email_confirmation: String,
}

impl Links {
    /// The link of this letter.
    pub fn of(&self, letter: &Letter) -> String {
        if let Some(link) = &letter.link {
            return link.expose().clone();
        }
        let (link, email) = match letter.topic {
            // A user who comes to the form by a recovery's token would not get through, and no recovery is without its own link.
            Topic::PasswordReset | Topic::Recovery => (&self.password_reset, String::new()),
            Topic::EmailConfirmation(email) => (&self.email_confirmation, email.to_string()),
        };
        link.replace("{user}", &letter.user.to_string())
            .replace("{email}", &email)
            .replace("{token}", letter.token.expose())
    }
}
