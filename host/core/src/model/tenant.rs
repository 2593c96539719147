//! Tenants and their tree.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AuthenticationMethod, TenantId, login_key};

/// An ownership boundary: a wazo tenant, a Kazoo account and a Webitel domain are the same thing seen through three dialects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The tenant above it. The top tenant is its own parent.
    pub parent: TenantId,
    /// Its name.
    pub name: String,
    /// The SIP realm that stands for it, if it has one.
    pub realm: Option<String>,
    /// The domain names that stand for it.
    pub domains: Vec<String>,
    /// A short name, unique everywhere without regard to case.
    pub slug: String,
    /// Its phone number.
    pub phone: Option<String>,
    /// The user to speak to, if there is one.
    pub contact: Option<Uuid>,
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
            name: name.to_owned(),
            realm: None,
            domains: Vec::new(),
            slug: id.0.simple().to_string().split_off(22),
            phone: None,
            contact: None,
            address: PostalAddress::default(),
            authentication_method: AuthenticationMethod::Native,
        }
    }
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
#[derive(Debug, Clone, Default)]
pub struct TenantTree {
    parents: HashMap<TenantId, TenantId>,
    names: HashMap<String, Option<TenantId>>,
    master: Option<TenantId>,
}

impl TenantTree {
    /// Builds the tree.
    pub fn new(tenants: &[Tenant]) -> Self {
        let mut tree = Self::default();
        for tenant in tenants {
            tree.parents.insert(tenant.id, tenant.parent);
            if tenant.parent == tenant.id {
                tree.master = Some(tenant.id);
                tree.names.insert(login_key(&tenant.name), Some(tenant.id));
            }
        }
        // Domains and realms are unique everywhere, so no tenant's mere name may stand in front of one.
        for tenant in tenants {
            for name in tenant.domains.iter().chain(&tenant.realm) {
                tree.names.entry(login_key(name)).or_insert(Some(tenant.id));
            }
        }
        // Names are unique among siblings only. One that two tenants share, and no domain or realm, stands for neither.
        let mut shared: HashMap<String, Option<TenantId>> = HashMap::new();
        for tenant in tenants {
            shared
                .entry(login_key(&tenant.name))
                .and_modify(|id| *id = None)
                .or_insert(Some(tenant.id));
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
            .filter(|id| self.parents.contains_key(id));
        by_id.or_else(|| self.names.get(&login_key(text)).copied().flatten())
    }

    /// Whether `tenant` is `ancestor` or lies below it. Unknown tenants lie below nothing.
    pub fn is_within(&self, tenant: TenantId, ancestor: TenantId) -> bool {
        let mut at = tenant;
        // A path is no longer than there are tenants; the bound keeps a cycle in the store from becoming an endless loop here.
        for _ in 0..=self.parents.len() {
            let Some(parent) = self.parents.get(&at) else {
                return false;
            };
            if at == ancestor {
                return true;
            }
            if *parent == at {
                return false;
            }
            at = *parent;
        }
        false
    }
}
