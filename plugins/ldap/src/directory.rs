//! How somebody is found in the directory and proves to be who they say: search and bind, or bind alone.

use keyway_sdk::{Fault, Refusal, config, log};
use ldap3_proto::proto::{LdapResultCode as Code, LdapSearchScope};

use crate::config::Settings;
use crate::connection::Network;
use crate::entry::Entry;
use crate::filter::{self, Values};
use crate::group;
use crate::matching::{self, Match};
use crate::session::{Filter, Search, Session, SessionError};
use crate::verdict::{self, Proof, Purpose, Stop};

/// The secret that is the service account's password.
pub(crate) const BIND_PASSWORD: &str = "bind_password";
/// The longest login name, in bytes.
const MAX_NAME: usize = 1024;
/// Bytes of a service account's name that the state of its connections holds.
const MAX_STATE: usize = 200;

/// Somebody, as the directory knows them.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) entry: Entry,
    pub(crate) groups: Vec<String>,
    /// The name under which they were looked for, where they were.
    pub(crate) typed: Option<String>,
}

/// The account that searches.
pub(crate) struct Account<'a> {
    pub(crate) dn: &'a str,
    password: String,
}

/// The directory behind the settings.
#[derive(Debug)]
pub(crate) struct Directory<'a, N> {
    pub(crate) settings: &'a Settings,
    pub(crate) network: &'a N,
}

