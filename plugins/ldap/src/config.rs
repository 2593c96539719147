//! What the operator writes, and what of it the plugin works with.

use keyway_sdk::{Deserialize, JsonSchema, Problem, schemars};

use crate::entry::UIDS;
use crate::filter::{Placeholder, Template, Words};
use crate::{attribute, dn};

/// Where the users of the directory are and what is read of them. How to reach it stands under `grants.net.directory`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub struct Config {
    /// Users are below this entry: `ou=people,dc=example,dc=org`.
    user_base_dn: String,
    /// The attribute that holds the login name.
    #[serde(default = "uid")]
    user_login_attribute: String,
    /// The attribute that holds the email address.
    #[serde(default = "mail")]
    user_email_attribute: String,
    /// The attribute that holds a name for people to read.
    #[serde(default = "display_name")]
    user_name_attribute: String,
    /// The account that searches; its password is the secret `bind_password`. Without one, users log in directly by `user_dn_template`.
    #[serde(default)]
    bind_dn: Option<String>,
    /// The filter that finds a user, with `{username}`, `{user_login_attribute}` and `{user_email_attribute}` in it. Without one:
    /// `({user_login_attribute}={username})`.
    #[serde(default)]
    search_filters: Option<String>,
    /// The entry of a user where nothing searches, with `{username}` in it. Without one: the login attribute, directly below `user_base_dn`.
    #[serde(default)]
    user_dn_template: Option<String>,
    /// Groups are below this entry. Without one they are read from `member_of_attribute` of the user.
    #[serde(default)]
    group_base_dn: Option<String>,
    /// The filter that finds a user's groups, with `{user_dn}` and `{username}` in it. Without one: `(member={user_dn})`.
    #[serde(default)]
    group_filter: Option<String>,
    /// The attribute that holds a group's name.
    #[serde(default = "cn")]
    group_name_attribute: String,
    /// The attribute of a user that names its groups' entries; a group's name is the value of `group_name_attribute` in its entry's name.
    #[serde(default = "member_of")]
    member_of_attribute: String,
    /// Groups that `member_of_attribute` names count only below this entry. Without one they count wherever they are.
    #[serde(default)]
    member_of_base_dn: Option<String>,
    /// Whether the groups that a user's groups are in count too.
    #[serde(default)]
    nested_groups: bool,
    /// The attribute that names a user for ever. Without one: `entryUUID`, else `objectGUID`, else the entry's name.
    #[serde(default)]
    uid_attribute: Option<String>,
    /// Further attributes, whose first values stay with the session.
    #[serde(default)]
    attributes: Vec<String>,
    /// Whom a user of the directory is to the host.
    #[serde(default)]
    link: Link,
    /// The tenant, by its UUID, whose users `link = "email"` finds.
    #[serde(default)]
    tenant: Option<String>,
    /// Whether the connection on which `bind_dn` is bound waits for the next login. Without, each login uses one connection for everything.
    #[serde(default = "yes")]
    pool: bool,
}

/// Whom a user of the directory is to the host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", rename_all = "lowercase")]
pub enum Link {
    /// Somebody by itself.
    #[default]
    Subject,
    /// The host's own user with the same email address, or with that address for a login name.
    Email,
}

fn uid() -> String {
    "uid".to_owned()
}

fn mail() -> String {
    "mail".to_owned()
}

fn display_name() -> String {
    "displayName".to_owned()
}

fn cn() -> String {
    "cn".to_owned()
}

fn member_of() -> String {
    "memberOf".to_owned()
}

fn yes() -> bool {
    true
}

/// A configuration in which nothing is wrong.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) user_base_dn: String,
    pub(crate) login_attribute: String,
    pub(crate) email_attribute: String,
    pub(crate) name_attribute: String,
    pub(crate) bind_dn: Option<String>,
    pub(crate) user_filter: Template,
    pub(crate) user_dn: dn::Template,
    pub(crate) groups: Groups,
    pub(crate) is_nested: bool,
    pub(crate) uid_attribute: Option<String>,
    pub(crate) attributes: Vec<String>,
    pub(crate) link: Link,
    pub(crate) tenant: Option<String>,
    pub(crate) pool: bool,
    /// Every attribute of a user that is read.
    pub(crate) wanted: Vec<String>,
}

/// Where groups come from.
#[derive(Debug)]
pub(crate) enum Groups {
    /// An attribute of the user.
    MemberOf {
        attribute: String,
        /// Where groups count, if not everywhere.
        base: Option<String>,
        /// The attribute of a group's entry's name that holds the group's name.
        name: String,
    },
    /// A search.
    Search {
        base: String,
        filter: Box<Template>,
        /// The attribute that holds a group's name.
        name: String,
    },
}

