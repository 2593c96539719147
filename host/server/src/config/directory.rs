//! `[directory]`: the policies, groups and first user that the configuration defines, and what users may do. The words are wazo-auth's.

use std::collections::BTreeMap;
use std::time::Duration;

use keyway_core::directory::{
    ADMIN_POLICY, DirectoryError, FirstUser, ProvidedPolicy, Provisions, check_provided_group,
};
use keyway_core::model::{Purpose, login_key};
use keyway_core::port::ProvidedGroup;
use keyway_core::token::AdminStatus;
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::http::positive_time;
use super::quantity::Span;
use super::secret::RawSecretFile;
use super::source::Source;

/// How many sessions one user may have open: any number, because clients of the first xivo-auth log in as often as they like.
/// Today's wazo-auth allows 100.
const MAX_SESSIONS: u32 = 0;
/// How long the links of mails are good.
const LINK_LIFETIME: Duration = Duration::from_hours(48);

/// Which policies, by their slugs.
type RawChoice = BTreeMap<String, Spanned<bool>>;

/// `[directory]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDirectory {
    update_on_start: Option<bool>,
    registration: bool,
    max_sessions: Option<u32>,
    password_reset_lifetime: Option<Spanned<Span>>,
    email_confirmation_lifetime: Option<Spanned<Span>>,
    default_user_policy: Option<Spanned<String>>,
    policies: BTreeMap<String, Spanned<RawPolicy>>,
    all_users_policies: RawChoice,
    groups: BTreeMap<String, Spanned<RawGroup>>,
    bootstrap_user: Option<RawBootstrapUser>,
    admin_status: Option<RawAdminStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPolicy {
    acl: Vec<String>,
    description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGroup {
    name: Option<String>,
    policies: RawChoice,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBootstrapUser {
    username: Spanned<String>,
    password: RawSecretFile,
    #[serde(default)]
    purpose: Purpose,
    policy: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdminStatus {
    policy: String,
    group: String,
    purposes: Vec<Purpose>,
}

/// What the configuration says of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectoryConfig {
    /// Policies, groups and the first user.
    pub(crate) provisions: Provisions,
    /// The rest, which takes a restart.
    pub(crate) rules: UserRules,
}

/// What holds for all users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserRules {
    /// The slug of the policy that every user has.
    pub(crate) default_policy: Option<String>,
    /// How many sessions one user may have open; zero for any number.
    pub(crate) max_sessions: u32,
    /// The life of a link to a new password.
    pub(crate) password_reset_lifetime: Duration,
    /// The life of a link that confirms an address.
    pub(crate) email_confirmation_lifetime: Duration,
    /// Whether anybody may register.
    pub(crate) registration: bool,
    /// Whose sessions say whether their owner is an administrator.
    pub(crate) admin_status: Option<AdminStatus>,
}

impl RawDirectory {
    pub(super) fn check(&self, source: &Source) -> Result<DirectoryConfig, ConfigError> {
        let policies: Vec<_> = self
            .policies
            .iter()
            .map(|(slug, raw)| policy(slug, raw, source))
            .collect::<Result<_, _>>()?;
        let known: Vec<_> = policies.iter().map(|policy| login_key(&policy.slug)).collect();
        let choose = |raw: &RawChoice| choose(raw, &known, source);
        let groups = self.groups.iter().map(|(slug, raw)| {
            let group = ProvidedGroup {
                slug: slug.clone(),
                name: raw.get_ref().name.clone().unwrap_or_else(|| slug.clone()),
                policies: choose(&raw.get_ref().policies)?,
            };
            check_provided_group(&group).map_err(|error| refuse(&error, raw.span(), source))?;
            Ok(group)
        });
        let provisions = Provisions {
            all_users: choose(&self.all_users_policies)?,
            groups: groups.collect::<Result<_, _>>()?,
            first_user: self
                .bootstrap_user
                .as_ref()
                .map(|raw| raw.check(&known, source))
                .transpose()?,
            update: self.update_on_start.unwrap_or(true),
            policies,
        };
        if let Some(raw) = &self.default_user_policy {
            find(raw.get_ref(), &known, raw.span(), source)?;
        }
        let rules = self.rules(source)?;
        Ok(DirectoryConfig { provisions, rules })
    }

    fn rules(&self, source: &Source) -> Result<UserRules, ConfigError> {
        let lifetime = |raw: &Option<Spanned<Span>>| positive_time(raw.as_ref(), LINK_LIFETIME, source);
        Ok(UserRules {
            default_policy: self.default_user_policy.as_ref().map(|raw| raw.get_ref().clone()),
            max_sessions: self.max_sessions.unwrap_or(MAX_SESSIONS),
            password_reset_lifetime: lifetime(&self.password_reset_lifetime)?,
            email_confirmation_lifetime: lifetime(&self.email_confirmation_lifetime)?,
            registration: self.registration,
            admin_status: self.admin_status.as_ref().map(|raw| AdminStatus {
                policy: raw.policy.clone(),
                group: raw.group.clone(),
                purposes: raw.purposes.clone(),
            }),
        })
    }
}

impl RawBootstrapUser {
    fn check(&self, known: &[String], source: &Source) -> Result<FirstUser, ConfigError> {
        let policy = self.policy.get_ref();
        if policy != ADMIN_POLICY {
            find(policy, known, self.policy.span(), source)?;
        }
        let first = FirstUser {
            login: self.username.get_ref().clone(),
            password: self.password.check(source)?,
            purpose: self.purpose,
            policy: policy.clone(),
        };
        first
            .check()
            .map_err(|error| refuse(&error, self.username.span(), source))?;
        Ok(first)
    }
}

fn policy(slug: &str, raw: &Spanned<RawPolicy>, source: &Source) -> Result<ProvidedPolicy, ConfigError> {
    let policy = ProvidedPolicy {
        slug: slug.to_owned(),
        accesses: raw.get_ref().acl.clone(),
        description: raw.get_ref().description.clone(),
        unless_taken: None,
    };
    policy.check().map_err(|error| refuse(&error, raw.span(), source))?;
    Ok(policy)
}

/// The slugs that are chosen. All must be policies of the configuration.
fn choose(raw: &RawChoice, known: &[String], source: &Source) -> Result<Vec<String>, ConfigError> {
    let mut chosen = Vec::new();
    for (slug, wanted) in raw {
        find(slug, known, wanted.span(), source)?;
        if *wanted.get_ref() {
            chosen.push(slug.clone());
        }
    }
    Ok(chosen)
}

fn find(slug: &str, known: &[String], span: std::ops::Range<usize>, source: &Source) -> Result<(), ConfigError> {
    if known.contains(&login_key(slug)) {
        return Ok(());
    }
    Err(source.refuse(span, format!("there is no `[directory.policies.{slug}]`")))
}

fn refuse(error: &DirectoryError, span: std::ops::Range<usize>, source: &Source) -> ConfigError {
    source.refuse(span, error.to_string())
}
