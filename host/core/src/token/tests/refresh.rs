//! Rules of refresh tokens and of how many sessions there may be.

use super::*;
use crate::directory::DirectoryService;
use crate::model::{
    AuthenticationMethod, Group, PluginDigest, Policy, PolicyId, Query, RefreshToken, SessionId, TenantScope,
};
use crate::port::{GroupStore as _, RefreshFilter, RefreshStore as _, RevokeTarget, SessionFilter};

/// Alice's login as this client.
pub(super) fn offline(client: &str, mobile: bool) -> LoginRequest {
    LoginRequest {
        offline: Some(client.to_owned()),
        mobile,
        attributes: vec![("wazo.x".to_owned(), "1".to_owned()), ("y".to_owned(), "2".to_owned())],
        ..login("wazo_user")
    }
}

pub(super) fn with(token: &TokenValue, client: &str) -> RefreshRequest {
    RefreshRequest {
        token: Some(token.clone()),
        client_id: client.to_owned(),
        ttl: None,
        client: Client::default(),
        dialect: "wazo",
        request_id: "request-2".to_owned(),
        attributes: Vec::new(),
        mobile: false,
    }
}

impl House {
    /// Alice's refresh token for the client `web`.
    async fn refresh_token(&self) -> TokenValue {
        let issued = self.login(offline("web", false)).await.unwrap();
        issued.refresh.unwrap()
    }

    async fn refresh(&self, token: &TokenValue) -> Result<IssuedToken, TokenError> {
        self.service.refresh(with(token, "web")).await
    }

    async fn stored(&self) -> RefreshToken {
        let of = self.store.find_refresh_token_of(self.alice.id.into(), "web").await;
        of.unwrap().unwrap()
    }

    fn users(&self) -> DirectoryService {
        DirectoryService::new(
            Arc::clone(&self.store) as Arc<dyn Store>,
            Arc::clone(&self.passwords),
            Arc::clone(&self.cache),
            Arc::clone(&self.tenants),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(SystemRandom),
        )
    }
}

fn is_refused(outcome: &Result<IssuedToken, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Refused(Refusal::WrongCredential)))
}

#[tokio::test]
async fn a_refresh_reads_user_and_policies_anew_and_keeps_what_was_kept() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    house.add_policy("later", &["a.b"], house.alice.id.into()).await;
    house.store.replace_user(User {
        login: Some("Alicia".to_owned()),
        purpose: Purpose::Internal,
        ..house.alice.clone()
    });
    let request = RefreshRequest {
        attributes: vec![("wazo.x".to_owned(), "3".to_owned())],
        mobile: true,
        ..with(&token, "web")
    };
    let issued = house.service.refresh(request).await.unwrap();
    let session = &issued.live.record.session;
    assert_eq!(session.identity.login, "Alicia");
    assert_eq!(session.purpose, Purpose::Internal);
    assert_eq!(
        session.plugin,
        PluginDigest([7; 32]),
        "so that revoking the plugin ends it"
    );
    assert_eq!(session.refresh, Some(house.stored().await.id));
    assert!(session.mobile);
    let attributes: Vec<_> = session
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(attributes, ["wazo.x=3", "y=2"], "the fresh ones first");
    assert_eq!(*issued.live.record.token.accesses, ["a.b".to_owned()]);
    assert!(issued.refresh.is_none());
    assert_eq!(house.backend.calls().len(), 1, "the login alone");
    assert!(house.is_cached(&issued.value).await);
    house.cache.forget_all();
    assert!(house.is_good(&issued.value).await);
}

#[tokio::test]
async fn a_refresh_with_anything_but_the_clients_own_token_is_refused() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    let session = house.token().await.value;
    for other in [&TokenValue::new(SystemRandom.uuid()), &session] {
        assert!(is_refused(&house.refresh(other).await));
    }
    assert!(is_refused(&house.service.refresh(with(&token, "other")).await));
    let none = RefreshRequest {
        token: None,
        ..with(&token, "web")
    };
    assert!(is_refused(&house.service.refresh(none).await));
    let long = RefreshRequest {
        ttl: Some(Duration::from_hours(25)),
        ..with(&token, "web")
    };
    let refused = house.service.refresh(long).await;
    assert!(matches!(refused, Err(TokenError::TtlOutOfRange { .. })));
    house.refresh(&token).await.unwrap();
}

