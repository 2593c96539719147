//! Issuing: from the principal to a session and its token.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::open::{Draft, Standing};
use super::{IssuedToken, LoginRequest, TokenError, TokenService, TokenSettings};
use crate::access::within_ceiling;
use crate::model::{
    AuthenticationMethod, BackendName, Identity, IdentityId, PluginDigest, Principal, Refusal, Subject, UserId,
};
use crate::port::{BackendFault, BackendSlot, Refreshing, RevocationMark};

/// The attribute under which a session keeps each of the principal's groups.
pub const GROUP_ATTRIBUTE: &str = "group";

/// What a session keeps of a dialect's attributes, in bytes of their names and values.
const MAX_DIALECT_ATTRIBUTES: usize = 4 * 1024;

/// What a backend said of a login, and when it was asked.
pub(super) struct Verified {
    /// As the caller wrote it.
    pub(super) identifier: String,
    /// Who it is to the host.
    pub(super) identity: Identity,
    /// What that is to the host.
    pub(super) standing: Standing,
    /// Who it is, in the backend's words.
    pub(super) principal: Principal,
    /// Which plugin file says so.
    pub(super) plugin: PluginDigest,
    /// Read before the backend was asked.
    pub(super) since: RevocationMark,
}

impl TokenSettings {
    /// The life of a token whose login asks for `wanted`.
    pub(super) fn ttl(&self, wanted: Option<Duration>) -> Result<Duration, TokenError> {
        let ttl = wanted.unwrap_or(self.default_ttl);
        if ttl < Duration::from_secs(1) || ttl > self.max_ttl {
            return Err(TokenError::TtlOutOfRange { max: self.max_ttl });
        }
        Ok(ttl)
    }
}

impl TokenService {
    /// Who this is to the host. A directory user must still be there and enabled; a backend's own subject gets an id on its first login.
    pub(super) async fn resolve(
        &self,
        slot: &BackendSlot,
        principal: &Principal,
    ) -> Result<(Identity, Standing), TokenError> {
        match &principal.subject {
            Subject::Directory(id) => self.resolve_user(slot, *id).await,
            Subject::Linked(id) => {
                // Whoever keeps the passwords of some users elsewhere has no say over the others.
                if self.store.find_authentication_method(*id).await? != Some(AuthenticationMethod::Ldap) {
                    return Err(TokenError::Refused(Refusal::UnknownIdentifier));
                }
                self.resolve_user(slot, *id).await
            }
            Subject::Own(subject) => self.resolve_subject(&slot.name, subject, principal).await,
            Subject::Delegated { backend, subject } => self.resolve_subject(backend, subject, principal).await,
            // Nobody's password was matched.
            Subject::Found(_) => Err(TokenError::Refused(Refusal::UnknownIdentifier)),
        }
    }

    /// A backend's own subject gets an id the first time that it is seen.
    async fn resolve_subject(
        &self,
        backend: &BackendName,
        subject: &str,
        principal: &Principal,
    ) -> Result<(Identity, Standing), TokenError> {
        let tenant = self.tenants.master().await?;
        let fresh = IdentityId(self.random.uuid());
        let identity = Identity {
            id: self
                .store
                .resolve_identity(backend, subject, fresh, self.clock.now())
                .await?,
            user: None,
            tenant,
            backend: backend.clone(),
            login: principal.login.clone(),
        };
        Ok((identity, self.standing(None).await?))
    }

    pub(super) async fn resolve_user(
        &self,
        slot: &BackendSlot,
        id: UserId,
    ) -> Result<(Identity, Standing), TokenError> {
        match self.store.find_user(id).await? {
            None => Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Some(user) if !user.enabled => Err(TokenError::Refused(Refusal::Disabled)),
            Some(user) => {
                let standing = self.standing(Some(&user)).await?;
                Ok((Identity::of_user(&user, slot.name.clone()), standing))
            }
        }
    }

