//! Changing a password (RFC 3062), as the user whose it is.

use std::io::{Read, Write};

use keyway_sdk::net::Protection;
use keyway_sdk::{Fault, Refusal, Rejection, log};
use ldap3_proto::proto::{LdapPasswordModifyRequest, LdapResultCode as Code};

use crate::connection::Network;
use crate::directory::{Directory, Match, Person, bind_user, check_name};
use crate::entry::Entry;
use crate::group;
use crate::password_policy::{self, Objection};
use crate::session::{Answer, Session};
use crate::verdict::{Purpose, Stop, refused_operation};

/// Who has the new password now, or why the directory did not take it.
type Change<T> = Result<Result<T, Rejection>, Stop>;

impl<N: Network> Directory<'_, N> {
    /// Gives somebody who has this name and this password another password; `None` is one that no directory takes.
    pub(crate) fn change_password(&self, name: &str, present: &str, new: Option<&str>) -> Change<Person> {
        // As for a login: neither may reach a bind.
        if present.is_empty() || present.contains('\0') {
            return Err(Refusal::WrongCredential.into());
        }
        check_name(name)?;
        if self.network.protection().map_err(Fault::from)? == Protection::None {
            log::warn!("a password is changed over a connection without TLS; see `grants.net.directory.tls`");
        }
        let changed = match self.account()? {
            None => self.change_directly(name, present, new)?,
            Some(account) => {
                let (mut service, found) = self.search_as(&account, name)?;
                let changed = self.change_beside(&mut service, found, name, present, new);
                self.keep(service, &account);
                changed?
            }
        };
        Ok(changed.map(|(entry, groups)| Person {
            entry,
            groups,
            typed: Some(name.to_owned()),
        }))
    }

    fn change_beside(
        &self,
        service: &mut Session<N::Stream>,
        found: Match,
        name: &str,
        present: &str,
        new: Option<&str>,
    ) -> Change<(Entry, Vec<String>)> {
        let mut user = self.network.open()?;
        let entry = self.prove(&mut user, found, present, Purpose::ChangePassword)?;
        if let Err(rejection) = modify(&mut user, &entry.dn, present, new)? {
            return Ok(Err(rejection));
        }
        user.unbind();
        let groups = group::find(service, self.settings, &entry, name)?;
        Ok(Ok((entry, groups)))
    }

    /// Without a service account the entry is read last: whoever must change the password may do nothing else before.
    fn change_directly(&self, name: &str, present: &str, new: Option<&str>) -> Change<(Entry, Vec<String>)> {
        let dn = self.settings.user_dn.fill(name);
        let mut user = self.network.open()?;
        bind_user(&mut user, &dn, present, Purpose::ChangePassword)?;
        if let Err(rejection) = modify(&mut user, &dn, present, new)? {
            return Ok(Err(rejection));
        }
        let entry = self.read(&mut user, &dn)?;
        let groups = group::find(&mut user, self.settings, &entry, name)?;
        user.unbind();
        Ok(Ok((entry, groups)))
    }
}

fn modify<S: Read + Write>(session: &mut Session<S>, dn: &str, present: &str, new: Option<&str>) -> Change<()> {
    // For an empty one a directory would think one up that nobody gets to see.
    let new = match new {
        Some("") => return Ok(Err(Rejection::TooShort)),
        None => return Ok(Err(Rejection::Unspecified)),
        Some(new) if new.contains('\0') => return Ok(Err(Rejection::Unspecified)),
        Some(new) => new,
    };
    let request = LdapPasswordModifyRequest {
        user_identity: Some(dn.to_owned()),
        old_password: Some(present.to_owned()),
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
                let described = answer.describe();
                return Err(Fault::misconfigured(format!(
                    "the directory does not offer to change passwords (RFC 3062): {described}"
                ))
                .into());
            }
            _ => return Err(refused_operation("the change of a password", answer).into()),
        },
    };
    Ok(Err(rejection))
}
