//! All policies, and which of them hold now.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::{HeaderMap, header};

use super::PolicyError;
use super::action::Scope;
use super::hours::Moment;
use super::rule::Policy;

/// Somebody that a policy can be about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct User {
    /// The login name: the canonical one where the user has been looked up.
    pub(crate) login: String,
    /// The realm, in lower case; empty for none.
    pub(crate) realm: String,
    /// The resolver that knows the user; `None` where nobody has been asked, or there is no such user.
    pub(crate) resolver: Option<String>,
    /// What the resolver knows of the user.
    pub(crate) attributes: Vec<(String, String)>,
}

/// An administrator that a policy can be about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Admin {
    /// The login name.
    pub(crate) login: String,
    /// The realm; empty for a local administrator.
    pub(crate) realm: String,
}

/// Who asks, about whom, from where, when.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances<'a> {
    /// About whom; `None` for a question about nobody, to which no policy is limited.
    pub(crate) user: Option<User>,
    /// The administrator who asks; `None` where none does.
    pub(crate) admin: Option<Admin>,
    /// From where.
    pub(crate) client: Option<IpAddr>,
    /// The request's headers.
    pub(crate) headers: &'a HeaderMap,
    /// When.
    pub(crate) moment: Moment,
}

impl Circumstances<'_> {
    /// The name of the program that asks: what stands before the slash of `User-Agent`.
    pub(crate) fn user_agent(&self) -> &str {
        let agent = self
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let agent = agent.unwrap_or_default().split(['/', ' ']).next();
        agent.unwrap_or_default()
    }
}

/// All policies.
#[derive(Debug, Default)]
pub(crate) struct PolicySet {
    /// By priority, then by name.
    policies: Vec<Policy>,
}

impl PolicySet {
    pub(crate) fn new(mut policies: Vec<Policy>) -> Self {
        policies.sort_by(|one, other| (one.priority, &one.name).cmp(&(other.priority, &other.name)));
        Self { policies }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter()
    }

    /// Whether any policy of this scope is active: where none is, everything is allowed.
    pub(crate) fn speaks(&self, scope: Scope) -> bool {
        self.policies
            .iter()
            .any(|policy| policy.active && policy.scope == scope)
    }

    /// Whether the user must be looked up before these scopes are asked: a policy goes by the canonical name, the resolver, or what is known of the user.
    pub(crate) fn asks_for_user(&self, scopes: &[Scope]) -> bool {
        let counts = |policy: &Policy| policy.actions.has("auth_max_fail") || policy.actions.has("auth_max_success");
        self.policies
            .iter()
            .any(|policy| policy.active && scopes.contains(&policy.scope) && (policy.asks_for_user() || counts(policy)))
    }

    /// The policies that say this here and now.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`].
    pub(crate) fn holding<'a>(
        &'a self,
        scope: Scope,
        action: &str,
        circumstances: &'a Circumstances<'a>,
    ) -> Result<Vec<&'a Policy>, PolicyError> {
        self.consult(scope, circumstances).saying(action)
    }

    /// What the policies of a scope say here and now.
    pub(crate) fn consult<'a>(&'a self, scope: Scope, circumstances: &'a Circumstances<'a>) -> Consultation<'a> {
        let policies = self.policies.iter();
        Consultation {
            fitting: policies
                .filter(|policy| policy.scope == scope && policy.fits(circumstances))
                .collect(),
            circumstances,
            had_a_say: BTreeSet::new(),
        }
    }
}

/// What the policies of a scope say here and now, and which were followed.
#[derive(Debug)]
pub(crate) struct Consultation<'a> {
    /// Those that fit, as far as conditions do not decide.
    fitting: Vec<&'a Policy>,
    circumstances: &'a Circumstances<'a>,
    had_a_say: BTreeSet<String>,
}

impl<'a> Consultation<'a> {
    /// Those that hold and say this.
    fn saying(&self, action: &str) -> Result<Vec<&'a Policy>, PolicyError> {
        let mut holding = Vec::new();
        for policy in &self.fitting {
            if policy.actions.has(action) && policy.holds(self.circumstances)? {
                holding.push(*policy);
            }
        }
        Ok(holding)
    }

    /// Whether a policy says this.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`].
    pub(crate) fn flag(&mut self, action: &'static str) -> Result<bool, PolicyError> {
        let saying = self.saying(action)?;
        self.had_a_say.extend(saying.iter().map(|policy| policy.name.clone()));
        Ok(!saying.is_empty())
    }

    /// The value that the policies of the smallest priority number give this.
    ///
    /// # Errors
    /// [`PolicyError::Contradiction`] if they give different ones, [`PolicyError::NotKnown`].
    pub(crate) fn value(&mut self, action: &'static str) -> Result<Option<&'a str>, PolicyError> {
        let mut saying = self.saying(action)?;
        let Some(first) = saying.first().copied() else {
            return Ok(None);
        };
        saying.retain(|policy| policy.priority == first.priority);
        let value = first.actions.get(action);
        if saying.iter().any(|policy| policy.actions.get(action) != value) {
            return Err(PolicyError::Contradiction {
                action,
                policies: saying.iter().map(|policy| format!("`{}`", policy.name)).collect(),
            });
        }
        self.had_a_say.extend(saying.iter().map(|policy| policy.name.clone()));
        Ok(value)
    }

    /// Everything that is said: what holds, whatever its value.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`].
    pub(crate) fn all(&mut self) -> Result<Vec<&'a Policy>, PolicyError> {
        let mut holding = Vec::new();
        for policy in &self.fitting {
            if policy.holds(self.circumstances)? {
                self.had_a_say.insert(policy.name.clone());
                holding.push(*policy);
            }
        }
        Ok(holding)
    }

    /// Whether a policy says this that is limited to no realm, resolver or user.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`].
    pub(crate) fn everywhere(&mut self, action: &'static str) -> Result<bool, PolicyError> {
        Ok(self.saying(action)?.iter().any(|policy| !policy.is_limited()))
    }

    /// The names of the policies that were followed.
    pub(crate) fn had_a_say(self) -> BTreeSet<String> {
        self.had_a_say
    }
}
