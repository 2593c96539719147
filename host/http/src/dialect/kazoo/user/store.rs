//! Users as they are at rest, made and changed. What a client sees as one document is kept in several places.

use keyway_core::account::AccountService;
use keyway_core::directory::{AddUser, DirectoryError, SetEmail};
use keyway_core::model::{Profile, TenantId, TenantScope, User, UserId, login_key};
use keyway_core::port::{StoreError, Uniqueness, UserChange};
use keyway_core::rights::PrivLevel;
use serde_json::json;

use super::By;
use super::content::Content;
use crate::dialect::kazoo::ask::{Ask, Caller};
use crate::dialect::kazoo::error::Failure;

/// A user, and all that is said of it.
pub(super) struct Standing {
    pub(super) user: User,
    pub(super) profile: Profile,
    pub(super) level: PrivLevel,
}

impl Standing {
    /// # Errors
    /// That the user is gone, or that the store did not answer.
    pub(super) async fn of(ask: &Ask, user: User) -> Result<Self, Failure> {
        let accounts = ask.kazoo.accounts();
        Ok(Self {
            profile: accounts.get_profile(user.id).await?,
            level: accounts.rights_of(user.id).await?.kazoo,
            user,
        })
    }
}

/// Makes a user of an account: all of it, or nothing.
pub(super) async fn create(
    ask: &Ask,
    caller: &Caller,
    account: TenantId,
    content: Content,
) -> Result<Standing, Failure> {
    let sent = Sent::of(&content);
    let new = AddUser {
        login: content.username.clone(),
        password: content.password.clone(),
        email: content.email.clone(),
        firstname: content.first_name.clone(),
        lastname: content.last_name.clone(),
        tenant: Some(account.to_string()),
        disabled: content.enabled == Some(false),
        unique: Uniqueness::InTenant,
        ..AddUser::default()
    };
    let directory = ask.kazoo.directory();
    let user = directory.add_user(new).await.map_err(|error| sent.refused(error))?;
    match say(ask.kazoo.accounts(), caller, user.id, content).await {
        Ok(()) => Standing::of(ask, user).await,
        Err(error) => {
            let scope = TenantScope::Only(account);
            if let Err(left) = directory.remove_user_in(user.id, scope, &caller.live.accesses).await {
                let error = &left as &dyn std::error::Error;
                tracing::warn!(user = %user.id, error, "a user of whom something could not be said was not removed");
            }
            Err(sent.refused(error))
        }
    }
}

async fn say(accounts: &AccountService, caller: &Caller, user: UserId, content: Content) -> Result<(), DirectoryError> {
    let level = content.level;
    if content.profile_over(&Profile::of(user)) != Profile::of(user) {
        accounts.change_profile(user, |now| content.profile_over(&now)).await?;
    }
    if level != PrivLevel::User {
        accounts.set_priv_level(user, level, &caller.live.accesses).await?;
    }
    Ok(())
}

/// Changes a user. What may be refused comes first; a new password, which ends its sessions, last.
pub(super) async fn change(
    ask: &Ask,
    caller: &Caller,
    by: By,
    current: &Standing,
    content: Content,
) -> Result<Standing, Failure> {
    let sent = Sent::of(&content);
    let changed = write(ask, caller, by, current, content).await;
    ask.kazoo.state().languages.forget(current.user.id);
    let user = changed.map_err(|error| sent.refused(error))?;
    Standing::of(ask, user).await
}

async fn write(
    ask: &Ask,
    caller: &Caller,
    by: By,
    current: &Standing,
    content: Content,
) -> Result<User, DirectoryError> {
    let (directory, accounts) = (ask.kazoo.directory(), ask.kazoo.accounts());
    let (id, scope) = (current.user.id, TenantScope::Only(current.user.tenant));
    let held = &caller.live.accesses;
    let change = content.as_change(&current.user);
    if change != as_is(&current.user) {
        directory
            .update_user_among(id, change, Uniqueness::InTenant, scope, held)
            .await?;
    }
    if content.email.as_deref() != current.user.main_email() {
        let emails = emails(&current.user, content.email.as_deref(), by);
        directory
            .set_emails_among(id, emails, Uniqueness::InTenant, scope, held)
            .await?;
    }
    let (level, password) = (content.level, content.password.clone());
    let loses_name = content.username.is_none() && current.user.login.is_some();
    if content.profile_over(&current.profile) != current.profile {
        accounts.change_profile(id, |now| content.profile_over(&now)).await?;
    }
    if level != current.level {
        accounts.set_priv_level(id, level, held).await?;
    }
    if password.is_some() || loses_name {
        let prepared = directory.prepare_password(id, password.as_ref(), scope, held).await?;
        directory.put_password(prepared).await?;
    }
    directory.get_user_in(id, scope).await
}