    /// Writes the session and its token, and answers when they are durable.
    pub(super) async fn issue(
        &self,
        request: LoginRequest,
        slot: &BackendSlot,
        verified: Verified,
        ttl: Duration,
    ) -> Result<IssuedToken, TokenError> {
        let Verified {
            identifier,
            identity,
            standing,
            principal,
            plugin,
            since,
        } = verified;
        let accesses = self
            .accesses_of(&identity, slot, groups_of(&principal), &principal.accesses)
            .await?;
        // PostgreSQL keeps no NUL in a text.
        let linked_as = matches!(principal.subject, Subject::Linked(_)).then(|| identifier.replace('\0', ""));
        let mut draft = Draft {
            identity,
            standing,
            plugin,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: attributes(storable(request.attributes), principal),
            mobile: request.mobile,
            accesses,
            ttl,
            not_after: None,
            since,
            is_login: request.limited,
            refresh: Refreshing::No,
            actor: None,
        };
        if let Some(client_id) = request.offline {
            draft.refresh = self.refreshing(&draft, client_id, linked_as).await?;
        }
        self.open(draft).await
    }

    /// The accesses of the policies, then those of the backend's groups, then what the ceiling lets through of the backend's own.
    pub(super) async fn accesses_of(
        &self,
        identity: &Identity,
        slot: &BackendSlot,
        groups: &[String],
        claimed: &[String],
    ) -> Result<Arc<[String]>, TokenError> {
        let default = self.settings.default_user_policy.as_deref();
        let mut accesses = self.store.accesses_for(identity.id, identity.user, default).await?;
        accesses.extend(self.accesses_of_groups(slot, groups).await?);
        let ceiling = slot.acl_ceiling.as_deref();
        let claimed = ceiling.map(|ceiling| within_ceiling(claimed, ceiling));
        Ok(accesses.into_iter().chain(claimed.unwrap_or_default()).collect())
    }

    /// The accesses of a user whom no backend speaks for: those of the policies.
    pub(super) async fn accesses_of_user(&self, identity: &Identity) -> Result<Arc<[String]>, TokenError> {
        let default = self.settings.default_user_policy.as_deref();
        let accesses = self.store.accesses_for(identity.id, identity.user, default).await?;
        Ok(accesses.into())
    }

    /// The accesses of the policies that the operator gives to these groups of the backend.
    async fn accesses_of_groups(&self, slot: &BackendSlot, groups: &[String]) -> Result<Vec<String>, TokenError> {
        let slugs = groups.iter().filter_map(|group| slot.group_policies.get(group));
        let slugs: BTreeSet<&String> = slugs.flatten().collect();
        if slugs.is_empty() {
            return Ok(Vec::new());
        }
        let master = self.tenants.master().await?;
        let mut accesses = Vec::new();
        for slug in slugs {
            let Some(policy) = self.store.find_policy_by_slug(master, slug).await? else {
                // It may have denied something, so to go on without it could allow too much.
                let problem = format!("`group_policies` names the policy `{slug}`, which the top tenant does not have");
                return Err(TokenError::of_backend(slot, BackendFault::Misconfigured(problem)));
            };
            accesses.extend(policy.accesses);
        }
        Ok(accesses)
    }
}

/// The groups that count for `group_policies`: those that the backend names, and not the host's own. Names of those are anybody's to give who has a
/// tenant.
pub(super) fn groups_of(principal: &Principal) -> &[String] {
    match principal.subject {
        Subject::Own(_) | Subject::Linked(_) | Subject::Delegated { .. } => &principal.groups,
        Subject::Directory(_) | Subject::Found(_) => &[],
    }
}

/// What the session keeps: the dialect's attributes first, so that none of the backend's can stand in front of them.
pub(super) fn attributes(dialect: Vec<(String, String)>, principal: Principal) -> Vec<(String, String)> {
    let mut kept = dialect;
    let groups = principal
        .groups
        .into_iter()
        .map(|group| (GROUP_ATTRIBUTE.to_owned(), group));
    kept.extend(principal.attributes.into_iter().chain(groups));
    kept
}

/// What can be kept of a dialect's attributes. They come from a caller, so what is too much or cannot be stored is left out; a backend's have
/// been checked.
pub(super) fn storable(dialect: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut room = MAX_DIALECT_ATTRIBUTES;
    let fits = |(name, value): &(String, String)| {
        let left = room.checked_sub(name.len() + value.len());
        room = left.unwrap_or(room);
        left.is_some() && !name.contains('\0') && !value.contains('\0')
    };
    dialect.into_iter().filter(fits).collect()
}
