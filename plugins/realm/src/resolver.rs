//! One source of users: who it knows, whether a password is theirs, who there is.

use keyway_sdk::{Context, Fault, Listing, Outcome, Principal, Query, Refusal, Secret, SecretError, log};

use self::passwd::{LOGIN, UID};
use crate::config::{Backend, Directory, OnError, Passwd, Sql};
use crate::person::{self, Person};

mod backend;
mod directory;
pub(crate) mod http;
mod passwd;
pub(crate) mod sql;

/// A resolver of the configuration.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(crate) name: String,
    pub(crate) on_error: OnError,
    pub(crate) kind: Kind,
}

/// What kind of source it is.
#[derive(Debug)]
pub(crate) enum Kind {
    Passwd(Passwd),
    Sql(Sql),
    Http(Box<http::Http>),
    Backend(Backend),
    Directory(Directory),
}

/// What a resolver knows of a login without its password.
pub(crate) enum Known {
    /// It will not have it: two fit, or another backend refuses.
    Refused(Refusal),
    Somebody(Box<Candidate>),
    /// It says so only to a password.
    Undecided,
}

/// Somebody whose password has not been looked at.
pub(crate) struct Candidate {
    pub(crate) principal: Principal,
    /// Why they are not let in, whatever their password is.
    pub(crate) barred: Option<Refusal>,
    /// What the password is compared with, where the resolver has it.
    verifier: Option<String>,
}

impl Candidate {
    fn new(principal: Principal) -> Self {
        Self {
            principal,
            barred: None,
            verifier: None,
        }
    }
}

impl Known {
    /// Somebody who may be let in, or one whom the host would not take. That is no fault, for anybody may type their login.
    fn person(resolver: &str, person: Person) -> Result<Candidate, Self> {
        person.principal(resolver).map(Candidate::new).ok_or_else(|| {
            unfit(resolver);
            Self::Refused(Refusal::Ambiguous)
        })
    }
}

fn unfit(resolver: &str) {
    log::warn!(
        "a user has no login or no user id that the host takes",
        resolver = resolver
    );
}

impl From<Candidate> for Known {
    fn from(candidate: Candidate) -> Self {
        Self::Somebody(Box::new(candidate))
    }
}

impl Resolver {
    /// What it knows of this login; `None` where nobody has it.
    pub(crate) fn find(&self, context: &Context, login: &str) -> Result<Option<Known>, Fault> {
        let known = match &self.kind {
            Kind::Passwd(passwd) => passwd.find(&self.name, LOGIN, login),
            Kind::Sql(sql) => sql.find(&self.name, login),
            Kind::Http(http) => http.find(&self.name, login),
            Kind::Backend(backend) => backend.find(login),
            Kind::Directory(directory) => directory.find(context, login),
        };
        self.named(known)
    }

    /// Whom it knows by its own name for them; undecided where it is not configured to say.
    pub(crate) fn find_by_userid(&self, userid: &str) -> Result<Option<Known>, Fault> {
        if !person::is_userid(userid) {
            return Ok(None);
        }
        let known = match &self.kind {
            Kind::Passwd(passwd) => passwd.find(&self.name, UID, userid),
            Kind::Sql(sql) => sql.find_by_userid(&self.name, userid),
            Kind::Http(http) => http.find_by_userid(&self.name, userid),
            // Their users' subjects are not this plugin's.
            Kind::Backend(_) | Kind::Directory(_) => Ok(None),
        };
        let is_that = |known: &Known| match known {
            // A database that does not look at case may find another.
            Known::Somebody(candidate) => person::userid(&candidate.principal, &self.name) == userid,
            Known::Refused(_) | Known::Undecided => true,
        };
        Ok(self.named(known)?.filter(is_that))
    }

    /// Whether the password is that of whom [`Resolver::find`] knew. Whoever it is, it costs one comparison.
    pub(crate) fn verify(&self, login: &str, known: Known, password: &Secret) -> Result<Outcome, Fault> {
        let outcome = match (&self.kind, known) {
            (Kind::Backend(backend), _) => backend.verify(login, password),
            (Kind::Http(http), Known::Undecided) => http.verify(&self.name, login, None, password),
            (_, Known::Undecided) => Ok(Refusal::UnknownIdentifier.into()),
            (_, Known::Refused(refusal)) => self.waste(login, password).map(|()| refusal.into()),
            (_, Known::Somebody(candidate)) => match candidate.barred {
                Some(refusal) => self.waste(login, password).map(|()| refusal.into()),
                None => self.judge(login, candidate, password),
            },
        };
        self.named(outcome)
    }

