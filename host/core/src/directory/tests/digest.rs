//! Digests of login and password: whose they are, what they cost, and when they are made.

use std::time::Duration;

use sha1::{Digest as _, Sha1};

use super::*;
use crate::key::MasterKey;
use crate::model::{AuthenticationMethod, DigestAlgorithm};
use crate::password::{DigestKey, PasswordError, PasswordParams, Share};
use crate::port::{StoredDigest, UserChange};

fn md5_of(text: &str) -> String {
    hex::encode(md5::Md5::digest(text))
}

fn sha1_of(text: &str) -> String {
    hex::encode(Sha1::digest(text))
}

fn key() -> DigestKey {
    DigestKey::new(&MasterKey::new([1; 32]))
}

/// One computation with these parameters takes `iterations` times as long.
fn pool_of(iterations: u32) -> PasswordPool {
    let params = PasswordParams { iterations, ..CHEAP };
    PasswordPool::for_tests(params, 1, 16, Arc::new(crate::port::SystemRandom)).unwrap()
}

/// Nothing changes.
fn change_of(user: &User) -> UserChange {
    UserChange {
        login: user.login.clone(),
        firstname: user.firstname.clone(),
        lastname: user.lastname.clone(),
        purpose: Some(user.purpose),
        authentication_method: Some(user.authentication_method),
        enabled: Some(user.enabled),
    }
}

impl House {
    fn of_digests() -> Self {
        Self::new().serving_digests()
    }

    fn serving_digests(mut self) -> Self {
        self.directory = self.directory.with_digests(key());
        self
    }

    /// The same store after a restart with these passwords.
    fn restarted(&self, passwords: PasswordPool) -> Self {
        Self::on(Arc::clone(&self.store), Arc::clone(&self.tenants), passwords).serving_digests()
    }

    async fn find(&self, algorithm: DigestAlgorithm, digest: &str, tenant: Option<&str>) -> Option<User> {
        let (backend, digest) = (backend(), digest.into());
        let found = self.directory.find_by_digest(&backend, algorithm, &digest, tenant);
        found.await.unwrap()
    }

    /// Whose MD5 this is the text of, in the top tenant.
    async fn find_md5(&self, clear: &str) -> Option<User> {
        self.find(DigestAlgorithm::Md5, &md5_of(clear), Some("master")).await
    }

    /// Nobody is found, and that takes one computation.
    async fn check_nobody(&self, algorithm: DigestAlgorithm, digest: &str, tenant: Option<&str>) {
        let before = self.passwords.computed();
        assert_eq!(self.find(algorithm, digest, tenant).await, None, "{digest} {tenant:?}");
        assert_eq!(self.passwords.computed(), before + 1, "{digest} {tenant:?}");
    }

    /// Alice's MD5 and SHA-1 are those of this password and of no other.
    async fn check_alices(&self, password: &str) {
        let clear = format!("alice:{password}");
        for (algorithm, digest) in [
            (DigestAlgorithm::Md5, md5_of(&clear)),
            (DigestAlgorithm::Sha1, sha1_of(&clear)),
        ] {
            let found = self.find(algorithm, &digest, Some("master")).await;
            assert_eq!(
                found.and_then(|user| user.login).as_deref(),
                Some("alice"),
                "{password}"
            );
        }
        assert_eq!(self.store.digests_of(self.alice().await.id).len(), 2);
    }

    async fn alice(&self) -> User {
        self.directory.get_user("alice").await.unwrap()
    }

