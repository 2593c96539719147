//! Changing a password (RFC 3062), as the user whose it is.

use std::io::{Read, Write};

use keyway_sdk::net::Protection;
use keyway_sdk::{Context, Fault, Principal, Refusal, Rejection, log};
use ldap3_proto::proto::{LdapPasswordModifyRequest, LdapResultCode as Code};

use crate::connection::Network;
use crate::directory::{Directory, Person, bind_user, check_name};
use crate::entry::Entry;
use crate::identity;
use crate::matching::Match;
use crate::password_policy::{self, Objection};
use crate::session::{Answer, Session};
use crate::verdict::{Proof, Purpose, Stop, refused_operation};

/// Who has the new password now, or why the directory did not take it.
type Change<T> = Result<Result<T, Rejection>, Stop>;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) context: &'a Context,
    pub(crate) name: &'a str,
    pub(crate) present: &'a str,
    /// `None` is one that no directory takes.
    pub(crate) new: Option<&'a str>,
}

impl<N: Network> Directory<'_, N> {
    /// Gives somebody who has this name and this password another password. Who that is to the host is decided before, so that whoever is refused
    /// keeps the old one. Groups do not matter to it and are not looked for.
    pub(crate) fn change_password(&self, wish: Wish<'_>) -> Change<Principal> {
        // As for a login: neither may reach a bind.
        if wish.present.is_empty() || wish.present.contains('\0') {
            return Err(Refusal::WrongCredential.into());
        }
        check_name(wish.name)?;
        if self.network.protection().map_err(Fault::from)? == Protection::None {
            log::warn!("a password is changed over a connection without TLS; see `grants.net.directory.tls`");
        }
        match self.account()? {
            None => self.change_directly(wish),
            Some(account) => {
                let (service, found) = self.search_as(&account, wish.name)?;
                self.keep(service, &account);
                self.change_found(found, wish)
            }
        }
    }

    fn change_found(&self, found: Match, wish: Wish<'_>) -> Change<Principal> {
        let mut user = self.network.open()?;
        let (entry, _) = self.prove(&mut user, found, wish.present, Purpose::ChangePassword)?;
        let dn = entry.dn.clone();
        let principal = self.principal(entry, wish)?;
        let changed = modify(&mut user, &dn, wish)?;
        user.unbind();
        Ok(changed.map(|()| principal))
    }

    /// Without a service account the user reads their own entry. Whoever must change the password may do nothing else before.
    fn change_directly(&self, wish: Wish<'_>) -> Change<Principal> {
        let dn = self.settings.user_dn.fill(wish.name);
        let mut user = self.network.open()?;
        let changed = match bind_user(&mut user, &dn, wish.present, Purpose::ChangePassword)? {
            Proof::Good => {
                let entry = self.read(&mut user, &dn)?;
                let principal = self.principal(entry, wish)?;
                modify(&mut user, &dn, wish)?.map(|()| principal)
            }
            Proof::MustChange => {
                let changed = modify(&mut user, &dn, wish)?;
                if let Err(rejection) = changed {
                    return Ok(Err(rejection));
                }
                let entry = self.read(&mut user, &dn).map_err(too_late)?;
                Ok(self.principal(entry, wish).map_err(too_late)?)
            }
        };
        user.unbind();
        Ok(changed)
    }

    fn principal(&self, entry: Entry, wish: Wish<'_>) -> Result<Principal, Stop> {
        let person = Person {
            entry,
            groups: Vec::new(),
            typed: Some(wish.name.to_owned()),
        };
        identity::principal(self.settings, wish.context, &person)
    }
}

/// A refusal says that nothing was changed. Where something was, it is a fault.
fn too_late(stop: Stop) -> Stop {
    match stop {
        Stop::Refused(refusal) => Fault::misconfigured(format!(
            "the password of a user was changed, and then it showed that the user is none to the host ({refusal:?})"
        ))
        .into(),
        fault @ Stop::Fault(_) => fault,
    }
}

fn modify<S: Read + Write>(session: &mut Session<S>, dn: &str, wish: Wish<'_>) -> Change<()> {
    // For an empty one a directory would think one up that nobody gets to see.
    let new = match wish.new {
        Some("") => return Ok(Err(Rejection::TooShort)),
        None => return Ok(Err(Rejection::Unspecified)),
        Some(new) if new.contains('\0') => return Ok(Err(Rejection::Unspecified)),
        Some(new) => new,
    };
    let request = LdapPasswordModifyRequest {
        user_identity: Some(dn.to_owned()),
        old_password: Some(wish.present.to_owned()),
        new_password: Some(new.to_owned()),
    };
    let answer = session.extended(request.into(), true)?;
    let described = answer.describe();
    log::debug!("{described}", step = "modify password", dn = dn);
    if answer.is_success() {
        return Ok(Ok(()));
    }
    judge(&answer)
}

/// Why it was not changed.
fn judge(answer: &Answer) -> Change<()> {
    let rejection = match password_policy::objection(answer) {
        Some(Objection::TooShort) => Rejection::TooShort,
        Some(Objection::TooWeak) => Rejection::TooWeak,
        Some(Objection::UsedBefore) => Rejection::UsedBefore,
        Some(Objection::TooYoung) => Rejection::TooSoon,
        Some(Objection::NotAllowed) => Rejection::NotAllowed,
        Some(Objection::Expired) => return Err(Refusal::Expired.into()),
        Some(Objection::Locked) => return Err(Refusal::Locked.into()),
        Some(Objection::MustChange | Objection::MustSupplyOld) | None => match answer.code {
            Code::InsufficentAccessRights => Rejection::NotAllowed,
            // The directory's rules for values, of which it did not say which one.
            Code::ConstraintViolation | Code::InvalidAttributeSyntax => Rejection::TooWeak,
            Code::UnwillingToPerform => Rejection::Unspecified,
            // It was right a moment ago.
            Code::InvalidCredentials => return Err(Refusal::WrongCredential.into()),
            // What a directory answers that does not know the operation, such as Active Directory.
            Code::ProtocolError | Code::UnavailableCriticalExtension => {
                let described = answer.without_words().describe();
                return Err(Fault::misconfigured(format!(
                    "the directory does not offer to change passwords (RFC 3062): {described}"
                ))
                .into());
            }
            _ => return Err(refused_operation("the change of a password", &answer.without_words()).into()),
        },
    };
    Ok(Err(rejection))
}
