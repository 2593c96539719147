//! Whose tokens are: the identity that a login of the owner leads to.

use std::collections::HashMap;

use serde_json::Value;

use super::realm::RealmConfig;
use super::{Delegate, Logins, PrivacyideaImportError, RealmBackend, UserNames};
use crate::model::{BackendName, FactorOwner, IdentityId, TenantId, Timestamp};
use crate::port::{PrivacyideaOwner, PrivacyideaResolver, PrivacyideaToken, Random, Store};

/// The longest name of a user that a backend may give.
const LONGEST_SUBJECT: usize = 255;

/// What a factor whose owner could not be told remembers of the owner: `resolver:userid`.
pub(super) const PENDING: &str = "privacyidea.owner";

/// How the users of a resolver are known here.
enum Rule {
    /// By the realm backend itself.
    Own,
    /// By another backend, under their own ids.
    Delegated(BackendName),
    /// In no way that can be told from here.
    Unknown(String),
}

/// Somebody as a backend knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    backend: BackendName,
    subject: String,
    login: String,
    /// Whether that is the login name, and not the resolver's id in its place.
    pub(super) knows_login: bool,
    realm: String,
    resolver: String,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// Nobody's.
    Nobodys,
    /// This person's.
    Known(Person),
    /// Somebody's who cannot be told, for this reason: what the factor is to remember.
    Unknown { pending: String, reason: String },
}

/// Tells whose tokens are.
pub(super) struct Owners {
    backend: BackendName,
    tenant: TenantId,
    rules: HashMap<String, Rule>,
    /// The resolvers that are here.
    resolvers: HashMap<String, Value>,
}

impl Owners {
    pub(super) fn new(
        backend: &RealmBackend,
        tenant: TenantId,
        resolvers: &[PrivacyideaResolver],
        config: &RealmConfig,
    ) -> Self {
        let here = |resolver: &PrivacyideaResolver| {
            let here = config.resolver(&resolver.name)?;
            Some((resolver.name.clone(), here.clone()))
        };
        let rule = |resolver: &PrivacyideaResolver| {
            let here = config.resolver(&resolver.name);
            (resolver.name.clone(), rule(resolver, here, backend))
        };
        Self {
            backend: backend.name.clone(),
            tenant,
            rules: resolvers.iter().map(rule).collect(),
            resolvers: resolvers.iter().filter_map(here).collect(),
        }
    }

    /// Whose a token is; `logins` knows more login names than the database.
    pub(super) async fn of(&self, token: &PrivacyideaToken, logins: &dyn Logins) -> Whose {
        let login = match token.owners.as_slice() {
            [owner] => {
                let found = match self.resolvers.get(&owner.resolver) {
                    Some(here) => logins.find_login(here, &owner.userid).await,
                    None => None,
                };
                found.or_else(|| owner.login.clone())
            }
            _ => None,
        };
        self.whose(token, login)
    }

    fn whose(&self, token: &PrivacyideaToken, login: Option<String>) -> Whose {
        let Some(owner) = token.owners.first() else {
            return Whose::Nobodys;
        };
        let pending = format!("{}:{}", owner.resolver, owner.userid);
        let unknown = |reason: &str| Whose::Unknown {
            pending: pending.clone(),
            reason: reason.to_owned(),
        };
        if token.owners.len() > 1 {
            return unknown("it has more than one owner");
        }
        let (backend, subject) = match self.rules.get(&owner.resolver) {
            Some(Rule::Own) => (self.backend.clone(), pending.clone()),
            Some(Rule::Delegated(backend)) => (backend.clone(), owner.userid.clone()),
            Some(Rule::Unknown(reason)) => return unknown(reason),
            None => return unknown("its resolver does not exist any more"),
        };
        if owner.userid.is_empty() || subject.len() > LONGEST_SUBJECT {
            return unknown("the id of its owner is empty or too long");
        }
        Whose::Known(Person {
            backend,
            subject,
            knows_login: login.is_some(),
            login: login.unwrap_or_else(|| owner.userid.clone()),
            realm: owner.realm.to_lowercase(),
            resolver: owner.resolver.clone(),
        })
    }

    /// The owner as a factor has it: the identity is made if the person has never been here.
    pub(super) async fn resolve(
        &self,
        person: Person,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<FactorOwner, PrivacyideaImportError> {
        let fresh = IdentityId(random.uuid());
        let identity = store.resolve_identity(&person.backend, &person.subject, fresh, now);
        Ok(FactorOwner {
            identity: identity.await?,
            tenant: self.tenant,
            login: person.login,
            realm: person.realm,
            resolver: person.resolver,
        })
    }
}

/// How the users of a resolver are known, as it is configured here.
fn rule(resolver: &PrivacyideaResolver, here: Option<&Value>, backend: &RealmBackend) -> Rule {
    let unknown = |reason: &str| Rule::Unknown(reason.to_owned());
    let Some(here) = here else {
        return unknown("its resolver is not here yet; run the import again when it is");
    };
    let text = |key| here.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "passwd" | "sql" | "http" => Rule::Own,
        "directory" => unknown("whom of this server's own users its owner is cannot be told; assign it"),
        "backend" => {
            let name = text("backend");
            match backend.delegates.iter().find(|delegate| delegate.is_called(name)) {
                Some(delegate) if has_same_ids(resolver, &delegate.names) => Rule::Delegated(delegate.name.clone()),
                _ => Rule::Unknown(format!(
                    "whom the backend `{name}` knows its owner as cannot be told; assign it"
                )),
            }
        }
        other => Rule::Unknown(format!("resolvers of the type `{other}` are unknown")),
    }
}

impl Delegate {
    fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .any(|known| known.as_str() == name)
    }
}

/// Whether a backend's users have the ids there that the resolver gives them.
fn has_same_ids(resolver: &PrivacyideaResolver, names: &UserNames) -> bool {
    if !resolver.kind.eq_ignore_ascii_case("ldapresolver") {
        return false;
    }
    let there = resolver.text("UIDTYPE").unwrap_or_default().trim();
    match names {
        UserNames::Ldap(Some(here)) => here.eq_ignore_ascii_case(there),
        UserNames::Ldap(None) => ["entryUUID", "objectGUID"]
            .iter()
            .any(|here| here.eq_ignore_ascii_case(there)),
        UserNames::Unknown => false,
    }
}

impl PrivacyideaOwner {
    /// As a report names the owner.
    pub(super) fn named(&self) -> String {
        format!("{}:{}", self.resolver, self.login.as_deref().unwrap_or(&self.userid))
    }
}
