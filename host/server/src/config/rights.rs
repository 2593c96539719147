//! `[[rights]]`: what the same person is to each dialect.

use keyway_core::access::MAX_REQUIRED_LENGTH;
use keyway_core::directory::{ProvidedPolicy, Provisions};
use keyway_core::model::login_key;
use keyway_core::rights::{ACCOUNT_ADMIN_ACCESSES, ACCOUNT_ADMIN_POLICY, InvalidRights, PrivLevel, Right, Rights};
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;

/// The longest name of a role, in bytes.
const MAX_ROLE: usize = 64;

/// One `[[rights]]` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRight {
    access: Option<Spanned<String>>,
    policy: Option<Spanned<String>>,
    kazoo: PrivLevel,
    webitel: Spanned<String>,
}

impl RawRight {
    /// Checks all of them together. Without any there is the usual table.
    pub(super) fn check_all(raw: &[Spanned<Self>], source: &Source) -> Result<Rights, ConfigError> {
        let Some(last) = raw.last() else {
            return Ok(Rights::default());
        };
        let rows = raw.iter().map(|raw| raw.get_ref().check(source));
        Rights::new(rows.collect::<Result<_, _>>()?).map_err(|error| {
            let is_everybodys = |raw: &&Spanned<Self>| raw.get_ref().access.is_none();
            let wrong = match error {
                InvalidRights::NoLast => last,
                InvalidRights::Unreachable => raw.iter().find(is_everybodys).unwrap_or(last),
            };
            source.refuse(wrong.span(), error.to_string())
        })
    }

    fn check(&self, source: &Source) -> Result<Right, ConfigError> {
        if let Some(access) = &self.access
            && !is_access(access.get_ref())
        {
            let problem = "write one access, `keyway.admin` for example, without `*`, `#`, `!` and white space";
            return Err(source.refuse(access.span(), problem));
        }
        if let Some(policy) = &self.policy {
            let named = ProvidedPolicy {
                slug: policy.get_ref().clone(),
                ..ProvidedPolicy::default()
            };
            named
                .check()
                .map_err(|error| source.refuse(policy.span(), error.to_string()))?;
        }
        let role = self.webitel.get_ref();
        if role.is_empty() || role.len() > MAX_ROLE || role.contains(char::is_control) {
            let problem = "a role has a name of 1 to 64 bytes without control characters";
            return Err(source.refuse(self.webitel.span(), problem));
        }
        Ok(Right {
            access: self.access.as_ref().map(|access| access.get_ref().clone()),
            policy: self.policy.as_ref().map(|policy| policy.get_ref().clone()),
            kazoo: self.kazoo,
            webitel: role.clone(),
        })
    }
}

/// Only patterns have wildcards: in an access that somebody must have, they would be plain characters.
fn is_access(text: &str) -> bool {
    let plain = !text.contains(['*', '#', '!']) && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    plain && (1..=MAX_REQUIRED_LENGTH).contains(&text.len())
}

/// What an operator is told whose top tenant has a policy of that name already.
const TAKEN: &str = "the top tenant has a policy `account_admin` of its own, which `[[rights]]` would fill with other accesses: say in `[directory.policies]` what \
    it is to hold, or name another policy in `[[rights]]`";

/// Adds the policy of administrators of accounts, if the table names it and the configuration does not say what is in it.
pub(super) fn provide(rights: &Rights, provisions: &mut Provisions) {
    let key = login_key(ACCOUNT_ADMIN_POLICY);
    let is_it = |slug: &str| login_key(slug) == key;
    let named = rights
        .rows()
        .iter()
        .any(|right| right.policy.as_deref().is_some_and(is_it));
    if named && !provisions.policies.iter().any(|policy| is_it(&policy.slug)) {
        provisions.policies.push(ProvidedPolicy {
            slug: ACCOUNT_ADMIN_POLICY.to_owned(),
            accesses: ACCOUNT_ADMIN_ACCESSES.map(str::to_owned).into(),
            description: Some("administers its own tenant and those below it".to_owned()),
            unless_taken: Some(TAKEN),
        });
    }
}