#[tokio::test]
async fn the_store_holds_nothing_that_a_refresh_token_could_be_told_from() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    let stored = house.stored().await;
    for known in [stored.id.0, uuid::Uuid::from_slice(&stored.digest.hash[..16]).unwrap()] {
        assert!(is_refused(&house.refresh(&TokenValue::new(known)).await));
    }
    assert_eq!(uuid::Uuid::try_parse(&token.reveal()).unwrap().get_version_num(), 4);
    // Another server's keys give another text for the same id.
    let keys = KeyRing::open(
        &*MemoryStore::new(),
        &MasterKey::new([2; 32]),
        &SystemRandom,
        &*house.clock,
    )
    .await;
    assert!(keys.unwrap().refresh_value(&stored).is_none());
}

#[tokio::test]
async fn the_same_text_is_given_out_again_also_under_a_newer_key() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    let key = crate::key::second_key(&MasterKey::new([1; 32]));
    assert!(crate::port::KeyStore::add_key(&*house.store, &key).await.unwrap());
    let service = house.another_service(&house.passwords).await;
    let LoginOutcome::Issued(again) = service.login(offline("web", false)).await.unwrap() else {
        panic!("challenged");
    };
    assert_eq!(again.refresh.unwrap().reveal(), token.reveal());
    service.refresh(with(&token, "web")).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_from_elsewhere_is_good_until_another_takes_its_place() {
    let house = House::new().await;
    house.refresh_token().await;
    let foreign = TokenValue::new(SystemRandom.uuid());
    let keys = KeyRing::open(&*house.store, &MasterKey::new([1; 32]), &SystemRandom, &*house.clock).await;
    house.store.put_refresh_token(RefreshToken {
        digest: keys.unwrap().digest(&foreign),
        ..house.stored().await
    });
    house.refresh(&foreign).await.unwrap();
    let shown = house.refresh_token().await;
    assert!(is_refused(&house.refresh(&foreign).await));
    house.refresh(&shown).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_can_have_an_end_which_logins_put_off() {
    let day = Duration::from_hours(24);
    let house = House::with_settings(TokenSettings {
        refresh_ttl: Some(day),
        ..settings()
    })
    .await;
    let token = house.refresh_token().await;
    house.clock.advance(day / 2);
    assert_eq!(house.refresh_token().await.reveal(), token.reveal());
    house.clock.advance(Duration::from_secs(24 * 3600 - 1));
    house.refresh(&token).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    assert!(is_refused(&house.refresh(&token).await));
    assert_eq!(house.store.refresh_token_count(), 1);
    house.service.sweep().await.unwrap();
    assert_eq!(house.store.refresh_token_count(), 0);
}

#[tokio::test]
async fn a_sweep_goes_on_while_there_are_refresh_tokens_to_remove() {
    let house = House::with_settings(TokenSettings {
        refresh_ttl: Some(Duration::from_secs(1)),
        ..settings()
    })
    .await;
    for client in ["a", "b", "c"] {
        house.login(offline(client, false)).await.unwrap();
    }
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.service.sweep().await.unwrap(), 3, "a batch holds two");
}

#[tokio::test]
async fn whatever_ends_all_sessions_of_a_user_leaves_no_refresh_token() {
    let house = House::new().await;
    let users = house.users();
    for target in [
        RevokeTarget::Identity(house.alice.id.into()),
        RevokeTarget::Plugin(PluginDigest([7; 32])),
    ] {
        let token = house.refresh_token().await;
        house.service.revoke_all(&target).await.unwrap();
        assert!(is_refused(&house.refresh(&token).await), "{target:?}");
    }
    let token = house.refresh_token().await;
    users.set_password("alice", &"n3w".into()).await.unwrap();
    assert!(is_refused(&house.refresh(&token).await));
    let token = house.refresh_token().await;
    house.store.replace_user(User {
        enabled: false,
        ..house.alice.clone()
    });
    let disabled = house.refresh(&token).await;
    assert!(matches!(disabled, Err(TokenError::Refused(Refusal::Disabled))));
    house.store.replace_user(house.alice.clone());
    users.remove_user("alice").await.unwrap();
    assert!(is_refused(&house.refresh(&token).await));
    assert_eq!(house.store.refresh_token_count(), 0);
}

