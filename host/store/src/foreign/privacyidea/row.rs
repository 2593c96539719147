//! Rows of privacyIDEA's tables, and their way into what an importer takes. Columns have the names that privacyIDEA gives them.

use keyway_core::Secret;
use keyway_core::port::{
    PrivacyideaCondition, PrivacyideaMember, PrivacyideaOwner, PrivacyideaPolicy, PrivacyideaRealm,
    PrivacyideaResolver, PrivacyideaToken, PrivacyideaValue,
};
use sqlx::FromRow;

/// What is kept of an encrypted value beside it.
const ENCRYPTED: &str = "password";

#[derive(FromRow)]
pub(super) struct ResolverRow {
    pub(super) id: i32,
    name: String,
    rtype: String,
}

/// A setting of a resolver.
#[derive(FromRow)]
pub(super) struct ConfigRow {
    pub(super) resolver_id: Option<i32>,
    #[sqlx(rename = "Key")]
    key: String,
    #[sqlx(rename = "Value")]
    value: Option<String>,
    #[sqlx(rename = "Type")]
    kind: Option<String>,
}

impl ResolverRow {
    pub(super) fn with(self, settings: Vec<ConfigRow>) -> PrivacyideaResolver {
        let settings = settings.into_iter().map(|row| {
            let value = row.value.unwrap_or_default();
            let value = if row.kind.as_deref() == Some(ENCRYPTED) {
                PrivacyideaValue::Encrypted(Secret::new(value))
            } else {
                PrivacyideaValue::Text(value)
            };
            (row.key, value)
        });
        PrivacyideaResolver {
            name: self.name,
            kind: self.rtype,
            settings: settings.collect(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct RealmRow {
    pub(super) id: i32,
    name: String,
    #[sqlx(rename = "default")]
    is_default: Option<bool>,
}

/// A resolver in a realm.
#[derive(FromRow)]
pub(super) struct MemberRow {
    pub(super) realm_id: Option<i32>,
    resolver: String,
    priority: Option<i32>,
    #[sqlx(default)]
    node_uuid: Option<String>,
}

impl RealmRow {
    pub(super) fn with(self, members: Vec<MemberRow>) -> PrivacyideaRealm {
        let members = members.into_iter().map(|row| PrivacyideaMember {
            resolver: row.resolver,
            priority: row.priority.map(i64::from),
            node: row.node_uuid.unwrap_or_default(),
        });
        PrivacyideaRealm {
            name: self.name,
            is_default: self.is_default.unwrap_or(false),
            resolvers: members.collect(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct TokenRow {
    pub(super) id: i32,
    serial: Option<String>,
    tokentype: Option<String>,
    description: Option<String>,
    otplen: Option<i32>,
    pin_hash: Option<String>,
    key_enc: Option<String>,
    key_iv: Option<String>,
    maxfail: Option<i32>,
    active: Option<bool>,
    revoked: Option<bool>,
    locked: Option<bool>,
    failcount: Option<i32>,
    count: Option<i32>,
    count_window: Option<i32>,
    sync_window: Option<i32>,
    rollout_state: Option<String>,
}

/// What else is kept with a token.
#[derive(FromRow)]
pub(super) struct InfoRow {
    pub(super) token_id: Option<i32>,
    #[sqlx(rename = "Key")]
    key: String,
    #[sqlx(rename = "Value")]
    value: Option<String>,
    #[sqlx(rename = "Type")]
    kind: Option<String>,
}

#[derive(FromRow)]
pub(super) struct OwnerRow {
    pub(super) token_id: Option<i32>,
    resolver: Option<String>,
    user_id: Option<String>,
    realm: Option<String>,
    login: Option<String>,
}

impl TokenRow {
    pub(super) fn with(self, infos: Vec<InfoRow>, owners: Vec<OwnerRow>) -> PrivacyideaToken {
        let number = |number: Option<i32>, usual: i64| number.map_or(usual, i64::from);
        let infos = infos.into_iter().filter(|row| row.kind.as_deref() != Some(ENCRYPTED));
        let owners = owners.into_iter().map(|row| PrivacyideaOwner {
            resolver: row.resolver.unwrap_or_default(),
            userid: row.user_id.unwrap_or_default(),
            realm: row.realm.unwrap_or_default(),
            login: row.login.filter(|login| !login.is_empty()),
        });
        PrivacyideaToken {
            id: self.id.into(),
            serial: self.serial.unwrap_or_default(),
            kind: self.tokentype.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            seed: Secret::new(self.key_enc.unwrap_or_default()),
            seed_iv: self.key_iv.unwrap_or_default(),
            pin: Secret::new(self.pin_hash.unwrap_or_default()),
            digits: number(self.otplen, 6),
            counter: number(self.count, 0),
            window: number(self.count_window, 10),
            sync_window: number(self.sync_window, 1000),
            failures: number(self.failcount, 0),
            max_failures: number(self.maxfail, 10),
            active: self.active.unwrap_or(false),
            revoked: self.revoked.unwrap_or(false),
            locked: self.locked.unwrap_or(false),
            rollout_state: self.rollout_state.unwrap_or_default(),
            info: infos.map(|row| (row.key, row.value.unwrap_or_default())).collect(),
            owners: owners.collect(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct PolicyRow {
    pub(super) id: i32,
    active: Option<bool>,
    #[sqlx(default)]
    check_all_resolvers: Option<bool>,
    name: String,
    #[sqlx(default)]
    user_case_insensitive: Option<bool>,
    scope: String,
    action: Option<String>,
    realm: Option<String>,
    adminrealm: Option<String>,
    #[sqlx(default)]
    adminuser: Option<String>,
    resolver: Option<String>,
    #[sqlx(default)]
    pinode: Option<String>,
    user: Option<String>,
    client: Option<String>,
    time: Option<String>,
    #[sqlx(default)]
    user_agents: Option<String>,
    #[sqlx(default)]
    priority: Option<i32>,
}

#[derive(FromRow)]
pub(super) struct ConditionRow {
    pub(super) policy_id: Option<i32>,
    section: String,
    #[sqlx(rename = "Key")]
    key: String,
    comparator: String,
    #[sqlx(rename = "Value")]
    value: String,
    active: bool,
    #[sqlx(default)]
    handle_missing_data: Option<String>,
}

impl PolicyRow {
    pub(super) fn with(self, conditions: Vec<ConditionRow>) -> PrivacyideaPolicy {
        let limits = [
            ("realm", self.realm),
            ("adminrealm", self.adminrealm),
            ("adminuser", self.adminuser),
            ("resolver", self.resolver),
            ("pinode", self.pinode),
            ("user", self.user),
            ("client", self.client),
            ("time", self.time),
            ("user_agents", self.user_agents),
        ];
        let limits = limits.into_iter().filter_map(|(key, value)| {
            let value = value.filter(|value| !value.trim().is_empty())?;
            Some((key, value))
        });
        let conditions = conditions.into_iter().map(|row| PrivacyideaCondition {
            section: row.section,
            key: row.key,
            comparator: row.comparator,
            value: row.value,
            active: row.active,
            missing: row.handle_missing_data.unwrap_or_default(),
        });
        PrivacyideaPolicy {
            name: self.name,
            active: self.active.unwrap_or(true),
            scope: self.scope,
            action: self.action.unwrap_or_default(),
            limits: limits.collect(),
            check_all_resolvers: self.check_all_resolvers.unwrap_or(false),
            user_case_insensitive: self.user_case_insensitive.unwrap_or(false),
            priority: self.priority.map_or(1, i64::from),
            conditions: conditions.collect(),
        }
    }
}

/// A setting of the whole system.
#[derive(FromRow)]
pub(super) struct SettingRow {
    #[sqlx(rename = "Key")]
    key: String,
    #[sqlx(rename = "Value")]
    value: Option<String>,
    #[sqlx(rename = "Type")]
    kind: Option<String>,
}

impl SettingRow {
    /// Its key and value, if it is no secret.
    pub(super) fn into_open(self) -> Option<(String, String)> {
        let value = self.value.unwrap_or_default();
        (self.kind.as_deref() != Some(ENCRYPTED)).then_some((self.key, value))
    }
}
