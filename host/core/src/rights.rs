//! What the same person is to each dialect: one table, which an operator can read and change.
//!
//! Accesses come first. A row says which access makes somebody what, to Kazoo's clients and to Webitel's; the first row whose access somebody has is the one
//! that holds, and the last row needs none. The other way round, a client that gives somebody one of Kazoo's levels attaches the policy of the first row that
//! has it; no client gives anybody one of Webitel's roles.

use serde::{Deserialize, Serialize};

use crate::access::AccessList;

/// What somebody is to Kazoo's clients: `priv_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivLevel {
    /// Anybody.
    User,
    /// An administrator of the account and of those below it.
    Admin,
}

impl PrivLevel {
    /// As clients write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// From what clients write.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin]
            .into_iter()
            .find(|level| level.as_str() == text)
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Right {
    /// The access that somebody must have; `None` for everybody, in the last row alone.
    pub access: Option<String>,
    /// The slug of the top tenant's policy by which Kazoo's clients give its level to somebody; `None` where they cannot.
    pub policy: Option<String>,
    /// What it is to Kazoo's clients.
    pub kazoo: PrivLevel,
    /// The name of the role that it is to Webitel's.
    pub webitel: String,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rights(Vec<Right>);

/// The table cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRights {
    /// It has no row for those who have none of the accesses.
    #[error("the last row must be for everybody, without `access`")]
    NoLast,
    /// Rows after one for everybody.
    #[error("only the last row may be without `access`: no row after it can hold")]
    Unreachable,
}

impl Rights {
    /// These rows, in their order.
    ///
    /// # Errors
    /// [`InvalidRights`].
    pub fn new(rows: Vec<Right>) -> Result<Self, InvalidRights> {
        let Some((last, before)) = rows.split_last() else {
            return Err(InvalidRights::NoLast);
        };
        if last.access.is_some() {
            return Err(InvalidRights::NoLast);
        }
        if before.iter().any(|row| row.access.is_none()) {
            return Err(InvalidRights::Unreachable);
        }
        Ok(Self(rows))
    }

    /// All rows, the first one first.
    pub fn rows(&self) -> &[Right] {
        &self.0
    }

    /// What somebody with these accesses is.
    pub fn of(&self, accesses: &AccessList) -> &Right {
        let holds = |row: &&Right| row.access.as_deref().is_none_or(|access| accesses.grants(access));
        // The last row holds for everybody.
        self.0.iter().find(holds).unwrap_or(&LAST)
    }

    /// The first row that Kazoo's clients may give to somebody and that is this level.
    pub fn given_by_level(&self, level: PrivLevel) -> Option<&Right> {
        self.0.iter().find(|row| row.policy.is_some() && row.kazoo == level)
    }
}

/// The access of those who may do anything with all accounts.
pub const ROOT_ACCESS: &str = "keyway.root";

/// The access of those who administer their tenant and the tenants below it.
pub const ADMIN_ACCESS: &str = "keyway.admin";

/// The slug of the policy that makes somebody an administrator of a tenant.
pub const ACCOUNT_ADMIN_POLICY: &str = "account_admin";

/// The accesses of that policy: to administer through Kazoo's and Webitel's APIs, and through wazo's what these can. `auth.users.#` would be more: with it
/// goes `auth.users.password.reset.*.create`, which sets anybody's password.
pub const ACCOUNT_ADMIN_ACCESSES: [&str; 14] = [
    ADMIN_ACCESS,
    "auth.users.read",
    "auth.users.create",
    "auth.users.*.read",
    "auth.users.*.update",
    "auth.users.*.delete",
    "auth.users.*.password.update",
    "auth.users.*.emails.#",
    "auth.users.*.groups.read",
    "auth.users.*.policies.#",
    "auth.users.*.sessions.#",
    "auth.users.*.tokens.#",
    "auth.tenants.#",
    "auth.sessions.#",
];

static LAST: Right = Right {
    access: None,
    policy: None,
    kazoo: PrivLevel::User,
    webitel: String::new(),
};

impl Default for Rights {
    fn default() -> Self {
        let row = |access: Option<&str>, policy: Option<&str>, kazoo, webitel: &str| Right {
            access: access.map(ToOwned::to_owned),
            policy: policy.map(ToOwned::to_owned),
            kazoo,
            webitel: webitel.to_owned(),
        };
        Self(vec![
            row(Some(ROOT_ACCESS), None, PrivLevel::Admin, "root"),
            row(
                Some(ADMIN_ACCESS),
                Some(ACCOUNT_ADMIN_POLICY),
                PrivLevel::Admin,
                "admin",
            ),
            row(None, None, PrivLevel::User, "user"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{IdentityId, SessionId};

    fn accesses(patterns: &[&str]) -> AccessList {
        let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        AccessList::new(&patterns, IdentityId(Uuid::nil()), SessionId(Uuid::nil()))
    }

    #[test]
    fn the_first_row_whose_access_somebody_has_holds() {
        let rights = Rights::default();
        let of = |patterns: &[&str]| {
            let right = rights.of(&accesses(patterns));
            (right.kazoo, right.webitel.as_str())
        };
        assert_eq!(of(&["#"]), (PrivLevel::Admin, "root"));
        assert_eq!(of(&["keyway.admin"]), (PrivLevel::Admin, "admin"));
        assert_eq!(of(&["#", "!keyway.root"]), (PrivLevel::Admin, "admin"));
        assert_eq!(of(&["auth.#"]), (PrivLevel::User, "user"));
        assert_eq!(of(&[]), (PrivLevel::User, "user"));
    }

    #[test]
    fn clients_give_the_levels_that_a_policy_stands_for() {
        let rights = Rights::default();
        let policy = |right: Option<&Right>| right.and_then(|right| right.policy.clone());
        assert_eq!(
            policy(rights.given_by_level(PrivLevel::Admin)).as_deref(),
            Some("account_admin")
        );
        assert_eq!(policy(rights.given_by_level(PrivLevel::User)), None);
    }

    #[test]
    fn who_administers_an_account_sets_nobodys_password_by_the_access_of_links() {
        let held = accesses(&ACCOUNT_ADMIN_ACCESSES);
        let user = crate::model::UserId(Uuid::from_u128(7));
        assert!(!held.grants(&crate::notice::reset_access(user)));
        for verb in ["read", "update", "delete", "emails.update", "policies.x.create"] {
            assert!(held.grants(&format!("auth.users.{user}.{verb}")), "{verb}");
        }
    }

    #[test]
    fn the_last_row_is_for_everybody_and_no_other() {
        let rows = || Rights::default().rows().to_vec();
        assert_eq!(Rights::new(rows()), Ok(Rights::default()));
        assert_eq!(Rights::new(Vec::new()), Err(InvalidRights::NoLast));
        let mut short = rows();
        short.pop();
        assert_eq!(Rights::new(short), Err(InvalidRights::NoLast));
        let mut turned = rows();
        turned.reverse();
        assert_eq!(Rights::new(turned), Err(InvalidRights::NoLast));
        let mut twice = rows();
        twice.insert(0, Rights::default().rows()[2].clone());
        assert_eq!(Rights::new(twice), Err(InvalidRights::Unreachable));
    }
}
