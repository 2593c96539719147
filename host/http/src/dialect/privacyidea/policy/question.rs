//! What the dialect asks the policies.

use std::collections::BTreeSet;
use std::time::Duration;

use keyway_core::model::FactorKind;
use keyway_core::token::FactorRule;
use serde_json::{Map, Value};

use super::PolicyError;
use super::action::{Limit, Scope, find, list};
use super::set::{Circumstances, PolicySet};
use crate::dialect::privacyidea::rights::Role;

/// How long a login lasts unless a policy says otherwise.
const JWT_VALIDITY: Duration = Duration::from_hours(1);

/// How people log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginMode {
    /// With the password that the user's resolver keeps, and with a one-time password where the host asks for one.
    UserStore,
    /// With PIN and one-time password.
    PrivacyIdea,
    /// Not at all.
    Disabled,
}

/// What the policies say about a login.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LoginRules {
    /// How long it lasts.
    pub(crate) jwt_validity: Duration,
    pub(crate) login_mode: LoginMode,
    /// What interfaces go by: the fields of the answer's value, besides rights and menus.
    pub(crate) interface: Map<String, Value>,
    /// The policies that were followed.
    pub(crate) policies: BTreeSet<String>,
}

/// What stands before a one-time password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtpPin {
    /// The token's PIN.
    Token,
    /// The user's password.
    UserStore,
    /// Nothing.
    None,
}

/// What the policies say about a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuthenticationRules {
    pub(crate) otppin: OtpPin,
    /// Whether the right PIN alone begins a challenge.
    pub(crate) challenges: bool,
    /// What challenges say to the user.
    pub(crate) challenge_text: Option<String>,
    /// Whether users without a token prove themselves with their password.
    pub(crate) passthru: bool,
    /// Whether every failed login has the same message.
    pub(crate) hides_reasons: bool,
    /// The policies that were followed.
    pub(crate) policies: BTreeSet<String>,
}

impl AuthenticationRules {
    /// The same for the token service.
    pub(crate) fn factor_rule(&self) -> FactorRule {
        let Self {
            challenges, passthru, ..
        } = *self;
        match self.otppin {
            OtpPin::Token => FactorRule::PinAndOtp { challenges, passthru },
            OtpPin::UserStore if passthru => FactorRule::WhereActive,
            OtpPin::UserStore => FactorRule::Required,
            OtpPin::None => FactorRule::OtpOnly { passthru },
        }
    }
}

/// What the policies say about what follows from a proof.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AuthorizationRules {
    /// How many failed logins a user may have.
    pub(crate) max_fail: Option<Limit>,
    /// How many logins a user may have.
    pub(crate) max_success: Option<Limit>,
    /// Tell what is known of the user.
    pub(crate) tells_user: bool,
    /// Tell in which realm and resolver the user is.
    pub(crate) tells_resolver: bool,
    /// Tell no details of what succeeded.
    pub(crate) hides_success: bool,
    /// Tell no details of what failed.
    pub(crate) hides_failure: bool,
    /// Nobody is let in.
    pub(crate) denied: bool,
    /// The policies that were followed.
    pub(crate) policies: BTreeSet<String>,
}

/// What the policies say about a new token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EnrollmentRules {
    /// The label in authenticator apps; `<s>`, `<u>`, `<r>` stand for serial, user, realm.
    pub(crate) label: Option<String>,
    /// The issuer there.
    pub(crate) issuer: Option<String>,
    /// Whether its owner must show that it works.
    pub(crate) is_verified: bool,
    /// How many tokens a user may have.
    pub(crate) max_per_user: Option<u32>,
    /// The policies that were followed.
    pub(crate) policies: BTreeSet<String>,
}

/// How long a PIN is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PinRules {
    pub(crate) min: Option<usize>,
    pub(crate) max: Option<usize>,
}

