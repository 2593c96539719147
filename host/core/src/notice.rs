//! Mails to users: when one is written, to which address, and with what right in its link.

mod error;
mod limit;
mod recovery;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::Secret;
use crate::directory::{DirectoryError, DirectoryService};
use crate::model::{Email, EmailId, TenantScope, User, UserId, login_key};
use crate::port::{Clock, Letter, Mailer, Topic};
use crate::token::{LINK_ADDRESS, LiveToken, TokenError, TokenService, TokenValue, leads_to};

pub use error::NoticeError;
pub use limit::MailLimit;
pub use recovery::RecoveryRequest;

use limit::Limiter;

/// How many requests for a new password may be under way. They take milliseconds.
const MAX_PENDING: usize = 1024;

/// How many of them are worked on at once, so that logins keep the store to themselves.
const AT_ONCE: usize = 4;

/// How long links are good, and how many mails are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeSettings {
    /// The life of a link to a new password.
    pub password_reset_lifetime: Duration,
    /// The life of a link that confirms an address.
    pub email_confirmation_lifetime: Duration,
    /// How many mails go to one user, and to one address.
    pub limit: MailLimit,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            password_reset_lifetime: Duration::from_hours(48),
            email_confirmation_lifetime: Duration::from_hours(48),
            limit: MailLimit::default(),
        }
    }
}

/// By what a user is named who wants a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// By a login.
    Login(String),
    /// By a confirmed address.
    Email(String),
    /// By either; an address comes first.
    Either(String),
}

/// Writes mails to users.
pub struct NoticeService {
    directory: Arc<DirectoryService>,
    tokens: Arc<TokenService>,
    mailer: Option<Arc<dyn Mailer>>,
    clock: Arc<dyn Clock>,
    settings: NoticeSettings,
    limiter: Mutex<Limiter>,
    places: Arc<Semaphore>,
    turns: Semaphore,
    /// Whether it was said that there is no way to send mail.
    complained: AtomicBool,
}

impl NoticeService {
    /// Sends through `mailer`; without one, nothing is sent, which the log says once.
    pub fn new(
        directory: Arc<DirectoryService>,
        tokens: Arc<TokenService>,
        mailer: Option<Arc<dyn Mailer>>,
        clock: Arc<dyn Clock>,
        settings: NoticeSettings,
    ) -> Self {
        Self {
            directory,
            tokens,
            mailer,
            clock,
            settings,
            limiter: Mutex::new(Limiter::new(settings.limit)),
            places: Arc::new(Semaphore::new(MAX_PENDING)),
            turns: Semaphore::new(AT_ONCE),
            complained: AtomicBool::new(false),
        }
    }

    /// Sends a link to a new password, if there is such a user who may have one. All of it happens after the return, which therefore takes the
    /// same time and says the same for everyone. To be called within a tokio runtime.
    pub fn request_password_reset(self: &Arc<Self>, whose: Whose) {
        self.later(move |service| async move { service.write_password_reset(&whose).await });
    }