impl Settings {
    /// Checks a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn check(config: Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        problems.names(&config);
        problems.base("/user_base_dn", &config.user_base_dn);
        let user_filter = problems.user_filter(&config);
        let user_dn = problems.user_dn(&config);
        let groups = problems.groups(&config);
        let bind_dn = written(config.bind_dn);
        if bind_dn.as_ref().is_some_and(|dn| dn.contains('\0')) {
            problems.add("/bind_dn", "has a NUL in it");
        }
        let (Some(user_filter), Some(user_dn), Some(groups)) = (user_filter, user_dn, groups) else {
            return Err(problems.0);
        };
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let mut settings = Self {
            user_base_dn: config.user_base_dn,
            login_attribute: config.user_login_attribute,
            email_attribute: config.user_email_attribute,
            name_attribute: config.user_name_attribute,
            bind_dn,
            user_filter,
            user_dn,
            groups,
            is_nested: config.nested_groups,
            uid_attribute: written(config.uid_attribute),
            attributes: config.attributes,
            link: config.link,
            tenant: written(config.tenant),
            pool: config.pool,
            wanted: Vec::new(),
        };
        settings.wanted = settings.wanted();
        Ok(settings)
    }

    fn wanted(&self) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        let mut want = |name: &str| {
            if !wanted.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                wanted.push(name.to_owned());
            }
        };
        want(&self.login_attribute);
        want(&self.email_attribute);
        want(&self.name_attribute);
        match &self.uid_attribute {
            Some(attribute) => want(attribute),
            None => UIDS.into_iter().for_each(&mut want),
        }
        if let Groups::MemberOf { attribute, .. } = &self.groups {
            want(attribute);
        }
        crate::account::ATTRIBUTES.into_iter().for_each(&mut want);
        self.attributes.iter().for_each(|attribute| want(attribute));
        wanted
    }
}

/// What was written, where anything was. An API that stores settings of this kind stores an empty text for none.
fn written(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(Problem::at(pointer, message));
    }

    fn names(&mut self, config: &Config) {
        for (pointer, name) in [
            ("/user_login_attribute", &config.user_login_attribute),
            ("/user_email_attribute", &config.user_email_attribute),
            ("/user_name_attribute", &config.user_name_attribute),
            ("/group_name_attribute", &config.group_name_attribute),
            ("/member_of_attribute", &config.member_of_attribute),
        ] {
            self.name(pointer, name);
        }
        if let Some(name) = written(config.uid_attribute.clone()) {
            self.name("/uid_attribute", &name);
        }
        for (place, name) in config.attributes.iter().enumerate() {
            self.name(&format!("/attributes/{place}"), name);
        }
    }

    fn name(&mut self, pointer: &str, name: &str) {
        if !attribute::is_valid(name) {
            self.add(pointer, "is no name of an attribute, such as `mail` or `2.5.4.3`");
        }
    }

    fn base(&mut self, pointer: &str, base: &str) {
        if !dn::is_valid(base) {
            self.add(
                pointer,
                "is no distinguished name, such as `ou=people,dc=example,dc=org`",
            );
        }
    }

    fn user_filter(&mut self, config: &Config) -> Option<Template> {
        let text = written(config.search_filters.clone());
        let text = text.as_deref().unwrap_or("({user_login_attribute}={username})");
        let words = Words {
            constants: &[
                ("user_login_attribute", &config.user_login_attribute),
                ("user_email_attribute", &config.user_email_attribute),
            ],
            values: &[("username", Placeholder::Username)],
        };
        let template = self.filter("/search_filters", text, &words)?;
        if !template.uses(Placeholder::Username) {
            self.add(
                "/search_filters",
                "has no `{username}`, so it would find the same user for every name",
            );
        }
        Some(template)
    }

    fn groups(&mut self, config: &Config) -> Option<Groups> {
        let member_of_base = written(config.member_of_base_dn.clone());
        if let Some(base) = &member_of_base {
            self.base("/member_of_base_dn", base);
        }
        let Some(base) = written(config.group_base_dn.clone()) else {
            return Some(Groups::MemberOf {
                attribute: config.member_of_attribute.clone(),
                base: member_of_base,
                name: config.group_name_attribute.clone(),
            });
        };
        self.base("/group_base_dn", &base);
        let text = written(config.group_filter.clone());
        let words = Words {
            constants: &[],
            values: &[("username", Placeholder::Username), ("user_dn", Placeholder::UserDn)],
        };
        let filter = self.filter("/group_filter", text.as_deref().unwrap_or("(member={user_dn})"), &words)?;
        if !filter.uses(Placeholder::Username) && !filter.uses(Placeholder::UserDn) {
            self.add(
                "/group_filter",
                "has neither `{user_dn}` nor `{username}`, so everybody would be in every group",
            );
        }
        Some(Groups::Search {
            base,
            filter: Box::new(filter),
            name: config.group_name_attribute.clone(),
        })
    }

    fn filter(&mut self, pointer: &str, text: &str, words: &Words<'_>) -> Option<Template> {
        Template::parse(text, words)
            .map_err(|message| self.add(pointer, message))
            .ok()
    }

    fn user_dn(&mut self, config: &Config) -> Option<dn::Template> {
        match written(config.user_dn_template.clone()) {
            Some(text) => dn::Template::parse(&text)
                .map_err(|message| self.add("/user_dn_template", message))
                .ok(),
            None => Some(dn::Template::under(&config.user_base_dn, &config.user_login_attribute)),
        }
    }
}

#[cfg(test)]
mod tests;