/// Interface settings of a login: the policy's action, the answer's field, and what it is where no policy speaks.
const NUMBERS: [(&str, &str, u32); 4] = [
    ("logout_time", "logout_time", 120),
    ("audit_page_size", "audit_page_size", 10),
    ("token_page_size", "token_page_size", 15),
    ("user_page_size", "user_page_size", 15),
];
const TEXTS: [(&str, &str, &str); 5] = [
    ("policy_template_url", "policy_template_url", ""),
    ("default_tokentype", "default_tokentype", "hotp"),
    ("timeout_action", "timeout_action", "lockscreen"),
    ("session_persistence", "session_persistence", "tab"),
    ("logout_redirect", "logout_redirect_url", ""),
];
const FLAGS: [(&str, &str); 9] = [
    ("user_details", "user_details"),
    ("tokenwizard", "token_wizard"),
    ("tokenwizard_2nd_token", "token_wizard_2nd"),
    ("admin_dashboard", "admin_dashboard"),
    ("dialog_no_token", "dialog_no_token"),
    ("search_on_enter", "search_on_enter"),
    ("hide_buttons", "hide_buttons"),
    ("deletion_confirmation", "deletion_confirmation"),
    ("show_seed", "show_seed"),
];

impl PolicySet {
    /// What holds for a login.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn login(&self, circumstances: &Circumstances<'_>) -> Result<LoginRules, PolicyError> {
        let mut said = self.consult(Scope::Webui, circumstances);
        let validity = said.value("jwt_validity")?.and_then(|seconds| seconds.parse().ok());
        let login_mode = match said.value("login_mode")? {
            Some("privacyIDEA") => LoginMode::PrivacyIdea,
            Some("disable") => LoginMode::Disabled,
            Some(_) | None => LoginMode::UserStore,
        };
        let mut interface = Map::new();
        for (action, field, default) in NUMBERS {
            let number = said.value(action)?.and_then(|number| number.parse::<u32>().ok());
            interface.insert(field.to_owned(), number.unwrap_or(default).into());
        }
        for (action, field, default) in TEXTS {
            interface.insert(field.to_owned(), said.value(action)?.unwrap_or(default).into());
        }
        for (action, field) in FLAGS {
            interface.insert(field.to_owned(), said.flag(action)?.into());
        }
        Ok(LoginRules {
            jwt_validity: validity.map_or(JWT_VALIDITY, Duration::from_secs),
            login_mode,
            interface,
            policies: said.had_a_say(),
        })
    }

    /// The realm in which a user is looked for instead of the one that was named.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn other_realm(&self, circumstances: &Circumstances<'_>) -> Result<Option<String>, PolicyError> {
        let realm = self.consult(Scope::Authentication, circumstances).value("set_realm")?;
        Ok(realm.map(str::to_lowercase))
    }

    /// What holds for a proof.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn authentication(&self, circumstances: &Circumstances<'_>) -> Result<AuthenticationRules, PolicyError> {
        let mut said = self.consult(Scope::Authentication, circumstances);
        Ok(AuthenticationRules {
            otppin: match said.value("otppin")? {
                Some("userstore") => OtpPin::UserStore,
                Some("none") => OtpPin::None,
                Some(_) | None => OtpPin::Token,
            },
            challenges: said.flag("challenge_response")?,
            challenge_text: said.value("challenge_text")?.map(str::to_owned),
            passthru: said.flag("passthru")?,
            hides_reasons: said.flag("hide_specific_error_message")?,
            policies: said.had_a_say(),
        })
    }

    /// What holds once somebody has proved who it is, or has failed to.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn authorization(&self, circumstances: &Circumstances<'_>) -> Result<AuthorizationRules, PolicyError> {
        let mut said = self.consult(Scope::Authorization, circumstances);
        Ok(AuthorizationRules {
            max_fail: said.value("auth_max_fail")?.and_then(Limit::parse),
            max_success: said.value("auth_max_success")?.and_then(Limit::parse),
            tells_user: said.flag("add_user_in_response")?,
            tells_resolver: said.flag("add_resolver_in_response")?,
            hides_success: said.flag("no_detail_on_success")?,
            hides_failure: said.flag("no_detail_on_fail")?,
            denied: said.value("authorized")? == Some("deny_access"),
            policies: said.had_a_say(),
        })
    }

    /// What holds for a new token.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn enrollment(&self, circumstances: &Circumstances<'_>) -> Result<EnrollmentRules, PolicyError> {
        let mut said = self.consult(Scope::Enrollment, circumstances);
        Ok(EnrollmentRules {
            label: said.value("tokenlabel")?.map(str::to_owned),
            issuer: said.value("tokenissuer")?.map(str::to_owned),
            is_verified: said.flag("verify_enrollment")?,
            max_per_user: said.value("max_token_per_user")?.and_then(|number| number.parse().ok()),
            policies: said.had_a_say(),
        })
    }

    /// What a PIN that an administrator or a user sets must be like.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn pin(&self, role: Role, circumstances: &Circumstances<'_>) -> Result<PinRules, PolicyError> {
        let mut said = self.consult(scope_of(role), circumstances);
        let mut number = |action| Ok::<_, PolicyError>(said.value(action)?.and_then(|number| number.parse().ok()));
        Ok(PinRules {
            min: number("otp_pin_minlength")?,
            max: number("otp_pin_maxlength")?,
        })
    }

    /// Whether this may be done; the policies that say so.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn may(
        &self,
        role: Role,
        action: &'static str,
        circumstances: &Circumstances<'_>,
    ) -> Result<Option<BTreeSet<String>>, PolicyError> {
        let scope = scope_of(role);
        if !self.speaks(scope) {
            // What nobody can be granted in this role is not allowed to all either.
            return Ok(find(scope, action).map(|_| BTreeSet::new()));
        }
        let mut said = self.consult(scope, circumstances);
        Ok(said.flag(action)?.then(|| said.had_a_say()))
    }

    /// Whether this may be done to everything, whosever it is.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn may_everywhere(
        &self,
        role: Role,
        action: &'static str,
        circumstances: &Circumstances<'_>,
    ) -> Result<bool, PolicyError> {
        Ok(!self.speaks(scope_of(role)) || self.consult(scope_of(role), circumstances).everywhere(action)?)
    }

    /// The names of everything that may be done. Those with a value are there twice: bare, and with it.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) fn rights(
        &self,
        role: Role,
        circumstances: &Circumstances<'_>,
    ) -> Result<BTreeSet<String>, PolicyError> {
        let scope = scope_of(role);
        if !self.speaks(scope) {
            let rights = list(scope).filter(|action| action.works);
            return Ok(rights.map(|action| action.name.to_owned()).collect());
        }
        let mut rights = BTreeSet::new();
        for policy in self.consult(scope, circumstances).all()? {
            for (name, value) in policy.actions.iter() {
                rights.insert(name.to_owned());
                rights.extend(value.map(|value| format!("{name}={value}")));
            }
        }
        Ok(rights)
    }
}