#[tokio::test]
async fn a_refresh_token_of_a_backend_that_is_gone_is_refused() {
    let house = House::new().await;
    house.add_backend(|| Ok(Outcome::Verified(principal(Subject::Own("b".to_owned()), "bob"))));
    let request = LoginRequest {
        backend: "own".to_owned(),
        ..offline("web", false)
    };
    let issued = house.login(request).await.unwrap();
    let token = issued.refresh.unwrap();
    let again = house.refresh(&token).await.unwrap();
    let (first, second) = (
        &issued.live.record.session.identity,
        &again.live.record.session.identity,
    );
    assert_eq!(first, second);
    house.backends.remove("own");
    assert!(matches!(
        house.refresh(&token).await,
        Err(TokenError::UnknownBackend(_))
    ));
}

#[tokio::test]
async fn a_refresh_token_that_a_password_made_is_good_while_the_password_would_be() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    let set = async |method| {
        let (users, service) = ([house.alice.id], house.users());
        let set = service.set_authentication_method(&users, method, None, TenantScope::All, everything());
        set.await.unwrap();
    };
    set(AuthenticationMethod::Ldap).await;
    assert!(is_refused(&house.refresh(&token).await));
    set(AuthenticationMethod::Default).await;
    house.refresh(&token).await.unwrap();
}

#[tokio::test]
async fn another_plugin_gives_out_a_token_of_its_own() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    house.store.put_refresh_token(RefreshToken {
        plugin: PluginDigest([8; 32]),
        ..house.stored().await
    });
    // Else revoking the plugin that let this login in would leave it a token.
    let other = house.refresh_token().await;
    assert_ne!(other.reveal(), token.reveal());
    assert!(is_refused(&house.refresh(&token).await));
}

#[tokio::test]
async fn a_mobile_client_ends_the_one_before_at_once() {
    let house = House::new().await;
    let web = house.refresh_token().await;
    let first = house.login(offline("phone-1", true)).await.unwrap();
    let request = with(first.refresh.as_ref().unwrap(), "phone-1");
    let refreshed = house.service.refresh(request.clone()).await.unwrap();
    assert!(refreshed.live.record.session.mobile, "as the refresh token is");
    let second = house.login(offline("phone-2", true)).await.unwrap();
    assert_eq!(second.sessions_revoked, 2);
    // The cache knows as well.
    assert!(!house.is_good(&first.value).await);
    assert!(!house.is_good(&refreshed.value).await);
    assert!(house.is_good(&second.value).await);
    assert!(is_refused(&house.service.refresh(request).await));
    house.refresh(&web).await.unwrap();
    let same = house.login(offline("phone-2", true)).await.unwrap();
    assert_ne!(same.refresh.unwrap().reveal(), second.refresh.unwrap().reveal());
    assert_eq!(same.sessions_revoked, 1);
}

