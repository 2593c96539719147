//! Policies, as the routes ask them: about a login or a proof before it is judged, about somebody who has logged in, and whether a caller may do something.

mod sought;

use std::collections::BTreeSet;
use std::time::Duration;

use keyway_core::token::FactorRule;
use serde_json::{Map, Value};

use super::ask::{Ask, Caller};
use super::error::{AuthFailure, Failure};
use super::policy::scope::Scope;
use super::policy::{
    Admin, AuthenticationRules, AuthorizationRules, Circumstances, LoginMode, Moment, PolicyError, PolicySet, User,
    menus,
};
use super::realm_config::Named;
use super::rights::Role;

pub(super) use sought::{RESOLVER_ATTRIBUTE, owner, user_of};

use sought::Sought;

/// What policies say of a login before it is judged.
#[derive(Debug, Clone)]
pub(super) struct LoginRules {
    /// How long its token is good: `jwt_validity`.
    pub(super) validity: Duration,
    /// The same for a local administrator, who is of no realm.
    pub(super) admin_validity: Duration,
    /// What is asked of factors of the users of realms: `login_mode`, `otppin`, `challenge_response`, `passthru`.
    pub(super) factors: FactorRule,
    /// The realm in which the user is looked for, whatever the request says: `set_realm`.
    pub(super) realm: Option<String>,
    /// Whether nobody is to know why a login failed: `hide_specific_error_message`.
    pub(super) hide_reasons: bool,
    /// How often users of realms may try: `auth_max_fail`, `auth_max_success`.
    limits: Option<Limits>,
    /// Why users of realms are not let in, whatever they prove.
    barred: Option<Barred>,
}

/// How often somebody may try.
#[derive(Debug, Clone)]
struct Limits {
    authorization: AuthorizationRules,
    /// Who.
    user: User,
    hide_reasons: bool,
}

impl LoginRules {
    /// Fails where a user of a realm must not even be tried. It does not concern local administrators: strangers, who can use a limit up, would shut out who
    /// can lift it.
    ///
    /// # Errors
    /// [`Failure::Auth`], [`Failure::Denied`], or that the store did not answer.
    pub(super) async fn admit(&self, ask: &Ask) -> Result<(), Failure> {
        if let Some(limits) = &self.limits {
            ask.check_limits(limits).await?;
        }
        self.barred.clone().map_or(Ok(()), |barred| Err(barred.into()))
    }
}

/// Why somebody is not let in, whatever is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Barred {
    /// `login_mode=disable`.
    Disabled,
    /// `authorized=deny_access`.
    Denied,
    /// Policies go by what is known of users, and there is no such user.
    Nobody,
    /// Policies cannot be followed. Says why, in words for the caller.
    Undecided(String),
}

/// What policies say of a proof before it is judged.
#[derive(Debug)]
pub(super) struct ProofRules {
    pub(super) authentication: AuthenticationRules,
    pub(super) authorization: AuthorizationRules,
    /// Whom they are about.
    pub(super) user: User,
    /// The realm in which the user is looked for, whatever the request says: `set_realm`.
    pub(super) realm: Option<String>,
}

/// What policies say of somebody who has logged in.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// The names of the actions that are allowed.
    pub(super) rights: Vec<String>,
    /// The parts of a user interface that there is use for.
    pub(super) menus: Vec<&'static str>,
    /// What user interfaces go by: further fields of the answer to a login.
    pub(super) interface: Map<String, Value>,
}

impl From<Barred> for Failure {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Disabled => Self::Denied("The login for this user is disabled.".to_owned()),
            Barred::Denied => Self::Denied("This user is not authorized to log in under these conditions.".to_owned()),
            Barred::Nobody => AuthFailure::WrongCredentials.into(),
            Barred::Undecided(why) => Self::Denied(why),
        }
    }
}

/// What policies say of this login. Policies that cannot be followed let no user in, but a local administrator, who can mend them. `username` is the name as
/// the caller wrote it.
///
/// # Errors
/// That the store, or the backend that was asked for the user, did not answer.
pub(super) async fn for_login(ask: &Ask, username: &str, named: &Named) -> Result<LoginRules, Failure> {
    let barred = match rules_for_login(ask, username, named).await {
        Err(Failure::Denied(why)) => Barred::Undecided(why),
        Err(Failure::Auth(AuthFailure::WrongCredentials)) => Barred::Nobody,
        other => return other,
    };
    let usual = PolicySet::default().login(&ask.circumstances(None, None))?.jwt_validity;
    Ok(LoginRules {
        validity: usual,
        admin_validity: usual,
        factors: FactorRule::WhereActive,
        realm: None,
        hide_reasons: false,
        limits: None,
        barred: Some(barred),
    })
}