/// The scope that says what this role may do.
fn scope_of(role: Role) -> Scope {
    match role {
        Role::Admin => Scope::Admin,
        Role::User => Scope::User,
    }
}

/// The parts of an interface that somebody with these rights has use for.
pub(crate) fn menus(role: Role, rights: &BTreeSet<String>) -> Vec<&'static str> {
    let groups: BTreeSet<_> = list(scope_of(role))
        .filter(|action| action.works && rights.contains(action.name))
        .map(|action| (action.group, action.name))
        .collect();
    let any = |wanted: &[&str]| groups.iter().any(|(group, _)| wanted.contains(group));
    let has = |names: &[&str]| groups.iter().any(|(_, name)| names.contains(name));
    let menus = [
        ("tokens", any(&["token", "pin", "enrollment"])),
        ("users", has(&["userlist"])),
        ("audit", has(&["auditlog"])),
        (
            "config",
            role == Role::Admin
                && groups
                    .iter()
                    .any(|(group, name)| *group == "system" && *name != "auditlog"),
        ),
    ];
    menus
        .into_iter()
        .filter(|(_, shown)| *shown)
        .map(|(menu, _)| menu)
        .collect()
}

/// The types of tokens, as this API calls them, with the right to make one, and what it is.
pub(crate) const TOKEN_TYPES: [(FactorKind, &str, &str, &str); 3] = [
    (
        FactorKind::Hotp,
        "hotp",
        "enrollHOTP",
        "HOTP: one-time passwords that go by a counter.",
    ),
    (
        FactorKind::Totp,
        "totp",
        "enrollTOTP",
        "TOTP: one-time passwords that go by the time.",
    ),
    (
        FactorKind::Recovery,
        "tan",
        "enrollTAN",
        "TAN: recovery codes, each good once.",
    ),
];

/// The types of tokens that somebody with these rights may make.
pub(crate) fn enrollable<'a>(rights: impl IntoIterator<Item = &'a String>) -> Map<String, Value> {
    let rights: BTreeSet<&String> = rights.into_iter().collect();
    let has = |right: &str| rights.iter().any(|own| *own == right);
    let types = TOKEN_TYPES.iter().filter(|(_, _, right, _)| has(right));
    types
        .map(|(_, name, _, description)| ((*name).to_owned(), (*description).into()))
        .collect()
}
