//! Another system's directory, in memory.

use async_trait::async_trait;
use uuid::Uuid;

use crate::Secret;
use crate::port::{
    ForeignCounts, ForeignDirectory, ForeignEmail, ForeignGroup, ForeignLdap, ForeignPolicy, ForeignRefreshToken,
    ForeignTenant, ForeignUser, StoreError,
};

#[derive(Clone, Default)]
pub(super) struct Foreign {
    pub(super) tenants: Vec<ForeignTenant>,
    pub(super) policies: Vec<ForeignPolicy>,
    pub(super) groups: Vec<ForeignGroup>,
    pub(super) users: Vec<ForeignUser>,
    pub(super) tokens: Vec<ForeignRefreshToken>,
    pub(super) ldap: Vec<ForeignLdap>,
    pub(super) ends_before_tokens: bool,
}

fn page<T: Clone>(rows: &[T], after: &str, limit: u32, id: impl Fn(&T) -> &str) -> Vec<T> {
    let mut rows: Vec<T> = rows.iter().filter(|row| id(row) > after).cloned().collect();
    rows.sort_by(|a, b| id(a).cmp(id(b)));
    rows.truncate(limit as usize);
    rows
}

#[async_trait]
impl ForeignDirectory for Foreign {
    async fn counts(&self) -> Result<ForeignCounts, StoreError> {
        Ok(ForeignCounts::default())
    }

    async fn tenants(&self) -> Result<Vec<ForeignTenant>, StoreError> {
        Ok(self.tenants.clone())
    }

    async fn policies(&self, after: &str, limit: u32) -> Result<Vec<ForeignPolicy>, StoreError> {
        Ok(page(&self.policies, after, limit, |row| &row.id))
    }

    async fn groups(&self, after: &str, limit: u32) -> Result<Vec<ForeignGroup>, StoreError> {
        Ok(page(&self.groups, after, limit, |row| &row.id))
    }

    async fn users(&self, after: &str, limit: u32) -> Result<Vec<ForeignUser>, StoreError> {
        Ok(page(&self.users, after, limit, |row| &row.id))
    }

    async fn refresh_tokens(&self, after: &Secret<String>, limit: u32) -> Result<Vec<ForeignRefreshToken>, StoreError> {
        if self.ends_before_tokens {
            return Err(StoreError::Unavailable {
                action: "read refresh tokens",
                source: "gone".into(),
            });
        }
        Ok(page(&self.tokens, after.expose(), limit, |row| row.value.expose()))
    }

    async fn ldap_settings(&self) -> Result<Vec<ForeignLdap>, StoreError> {
        Ok(self.ldap.clone())
    }
}

pub(super) fn id(kind: u8, number: u8) -> String {
    format!("{kind}0000000-0000-4000-8000-0000000000{number:02}")
}

pub(super) fn uuid(kind: u8, number: u8) -> Uuid {
    Uuid::parse_str(&id(kind, number)).unwrap()
}

pub(super) fn tenant(number: u8, parent: u8) -> ForeignTenant {
    ForeignTenant {
        id: id(1, number),
        parent: id(1, parent),
        name: Some(format!("tenant {number}")),
        slug: format!("t{number}"),
        authentication_method: "native".to_owned(),
        all_users: Some(id(3, number)),
        ..ForeignTenant::default()
    }
}

pub(super) fn user(number: u8, tenant: u8, login: &str) -> ForeignUser {
    ForeignUser {
        id: id(4, number),
        tenant: id(1, tenant),
        login: Some(login.to_owned()),
        firstname: None,
        lastname: None,
        purpose: "user".to_owned(),
        authentication_method: "default".to_owned(),
        enabled: true,
        verifier: Ok(Some(Secret::new("$pbkdf2-sha512$i=1$a$b".to_owned()))),
        emails: Vec::new(),
        policies: Vec::new(),
        groups: Vec::new(),
    }
}

pub(super) fn token(value: &str, user: u8) -> ForeignRefreshToken {
    ForeignRefreshToken {
        value: Secret::new(value.to_owned()),
        user: id(4, user),
        client_id: "app".to_owned(),
        backend: Some("wazo_user".to_owned()),
        login: None,
        address: None,
        user_agent: None,
        created_at: None,
        mobile: false,
        attributes: Vec::new(),
    }
}

/// Two tenants; in the lower one alice with a policy, a group, an address and a refresh token.
pub(super) fn small() -> Foreign {
    let policy = ForeignPolicy {
        id: id(2, 1),
        tenant: id(1, 2),
        name: "reader".to_owned(),
        slug: "reader".to_owned(),
        accesses: vec!["a.read".to_owned()],
        ..ForeignPolicy::default()
    };
    let all_users = |number| ForeignGroup {
        id: id(3, number),
        tenant: id(1, number),
        name: format!("wazo-all-users-tenant-{}", id(1, number)),
        slug: format!("wazo-all-users-tenant-{}", id(1, number)),
        system: true,
        policies: vec![id(2, 1)],
    };
    let staff = ForeignGroup {
        id: id(3, 9),
        tenant: id(1, 2),
        name: "staff".to_owned(),
        slug: "staff".to_owned(),
        system: false,
        policies: vec![id(2, 1)],
    };
    let company = ForeignTenant {
        domains: vec!["example.org".to_owned()],
        contact: Some(id(4, 1)),
        ..tenant(2, 1)
    };
    Foreign {
        tenants: vec![company, tenant(1, 1)],
        policies: vec![policy],
        groups: vec![all_users(1), all_users(2), staff],
        users: vec![alice()],
        tokens: vec![token(&id(5, 1), 1)],
        ldap: vec![ldap()],
        ends_before_tokens: false,
    }
}

fn alice() -> ForeignUser {
    let email = ForeignEmail {
        id: id(6, 1),
        address: "alice@example.org".to_owned(),
        main: true,
        confirmed: true,
    };
    ForeignUser {
        emails: vec![email],
        policies: vec![id(2, 1)],
        groups: vec![id(3, 9)],
        ..user(1, 2, "alice")
    }
}

fn ldap() -> ForeignLdap {
    ForeignLdap {
        tenant: id(1, 2),
        host: "ldap".to_owned(),
        port: 389,
        protocol_version: None,
        protocol_security: None,
        bind_dn: None,
        bind_password: Some(Secret::new("l-s3cre7".to_owned())),
        user_base_dn: "ou=people".to_owned(),
        user_login_attribute: Some("uid".to_owned()),
        user_email_attribute: None,
        search_filters: None,
    }
}
