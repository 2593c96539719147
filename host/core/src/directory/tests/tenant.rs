//! Rules of tenants.

use super::*;
use crate::directory::{AddTenant, TenantProfile};
use crate::model::{AuthenticationMethod, GroupId, PostalAddress, TenantId};
use crate::port::{GroupStore as _, StoreError, TenantStore as _};

impl House {
    async fn master(&self) -> TenantId {
        self.tenants.master().await.unwrap()
    }

    async fn create(&self, new: AddTenant) -> Result<Tenant, DirectoryError> {
        self.directory.create_tenant(new).await
    }
}

fn below(parent: TenantId, name: Option<&str>) -> AddTenant {
    AddTenant {
        id: None,
        parent,
        slug: None,
        realm: None,
        profile: TenantProfile {
            name: name.map(str::to_owned),
            ..TenantProfile::default()
        },
    }
}

fn conflict(outcome: Result<impl std::fmt::Debug, DirectoryError>) -> &'static str {
    match outcome {
        Err(DirectoryError::Store(StoreError::Conflict { what })) => what,
        outcome => panic!("no conflict: {outcome:?}"),
    }
}

fn missing(outcome: Result<impl std::fmt::Debug, DirectoryError>) -> &'static str {
    match outcome {
        Err(DirectoryError::NotFound { what, .. }) => what,
        outcome => panic!("nothing is missing: {outcome:?}"),
    }
}

#[tokio::test]
async fn a_slug_is_made_of_the_name_unless_that_is_taken() {
    let house = House::new();
    let master = house.master().await;
    let first = house.create(below(master, Some("My tenant: Nord"))).await.unwrap();
    assert_eq!(first.slug, "MytenantNo");
    for name in [Some("My tenant: Nord"), None, Some("!"), None] {
        let slug = house.create(below(master, name)).await.unwrap().slug;
        assert!(slug != first.slug && slug.len() == 10, "{name:?}: {slug}");
    }
    let wanted = AddTenant {
        slug: Some("MytenantNo".to_owned()),
        ..below(master, None)
    };
    assert_eq!(conflict(house.create(wanted.clone()).await), "tenant slug");
    for slug in ["", "a-b", "12345678901", "é"] {
        let refused = house.create(AddTenant {
            slug: Some(slug.to_owned()),
            ..wanted.clone()
        });
        assert!(
            matches!(refused.await, Err(DirectoryError::Invalid { field: "slug", .. })),
            "{slug}"
        );
    }
}

#[tokio::test]
async fn a_tenant_is_made_with_the_id_that_was_asked_for_once() {
    let house = House::new();
    let new = AddTenant {
        id: Some(TenantId(Uuid::from_u128(7))),
        ..below(house.master().await, Some("a"))
    };
    let made = house.create(new.clone()).await.unwrap();
    assert_eq!(made.id, TenantId(Uuid::from_u128(7)));
    assert_eq!(conflict(house.create(new).await), "tenant id");
}

#[tokio::test]
async fn a_profile_replaces_all_of_the_one_before() {
    let house = House::new();
    let alice = house.add("alice").await.id;
    let master = house.master().await;
    let full = TenantProfile {
        name: Some("a".to_owned()),
        phone: Some("555".to_owned()),
        contact: Some(alice),
        address: PostalAddress {
            city: Some("Québec".to_owned()),
            ..PostalAddress::default()
        },
        domains: vec!["a.example.org".to_owned()],
        authentication_method: AuthenticationMethod::Ldap,
    };
    let made = house
        .create(AddTenant {
            realm: Some("sip.a".to_owned()),
            profile: full.clone(),
            ..below(master, None)
        })
        .await
        .unwrap();
    let scope = TenantScope::Subtree(master);
    assert_eq!(house.directory.get_tenant(made.id, scope).await.unwrap(), made);
    let bare = house
        .directory
        .update_tenant(made.id, TenantProfile::default(), scope)
        .await
        .unwrap();
    assert_eq!(
        bare,
        Tenant {
            name: None,
            realm: made.realm.clone(),
            slug: made.slug.clone(),
            ..Tenant::new(made.id, master, "")
        }
    );
    assert_eq!(
        house.tenants.tree().await.unwrap().find("a.example.org"),
        None,
        "seen at once"
    );
    let stranger = TenantProfile {
        contact: Some(UserId(Uuid::from_u128(9))),
        ..full
    };
    assert_eq!(
        missing(house.directory.update_tenant(made.id, stranger, scope).await),
        "user"
    );
}

