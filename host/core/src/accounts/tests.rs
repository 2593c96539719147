//! Who is found by which name, and who is above whom.

use super::*;
use crate::model::{Account, GroupId, Tenant, TenantId};
use crate::port::{Change, NewTenant, Random as _, SystemRandom, TenantStore as _};
use crate::testing::{MemoryStore, StillClock};

struct House {
    store: Arc<MemoryStore>,
    tenants: Arc<TenantDirectory>,
    accounts: AccountDirectory,
}

impl House {
    fn new() -> Self {
        let store = MemoryStore::new();
        let tenants = Arc::new(TenantDirectory::new(store.clone() as Arc<dyn Store>));
        let master = MasterKey::new([1; 32]);
        Self {
            accounts: AccountDirectory::new(store.clone(), tenants.clone(), &master),
            store,
            tenants,
        }
    }

    async fn add(&self, tenant: Tenant) -> TenantId {
        let id = tenant.id;
        let tenant = NewTenant::of(tenant, GroupId(SystemRandom.uuid()));
        self.store.add_tenant(&tenant).await.unwrap();
        self.tenants.invalidate();
        id
    }

    async fn named(&self, name: &str, parent: TenantId) -> TenantId {
        self.add(Tenant::new(fresh(), parent, name)).await
    }

    async fn say(&self, account: Account) {
        let now = crate::port::Clock::now(&StillClock::new());
        self.store.set_account(&account, now).await.unwrap();
        self.accounts.invalidate();
    }

    async fn index(&self) -> Arc<AccountIndex> {
        self.accounts.index().await.unwrap()
    }
}

fn fresh() -> TenantId {
    TenantId(SystemRandom.uuid())
}

const MASTER: TenantId = MemoryStore::MASTER;

#[tokio::test]
async fn a_tenant_of_which_nobody_said_anything_is_an_account() {
    let house = House::new();
    let index = house.index().await;
    let (tenant, account) = index.get(MASTER).unwrap();
    assert_eq!(
        (tenant.name.as_deref(), account),
        (Some("master"), &Account::of(MASTER))
    );
    assert_eq!((index.master(), index.len(), index.is_empty()), (MASTER, 1, false));
    assert!(index.get(fresh()).is_none());
}

#[tokio::test]
async fn an_account_is_found_by_its_numbers_realm_domains_and_name() {
    let house = House::new();
    let id = house
        .add(Tenant {
            realm: Some("SIP.example.org".to_owned()),
            domains: vec!["Example.org".to_owned()],
            ..Tenant::new(fresh(), MASTER, "ACME, Inc.")
        })
        .await;
    house
        .say(Account {
            phone_numbers: vec!["+1 (415) 555-0100".to_owned()],
            ..Account::of(id)
        })
        .await;
    let index = house.index().await;
    assert_eq!(index.find_by_phone("+1 415 5550100"), Some(id));
    assert_eq!(index.find_by_phone("4155550100"), None);
    assert_eq!(index.find_by_phone("none"), None);
    assert_eq!(index.find_by_realm("sip.EXAMPLE.org"), Some(id));
    assert_eq!(index.find_by_realm("example.ORG"), Some(id));
    assert_eq!(index.find_by_realm("acmeinc"), None);
    assert_eq!(index.find_by_name("acme inc"), [id]);
    assert!(index.find_by_name("").is_empty() && index.find_by_name("acme").is_empty());
}

#[tokio::test]
async fn a_realm_comes_before_a_domain_of_the_same_name() {
    let house = House::new();
    // The one with the domain comes first in the order of names.
    let domain = house
        .add(Tenant {
            domains: vec!["sip.example.org".to_owned()],
            ..Tenant::new(fresh(), MASTER, "a")
        })
        .await;
    let realm = house
        .add(Tenant {
            realm: Some("sip.example.org".to_owned()),
            ..Tenant::new(fresh(), MASTER, "b")
        })
        .await;
    assert_ne!(domain, realm);
    assert_eq!(house.index().await.find_by_realm("sip.example.org"), Some(realm));
}