async fn rules_for_login(ask: &Ask, username: &str, named: &Named) -> Result<LoginRules, Failure> {
    let policies = ask.pi.policies().current().await?;
    let scopes = [Scope::Webui, Scope::Authentication, Scope::Authorization];
    let sought = Sought::find(ask, &policies, &scopes, username, named).await?;
    let circumstances = ask.circumstances(Some(sought.user.clone()), None);
    let asked = policies.login(&circumstances).and_then(|login| {
        let rules = (
            policies.authentication(&circumstances)?,
            policies.authorization(&circumstances)?,
        );
        Ok((login, rules.0, rules.1))
    });
    let (login, authentication, authorization) = match asked {
        Ok(rules) => rules,
        Err(error) => return Err(sought.fail(ask, error).await?),
    };
    let nobody = User {
        realm: String::new(),
        ..sought.user.clone()
    };
    let admin = policies.login(&ask.circumstances(Some(nobody), None))?;
    ask.note_policies([&login.policies, &authentication.policies, &authorization.policies]);
    ask.note_user(&sought.user);
    let by_token = login.login_mode == LoginMode::PrivacyIdea;
    let barred = if login.login_mode == LoginMode::Disabled {
        Some(Barred::Disabled)
    } else if authorization.denied {
        Some(Barred::Denied)
    } else {
        None
    };
    Ok(LoginRules {
        validity: login.jwt_validity,
        admin_validity: admin.jwt_validity,
        factors: if by_token {
            authentication.factor_rule()
        } else {
            FactorRule::WhereActive
        },
        realm: sought.realm,
        hide_reasons: authentication.hides_reasons,
        limits: Some(Limits {
            authorization,
            user: sought.user,
            hide_reasons: authentication.hides_reasons,
        }),
        barred,
    })
}

/// What policies say of a proof. It fails where it must not even be tried: `auth_max_fail`, `auth_max_success`.
///
/// # Errors
/// [`Failure::Auth`], [`Failure::Denied`], or that the store did not answer.
pub(super) async fn for_proof(ask: &Ask, username: &str, named: &Named) -> Result<ProofRules, Failure> {
    let rules = rules_of(ask, username, named).await?;
    ask.note_policies([&rules.authentication.policies, &rules.authorization.policies]);
    ask.note_user(&rules.user);
    let limits = Limits {
        authorization: rules.authorization.clone(),
        user: rules.user.clone(),
        hide_reasons: rules.authentication.hides_reasons,
    };
    ask.check_limits(&limits).await?;
    Ok(rules)
}

/// What policies say of a proof, whether it may be tried or not.
///
/// # Errors
/// [`Failure::Denied`], or that the store did not answer.
pub(super) async fn rules_of(ask: &Ask, username: &str, named: &Named) -> Result<ProofRules, Failure> {
    let policies = ask.pi.policies().current().await?;
    let scopes = [Scope::Authentication, Scope::Authorization];
    let sought = Sought::find(ask, &policies, &scopes, username, named).await?;
    let circumstances = ask.circumstances(Some(sought.user.clone()), None);
    let asked = policies.authentication(&circumstances);
    let asked = asked.and_then(|rules| Ok((rules, policies.authorization(&circumstances)?)));
    let (authentication, authorization) = match asked {
        Ok(rules) => rules,
        Err(error) => return Err(sought.fail(ask, error).await?),
    };
    Ok(ProofRules {
        authentication,
        authorization,
        user: sought.user,
        realm: sought.realm,
    })
}