#[tokio::test]
async fn a_realm_is_replaced_with_the_profile_and_leads_to_the_tenant_at_once() {
    let house = House::new();
    let master = house.master().await;
    let scope = TenantScope::Subtree(master);
    let made = AddTenant {
        realm: Some("old.example.org".to_owned()),
        ..below(master, Some("a"))
    };
    let made = house.create(made).await.unwrap();
    let other = AddTenant {
        realm: Some("taken.example.org".to_owned()),
        ..below(master, Some("b"))
    };
    house.create(other).await.unwrap();
    let profile = TenantProfile {
        name: Some("c".to_owned()),
        ..TenantProfile::default()
    };
    let set = async |realm: Option<&str>| {
        let realm = realm.map(str::to_owned);
        let directory = &house.directory;
        directory
            .update_tenant_and_realm(made.id, profile.clone(), realm, scope)
            .await
    };
    let find = async |realm: &str| house.tenants.tree().await.unwrap().find(realm);
    assert_eq!(find("old.example.org").await, Some(made.id));
    assert_eq!(conflict(set(Some("TAKEN.example.org")).await), "tenant realm");
    let changed = set(Some("new.example.org")).await.unwrap();
    let expected = Tenant {
        name: Some("c".to_owned()),
        realm: Some("new.example.org".to_owned()),
        ..made.clone()
    };
    assert_eq!(changed, expected, "its place and its slug stay");
    assert_eq!(house.directory.get_tenant(made.id, scope).await.unwrap(), expected);
    assert_eq!(find("old.example.org").await, None, "seen at once");
    assert_eq!(find("new.example.org").await, Some(made.id), "seen at once");
    assert_eq!(set(None).await.unwrap().realm, None);
    assert_eq!(find("new.example.org").await, None, "seen at once");
}

#[tokio::test]
async fn a_realm_and_a_profile_are_replaced_both_or_neither() {
    let house = House::new();
    let master = house.master().await;
    let [made, other] = [house.tenant("a").await, house.tenant("b").await];
    let set = async |profile: TenantProfile, realm: &str, scope| {
        let realm = Some(realm.to_owned());
        let directory = &house.directory;
        directory.update_tenant_and_realm(made.id, profile, realm, scope).await
    };
    let named = |name: &str| TenantProfile {
        name: Some(name.to_owned()),
        ..TenantProfile::default()
    };
    let stranger = TenantProfile {
        contact: Some(UserId(Uuid::from_u128(9))),
        ..named("c")
    };
    let everywhere = TenantScope::Subtree(master);
    for realm in ["", "a b", "a\nb", &"x".repeat(254)] {
        assert!(
            is_invalid(&set(named("c"), realm, everywhere).await, "realm"),
            "{realm:?}"
        );
    }
    let refused = set(named(""), "c.example.org", everywhere).await;
    assert!(is_invalid(&refused, "tenant name"), "{refused:?}");
    assert_eq!(missing(set(stranger, "c.example.org", everywhere).await), "user");
    let elsewhere = TenantScope::Subtree(other.id);
    assert_eq!(missing(set(named("c"), "c.example.org", elsewhere).await), "tenant");
    assert_eq!(house.directory.get_tenant(made.id, everywhere).await.unwrap(), made);
}