#[tokio::test]
async fn of_many_accounts_of_one_name_the_first_eight_are_looked_at() {
    let house = House::new();
    let mut all = Vec::new();
    // Whatever the others look like, nobody gets in front of the first.
    for name in [
        "same", "!same", "\"same", "SAME", "Same", " same", "s a m e", "same!", "~same",
    ] {
        all.push(house.named(name, MASTER).await);
    }
    assert_eq!(all.len(), MAX_SAME_NAME + 1);
    assert_eq!(house.index().await.find_by_name("Same!"), &all[..MAX_SAME_NAME]);
}

#[tokio::test]
async fn who_is_above_and_below_whom() {
    let house = House::new();
    let a = house.named("a", MASTER).await;
    let b = house.named("b", a).await;
    let c = house.named("c", b).await;
    let d = house.named("d", a).await;
    let index = house.index().await;
    assert_eq!(index.ancestors(c), [MASTER, a, b]);
    assert!(index.ancestors(MASTER).is_empty() && index.ancestors(fresh()).is_empty());
    assert_eq!(index.children(a), [b, d]);
    assert!(index.children(c).is_empty());
    assert_eq!(index.descendants(MASTER), [a, b, c, d]);
    assert_eq!(index.descendants(a), [b, c, d]);
    assert!(index.descendants(c).is_empty());
    assert!(index.is_within(c, a) && index.is_within(a, a) && !index.is_within(a, c) && !index.is_within(d, b));
}

#[tokio::test]
async fn the_nearest_reseller_above_is_an_accounts_else_the_top_one() {
    let house = House::new();
    let a = house.named("a", MASTER).await;
    let b = house.named("b", a).await;
    let c = house.named("c", b).await;
    assert_eq!(house.index().await.reseller_of(c), Some(MASTER));
    let reseller = |id| Account {
        reseller: true,
        ..Account::of(id)
    };
    house.say(reseller(a)).await;
    house.say(reseller(c)).await;
    let index = house.index().await;
    assert_eq!(index.reseller_of(c), Some(a), "no account is its own");
    assert_eq!(index.reseller_of(a), Some(MASTER));
    assert_eq!(index.reseller_of(MASTER), None);
}

#[tokio::test]
async fn an_account_is_found_by_the_key_that_it_has_now() {
    let house = House::new();
    let id = house.named("a", MASTER).await;
    let key = |counter| house.accounts.keys().key(id, counter).expose().clone();
    assert!(key(1).len() == 64 && key(1) != key(2));
    assert_ne!(key(1), *house.accounts.keys().key(MASTER, 1).expose());
    assert_eq!(house.index().await.find_by_api_key(&key(0)), None, "it has none yet");
    let api_key = 2;
    house
        .say(Account {
            api_key,
            ..Account::of(id)
        })
        .await;
    let index = house.index().await;
    assert_eq!(index.find_by_api_key(&key(2)), Some(id));
    for wrong in [
        key(1),
        key(3),
        key(2).to_uppercase(),
        key(2)[1..].to_owned(),
        String::new(),
    ] {
        assert_eq!(index.find_by_api_key(&wrong), None);
    }
}

#[tokio::test]
async fn the_index_is_read_once_and_again_after_a_change() {
    let house = House::new();
    let first = house.index().await;
    assert!(Arc::ptr_eq(&first, &house.index().await));
    let id = house.named("a", MASTER).await;
    assert!(house.index().await.get(id).is_some(), "a tenant was added");
    house
        .store
        .set_account(
            &Account {
                reseller: true,
                ..Account::of(id)
            },
            crate::model::Timestamp(0),
        )
        .await
        .unwrap();
    assert!(
        !house.index().await.get(id).unwrap().1.reseller,
        "nobody has told this node"
    );
    house.tenants.apply(&Change::TenantsChanged);
    assert!(house.index().await.get(id).unwrap().1.reseller, "another node has");
}

#[tokio::test]
async fn nothing_is_kept_while_this_node_hears_of_no_changes() {
    let house = House::new();
    house.tenants.apply(&Change::FeedLost);
    let first = house.index().await;
    assert!(!Arc::ptr_eq(&first, &house.index().await));
    house.tenants.apply(&Change::FeedRestored);
    let first = house.index().await;
    assert!(Arc::ptr_eq(&first, &house.index().await));
}