/// What policies say of somebody in this role, of this login name and realm.
///
/// # Errors
/// That the store did not answer, or that policies contradict each other.
pub(super) async fn standing(ask: &Ask, role: Role, username: &str, realm: &str) -> Result<Standing, Failure> {
    let policies = ask.pi.policies().current().await?;
    let typed = User {
        login: username.to_owned(),
        realm: realm.to_owned(),
        ..User::default()
    };
    let scopes = [Scope::User, Scope::Webui];
    let user = if role == Role::User && policies.asks_for_user(&scopes) {
        ask.known_user(typed).await?
    } else {
        typed
    };
    let rights = match role {
        Role::Admin => {
            let admin = Admin {
                login: user.login.clone(),
                realm: user.realm.clone(),
            };
            policies.rights(role, &ask.circumstances(None, Some(admin)))?
        }
        Role::User => policies.rights(role, &ask.circumstances(Some(user.clone()), None))?,
    };
    let is_local = role == Role::Admin && realm.is_empty();
    let circumstances = ask.circumstances(Some(user.clone()), None);
    let login = match policies.login(&circumstances) {
        // Who can mend the policies is let in past them.
        Err(PolicyError::Contradiction { .. } | PolicyError::NotKnown { .. }) if is_local => {
            PolicySet::default().login(&circumstances)?
        }
        login => login?,
    };
    match role {
        Role::Admin if is_local => ask.note(|note| {
            username.clone_into(&mut note.entry.administrator);
            // There may be a user of a realm of the same name, whose entry this is not.
            for of_user in [&mut note.entry.user, &mut note.entry.realm, &mut note.entry.resolver] {
                of_user.clear();
            }
        }),
        Role::Admin => ask.note(|note| note.entry.administrator = format!("{username}@{realm}")),
        Role::User => ask.note_user(&user),
    }
    Ok(Standing {
        menus: menus(role, &rights),
        rights: rights.into_iter().collect(),
        interface: login.interface,
    })
}

impl Ask {
    /// What policies look at.
    pub(super) fn circumstances(&self, user: Option<User>, admin: Option<Admin>) -> Circumstances<'_> {
        Circumstances {
            user,
            admin,
            client: self.call.client(),
            headers: self.headers(),
            moment: Moment::of(self.pi.now(), self.pi.time_zone()),
        }
    }

    /// Who asks, if it is an administrator and may do this.
    ///
    /// # Errors
    /// As [`Ask::admin`] and [`Ask::may`].
    pub(super) async fn admin_may(&self, action: &'static str) -> Result<Caller, Failure> {
        let caller = self.admin().await?;
        self.may(&caller, action, None).await?;
        Ok(caller)
    }

    /// Whether a caller may do this: an administrator to somebody, or to nobody in particular; a user to itself.
    ///
    /// # Errors
    /// [`Failure::Denied`], or that the store did not answer.
    pub(super) async fn may(&self, caller: &Caller, action: &'static str, about: Option<User>) -> Result<(), Failure> {
        let policies = self.pi.policies().current().await?;
        let circumstances = self.circumstances_of(&policies, caller, about).await?;
        match policies.may(caller.role, action, &circumstances)? {
            Some(names) => {
                self.note_policies([&names]);
                Ok(())
            }
            None => Err(Failure::Denied(format!(
                "No policy of the scope `{}` allows the action `{action}`.",
                caller.role.name()
            ))),
        }
    }

    /// What policies look at when this caller asks for something.
    ///
    /// # Errors
    /// That the user could not be looked up, where policies go by that.
    pub(super) async fn circumstances_of(
        &self,
        policies: &PolicySet,
        caller: &Caller,
        about: Option<User>,
    ) -> Result<Circumstances<'_>, Failure> {
        let (login, realm) = (caller.username.clone(), caller.realm.clone());
        Ok(match caller.role {
            Role::Admin => self.circumstances(about, Some(Admin { login, realm })),
            Role::User => {
                let user = User {
                    login,
                    realm,
                    ..User::default()
                };
                let user = if policies.asks_for_user(&[Scope::User, Scope::Enrollment]) {
                    self.known_user(user).await?
                } else {
                    user
                };
                self.circumstances(Some(user), None)
            }
        })
    }

    async fn check_limits(&self, limits: &Limits) -> Result<(), Failure> {
        let user = &limits.user;
        let over = self.over_limit(&limits.authorization, &user.login, &user.realm).await?;
        over.map_or(Ok(()), |limit| {
            Err(if limits.hide_reasons {
                AuthFailure::Hidden.into()
            } else {
                AuthFailure::Limit(limit).into()
            })
        })
    }

    fn note_user(&self, user: &User) {
        self.note(|note| {
            user.login.clone_into(&mut note.entry.user);
            user.realm.clone_into(&mut note.entry.realm);
            note.entry.resolver = user.resolver.clone().unwrap_or_default();
            note.kept = !user.login.is_empty();
        });
    }

    fn note_policies<const N: usize>(&self, names: [&BTreeSet<String>; N]) {
        self.note(|note| {
            for name in names.into_iter().flatten() {
                let policies = &mut note.entry.policies;
                if !policies.split(',').any(|known| known == name) {
                    if !policies.is_empty() {
                        policies.push(',');
                    }
                    policies.push_str(name);
                }
            }
        });
    }
}