    fn judge(&self, login: &str, candidate: Box<Candidate>, password: &Secret) -> Result<Outcome, Fault> {
        let is_right = match &self.kind {
            Kind::Http(http) => return http.verify(&self.name, login, Some(candidate), password),
            Kind::Directory(_) => directory::is_password_of(&candidate, password)?,
            Kind::Passwd(_) | Kind::Sql(_) | Kind::Backend(_) => {
                if let Some(verifier) = candidate.verifier.as_deref() {
                    self.matches(password, verifier)?
                } else {
                    self.waste(login, password)?;
                    false
                }
            }
        };
        Ok(if is_right {
            candidate.principal.into()
        } else {
            Refusal::WrongCredential.into()
        })
    }

    /// Whether the passwords of its users are compared by the host, so that a comparison for nothing hides who is one.
    pub(crate) fn is_compared(&self) -> bool {
        match &self.kind {
            Kind::Passwd(_) | Kind::Sql(_) | Kind::Backend(_) | Kind::Directory(_) => true,
            Kind::Http(_) => false,
        }
    }

    /// Does what a wrong password would cost, so that nobody can tell by the time of an answer who exists.
    pub(crate) fn waste(&self, login: &str, password: &Secret) -> Result<(), Fault> {
        let stranger = match &self.kind {
            Kind::Passwd(passwd) => passwd.stranger(),
            Kind::Sql(sql) => sql.stranger(),
            Kind::Directory(_) => return directory::waste(password),
            Kind::Backend(backend) => return backend.verify(login, password).map(drop),
            // What it knows, it says.
            Kind::Http(_) => return Ok(()),
        };
        match stranger {
            Some(verifier) => compare(password, &verifier)?.unwrap_or(false),
            None => password.matches(None)?,
        };
        Ok(())
    }

    /// A verifier that the host cannot use fits no password: one user's is no reason to let nobody in.
    fn matches(&self, password: &Secret, verifier: &str) -> Result<bool, Fault> {
        let compared = compare(password, verifier)?;
        if let Err(reason) = &compared {
            log::warn!("a stored hash is of no use", resolver = self.name, reason = reason);
        }
        Ok(compared.unwrap_or(false))
    }

    /// Those of its users whom the query fits.
    pub(crate) fn list(&self, context: &Context, query: &Query) -> Result<Listing, Fault> {
        let fits = |principal: &Principal| query.fits(principal);
        let listing = match &self.kind {
            Kind::Passwd(passwd) => passwd.list(&self.name, query, fits),
            Kind::Sql(sql) => sql.list(&self.name, query, fits),
            Kind::Directory(directory) => directory.list(&self.name, context, query, fits),
            Kind::Backend(backend) => backend.list(&self.name, query, fits),
            // There is no question for that.
            Kind::Http(_) => Ok(Listing::default()),
        };
        self.named(listing)
    }

    /// Whether what it depends on is in order.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let checked = match &self.kind {
            Kind::Passwd(passwd) => passwd.check(),
            Kind::Sql(sql) => sql.check(),
            Kind::Http(http) => http.check(),
            Kind::Backend(backend) => backend.check(),
            Kind::Directory(directory) => directory.check(),
        };
        self.named(checked)
    }

    /// Lets another backend's challenge be answered; `None` if this is no resolver that asks one.
    pub(crate) fn answer(&self, state: &[u8], response: &Secret) -> Option<Result<Outcome, Fault>> {
        match &self.kind {
            Kind::Backend(backend) => Some(self.named(backend.answer(state, response))),
            Kind::Passwd(_) | Kind::Sql(_) | Kind::Http(_) | Kind::Directory(_) => None,
        }
    }

    /// Goes on without this resolver, if the operator wants it.
    pub(crate) fn excuse(&self, fault: Fault) -> Result<(), Fault> {
        log::warn!("a resolver does not work", resolver = self.name, reason = fault);
        match self.on_error {
            OnError::Skip => Ok(()),
            OnError::Fail => Err(fault),
        }
    }

    /// The resolver's name before what went wrong with it.
    fn named<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| {
            let message = format!("resolver `{}`: {fault}", self.name);
            match fault {
                Fault::Misconfigured(_) => Fault::Misconfigured(message),
                Fault::Unavailable(_) => Fault::Unavailable(message),
                _ => Fault::Internal(message),
            }
        })
    }
}

/// Whether the password matches; the inner error is that of a verifier that the host cannot use, which costs what another does.
fn compare(password: &Secret, verifier: &str) -> Result<Result<bool, SecretError>, Fault> {
    match password.matches(Some(verifier)) {
        Err(error @ (SecretError::UnsupportedVerifier(_) | SecretError::VerifierTooCostly)) => {
            password.matches(None)?;
            Ok(Err(error))
        }
        matches => Ok(Ok(matches?)),
    }
}

/// The first `most` of those who fit, each with what is known of where they come from.
fn listing(
    name: &str,
    principals: impl IntoIterator<Item = Principal>,
    query: &Query,
    fits: impl Fn(&Principal) -> bool,
) -> Listing {
    let told = principals
        .into_iter()
        .map(|principal| person::known_to(principal, name));
    Listing::of(told.filter(|principal| fits(principal)), query.most)
}