    /// Writes a mail after the return, so that nobody can tell from it whether one is written.
    fn later<F>(self: &Arc<Self>, write: impl FnOnce(Arc<Self>) -> F + Send + 'static)
    where
        F: Future<Output = Result<(), NoticeError>> + Send,
    {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::warn!("too many requests for new passwords are under way; this one is dropped");
            return;
        };
        let service = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = service.turns.acquire().await;
            match write(Arc::clone(&service)).await {
                Ok(()) => {}
                Err(NoticeError::TooMany { .. }) => {
                    tracing::info!("no mail is sent: this user or address had too many lately");
                }
                Err(error) => {
                    let error = &error as &dyn Error;
                    tracing::warn!(error, "a link to a new password was not sent");
                }
            }
            drop(place);
        });
    }

    /// Waits until no request for a new password is under way, but no longer than this.
    pub async fn settle(&self, patience: Duration) {
        let all = self.places.acquire_many(u32::try_from(MAX_PENDING).unwrap_or(u32::MAX));
        // What is still under way then is dropped with the runtime.
        let _ = tokio::time::timeout(patience, all).await;
    }

    async fn write_password_reset(&self, whose: &Whose) -> Result<(), NoticeError> {
        let Some(mailer) = self.mailer() else {
            return Ok(());
        };
        let Some(user) = self.find(whose).await? else {
            return Ok(());
        };
        let Some(email) = address_for(&user, whose) else {
            tracing::info!(user = %user.id, "no mail is sent: the user has no confirmed address");
            return Ok(());
        };
        if !user.enabled || !self.directory.has_own_password(user.id).await? {
            tracing::info!(user = %user.id, "no mail is sent: the user cannot log in with a password of this host");
            return Ok(());
        }
        self.admit(user.id, &email.address)?;
        let link = Link {
            topic: Topic::PasswordReset,
            access: reset_access(user.id),
            lifetime: self.settings.password_reset_lifetime,
        };
        self.post(mailer, &user, email, link, shown).await
    }

    /// Sends a link that confirms an address of a user of these tenants. Without a way to send mail, or with too many mails waiting, nothing is
    /// sent, and the log says so.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub async fn request_confirmation(
        &self,
        user: UserId,
        email: EmailId,
        scope: TenantScope,
    ) -> Result<(), NoticeError> {
        let (user, email) = self.directory.get_email(user, email, scope).await?;
        if email.confirmed {
            return Err(NoticeError::AlreadyConfirmed(email.id));
        }
        self.confirm(&user, &email).await
    }

    /// Sends links that confirm what is not confirmed of a user who has just been made. What keeps one back is logged: the user is there, and can
    /// ask for another one.
    pub async fn welcome(&self, user: &User) {
        for email in user.emails.iter().filter(|email| !email.confirmed) {
            if let Err(error) = self.confirm(user, email).await {
                let error = &error as &dyn Error;
                tracing::warn!(user = %user.id, error, "a link that confirms an address was not sent");
            }
        }
    }

    async fn confirm(&self, user: &User, email: &Email) -> Result<(), NoticeError> {
        let Some(mailer) = self.mailer() else {
            return Ok(());
        };
        if !user.enabled {
            tracing::info!(user = %user.id, "no mail is sent: the user is disabled");
            return Ok(());
        }
        self.admit(user.id, &email.address)?;
        // The older word for `update`, as the clients know it; accesses take both.
        let access = format!("auth.emails.{}.confirm.edit", email.id);
        let link = Link {
            topic: Topic::EmailConfirmation(email.id),
            access,
            lifetime: self.settings.email_confirmation_lifetime,
        };
        self.post(mailer, user, email, link, shown).await
    }

    /// Sets the password of a user of these tenants, or removes it, by a token that may. A token of the user's own, as links have it, is good for
    /// one time: of several who use it at once, one succeeds. Another's is refused for a user who may do more at this server.
    ///
    /// # Errors
    /// [`NoticeError::Used`], [`NoticeError::Directory`], [`NoticeError::Token`].
    pub async fn reset_password(
        &self,
        token: &TokenValue,
        live: &LiveToken,
        user: UserId,
        password: Option<&Secret<Vec<u8>>>,
        scope: TenantScope,
    ) -> Result<(), NoticeError> {
        let session = &live.record.session;
        if session.attributes.iter().any(|(name, _)| name == LINK_ADDRESS) {
            let user = self.directory.get_user_in(user, scope).await?;
            if !leads_to(session, &user) {
                tracing::info!(user = %user.id, "a link is not followed: the address that it went to is not the user's any more");
                return Err(NoticeError::Used(user.id));
            }
        }
        // All that can be refused comes before the link is used up.
        let by = &live.accesses;
        let prepared = self.directory.prepare_password(user, password, scope, by).await?;
        let own = live.record.session.identity.id == user.into();
        if own && !self.tokens.revoke(token).await? {
            return Err(NoticeError::Used(user));
        }
        self.directory.put_password(prepared).await?;
        tracing::info!(%user, removed = password.is_none(), "a password was set by a link");
        Ok(())
    }

    async fn find(&self, whose: &Whose) -> Result<Option<User>, DirectoryError> {
        match whose {
            Whose::Login(login) => self.directory.find_by_login(login, None).await,
            Whose::Email(address) => self.directory.find_by_email(address, None).await,
            Whose::Either(text) => match self.directory.find_by_email(text, None).await? {
                Some(user) => Ok(Some(user)),
                None => self.directory.find_by_login(text, None).await,
            },
        }
    }

    /// Makes the token of a link, and posts the letter that `fill` makes of one with the token still to be put in.
    async fn post(
        &self,
        mailer: &dyn Mailer,
        user: &User,
        email: &Email,
        link: Link,
        fill: impl FnOnce(Letter, &TokenValue) -> Letter + Send,
    ) -> Result<(), NoticeError> {
        let address = vec![(LINK_ADDRESS.to_owned(), email.id.to_string())];
        let minted = self
            .tokens
            .mint_link(user.id, vec![link.access], link.lifetime, address);
        let minted = match minted.await {
            Err(TokenError::Closed(_)) => {
                tracing::info!(user = %user.id, "no mail is sent: nobody of the user's account may log in");
                return Ok(());
            }
            minted => minted?,
        };
        let letter = Letter {
            topic: link.topic,
            address: email.address.clone(),
            user: user.id,
            login: user.login.clone(),
            firstname: user.firstname.clone(),
            lastname: user.lastname.clone(),
            account: None,
            token: Secret::new(String::new()),
            link: None,
            expires_at: minted.live.record.token.expires_at,
        };
        let letter = fill(letter, &minted.value);
        if let Err(error) = mailer.post(&letter) {
            tracing::error!(topic = link.topic.name(), user = %user.id, error = &error as &dyn Error, "a mail is not sent");
            // Nobody will ever have seen it.
            self.tokens.revoke(&minted.value).await?;
        }
        Ok(())
    }

    fn admit(&self, user: UserId, address: &str) -> Result<(), NoticeError> {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = limiter.admit(user, &login_key(address), self.clock.now());
        admitted.map_err(|retry_after| NoticeError::TooMany { retry_after })
    }

    fn mailer(&self) -> Option<&dyn Mailer> {
        if self.mailer.is_none() && !self.complained.swap(true, Ordering::Relaxed) {
            tracing::warn!("somebody asked for a mail, and none can be sent: the configuration has no `[mail]`");
        }
        self.mailer.as_deref()
    }
}

/// What a link is to be good for.
struct Link {
    topic: Topic,
    access: String,
    lifetime: Duration,
}

/// A letter whose link shows the token itself.
fn shown(letter: Letter, token: &TokenValue) -> Letter {
    Letter {
        token: Secret::new(token.reveal()),
        ..letter
    }
}

/// What a token must have for a new password of this user.
pub fn reset_access(user: UserId) -> String {
    format!("auth.users.password.reset.{user}.create")
}

/// The confirmed address that was named, else the main one if it is confirmed, else any that is: mail to an address that nobody confirmed could
/// put the user into a stranger's hands.
fn address_for<'a>(user: &'a User, whose: &Whose) -> Option<&'a Email> {
    let confirmed = || user.emails.iter().filter(|email| email.confirmed);
    let named = match whose {
        Whose::Login(_) => None,
        Whose::Email(text) | Whose::Either(text) => {
            confirmed().find(|email| login_key(&email.address) == login_key(text))
        }
    };
    named
        .or_else(|| confirmed().find(|email| email.main))
        .or_else(|| confirmed().next())
}
