//! By what somebody is more than others: what a user may do besides what every user of its tenant may.

use crate::access::reaches_into;
use crate::model::{Query, TenantId, TenantScope, User};
use crate::port::{GroupFilter, GroupOrder, PolicyFilter, PolicyOrder, Store, StoreError};
use crate::rights::Rights;

/// Below these stands all that this server itself asks for.
const OWN: [&str; 3] = ["auth.#", "keyway.#", "privacyidea.#"];

/// What a user does to itself. Whoever took its place would gain nothing else by it.
const ONESELF: &str = "auth.users.me.";

/// What makes somebody more than others, as the operator has it.
#[derive(Debug, Default)]
pub(crate) struct Ranks {
    /// The accesses of the rows of the table of rights.
    rows: Vec<String>,
    /// The slug of the top tenant's policy that every user has.
    default_user_policy: Option<String>,
}

impl Ranks {
    pub(crate) fn new(rights: &Rights, default_user_policy: Option<&str>) -> Self {
        Self {
            rows: rights.rows().iter().filter_map(|row| row.access.clone()).collect(),
            default_user_policy: default_user_policy.map(ToOwned::to_owned),
        }
    }

    pub(crate) fn default_user_policy(&self) -> Option<&str> {
        self.default_user_policy.as_deref()
    }

    /// Whether this access lets somebody do something at this server that is not about itself, or is a row's of the table.
    pub(crate) fn is_administrative(&self, access: &str) -> bool {
        let rows = self.rows.iter().map(String::as_str);
        !access.starts_with(ONESELF) && reaches_into(access, OWN.into_iter().chain(rows))
    }
}

/// What is left of a user's accesses without those that every user of its tenant has. Denials stay, for what they take from the rest.
pub(crate) async fn without_everybodys(
    store: &dyn Store,
    master: TenantId,
    user: &User,
    mut accesses: Vec<String>,
    default_user_policy: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let everybodys = everybodys(store, master, user.tenant, default_user_policy).await?;
    accesses.retain(|access| access.starts_with('!') || !everybodys.contains(access));
    Ok(accesses)
}

/// The accesses of the top tenant's policy that every user has, and of the group of all users of the tenant.
async fn everybodys(
    store: &dyn Store,
    master: TenantId,
    tenant: TenantId,
    default_user_policy: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let mut accesses = Vec::new();
    if let Some(slug) = default_user_policy
        && let Some(policy) = store.find_policy_by_slug(master, slug).await?
    {
        accesses.extend(policy.accesses);
    }
    let groups = Query::<GroupFilter, GroupOrder> {
        filter: GroupFilter {
            system: Some(true),
            ..GroupFilter::default()
        },
        ..Query::all(TenantScope::Only(tenant))
    };
    for group in store.list_groups(&groups).await?.items {
        let policies = Query::<PolicyFilter, PolicyOrder> {
            filter: PolicyFilter {
                group: Some(group.id),
                ..PolicyFilter::default()
            },
            ..Query::all(TenantScope::All)
        };
        let policies = store.list_policies(&policies).await?.items;
        accesses.extend(policies.into_iter().flat_map(|policy| policy.accesses));
    }
    Ok(accesses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_beyond_oneself_at_this_server_is_administrative() {
        let ranks = Ranks::new(&Rights::default(), None);
        for access in [
            "#",
            "*.#",
            "*.admin",
            "auth.users.#",
            "auth.users.*.read",
            "auth.*.me.x",
            "keyway.admin",
            "privacyidea.admin",
        ] {
            assert!(ranks.is_administrative(access), "{access}");
        }
        for access in [
            "auth.users.me.#",
            "auth.users.me.password.update",
            "confd.#",
            "calls.x",
            "authx.y",
            "auth",
        ] {
            assert!(!ranks.is_administrative(access), "{access}");
        }
    }

    #[test]
    fn what_a_row_of_the_table_asks_for_is_administrative() {
        let mut rows = Rights::default().rows().to_vec();
        rows[1].access = Some("tel.boss".to_owned());
        let ranks = Ranks::new(&Rights::new(rows).unwrap(), None);
        assert!(ranks.is_administrative("tel.*") && !ranks.is_administrative("tel.calls"));
    }
}
