//! Whom a login is for, and through which backend: a local administrator first, then the user of a realm.

use keyway_core::Secret;
use keyway_core::model::{Credential, Refusal};
use keyway_core::token::{
    Asked, FactorRule, IssuedToken, LiveToken, LoginOutcome, LoginRequest, REQUESTED_REALM, TokenError,
};

use super::{ADMIN_ACCESS, REALM_ATTRIBUTE};
use crate::dialect::Dialect;
use crate::dialect::privacyidea::Privacyidea;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::{AuthFailure, Failure};
use crate::dialect::privacyidea::policies::{self, LoginRules};
use crate::dialect::privacyidea::realm_config::{Named, RealmConfig};
use crate::dialect::privacyidea::rights::Role;

/// The longest user name and realm, in bytes: no backend is asked about longer ones.
const MAX_NAME: usize = 1024;
/// The longest password, in bytes.
const MAX_PASSWORD: usize = 4096;

/// How a login ended, if it was neither refused nor failed.
pub(super) enum Outcome {
    Issued(Box<IssuedToken>, Role),
    Challenged(Asked),
}

/// A login under way.
struct Attempt<'a> {
    ask: &'a Ask,
    /// As the caller wrote it, without blanks around it.
    username: &'a str,
    password: Secret<Vec<u8>>,
    transaction: Option<&'a str>,
    named: Named,
    rules: LoginRules,
    /// Whether a local administrator has exactly this name.
    is_admin: bool,
}

/// Runs a login, from what the request says to a session.
///
/// # Errors
/// [`Failure`].
pub(super) async fn run(ask: &Ask) -> Result<Outcome, Failure> {
    let params = ask.params()?;
    let username = params.text("username")?.ok_or(AuthFailure::NoUsername)?.trim();
    let realm = params.text("realm")?;
    let password = params.secret("password")?;
    let is_long = |text: Option<&str>| text.is_some_and(|text| text.len() > MAX_NAME);
    if is_long(Some(username)) || is_long(realm) {
        let parameter = if is_long(realm) { "realm" } else { "username" };
        return Err(too_long(parameter, MAX_NAME));
    }
    if password
        .as_ref()
        .is_some_and(|password| password.expose().len() > MAX_PASSWORD)
    {
        return Err(too_long("password", MAX_PASSWORD));
    }
    let transaction = params.word("transaction_id")?;
    let config = ask.pi.realm_config().await?;
    let named = config.named(username, realm);
    let rules = policies::for_login(ask, username, &named).await?;
    let hides = rules.hide_reasons;
    let judged = async {
        if let Err(unknown) = config.check(&named) {
            rules.admit(ask).await?;
            return Err(unknown.into());
        }
        let password = password.filter(|password| !password.expose().is_empty());
        let Some(password) = password.filter(|_| !username.is_empty()) else {
            // An empty password must never reach a backend, where it could mean an anonymous bind.
            rules.admit(ask).await?;
            ask.pi.tokens().burn(None).await?;
            return Err(AuthFailure::WrongCredentials.into());
        };
        let default = ask.pi.tokens().settings().default_user_policy.as_deref();
        let directory = ask.pi.directory();
        let attempt = Attempt {
            is_admin: directory.has_administrator(username, ADMIN_ACCESS, default).await?,
            ask,
            username,
            password,
            transaction,
            named,
            rules,
        };
        attempt.judge(&config).await
    };
    judged
        .await
        .map_err(|failure| if hides { hidden(failure) } else { failure })
}

