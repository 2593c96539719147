//! What a directory's answer to a bind means.

use keyway_sdk::{Fault, Refusal};
use ldap3_proto::proto::LdapResultCode as Code;

use crate::active_directory;
use crate::password_policy::{self, Objection};
use crate::session::{Answer, SessionError};

/// Why a login goes no further.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody is let in.
    Refused(Refusal),
    /// It could not be judged.
    Fault(Fault),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        Self::Fault(error.into())
    }
}

/// What a user binds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    LogIn,
    /// For this alone a password is good that must be changed first.
    ChangePassword,
}

/// How good a password is that is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Good,
    /// It must be changed first, and is good for that alone.
    MustChange,
}

/// Whether a user's bind proves the password.
pub(crate) fn of_user(answer: &Answer, purpose: Purpose) -> Result<Proof, Stop> {
    let objection = match password_policy::objection(answer) {
        Some(Objection::Expired) => Some(Refusal::Expired),
        Some(Objection::Locked) => Some(Refusal::Locked),
        Some(Objection::MustChange) => Some(Refusal::MustChangePassword),
        _ if answer.is_success() => None,
        _ => active_directory::refusal(&answer.words),
    };
    match (&answer.code, objection) {
        (Code::Success, None) => Ok(Proof::Good),
        (Code::Success, Some(Refusal::MustChangePassword)) if purpose == Purpose::ChangePassword => {
            Ok(Proof::MustChange)
        }
        (_, Some(refusal)) => Err(refusal.into()),
        (Code::NoSuchObject | Code::InvalidDNSyntax | Code::NamingViolation, _) => {
            Err(Refusal::UnknownIdentifier.into())
        }
        // The latter of an entry without a password.
        (Code::InvalidCredentials | Code::InappropriateAuthentication, _) => Err(Refusal::WrongCredential.into()),
        // 389 Directory Server: too many wrong passwords.
        (Code::ConstraintViolation, _) => Err(Refusal::Locked.into()),
        // An account that may not bind, of which the directory says no more.
        (Code::UnwillingToPerform, _) => Err(Refusal::Disabled.into()),
        _ => Err(refused_operation("the bind of a user", &answer.without_words()).into()),
    }
}

/// The fault that a refused bind of the service account is, of a kind that depends on who is told.
pub(crate) fn of_service(bind_dn: &str, answer: &Answer, kind: fn(String) -> Fault) -> Fault {
    match answer.code {
        Code::Busy | Code::Unavailable | Code::Other | Code::OperationsError | Code::Referral => {
            refused_operation("the bind of the service account", answer)
        }
        _ => kind(format!(
            "the directory refused the bind of the service account `{bind_dn}` (`bind_dn`) with `secrets.bind_password`: {}",
            answer.describe()
        )),
    }
}

/// The fault that any other refused operation is.
pub(crate) fn refused_operation(operation: &str, answer: &Answer) -> Fault {
    let described = answer.describe();
    match answer.code {
        Code::Referral => Fault::unavailable(format!(
            "the directory referred {operation} to another server, and referrals are not followed"
        )),
        Code::StrongerAuthRequired | Code::ConfidentialityRequired => Fault::misconfigured(format!(
            "the directory wants TLS for {operation}: {described}; see `grants.net.directory.tls`"
        )),
        Code::NoSuchObject
        | Code::InvalidDNSyntax
        | Code::InsufficentAccessRights
        | Code::AuthMethodNotSupported
        | Code::InappropriateAuthentication
        | Code::InappropriateMatching
        | Code::UndefinedAttributeType => {
            Fault::misconfigured(format!("the directory refused {operation}: {described}"))
        }
        _ => Fault::unavailable(format!("the directory refused {operation}: {described}")),
    }
}
