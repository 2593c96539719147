//! Values to store. Each is different from all others unless a test says otherwise.

use std::sync::atomic::{AtomicU64, Ordering};

use keyway_core::Secret;
use keyway_core::model::{
    Actor, BackendName, Client, Email, EmailId, GroupId, Identity, IdentityId, KeyId, PluginDigest, Policy, PolicyId,
    Purpose, Query, RefreshTokenId, Session, SessionId, Tenant, TenantId, TenantScope, Timestamp, Token, TokenDigest,
    User, UserId,
};
use keyway_core::port::{NewTenant, NewUser, Opening, PolicyFilter, Refreshing, Store};
use uuid::Uuid;

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn uuid() -> Uuid {
    // Spread over both ends, so that no order of ids is the order in which they were made.
    Uuid::from_u128(u128::from(next()).reverse_bits() >> 2 | u128::from(next()))
}

pub(crate) async fn master(store: &dyn Store) -> TenantId {
    let tenants = store.list_tenants().await.expect("the tenants");
    tenants
        .iter()
        .find(|tenant| tenant.parent == tenant.id)
        .expect("the top tenant")
        .id
}

pub(crate) fn tenant(parent: TenantId, name: &str) -> NewTenant {
    NewTenant::of(Tenant::new(TenantId(uuid()), parent, name), GroupId(uuid()))
}

/// Adds a tenant below the top one.
pub(crate) async fn added_tenant(store: &dyn Store, name: &str) -> TenantId {
    let tenant = tenant(master(store).await, name);
    store.add_tenant(&tenant).await.expect("added");
    tenant.tenant.id
}

pub(crate) fn user(tenant: TenantId, login: &str) -> NewUser {
    let user = User::new(UserId(uuid()), tenant, login, Timestamp(1_700_000_000_000_001));
    NewUser::of(user, None)
}

/// Adds a user to the top tenant.
pub(crate) async fn added_user(store: &dyn Store, login: &str) -> User {
    let mut user = user(master(store).await, login);
    user.password = Some(Secret::new("$argon2id$first".to_owned()).into());
    store.add_user(&user).await.expect("added");
    user.user
}

pub(crate) fn email(address: &str, confirmed: bool) -> Email {
    Email {
        id: EmailId(uuid()),
        address: address.to_owned(),
        main: true,
        confirmed,
    }
}

pub(crate) fn policy(tenant: TenantId, name: &str) -> Policy {
    let accesses = vec!["auth.#".to_owned(), "!auth.users.*".to_owned()];
    Policy::new(PolicyId(uuid()), tenant, name, accesses)
}

/// The policies that are attached to an identity, in the order of their names.
pub(crate) async fn policies_of(store: &dyn Store, holder: IdentityId) -> Vec<Policy> {
    let filter = PolicyFilter {
        holder: Some(holder),
        ..PolicyFilter::default()
    };
    let query = Query {
        filter,
        ..Query::all(TenantScope::All)
    };
    store.list_policies(&query).await.expect("a list").items
}

pub(crate) fn digest() -> TokenDigest {
    let mut hash = [0xa5; 32];
    hash[..16].copy_from_slice(uuid().as_bytes());
    TokenDigest { key: KeyId(1), hash }
}

pub(crate) fn backend(name: &str) -> BackendName {
    BackendName::parse(name).expect("a name")
}

/// A login of a backend's own subject in the top tenant.
pub(crate) async fn own_opening(store: &dyn Store) -> Opening {
    let id = SessionId(uuid());
    let identity = Identity {
        id: IdentityId(uuid()),
        user: None,
        tenant: master(store).await,
        backend: backend("ldap.corp-1"),
        login: "Ana María".to_owned(),
    };
    let session = Session {
        id,
        identity,
        plugin: PluginDigest([7; 32]),
        dialect: "wazo".to_owned(),
        client: Client {
            address: Some("2001:db8::1".to_owned()),
            user_agent: Some("curl/8".to_owned()),
        },
        attributes: vec![
            ("wazo.x".to_owned(), "1".to_owned()),
            ("a".to_owned(), "\"\u{0}é".to_owned()),
        ],
        opened_at: Timestamp(1_700_000_000_123_456),
        purpose: Purpose::ExternalApi,
        admin: Some(false),
        mobile: true,
        refresh: Some(RefreshTokenId(uuid())),
        actor: None,
    };
    let accesses = vec!["b".to_owned(), "a.#".to_owned(), "b".to_owned()];
    let token = Token {
        digest: digest(),
        session: id,
        issued_at: Timestamp(1_700_000_000_123_457),
        expires_at: Timestamp(1_700_000_600_123_457),
        accesses: accesses.into(),
    };
    Opening {
        session,
        token,
        verified_since: store.revocation_mark().await.expect("a mark"),
        limit: None,
        refresh: Refreshing::No,
    }
}

/// A login of a directory user.
pub(crate) async fn opening_of(store: &dyn Store, user: &User) -> Opening {
    let mut opening = own_opening(store).await;
    opening.session.identity.id = user.id.into();
    opening.session.identity.user = Some(user.id);
    opening.session.identity.tenant = user.tenant;
    opening
}

/// A login of a directory user that is in the store.
pub(crate) async fn opened(store: &dyn Store, user: &User) -> Opening {
    let opening = opening_of(store, user).await;
    open_session(store, &opening).await;
    opening
}

/// A login in the place of a directory user, by whoever opened the other session.
pub(crate) async fn acting_opening(store: &dyn Store, actor: &Opening, user: &User) -> Opening {
    let mut opening = opening_of(store, user).await;
    let identity = &actor.session.identity;
    opening.session.actor = Some(Actor {
        session: actor.session.id,
        identity: identity.id,
        tenant: identity.tenant,
        login: identity.login.clone(),
    });
    opening.session.refresh = None;
    opening
}

/// Opens a session that nothing stands in the way of.
pub(crate) async fn open_session(store: &dyn Store, opening: &Opening) {
    let outcome = store.open_session(opening.clone()).await.expect("an answer");
    assert!(outcome.is_opened(), "{outcome:?}");
}

/// When the tests revoke.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_002);

/// Whether the store still knows the login's token.
pub(crate) async fn is_live(store: &dyn Store, opening: &Opening) -> bool {
    store
        .find_token(&opening.token.digest)
        .await
        .expect("an answer")
        .is_some()
}