impl<N: Network> Directory<'_, N> {
    /// Somebody who has this name and this password.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Result<Person, Stop> {
        // A bind with an empty password is anonymous, and succeeds whoever is named (RFC 4513, 5.1.2). A server written in C may take a NUL for
        // the end. Neither look-up nor bind has begun, so nothing tells who exists.
        if password.is_empty() || password.contains('\0') {
            return Err(Refusal::WrongCredential.into());
        }
        check_name(name)?;
        let (entry, groups) = match self.account()? {
            None => self.log_in_directly(name, password)?,
            Some(account) => {
                let (mut service, found) = self.search_as(&account, name)?;
                if self.settings.pool {
                    let outcome = self.log_in_beside(&mut service, found, name, password);
                    self.keep(service, &account);
                    outcome?
                } else {
                    self.log_in_on(&mut service, &account, found, name, password)?
                }
            }
        };
        Ok(Person {
            entry,
            groups,
            typed: Some(name.to_owned()),
        })
    }

    /// The service account, where there is one.
    pub(crate) fn account(&self) -> Result<Option<Account<'_>>, Fault> {
        let secret = config::find_secret(BIND_PASSWORD);
        match (self.settings.bind_dn.as_deref(), secret) {
            (None, None) => Ok(None),
            (Some(dn), Some(secret)) => {
                let password = secret.expose()?;
                let password = std::str::from_utf8(&password)
                    .ok()
                    .filter(|password| !password.is_empty())
                    .ok_or_else(|| Fault::misconfigured("`secrets.bind_password` is empty or not UTF-8"))?;
                Ok(Some(Account {
                    dn,
                    password: password.to_owned(),
                }))
            }
            (Some(_), None) => Err(Fault::misconfigured(
                "there is a `bind_dn` and no `secrets.bind_password`",
            )),
            // As in wazo: users bind by themselves unless both are there.
            (None, Some(_)) => {
                log::debug!("`secrets.bind_password` is not used, because there is no `bind_dn`");
                Ok(None)
            }
        }
    }

    /// A new session on which the service account is bound.
    ///
    /// Where the directory refuses it, that is a fault of this kind. A login says that the directory is unavailable, so that the host leaves it alone
    /// after a few of them: a bind for each login would lock the account.
    pub(crate) fn bind_service(
        &self,
        account: &Account<'_>,
        refused: fn(String) -> Fault,
    ) -> Result<Session<N::Stream>, Fault> {
        let mut session = self.network.open()?;
        Self::bind_account(&mut session, account, refused)?;
        Ok(session)
    }

    fn bind_account(
        session: &mut Session<N::Stream>,
        account: &Account<'_>,
        refused: fn(String) -> Fault,
    ) -> Result<(), Fault> {
        let answer = session.bind(account.dn, &account.password)?;
        if !answer.is_success() {
            return Err(verdict::of_service(account.dn, &answer, refused));
        }
        log::debug!("bound", step = "bind service", dn = account.dn);
        Ok(())
    }

    /// A session of the service account, and whom this name means.
    pub(crate) fn search_as(&self, account: &Account<'_>, name: &str) -> Result<(Session<N::Stream>, Match), Stop> {
        let values = Values {
            username: name,
            ..Values::default()
        };
        let search = Search {
            base: &self.settings.user_base_dn,
            scope: LdapSearchScope::Subtree,
            filter: Filter::Text(self.settings.user_filter.fill(values)),
            attributes: &self.settings.wanted,
            // wazo asks for one; one more tells an ambiguous name from a clear one whatever the directory's own limit is.
            limit: 2,
        };
        self.find(account, &search)
    }

    /// A session of the service account, and the one entry that a search brings.
    ///
    /// A connection that was kept may have died since. That shows when it is used, and then a new one takes its place, once.
    pub(crate) fn find(&self, account: &Account<'_>, search: &Search<'_>) -> Result<(Session<N::Stream>, Match), Stop> {
        if self.settings.pool
            && let Some(stream) = self.network.resume(&state(account)).map_err(Fault::from)?
        {
            let mut session = Session::new(stream);
            log::debug!("resumed a bound connection", step = "bind service", dn = account.dn);
            match session.search(search) {
                Ok(hits) if matching::is_decided(&hits, search) => return Ok((session, matching::only(hits, search)?)),
                Err(error) if error.is_timeout() => return Err(error.into()),
                Ok(hits) => log::debug!("the resumed connection is of no use", reason = hits.answer.describe()),
                Err(error) => log::debug!("the resumed connection is of no use", reason = error),
            }
        }
        let mut session = self.bind_service(account, Fault::Unavailable)?;
        let found = matching::search(&mut session, search)?;
        if !session.is_quiet() {
            session = self.bind_service(account, Fault::Unavailable)?;
        }
        Ok((session, found))
    }

    /// Leaves the service's connection to later logins. None that carried a user's bind comes here.
    pub(crate) fn keep(&self, session: Session<N::Stream>, account: &Account<'_>) {
        use crate::connection::Stream as _;

        if !self.settings.pool {
            session.unbind();
        } else if let Some(stream) = session.into_quiet_stream() {
            stream.keep(&state(account));
        }
    }

    /// The user binds on a connection of their own, which closes; the service's stays as it is.
    fn log_in_beside(
        &self,
        service: &mut Session<N::Stream>,
        found: Match,
        name: &str,
        password: &str,
    ) -> Result<(Entry, Vec<String>), Stop> {
        let mut user = self.network.open()?;
        let (entry, _) = self.prove(&mut user, found, password, Purpose::LogIn)?;
        user.unbind();
        let groups = group::find(service, self.settings, &entry, name)?;
        Ok((entry, groups))
    }

    /// The user binds where the service was bound, so that one connection does for all.
    fn log_in_on(
        &self,
        session: &mut Session<N::Stream>,
        account: &Account<'_>,
        found: Match,
        name: &str,
        password: &str,
    ) -> Result<(Entry, Vec<String>), Stop> {
        let (entry, _) = self.prove(session, found, password, Purpose::LogIn)?;
        if group::needs_session(self.settings) {
            Self::bind_account(session, account, Fault::Unavailable)?;
        }
        let groups = group::find(session, self.settings, &entry, name)?;
        Ok((entry, groups))
    }

    /// The user binds by the template, and reads what the directory lets them read.
    fn log_in_directly(&self, name: &str, password: &str) -> Result<(Entry, Vec<String>), Stop> {
        let dn = self.settings.user_dn.fill(name);
        let mut session = self.network.open()?;
        bind_user(&mut session, &dn, password, Purpose::LogIn)?;
        let entry = self.read(&mut session, &dn)?;
        let groups = group::find(&mut session, self.settings, &entry, name)?;
        session.unbind();
        Ok((entry, groups))
    }

    /// Has the directory check the password of whoever was found. For somebody unknown it checks one too, of an entry that cannot be, and whatever
    /// it answers is a refusal: without that, the time of an answer would tell who exists. What the directory itself spends on a password's hash
    /// is the one thing that no client can make equal.
    pub(crate) fn prove(
        &self,
        session: &mut Session<N::Stream>,
        found: Match,
        password: &str,
        purpose: Purpose,
    ) -> Result<(Entry, Proof), Stop> {
        match found {
            Ok(entry) => {
                let proof = bind_user(session, &entry.dn, password, purpose)?;
                Ok((entry, proof))
            }
            Err(refusal) => {
                let nobody = format!("cn=nobody has this name,{}", self.settings.user_base_dn);
                // The typed password may be good elsewhere; the directory need not see it.
                session.bind(&nobody, &"x".repeat(password.len()))?;
                log::debug!("nobody to bind", step = "bind user");
                Err(refusal.into())
            }
        }
    }

    /// A user's own entry, as they read it themselves.
    pub(crate) fn read(&self, session: &mut Session<N::Stream>, dn: &str) -> Result<Entry, Stop> {
        let search = Search {
            base: dn,
            scope: LdapSearchScope::Base,
            filter: Filter::Text(filter::anything()),
            attributes: &self.settings.wanted,
            limit: 1,
        };
        let hits = match session.search(&search) {
            Err(SessionError::TooLarge) => return Err(matching::unreadable().into()),
            hits => hits?,
        };
        let is_hidden = match hits.answer.code {
            Code::InsufficentAccessRights | Code::NoSuchObject => true,
            Code::Success => hits.entries.is_empty() && hits.unreadable == 0,
            _ => false,
        };
        if is_hidden {
            // Nobody but the user could have read it.
            return Err(Fault::misconfigured("a user who has bound may not read their own entry").into());
        }
        Ok(matching::only(hits, &search)??)
    }
}

/// What the connections of this account are kept under.
fn state(account: &Account<'_>) -> String {
    let dn = account.dn;
    let end = dn.floor_char_boundary(MAX_STATE);
    format!("service:{}", dn.get(..end).unwrap_or_default())
}

/// Whether a name can be anybody's. The host lets none through that is longer.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return Err(Refusal::UnknownIdentifier);
    }
    Ok(())
}

/// Binds as a user.
pub(crate) fn bind_user<S: std::io::Read + std::io::Write>(
    session: &mut Session<S>,
    dn: &str,
    password: &str,
    purpose: Purpose,
) -> Result<Proof, Stop> {
    let answer = session.bind(dn, password)?;
    let described = answer.describe();
    log::debug!("{described}", step = "bind user", dn = dn);
    verdict::of_user(&answer, purpose)
}

#[cfg(test)]
mod tests;