/// The addresses of a user whose main one is to be this. Only who administers the account says that it is the user's.
fn emails(user: &User, main: Option<&str>, by: By) -> Vec<SetEmail> {
    let is_new = |address: &str| main.is_some_and(|main| login_key(main) == login_key(address));
    let others = user
        .emails
        .iter()
        .filter(|email| !email.main && !is_new(&email.address));
    let mut emails: Vec<_> = others
        .map(|email| SetEmail {
            address: email.address.clone(),
            main: false,
            confirmed: None,
        })
        .collect();
    if let Some(main) = main {
        emails.insert(
            0,
            SetEmail {
                address: main.to_owned(),
                main: true,
                confirmed: (by == By::Administrator).then_some(true),
            },
        );
    } else if let Some(first) = emails.first_mut() {
        first.main = true;
    }
    emails
}

/// What a user is, as it would be written by who has no say in the rest.
fn as_is(user: &User) -> UserChange {
    UserChange {
        login: user.login.clone(),
        firstname: user.firstname.clone(),
        lastname: user.lastname.clone(),
        purpose: None,
        authentication_method: None,
        enabled: None,
    }
}

impl Content {
    fn as_change(&self, user: &User) -> UserChange {
        // A name that differs only by case stays as it was spelt.
        let same = |name: &String| user.login.as_deref().map(login_key) == Some(login_key(name));
        let login = match &self.username {
            Some(name) if same(name) => user.login.clone(),
            name => name.clone(),
        };
        UserChange {
            login,
            firstname: self.first_name.clone(),
            lastname: self.last_name.clone(),
            enabled: self.enabled,
            ..as_is(user)
        }
    }

    /// In the place of what is said of a user.
    fn profile_over(&self, current: &Profile) -> Profile {
        let update = self.require_password_update;
        Profile {
            user: current.user,
            language: self.language.clone(),
            timezone: self.timezone.clone(),
            verified: self.verified.unwrap_or(current.verified),
            require_password_update: update.unwrap_or(current.require_password_update),
            document: self.document.clone(),
        }
    }
}

/// The names that a request gives to a user.
struct Sent {
    username: Option<String>,
    email: Option<String>,
}

impl Sent {
    fn of(content: &Content) -> Self {
        Self {
            username: content.username.clone(),
            email: content.email.clone(),
        }
    }

    /// What is wrong with a user as a request has it, by the name that the field has here.
    fn refused(&self, error: DirectoryError) -> Failure {
        let unique = |field: &str, message: &str, cause: Option<&String>| {
            Failure::from((field, "unique", json!({ "message": message, "cause": cause })))
        };
        match error {
            DirectoryError::Store(StoreError::Conflict { what: "login" }) => unique(
                "username",
                "Username must be unique within account",
                self.username.as_ref(),
            ),
            DirectoryError::Store(StoreError::Conflict { what: "email" }) => {
                unique("email", "Email must be unique within account", self.email.as_ref())
            }
            DirectoryError::Invalid { field, rule } => {
                let (field, kind) = match field {
                    "login" => ("username", "invalid"),
                    "email" | "emails" => ("email", "format"),
                    "firstname" => ("first_name", "invalid"),
                    "lastname" => ("last_name", "invalid"),
                    field => (field, "invalid"),
                };
                (field, kind, json!({ "message": rule })).into()
            }
            error => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use keyway_core::model::Timestamp;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn nobody_brings_back_what_an_administrator_changed_after_it_was_read() {
        let (tenant, id) = (TenantId(Uuid::nil()), UserId(Uuid::nil()));
        let user = User::new(id, tenant, "nina", Timestamp(0));
        let now = Profile {
            require_password_update: true,
            ..Profile::of(id)
        };
        let Value::Object(sent) = json!({
            "first_name": "N", "last_name": "N", "username": "nina", "password": "s3cre7", "enabled": true, "verified": true,
        }) else {
            panic!("no object")
        };
        let said = |by, sent| {
            let mut content = Content::new_user(&sent).expect("a user");
            content.say_only(by, &sent);
            let change = content.as_change(&user);
            assert_eq!((change.purpose, change.authentication_method), (None, None));
            let profile = content.profile_over(&now);
            (change.enabled, profile.verified, profile.require_password_update)
        };
        assert_eq!(said(By::User, sent.clone()), (None, false, true));
        assert_eq!(said(By::Administrator, sent.clone()), (Some(true), true, true));
        let mut less = sent;
        less.retain(|name, _| name != "enabled" && name != "verified");
        assert_eq!(said(By::Administrator, less), (None, false, true), "what was not sent");
    }
}