#[tokio::test]
async fn a_value_that_no_tenant_may_have_is_refused() {
    let house = House::new();
    let master = house.master().await;
    let refused = async |profile: TenantProfile| {
        let new = AddTenant {
            profile,
            ..below(master, None)
        };
        match house.create(new).await {
            Err(DirectoryError::Invalid { field, .. }) => field,
            outcome => panic!("taken: {outcome:?}"),
        }
    };
    let with_name = |name: &str| TenantProfile {
        name: Some(name.to_owned()),
        ..TenantProfile::default()
    };
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(refused(with_name(name)).await, "tenant name");
    }
    let phone = TenantProfile {
        phone: Some("5".repeat(33)),
        ..TenantProfile::default()
    };
    assert_eq!(refused(phone).await, "phone");
    let address = TenantProfile {
        address: PostalAddress {
            zip_code: Some(String::new()),
            ..PostalAddress::default()
        },
        ..TenantProfile::default()
    };
    assert_eq!(refused(address).await, "zip_code");
    let method = TenantProfile {
        authentication_method: AuthenticationMethod::Default,
        ..TenantProfile::default()
    };
    assert_eq!(refused(method).await, "authentication method");
}

#[tokio::test]
async fn a_tenant_moves_with_all_that_is_below_it_and_never_below_itself() {
    let house = House::new();
    let master = house.master().await;
    let (a, b) = (house.tenant("a").await.id, house.tenant("b").await.id);
    let leaf = house.create(below(a, None)).await.unwrap().id;
    let everywhere = TenantScope::Subtree(master);
    let to = async |tenant, parent, scope| house.directory.move_tenant(tenant, parent, scope).await;
    for (tenant, parent) in [(a, a), (a, leaf), (master, a)] {
        let refused = to(tenant, parent, everywhere).await;
        assert!(matches!(refused, Err(DirectoryError::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(missing(to(a, b, TenantScope::Subtree(a)).await), "tenant");
    assert_eq!(missing(to(leaf, b, TenantScope::Subtree(b)).await), "tenant");
    to(a, b, everywhere).await.unwrap();
    assert!(house.tenants.is_within(leaf, b).await.unwrap(), "seen at once");
    to(a, b, everywhere).await.unwrap();
}

#[tokio::test]
async fn a_tenant_goes_with_all_that_it_owns_but_not_from_under_others() {
    let house = House::new();
    let master = house.master().await;
    let branch = house.tenant("branch").await.id;
    let leaf = house.create(below(branch, None)).await.unwrap().id;
    let in_branch = AddUser {
        tenant: Some("branch".to_owned()),
        admin: false,
        ..user("alice")
    };
    let alice = house.directory.add_user(in_branch).await.unwrap().id;
    let group = house.directory.add_group(branch, "staff", None).await.unwrap();
    house
        .directory
        .add_group_member(group.id, alice, TenantScope::All, &held(&["#"]))
        .await
        .unwrap();

    let remove = async |tenant, own| house.directory.remove_whole_tenant(tenant, own).await;
    let in_use = remove(branch, master).await;
    assert!(
        matches!(
            in_use,
            Err(DirectoryError::Store(StoreError::InUse { what: "tenants" }))
        ),
        "{in_use:?}"
    );
    assert_eq!(missing(remove(branch, leaf).await), "tenant");
    for (tenant, own) in [(branch, branch), (master, master)] {
        let refused = remove(tenant, own).await;
        assert!(matches!(refused, Err(DirectoryError::Protected { what: "tenant", .. })));
    }
    remove(leaf, master).await.unwrap();
    remove(branch, master).await.unwrap();
    assert_eq!(missing(remove(branch, master).await), "tenant");
    assert_eq!(house.store.find_user(alice).await.unwrap(), None);
    assert_eq!(house.store.find_group(GroupId(group.id.0)).await.unwrap(), None);
    assert_eq!(house.store.list_tenants().await.unwrap().len(), 1);
}
