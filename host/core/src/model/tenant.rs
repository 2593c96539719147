//! Tenants and their tree.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{AuthenticationMethod, TenantId, UserId, login_key};

/// The longest slug of a tenant in characters.
pub const MAX_TENANT_SLUG: usize = 10;

/// An ownership boundary: a wazo tenant, a Kazoo account and a Webitel domain are the same thing seen through three dialects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The tenant above it. The top tenant is its own parent.
    pub parent: TenantId,
    /// Its name, which others may have too; the top tenant always has one.
    pub name: Option<String>,
    /// The SIP realm that stands for it, if it has one.
    pub realm: Option<String>,
    /// The domain names that stand for it.
    pub domains: Vec<String>,
    /// A short name, unique everywhere in its spelling.
    pub slug: String,
    /// Its phone number.
    pub phone: Option<String>,
    /// The user to speak to, if there is one.
    pub contact: Option<UserId>,
    /// Where it is.
    pub address: PostalAddress,
    /// How its users prove who they are, where a user's own setting is `default`.
    pub authentication_method: AuthenticationMethod,
}

impl Tenant {
    /// A tenant with a name and nothing else; its slug is made of its id.
    pub fn new(id: TenantId, parent: TenantId, name: &str) -> Self {
        Self {
            id,
            parent,
            name: Some(name.to_owned()),
            realm: None,
            domains: Vec::new(),
            slug: id.0.simple().to_string().split_off(32 - MAX_TENANT_SLUG),
            phone: None,
            contact: None,
            address: PostalAddress::default(),
            authentication_method: AuthenticationMethod::Native,
        }
    }

    /// The id of one of its domains, which is made of both: wazo's API shows one.
    pub fn domain_id(&self, domain: &str) -> Uuid {
        let hash = Sha256::new()
            .chain_update(self.id.0.as_bytes())
            .chain_update(login_key(domain))
            .finalize();
        let bytes = hash.first_chunk().copied().unwrap_or_default();
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// The slug that a tenant of this name would have: what of it may stand in one. Empty if nothing may.
pub fn tenant_slug_of(name: &str) -> String {
    let legal = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    name.chars().filter(legal).take(MAX_TENANT_SLUG).collect()
}

/// Where a tenant is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PostalAddress {
    /// Street and number.
    pub line_1: Option<String>,
    /// What else belongs to the street.
    pub line_2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Postal code.
    pub zip_code: Option<String>,
}

/// All tenants, for questions about who is above whom. A value: whoever holds one decides when it is out of date.
///
/// A question costs two look-ups however deep the tree is: each tenant has the numbers of its first and its last descendant in the order in
/// which a walk from the top meets them.
#[derive(Debug, Clone, Default)]
pub struct TenantTree {
    spans: HashMap<TenantId, Span>,
    names: HashMap<String, Option<TenantId>>,
    master: Option<TenantId>,
}

/// A tenant's place in the walk.
#[derive(Debug, Clone, Copy)]
struct Span {
    own: usize,
    last: usize,
}

impl TenantTree {
    /// Builds the tree.
    pub fn new(tenants: &[Tenant]) -> Self {
        let master = tenants.iter().find(|tenant| tenant.parent == tenant.id);
        let mut tree = Self {
            spans: spans(tenants),
            names: HashMap::new(),
            master: master.map(|tenant| tenant.id),
        };
        if let Some(top) = master {
            tree.names
                .extend(top.name.as_deref().map(|name| (login_key(name), Some(top.id))));
        }
        // Domains and realms are unique everywhere, so no tenant's mere name may stand in front of one.
        for tenant in tenants {
            for name in tenant.domains.iter().chain(&tenant.realm) {
                tree.names.entry(login_key(name)).or_insert(Some(tenant.id));
            }
        }
        // Names are not unique. One that two tenants share, and no domain or realm, stands for neither.
        let mut shared: HashMap<String, Option<TenantId>> = HashMap::new();
        for tenant in tenants {
            if let Some(name) = &tenant.name {
                shared
                    .entry(login_key(name))
                    .and_modify(|id| *id = None)
                    .or_insert(Some(tenant.id));
            }
        }
        for (name, id) in shared {
            tree.names.entry(name).or_insert(id);
        }
        tree
    }

    /// The top tenant.
    pub fn master(&self) -> Option<TenantId> {
        self.master
    }

    /// The tenant of this id, domain, realm or name, without regard to case. A name that several tenants have finds none, unless one of them
    /// is the top tenant.
    pub fn find(&self, text: &str) -> Option<TenantId> {
        let by_id = Uuid::parse_str(text)
            .ok()
            .map(TenantId)
            .filter(|id| self.spans.contains_key(id));
        by_id.or_else(|| self.names.get(&login_key(text)).copied().flatten())
    }

