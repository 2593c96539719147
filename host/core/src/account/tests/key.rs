//! API keys, and sessions of accounts.

use super::*;
use crate::model::Refusal;
use crate::port::SystemRandom;
use crate::rights::{ACCOUNT_ADMIN_ACCESSES, ACCOUNT_ADMIN_POLICY};
use crate::testing::everything;
use crate::token::{IssuedToken, KeyLogin, TokenError};

impl House {
    /// Logs in as a dialect does.
    async fn log_in(&self, key: &str) -> Result<IssuedToken, TokenError> {
        let index = self.accounts.index().await.unwrap();
        let tenant = index.find_by_api_key(key).ok_or(TokenError::NotFound)?;
        let login = key_login(tenant, index.get(tenant).unwrap().1.api_key);
        self.tokens.login_by_key(login).await
    }
}

fn key_login(tenant: TenantId, api_key: u32) -> KeyLogin {
    KeyLogin {
        tenant,
        api_key,
        accesses: vec!["keyway.admin".to_owned()],
        ttl: None,
        client: Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
        attributes: Vec::new(),
    }
}

#[tokio::test]
async fn a_key_is_shown_again_until_it_is_made_anew() {
    let house = House::with_policy().await;
    assert_eq!(house.account().await.api_key, 0);
    let first = house.accounts.api_key(house.acme, everything()).await.unwrap();
    assert_eq!(house.accounts.api_key(house.acme, everything()).await.unwrap(), first);
    let second = house.accounts.renew_api_key(house.acme, everything()).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(house.accounts.api_key(house.acme, everything()).await.unwrap(), second);
    let nobody = house
        .accounts
        .api_key(TenantId(SystemRandom.uuid()), everything())
        .await;
    assert!(matches!(nobody, Err(DirectoryError::NotFound { .. })));
}

#[tokio::test]
async fn a_key_opens_a_session_of_the_account_itself() {
    let house = House::with_policy().await;
    let key = house.accounts.api_key(house.acme, everything()).await.unwrap();
    let issued = house.log_in(key.expose()).await.unwrap();
    let identity = &issued.live.record.session.identity;
    assert_eq!(
        (identity.user, identity.tenant, identity.login.as_str()),
        (None, house.acme, "acme")
    );
    assert_eq!(identity.backend, BackendName::host());
    assert!(issued.live.accesses.grants("keyway.admin") && !issued.live.accesses.grants("keyway.root"));
    let again = house.log_in(key.expose()).await.unwrap();
    assert_eq!(
        again.live.record.session.identity.id, identity.id,
        "the same one each time"
    );
    let wrong = "0".repeat(64);
    assert!(matches!(house.log_in(&wrong).await, Err(TokenError::NotFound)));
}

#[tokio::test]
async fn a_key_that_was_made_anew_is_good_no_more_and_its_sessions_have_ended() {
    let house = House::with_policy().await;
    let old = house.accounts.api_key(house.acme, everything()).await.unwrap();
    let session = house.log_in(old.expose()).await.unwrap();
    let new = house.accounts.renew_api_key(house.acme, everything()).await.unwrap();
    assert!(!house.is_good(&session.value).await);
    assert!(house.log_in(old.expose()).await.is_err());
    let session = house.log_in(new.expose()).await.unwrap();
    assert!(house.is_good(&session.value).await);
    // A node that has not heard of it yet would still find the account by the old key.
    let stale = house.tokens.login_by_key(key_login(house.acme, 1)).await;
    assert!(matches!(stale, Err(TokenError::Refused(Refusal::WrongCredential))));
    let none = house.tokens.login_by_key(key_login(MemoryStore::MASTER, 0)).await;
    assert!(matches!(none, Err(TokenError::Refused(Refusal::WrongCredential))));
}

#[tokio::test]
async fn an_accounts_sessions_end_with_the_account() {
    let house = House::with_policy().await;
    let key = house.accounts.api_key(house.acme, everything()).await.unwrap();
    let session = house.log_in(key.expose()).await.unwrap();
    let disabled = Account {
        enabled: false,
        ..house.account().await
    };
    house.put(disabled).await.unwrap();
    assert!(!house.is_good(&session.value).await);
    let refused = house.log_in(key.expose()).await;
    assert!(matches!(refused, Err(TokenError::Closed(Closed::Disabled))));
}

#[tokio::test]
async fn what_others_say_of_an_account_keeps_its_key() {
    let house = House::with_policy().await;
    let before = house.account().await;
    let key = house.accounts.renew_api_key(house.acme, everything()).await.unwrap();
    // Whoever read the account before the key was made writes it back afterwards.
    house.put(before).await.unwrap();
    assert_eq!(house.accounts.api_key(house.acme, everything()).await.unwrap(), key);
}

#[tokio::test]
async fn a_key_may_what_the_policy_of_administrators_says() {
    let house = House::new().await;
    assert!(matches!(
        house.accounts.key_accesses().await,
        Err(DirectoryError::NotFound { what: "policy", .. })
    ));
    let accesses = ACCOUNT_ADMIN_ACCESSES.map(str::to_owned).to_vec();
    house
        .directory
        .add_policy(ACCOUNT_ADMIN_POLICY, accesses.clone())
        .await
        .unwrap();
    assert_eq!(house.accounts.key_accesses().await.unwrap(), accesses);
}

#[tokio::test]
async fn a_key_is_shown_and_renewed_for_those_who_may_all_that_it_may() {
    let house = House::with_policy().await;
    for enough in [&["#"][..], &ACCOUNT_ADMIN_ACCESSES, &["keyway.*", "auth.#"]] {
        house.accounts.api_key(house.acme, &accesses(enough)).await.unwrap();
    }
    let before = house.account().await.api_key;
    for poor in [&[][..], &["keyway.admin"], &["#", "!auth.tenants.#"]] {
        let by = accesses(poor);
        let shown = house.accounts.api_key(house.acme, &by).await;
        let renewed = house.accounts.renew_api_key(house.acme, &by).await;
        for refused in [shown, renewed] {
            assert!(
                matches!(refused, Err(DirectoryError::AccessDenied(_))),
                "{poor:?}: {refused:?}"
            );
        }
    }
    assert_eq!(house.account().await.api_key, before);
}