impl Attempt<'_> {
    async fn judge(&self, config: &RealmConfig) -> Result<Outcome, Failure> {
        if self.transaction.is_some() {
            return self.answer().await;
        }
        if self.is_admin
            && let Some(outcome) = self.as_admin().await?
        {
            return Ok(outcome);
        }
        self.admit().await?;
        let result = if self.named.realm.is_none() && !config.realms().is_empty() {
            // Nobody is in no realm.
            Err(TokenError::Refused(Refusal::UnknownIdentifier))
        } else {
            self.log_in(&self.ask.pi.settings().backend, self.realm()).await
        };
        match result {
            Ok(outcome) => self.accept(outcome).await,
            Err(error) => {
                if is_refusal(&error) {
                    self.pay_for_admin().await?;
                }
                Err(error.into())
            }
        }
    }

    /// Through the administrators' door; `None` for who must try the other one.
    async fn as_admin(&self) -> Result<Option<Outcome>, Failure> {
        match self.log_in(&self.ask.pi.settings().admin_backend, None).await {
            Ok(outcome) => match self.accept(outcome).await? {
                // Not through this door, then: the name may be a user's of a realm, too.
                Outcome::Issued(issued, Role::User) if self.has_two_doors() => {
                    self.ask.pi.tokens().revoke(&issued.value).await?;
                    Ok(None)
                }
                outcome => self.admit_user(outcome).await.map(Some),
            },
            Err(error) if is_refusal(&error) => {
                if !self.has_two_doors() {
                    self.admit().await?;
                    return Err(error.into());
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The answer to a challenge, which knows through which backend it began, in which realm, and what was asked there of factors.
    async fn answer(&self) -> Result<Outcome, Failure> {
        let settings = self.ask.pi.settings();
        if self.is_admin {
            // What is asked at the other door is another thing than this, unless neither a realm nor a rule tells one from the other.
            let differs = self.realm().is_some() || self.rules.factors != FactorRule::WhereActive;
            match self.log_in(&settings.admin_backend, None).await {
                Err(TokenError::Refused(_)) if differs => {}
                Err(error) => return Err(error.into()),
                Ok(outcome) => return self.admit_user(self.accept(outcome).await?).await,
            }
        }
        self.admit().await?;
        let outcome = self.log_in(&settings.backend, self.realm()).await?;
        self.accept(outcome).await
    }

    /// What policies say of users of realms. Who is not admitted has paid what a wrong password costs: nobody learns who is an administrator.
    async fn admit(&self) -> Result<(), Failure> {
        let Err(failure) = self.rules.admit(self.ask).await else {
            return Ok(());
        };
        self.ask.pi.tokens().burn(Some(&self.credentials())).await?;
        self.pay_for_admin().await?;
        Err(failure)
    }

    /// The same for a user who came through the administrators' door.
    async fn admit_user(&self, outcome: Outcome) -> Result<Outcome, Failure> {
        if let Outcome::Issued(issued, Role::User) = &outcome
            && let Err(failure) = self.admit().await
        {
            self.ask.pi.tokens().revoke(&issued.value).await?;
            return Err(failure);
        }
        Ok(outcome)
    }

    /// What an administrator's wrong password costs, where none was judged.
    async fn pay_for_admin(&self) -> Result<(), TokenError> {
        if !self.is_admin && self.has_two_doors() {
            self.ask.pi.tokens().burn(Some(&self.credentials())).await?;
        }
        Ok(())
    }

    fn has_two_doors(&self) -> bool {
        let settings = self.ask.pi.settings();
        settings.backend != settings.admin_backend
    }

    /// The realm that is meant. It is said even where the name says it, too: the answer to a challenge must mean the same one as what began it.
    fn realm(&self) -> Option<&str> {
        self.rules.realm.as_deref().or(self.named.realm.as_deref())
    }

    async fn log_in(&self, backend: &str, realm: Option<&str>) -> Result<LoginOutcome, TokenError> {
        let tokens = self.ask.pi.tokens();
        let is_admin = self.is_admin && backend == self.ask.pi.settings().admin_backend;
        let (validity, factors) = if is_admin {
            (self.rules.admin_validity, FactorRule::WhereActive)
        } else {
            (self.rules.validity, self.rules.factors)
        };
        let realm = realm.map(|realm| (REQUESTED_REALM.to_owned(), realm.to_owned()));
        tokens
            .login(LoginRequest {
                backend: backend.to_owned(),
                credentials: Some(self.credentials()),
                tenant: None,
                ttl: Some(validity.min(tokens.settings().max_ttl)),
                client: self.ask.client(),
                dialect: Dialect::Privacyidea.name(),
                request_id: self.ask.call.id().to_owned(),
                attributes: realm.into_iter().collect(),
                mobile: false,
                offline: None,
                otp: None,
                transaction: self.transaction.map(str::to_owned),
                factors,
                limited: false,
            })
            .await
    }

    fn credentials(&self) -> (String, Credential) {
        (self.username.to_owned(), Credential::Password(self.password.clone()))
    }

    async fn accept(&self, outcome: LoginOutcome) -> Result<Outcome, Failure> {
        match outcome {
            LoginOutcome::Challenged(asked) => Ok(Outcome::Challenged(asked)),
            LoginOutcome::Issued(issued) => {
                let role = self.role(&issued.live).await?;
                Ok(Outcome::Issued(Box::new(issued), role))
            }
        }
    }

    async fn role(&self, live: &LiveToken) -> Result<Role, Failure> {
        let pi = &self.ask.pi;
        if self.is_admin && pi.is_local_admin(live) && pi.is_of_top_tenant(live).await? {
            return Ok(Role::Admin);
        }
        Ok(pi.role_of_realm(live))
    }
}

/// In which role somebody asks who logged in through another API. Names are this API's users' only where its own backends said them.
///
/// # Errors
/// [`AuthFailure::BadToken`], or that the store did not answer.
pub(in crate::dialect::privacyidea) async fn role_of_foreign(
    pi: &Privacyidea,
    live: &LiveToken,
) -> Result<Role, Failure> {
    if pi.is_local_admin(live) && pi.is_of_top_tenant(live).await? {
        return Ok(Role::Admin);
    }
    let door = pi.backend_name(&pi.settings().backend);
    if door.is_some_and(|door| door == live.record.session.identity.backend) {
        return Ok(pi.role_of_realm(live));
    }
    Err(AuthFailure::BadToken("its owner is no user of a realm").into())
}

impl Privacyidea {
    /// Whether somebody who was given the role of an administrator may still have it.
    pub(in crate::dialect::privacyidea) fn is_admin(&self, live: &LiveToken) -> bool {
        self.is_local_admin(live) || self.is_of_superusers(live)
    }

    /// Whether it is a user of the host's own, who came through the administrators' door and holds the access.
    fn is_local_admin(&self, live: &LiveToken) -> bool {
        let identity = &live.record.session.identity;
        let door = self.backend_name(&self.settings().admin_backend);
        let came_through = door.is_some_and(|door| door == identity.backend);
        came_through && identity.user.is_some() && live.accesses.grants(ADMIN_ACCESS)
    }

    /// Whether it is a user of the top tenant.
    async fn is_of_top_tenant(&self, live: &LiveToken) -> Result<bool, Failure> {
        let master = self.directory().tenant_tree().await?.master();
        Ok(master == Some(live.record.session.identity.tenant))
    }

    /// In which role users of a realm ask.
    fn role_of_realm(&self, live: &LiveToken) -> Role {
        if self.is_of_superusers(live) {
            Role::Admin
        } else {
            Role::User
        }
    }

    /// Whether it is of a realm whose users are administrators.
    fn is_of_superusers(&self, live: &LiveToken) -> bool {
        self.settings().superuser_realms.contains(&realm_of_session(live))
    }
}

/// The realm that somebody belongs to, in lower case; empty for local administrators.
pub(in crate::dialect::privacyidea) fn realm_of_session(live: &LiveToken) -> String {
    let attributes = live.record.session.attributes.iter();
    let mut realms = attributes.filter(|(name, _)| name == REALM_ATTRIBUTE);
    realms.next().map(|(_, realm)| realm.to_lowercase()).unwrap_or_default()
}

fn too_long(parameter: &str, most: usize) -> Failure {
    Failure::Parameter(format!("The parameter `{parameter}` is longer than {most} bytes"))
}

/// Whether somebody was not let in, rather than not judged.
fn is_refusal(error: &TokenError) -> bool {
    matches!(
        error,
        TokenError::Refused(_)
            | TokenError::Factor(_)
            | TokenError::Closed(_)
            | TokenError::NoCredential
            | TokenError::UnknownBackend(_)
    )
}

/// A failure where nobody is to know why.
fn hidden(failure: Failure) -> Failure {
    match failure {
        Failure::Auth(_) => AuthFailure::Hidden.into(),
        Failure::Token(error) if is_refusal(&error) => AuthFailure::Hidden.into(),
        other => other,
    }
}