    /// Whether `tenant` is `ancestor` or lies below it. Unknown tenants lie below nothing.
    pub fn is_within(&self, tenant: TenantId, ancestor: TenantId) -> bool {
        let (Some(tenant), Some(ancestor)) = (self.spans.get(&tenant), self.spans.get(&ancestor)) else {
            return false;
        };
        (ancestor.own..=ancestor.last).contains(&tenant.own)
    }
}

/// Walks the tree from the top. Tenants that the top does not reach, which no store should hold, lie below nothing but themselves.
fn spans(tenants: &[Tenant]) -> HashMap<TenantId, Span> {
    let mut children: HashMap<TenantId, Vec<TenantId>> = HashMap::new();
    for tenant in tenants.iter().filter(|tenant| tenant.parent != tenant.id) {
        children.entry(tenant.parent).or_default().push(tenant.id);
    }
    let mut spans = HashMap::with_capacity(tenants.len());
    let mut next = 0;
    let tops = tenants.iter().filter(|tenant| tenant.parent == tenant.id);
    // A tenant is met twice: before its descendants, when it gets its number, and after them, when the last of theirs is known.
    let mut path: Vec<(TenantId, bool)> = tops.map(|tenant| (tenant.id, false)).collect();
    while let Some((id, is_done)) = path.pop() {
        if is_done {
            spans.entry(id).and_modify(|span: &mut Span| span.last = next - 1);
            continue;
        }
        spans.insert(id, Span { own: next, last: next });
        next += 1;
        path.push((id, true));
        path.extend(children.remove(&id).into_iter().flatten().map(|child| (child, false)));
    }
    for tenant in tenants {
        spans.entry(tenant.id).or_insert_with(|| {
            next += 1;
            Span {
                own: next - 1,
                last: next - 1,
            }
        });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn tree(parents: &[(u128, u128)]) -> TenantTree {
        let tenants: Vec<_> = parents
            .iter()
            .map(|(tenant, parent)| Tenant::new(id(*tenant), id(*parent), &format!("t{tenant}")))
            .collect();
        TenantTree::new(&tenants)
    }

    #[test]
    fn a_tenant_is_within_itself_and_all_above_it() {
        let parents = [(5, 2), (1, 1), (2, 1), (3, 1), (4, 2), (6, 5), (7, 3)];
        let tree = tree(&parents);
        let parent_of = |n| parents.iter().find(|(tenant, _)| *tenant == n).expect("known").1;
        let is_above = |tenant, ancestor| {
            let mut at = tenant;
            while at != ancestor && at != 1 {
                at = parent_of(at);
            }
            at == ancestor
        };
        for tenant in 1..=7 {
            for ancestor in 1..=7 {
                let within = tree.is_within(id(tenant), id(ancestor));
                assert_eq!(within, is_above(tenant, ancestor), "{tenant} below {ancestor}");
            }
        }
        assert!(!tree.is_within(id(8), id(1)) && !tree.is_within(id(1), id(8)) && !tree.is_within(id(8), id(8)));
    }

    #[test]
    fn a_cycle_lies_below_nothing() {
        let tree = tree(&[(1, 1), (2, 3), (3, 2)]);
        assert!(tree.is_within(id(2), id(2)));
        assert!(!tree.is_within(id(2), id(1)) && !tree.is_within(id(2), id(3)));
    }

    #[test]
    fn a_long_chain_is_no_trouble() {
        let chain: Vec<_> = (1..=50_000).map(|n| (n, (n - 1).max(1))).collect();
        let tree = tree(&chain);
        assert!(tree.is_within(id(50_000), id(1)) && !tree.is_within(id(1), id(50_000)));
    }

    #[test]
    fn a_slug_is_made_of_what_may_stand_in_one() {
        assert_eq!(tenant_slug_of("My_tenant nº 12345"), "My_tenantn");
        assert_eq!(tenant_slug_of("été"), "t");
        assert_eq!(tenant_slug_of("!?"), "");
    }

    #[test]
    fn a_domain_has_one_id_in_each_tenant() {
        let (one, other) = (Tenant::new(id(1), id(1), "a"), Tenant::new(id(2), id(1), "b"));
        assert_eq!(one.domain_id("Example.org"), one.domain_id("example.org"));
        assert_ne!(one.domain_id("example.org"), one.domain_id("example.com"));
        assert_ne!(one.domain_id("example.org"), other.domain_id("example.org"));
    }
}