#[tokio::test]
async fn a_client_without_a_name_that_can_be_kept_is_refused() {
    let house = House::new().await;
    for client in [String::new(), "x".repeat(1025), "a\0b".to_owned()] {
        assert!(house.login(offline(&client, false)).await.is_err());
    }
    house.login(offline(&"ü".repeat(1024), false)).await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_sessions_than_there_may_be_save_internal_ones() {
    let house = House::with_settings(TokenSettings {
        max_sessions: 3,
        ..settings()
    })
    .await;
    let token = house.refresh_token().await;
    house.refresh(&token).await.unwrap();
    house.token().await;
    let full = house.login(login("wazo_user")).await;
    assert!(matches!(full, Err(TokenError::TooManySessions(id)) if id == house.alice.id.into()));
    assert!(matches!(
        house.refresh(&token).await,
        Err(TokenError::TooManySessions(_))
    ));
    let hour = Duration::from_hours(1);
    let link = house
        .service
        .mint_link(house.alice.id, Vec::new(), hour, Vec::new())
        .await;
    assert!(house.is_good(&link.unwrap().value).await, "a link is no login");
    house.store.replace_user(User {
        purpose: Purpose::Internal,
        ..house.alice.clone()
    });
    house.token().await;
    house.store.replace_user(house.alice.clone());
    house.clock.advance(Duration::from_hours(2));
    house.token().await;
}

#[tokio::test]
async fn a_mobile_client_needs_no_room_for_the_session_that_it_ends() {
    let house = House::with_settings(TokenSettings {
        max_sessions: 1,
        ..settings()
    })
    .await;
    for client in ["phone-1", "phone-2"] {
        house.login(offline(client, true)).await.unwrap();
    }
    assert!(house.login(offline("web", false)).await.is_err());
}

#[tokio::test]
async fn administrators_are_told_from_others_where_that_is_asked() {
    let house = House::with_settings(TokenSettings {
        admin_status: Some(AdminStatus {
            policy: "admins".to_owned(),
            group: "crew".to_owned(),
            purposes: vec![Purpose::User],
        }),
        ..settings()
    })
    .await;
    let admin = async || house.token().await.live.record.session.admin;
    assert_eq!(admin().await, Some(false));
    let crew = Group {
        id: GroupId(SystemRandom.uuid()),
        tenant: house.alice.tenant,
        name: "Crew".to_owned(),
        slug: "crew".to_owned(),
        system: false,
    };
    house.store.add_group(&crew).await.unwrap();
    house.store.add_group_member(crew.id, house.alice.id).await.unwrap();
    assert_eq!(admin().await, Some(true));
    house.store.remove_group(crew.id).await.unwrap();
    house.add_policy("admins", &[], house.alice.id.into()).await;
    assert_eq!(admin().await, Some(true));
    house.store.replace_user(User {
        purpose: Purpose::Internal,
        ..house.alice.clone()
    });
    assert_eq!(admin().await, None);
}

#[tokio::test]
async fn no_tenants_own_policy_makes_an_administrator() {
    let house = House::with_settings(TokenSettings {
        admin_status: Some(AdminStatus {
            policy: "admins".to_owned(),
            group: "crew".to_owned(),
            purposes: vec![Purpose::User],
        }),
        ..settings()
    })
    .await;
    let branch = house.add_tenant("branch", house.alice.tenant).await;
    house.store.replace_user(User {
        tenant: branch,
        ..house.alice.clone()
    });
    let own = Policy::new(PolicyId(SystemRandom.uuid()), branch, "admins", Vec::new());
    house.store.add_policy(&own).await.unwrap();
    house.store.attach_policy(own.id, house.alice.id.into()).await.unwrap();
    assert_eq!(house.token().await.live.record.session.admin, Some(false));
    house.add_policy("admins", &[], house.alice.id.into()).await;
    assert_eq!(house.token().await.live.record.session.admin, Some(true));
}

#[tokio::test]
async fn a_session_is_ended_by_whoever_may() {
    let house = House::new().await;
    let below = house.add_tenant("below", house.alice.tenant).await;
    let issued = house.token().await;
    let id = issued.live.record.session.id;
    let end = async |id, owner, scope| house.service.end_session(id, owner, scope).await.unwrap();
    let all = TenantScope::All;
    assert!(!end(SessionId(SystemRandom.uuid()), None, all).await);
    assert!(!end(id, None, TenantScope::Subtree(below)).await);
    assert!(!end(id, None, TenantScope::Only(below)).await);
    assert!(!end(id, Some(IdentityId(SystemRandom.uuid())), all).await);
    assert!(house.is_good(&issued.value).await);
    let list = async || {
        let query = Query::<SessionFilter, _>::all(all);
        house.service.list_sessions(&query).await.unwrap().total
    };
    assert_eq!(list().await, 1);
    let subtree = TenantScope::Subtree(house.alice.tenant);
    assert!(end(id, Some(house.alice.id.into()), subtree).await);
    assert!(!house.is_good(&issued.value).await);
    assert_eq!(list().await, 0);
}

#[tokio::test]
async fn refresh_tokens_are_listed_and_removed() {
    let house = House::new().await;
    let token = house.refresh_token().await;
    let query = Query::<RefreshFilter, _>::all(TenantScope::All);
    let list = async || house.service.list_refresh_tokens(&query).await.unwrap().total;
    assert_eq!(list().await, 1);
    let owner = house.alice.id.into();
    assert!(house.service.remove_refresh_token(owner, "web").await.unwrap());
    assert!(!house.service.remove_refresh_token(owner, "web").await.unwrap());
    assert!(is_refused(&house.refresh(&token).await));
    assert_eq!(list().await, 0);
}