    /// What stands for a user's digests, as soon as it fits.
    async fn digests_when(&self, user: UserId, fits: impl Fn(&[StoredDigest]) -> bool) -> Vec<StoredDigest> {
        let waiting = async {
            loop {
                let digests = self.store.digests_of(user);
                if fits(&digests) {
                    return digests;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap()
    }

    /// Lets what was begun in the background go on as far as it can without a computation.
    async fn pass(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Without digests, as one of an older server.
    async fn add_older(&self, login: &str) -> User {
        let older = Self::on(Arc::clone(&self.store), Arc::clone(&self.tenants), pool_of(1));
        let made = older.add(login).await;
        assert_eq!(self.store.digests_of(made.id), []);
        made
    }
}

#[tokio::test]
async fn a_digest_finds_its_user_at_the_cost_of_one_computation() {
    let house = House::of_digests();
    let alice = house.add("Alice").await;
    let tenant = alice.tenant.to_string();
    for tenant in ["master", &tenant] {
        for (algorithm, digest) in [
            (DigestAlgorithm::Md5, md5_of("alice:s3cre7")),
            (DigestAlgorithm::Sha1, sha1_of("alice:s3cre7")),
        ] {
            let before = house.passwords.computed();
            assert_eq!(
                house.find(algorithm, &digest, Some(tenant)).await.as_ref(),
                Some(&alice)
            );
            assert_eq!(house.passwords.computed(), before + 1);
        }
    }
}

#[tokio::test]
async fn whoever_is_not_found_costs_the_same() {
    let house = House::of_digests();
    house.add("alice").await;
    house.tenant("acme").await;
    let (right, md5) = (md5_of("alice:s3cre7"), DigestAlgorithm::Md5);
    house.check_nobody(md5, &right, None).await;
    house.check_nobody(md5, &right, Some("nowhere")).await;
    house.check_nobody(md5, &right, Some("acme")).await;
    house.check_nobody(md5, &md5_of("alice:wrong"), Some("master")).await;
    house.check_nobody(md5, &md5_of("Alice:s3cre7"), Some("master")).await;
    house.check_nobody(md5, &right.to_uppercase(), Some("master")).await;
    house.check_nobody(md5, &right[1..], Some("master")).await;
    house.check_nobody(md5, &format!("{right}0"), Some("master")).await;
    house.check_nobody(md5, "", Some("master")).await;
    house.check_nobody(md5, &sha1_of("alice:s3cre7"), Some("master")).await;
    house.check_nobody(DigestAlgorithm::Sha1, &right, Some("master")).await;
}

#[tokio::test]
async fn digests_are_kept_only_where_they_are_served() {
    let house = House::new();
    let alice = house.add("alice").await;
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.directory.set_password("alice", &"n3w".into()).await.unwrap();
    house.pass().await;
    assert_eq!(house.store.digests_of(alice.id), []);
    house
        .check_nobody(DigestAlgorithm::Md5, &md5_of("alice:n3w"), Some("master"))
        .await;
    let serving = House::on(house.store, house.tenants, pool_of(1)).serving_digests();
    serving
        .check_nobody(DigestAlgorithm::Md5, &md5_of("alice:n3w"), Some("master"))
        .await;
}

#[tokio::test]
async fn each_way_to_set_a_password_makes_its_digests() {
    let house = House::of_digests();
    let alice = house.add("alice").await;
    house.check_alices("s3cre7").await;

    house.directory.set_password("alice", &"two".into()).await.unwrap();
    house.check_alices("two").await;
    assert_eq!(house.find_md5("alice:s3cre7").await, None);

    let (directory, all) = (&house.directory, TenantScope::All);
    directory
        .change_password(alice.id, &"two".into(), &"three".into(), all)
        .await
        .unwrap();
    house.check_alices("three").await;
    assert_eq!(house.find_md5("alice:two").await, None);

    let prepared = directory
        .prepare_password(alice.id, Some(&"four".into()), all, everything())
        .await
        .unwrap();
    assert!(house.find_md5("alice:three").await.is_some());
    directory.put_password(prepared).await.unwrap();
    house.check_alices("four").await;
    assert_eq!(house.find_md5("alice:three").await, None);

    let removed = directory
        .prepare_password(alice.id, None, all, everything())
        .await
        .unwrap();
    directory.put_password(removed).await.unwrap();
    assert_eq!(house.find_md5("alice:four").await, None);
}

#[tokio::test]
async fn the_first_user_and_whoever_registers_have_digests() {
    let house = House::of_digests();
    let first = FirstUser {
        login: "root".to_owned(),
        password: "s3cre7".into(),
        purpose: Purpose::Internal,
        policy: ADMIN_POLICY.to_owned(),
    };
    let provisions = Provisions {
        first_user: Some(first),
        ..Provisions::default()
    };
    house.directory.prepare(provisions).await.unwrap();
    assert!(house.find_md5("root:s3cre7").await.is_some());

    let registered = house.directory.register(Registration {
        login: None,
        password: "s3cre7".into(),
        email: "Bob@example.org".to_owned(),
        firstname: None,
        lastname: None,
    });
    let bob = registered.await.unwrap();
    let (digest, tenant) = (md5_of("bob@example.org:s3cre7"), bob.tenant.to_string());
    let found = house.find(DigestAlgorithm::Md5, &digest, Some(&tenant)).await;
    assert_eq!(found, Some(bob), "whoever has no login is called by the main address");
}

#[tokio::test]
async fn a_user_without_digests_gets_them_at_the_next_login_with_the_password() {
    let house = House::of_digests();
    let alice = house.add_older("alice").await;
    assert!(!house.is_password(alice.id, "wrong").await);
    house.pass().await;
    assert_eq!(house.store.digests_of(alice.id), []);
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.digests_when(alice.id, |digests| digests.len() == 2).await;
    house.check_alices("s3cre7").await;

    let before = house.passwords.computed();
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.pass().await;
    assert_eq!(house.passwords.computed(), before + 1, "once is enough");
}

#[tokio::test]
async fn a_login_that_renews_an_outdated_verifier_makes_the_digests_too() {
    let house = House::new();
    let alice = house.add("alice").await;
    let later = house.restarted(pool_of(2));
    assert!(later.is_password(alice.id, "s3cre7").await);
    later.digests_when(alice.id, |digests| digests.len() == 2).await;
    later.check_alices("s3cre7").await;
}

#[tokio::test]
async fn a_user_who_is_renamed_has_digests_of_the_new_name_after_the_next_login() {
    let house = House::of_digests();
    let alice = house.add("alice").await;
    let change = UserChange {
        login: Some("liddell".to_owned()),
        ..change_of(&alice)
    };
    house
        .directory
        .update_user(alice.id, change, TenantScope::All, everything())
        .await
        .unwrap();
    assert_eq!(house.find_md5("alice:s3cre7").await, None);
    assert_eq!(house.find_md5("liddell:s3cre7").await, None);
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.digests_when(alice.id, |digests| digests.len() == 2).await;
    assert!(house.find_md5("liddell:s3cre7").await.is_some());
    assert_eq!(house.find_md5("alice:s3cre7").await, None);
}

#[tokio::test]
async fn a_password_that_was_hashed_under_an_older_name_is_set_without_digests() {
    let house = House::of_digests();
    let alice = house.add("alice").await;
    let (directory, all) = (&house.directory, TenantScope::All);
    let prepared = directory
        .prepare_password(alice.id, Some(&"n3w".into()), all, everything())
        .await
        .unwrap();
    let change = UserChange {
        login: Some("liddell".to_owned()),
        ..change_of(&alice)
    };
    directory
        .update_user(alice.id, change, all, everything())
        .await
        .unwrap();
    directory.put_password(prepared).await.unwrap();
    assert_eq!(house.store.digests_of(alice.id), []);
    assert_eq!(house.find_md5("alice:n3w").await, None);
    assert!(house.is_password(alice.id, "n3w").await);
}

#[tokio::test]
async fn while_enough_digests_are_being_made_more_are_left_to_later_logins() {
    let house = House::of_digests();
    let alice = house.add_older("alice").await;
    let renewals = house.directory.digests.as_ref().unwrap().renewals();
    let busy = renewals.acquire_many(2).await.unwrap();
    let before = house.passwords.computed();
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.pass().await;
    assert_eq!(house.passwords.computed(), before + 1);
    drop(busy);
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.digests_when(alice.id, |digests| digests.len() == 2).await;
}

#[tokio::test]
async fn digests_that_cannot_be_made_stop_no_login() {
    let house = House::of_digests();
    let alice = house.add_older("alice").await;
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.store.set_down(true);
    house.pass().await;
    house.store.set_down(false);
    assert_eq!(house.store.digests_of(alice.id), []);
    assert!(house.is_password(alice.id, "s3cre7").await);
    house.digests_when(alice.id, |digests| digests.len() == 2).await;
}

#[tokio::test]
async fn who_proves_it_by_another_method_is_found_by_no_digest_and_who_is_disabled_is_found() {
    let house = House::of_digests();
    let alice = house.add("alice").await;
    let all = TenantScope::All;
    let disabled = UserChange {
        enabled: Some(false),
        ..change_of(&alice)
    };
    house
        .directory
        .update_user(alice.id, disabled, all, everything())
        .await
        .unwrap();
    assert_eq!(
        house.find_md5("alice:s3cre7").await.map(|user| user.enabled),
        Some(false)
    );
    for (method, found) in [
        (AuthenticationMethod::Ldap, false),
        (AuthenticationMethod::Saml, false),
        (AuthenticationMethod::Native, true),
    ] {
        let directory = &house.directory;
        directory
            .set_authentication_method(&[alice.id], method, None, all, everything())
            .await
            .unwrap();
        assert_eq!(house.find_md5("alice:s3cre7").await.is_some(), found, "{method:?}");
    }
}

#[tokio::test]
async fn of_two_users_with_one_digest_the_one_who_was_made_first_is_meant() {
    let house = House::of_digests();
    let alice = house.add("alice").await;
    let (clock, store) = (StillClock::new(), &house.store);
    clock.advance(Duration::from_secs(1));
    let bob = User::new(UserId(Uuid::nil()), alice.tenant, "bob", clock.now());
    let password = crate::port::NewPassword {
        verifier: store.verifier_of(alice.id).unwrap(),
        digests: store.digests_of(alice.id),
    };
    store
        .add_user(&crate::port::NewUser::of(bob, Some(password)))
        .await
        .unwrap();
    assert_eq!(house.find_md5("alice:s3cre7").await, Some(alice));
}

#[tokio::test]
async fn digests_of_an_older_cost_are_found_and_the_next_login_with_the_password_renews_them() {
    let house = House::of_digests();
    let (alice, bob) = (house.add("alice").await, house.add("bob").await);
    let later = house.restarted(pool_of(2));
    let before = later.passwords.computed();
    assert!(later.find_md5("alice:s3cre7").await.is_some());
    assert_eq!(later.passwords.computed(), before + 1);

    assert!(later.is_password(alice.id, "s3cre7").await);
    let current = |digests: &[StoredDigest]| digests.iter().all(|digest| digest.cost == "m=8,t=2,p=1");
    assert_eq!(later.digests_when(alice.id, current).await.len(), 2);
    later.check_alices("s3cre7").await;
    for (clear, found, cost) in [
        ("alice:s3cre7", Some(alice), 1),
        ("bob:s3cre7", Some(bob), 2),
        ("bob:wrong", None, 2),
    ] {
        let before = later.passwords.computed();
        assert_eq!(later.find_md5(clear).await, found);
        assert_eq!(later.passwords.computed(), before + cost, "{clear}");
    }
}

#[tokio::test]
async fn a_saturated_pool_and_a_store_that_is_down_are_no_refusal() {
    let house = House::of_digests();
    house.add("alice").await;
    let slow = PasswordParams {
        iterations: 20_000,
        ..CHEAP
    };
    let slow = PasswordPool::for_tests(slow, 1, 0, Arc::new(crate::port::SystemRandom)).unwrap();
    let later = house.restarted(slow);
    let (backend, secret) = (backend(), Secret::from("x"));
    let share = Share::Backend(backend.clone());
    let digest = Secret::from(md5_of("alice:s3cre7").as_str());
    for tenant in [Some("master"), None] {
        let (busy, found) = tokio::join!(
            later.passwords.burn(&share, &secret),
            later
                .directory
                .find_by_digest(&backend, DigestAlgorithm::Md5, &digest, tenant)
        );
        assert!(busy.is_ok());
        assert!(
            matches!(found, Err(DirectoryError::Password(PasswordError::Saturated))),
            "{tenant:?}"
        );
    }
    house.store.set_down(true);
    let found = house
        .directory
        .find_by_digest(&backend, DigestAlgorithm::Md5, &digest, Some("master"));
    assert!(matches!(found.await, Err(DirectoryError::Store(_))));
}
