//! Whom policies are asked about: who is meant, before anything is proved, and what is known of somebody.

use keyway_core::model::{FactorOwner, Principal};
use keyway_core::port::RequestContext;
use keyway_core::token::{REQUESTED_REALM, TokenError, Whom};

use crate::dialect::Dialect;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::auth::REALM_ATTRIBUTE;
use crate::dialect::privacyidea::error::{AuthFailure, Failure};
use crate::dialect::privacyidea::policy::scope::Scope;
use crate::dialect::privacyidea::policy::{PolicyError, PolicySet, User};
use crate::dialect::privacyidea::realm_config::Named;

/// The attribute under which a backend says which resolver knows somebody.
pub(in crate::dialect::privacyidea) const RESOLVER_ATTRIBUTE: &str = "realm.resolver";

/// Whom policies are asked about before anything is proved.
pub(super) struct Sought {
    pub(super) user: User,
    /// Whether somebody was looked for and nobody was found.
    is_missing: bool,
    /// The realm that policies put in the place of the caller's.
    pub(super) realm: Option<String>,
}

impl Sought {
    /// Looks for somebody where one of these scopes of the policies asks for what is known of users.
    ///
    /// # Errors
    /// That the backend did not answer, or that the policies contradict each other.
    pub(super) async fn find(
        ask: &Ask,
        policies: &PolicySet,
        scopes: &[Scope],
        username: &str,
        named: &Named,
    ) -> Result<Self, Failure> {
        let is_asked_for = policies.asks_for_user(scopes);
        let realm = named.realm.clone().unwrap_or_default();
        let first = Self::look(
            ask,
            is_asked_for,
            username,
            named.explicit.as_deref(),
            &named.login,
            &realm,
        )
        .await?;
        let other = policies.other_realm(&ask.circumstances(Some(first.user.clone()), None));
        let other = match other {
            Ok(other) => other.filter(|other| *other != first.user.realm),
            Err(error) => return Err(first.fail(ask, error).await?),
        };
        match other {
            None => Ok(first),
            Some(other) => {
                let second = Self::look(ask, is_asked_for, username, Some(&other), &named.login, &other).await?;
                Ok(Self {
                    realm: Some(other),
                    ..second
                })
            }
        }
    }

    async fn look(
        ask: &Ask,
        is_asked_for: bool,
        username: &str,
        explicit: Option<&str>,
        login: &str,
        realm: &str,
    ) -> Result<Self, Failure> {
        let whom = if is_asked_for && !username.is_empty() {
            ask.find_whom(username, explicit).await?
        } else {
            None
        };
        Ok(Self {
            is_missing: is_asked_for && whom.is_none(),
            user: whom.map_or_else(
                || User {
                    login: login.to_owned(),
                    realm: realm.to_owned(),
                    ..User::default()
                },
                |whom| user_of(&whom.principal, realm),
            ),
            realm: None,
        })
    }

    /// What a policy that cannot be followed comes to. Nobody learns from a condition who is a user.
    ///
    /// # Errors
    /// That the password hash, which everybody costs, could not be computed.
    pub(super) async fn fail(&self, ask: &Ask, error: PolicyError) -> Result<Failure, Failure> {
        if self.is_missing && matches!(error, PolicyError::NotKnown { .. }) {
            ask.pi.tokens().burn(None).await?;
            return Ok(AuthFailure::WrongCredentials.into());
        }
        Ok(error.into())
    }
}

/// Somebody who was looked up, as policies see the person. `realm` is the one of whom no backend tells any.
pub(in crate::dialect::privacyidea) fn user_of(principal: &Principal, realm: &str) -> User {
    let mut attributes = principal.attributes.clone();
    let get = |name: &str| {
        attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    let (known_realm, resolver) = (get(REALM_ATTRIBUTE), get(RESOLVER_ATTRIBUTE));
    attributes.push(("username".to_owned(), principal.login.clone()));
    attributes.extend(principal.email.clone().map(|email| ("email".to_owned(), email)));
    attributes.extend(principal.groups.iter().map(|group| ("group".to_owned(), group.clone())));
    User {
        login: principal.login.clone(),
        realm: known_realm.map_or_else(|| realm.to_owned(), |realm| realm.to_lowercase()),
        resolver: Some(resolver.unwrap_or_default()),
        attributes,
    }
}

/// The owner of a token, as policies see the person; nobody for a token in a drawer.
pub(in crate::dialect::privacyidea) fn owner(owner: Option<&FactorOwner>) -> User {
    owner.map_or_else(User::default, |owner| User {
        login: owner.login.clone(),
        realm: owner.realm.clone(),
        resolver: Some(owner.resolver.clone()),
        attributes: Vec::new(),
    })
}

impl Ask {
    /// Somebody of the realms, looked up without a password. `realm` goes before what the name says.
    ///
    /// # Errors
    /// [`TokenError`].
    pub(in crate::dialect::privacyidea) async fn find_whom(
        &self,
        username: &str,
        realm: Option<&str>,
    ) -> Result<Option<Whom>, TokenError> {
        let realm = realm.map(|realm| (REQUESTED_REALM.to_owned(), realm.to_owned()));
        let context = RequestContext {
            request_id: self.call.id().to_owned(),
            dialect: Dialect::Privacyidea.name(),
            client_address: self.client().address,
            tenant: None,
            attributes: realm.into_iter().collect(),
        };
        let backend = &self.pi.settings().backend;
        self.pi.tokens().find_whom(backend, username, context).await
    }

    /// The same person with what is known of it.
    pub(super) async fn known_user(&self, user: User) -> Result<User, Failure> {
        let realm = Some(user.realm.as_str()).filter(|realm| !realm.is_empty());
        let whom = self.find_whom(&user.login, realm).await?;
        Ok(whom.map_or_else(|| user.clone(), |whom| user_of(&whom.principal, &user.realm)))
    }
}
