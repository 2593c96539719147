//! Realms: whom a name means, and the walk over a realm's resolvers.

use keyway_sdk::{Context, Fault, Found, Key, Outcome, Principal, Refusal, Secret, log};

use crate::config::Settings;
use crate::name::Name;
use crate::person;
use crate::resolver::{Known, Resolver};

/// The attribute of a request that names a realm; it goes before the one in the name.
const REALM: &str = "realm";

/// Parts the names before the state of another backend's challenge; neither has one in it.
const END: u8 = 0;

/// A login name, and the realm in which it is looked for.
struct Place<'a> {
    realm: &'a str,
    login: &'a str,
    resolvers: Vec<&'a Resolver>,
}

impl Settings {
    /// Whom the password belongs to. The first resolver that knows the login decides, whatever it decides.
    pub(crate) fn log_in(&self, context: &Context, identifier: &str, password: &Secret) -> Result<Outcome, Fault> {
        let Some(place) = self.place(context, identifier) else {
            log::debug!("there is no such realm, or no default one");
            return Ok(Refusal::UnknownIdentifier.into());
        };
        let mut passed = Vec::new();
        for resolver in &place.resolvers {
            let known = match resolver.find(context, place.login) {
                Ok(None) => {
                    passed.push(*resolver);
                    continue;
                }
                Ok(Some(Known::Undecided)) => match resolver.verify(place.login, Known::Undecided, password) {
                    Ok(Outcome::Refused(Refusal::UnknownIdentifier)) => continue,
                    Ok(outcome) => return Ok(place.told(resolver, outcome)),
                    Err(fault) => {
                        resolver.excuse(fault)?;
                        continue;
                    }
                },
                Ok(Some(known)) => known,
                Err(fault) => {
                    resolver.excuse(fault)?;
                    continue;
                }
            };
            let outcome = resolver.verify(place.login, known, password)?;
            return Ok(place.told(resolver, outcome));
        }
        if let Some(first) = passed.iter().find(|resolver| resolver.is_compared()) {
            first.waste(place.login, password)?;
        }
        Ok(Refusal::UnknownIdentifier.into())
    }

    /// The response to a challenge that a resolver's backend gave.
    pub(crate) fn answer(&self, state: &[u8], response: &Secret) -> Result<Outcome, Fault> {
        let mut parts = state.splitn(3, |byte| *byte == END);
        let mut name = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
        let (realm, resolver) = (name().unwrap_or_default(), name().unwrap_or_default());
        let rest = parts.next().unwrap_or_default();
        // The configuration may have become another since the challenge.
        let place = self.realms.get_key_value(realm).map(|(realm, members)| Place {
            realm,
            login: "",
            resolvers: self.members(members),
        });
        let asked = place
            .as_ref()
            .and_then(|place| place.resolvers.iter().find(|known| known.name == resolver));
        match (&place, asked) {
            (Some(place), Some(asked)) => match asked.answer(rest, response) {
                Some(outcome) => Ok(place.told(asked, outcome?)),
                None => Ok(Refusal::UnknownIdentifier.into()),
            },
            _ => Ok(Refusal::UnknownIdentifier.into()),
        }
    }

    /// Who it is, without a password.
    pub(crate) fn look_up(&self, context: &Context, key: &Key) -> Result<Found, Fault> {
        match key {
            Key::Identifier(identifier) => {
                let Some(place) = self.place(context, identifier) else {
                    return Ok(Refusal::UnknownIdentifier.into());
                };
                Ok(match place.walk(context)? {
                    Some((resolver, known)) => found(place.realm, resolver, known),
                    None => Refusal::UnknownIdentifier.into(),
                })
            }
            Key::Subject(subject) => {
                let (name, userid) = subject.split_once(':').unwrap_or((subject, ""));
                let Some((resolver, realm)) = self.resolvers.get(name).zip(self.home(context, name)) else {
                    return Ok(Refusal::UnknownIdentifier.into());
                };
                Ok(match resolver.find_by_userid(userid)? {
                    Some(known) => found(realm, resolver, known),
                    None => Refusal::UnknownIdentifier.into(),
                })
            }
        }
    }

    /// Where to look for whom. `None` if there is no such realm, or none is named and there is no default one, or what is left of the name is nobody's.
    fn place<'a>(&'a self, context: &'a Context, identifier: &'a str) -> Option<Place<'a>> {
        let is_defined = |realm: &str| self.realms.contains_key(&realm.to_lowercase());
        let name = if self.split_at_sign {
            Name::split(identifier, is_defined)
        } else {
            Name::whole(identifier)
        };
        let realm = asked_realm(context).or(name.realm).map(str::to_lowercase);
        let realm = realm.as_ref().or(self.default_realm.as_ref())?;
        let (realm, members) = self.realms.get_key_value(realm)?;
        let login = Some(name.login).filter(|login| person::is_login(login))?;
        Some(Place {
            realm,
            login,
            resolvers: self.members(members),
        })
    }

    pub(crate) fn members(&self, names: &[String]) -> Vec<&Resolver> {
        names.iter().filter_map(|name| self.resolvers.get(name)).collect()
    }

    /// The realm to say for somebody who is known by the resolver alone: the one that is asked for, the default one, or the first, of those that have it.
    fn home(&self, context: &Context, resolver: &str) -> Option<&str> {
        let has = |realm: &&String| {
            let members = self.realms.get(*realm);
            members.is_some_and(|members| members.iter().any(|name| name == resolver))
        };
        let asked = asked_realm(context).map(str::to_lowercase);
        let asked = asked.and_then(|asked| self.realms.get_key_value(&asked));
        let wanted = asked.map(|(realm, _)| realm).into_iter().chain(&self.default_realm);
        wanted.chain(self.realms.keys()).find(has).map(String::as_str)
    }
}

impl<'a> Place<'a> {
    /// The first resolver that knows the login, or that says so only to a password.
    fn walk(&self, context: &Context) -> Result<Option<(&'a Resolver, Known)>, Fault> {
        for resolver in &self.resolvers {
            match resolver.find(context, self.login) {
                Ok(None) => {}
                Ok(Some(known)) => return Ok(Some((resolver, known))),
                Err(fault) => resolver.excuse(fault)?,
            }
        }
        Ok(None)
    }

    /// With the names of realm and resolver: in a principal for everybody, in a challenge's state for this plugin.
    fn told(&self, resolver: &Resolver, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Verified(principal) => in_realm(self.realm, resolver, principal).into(),
            Outcome::Challenged(mut challenge) => {
                let names = [self.realm, &resolver.name];
                let mut state: Vec<u8> = names.iter().flat_map(|name| name.bytes().chain([END])).collect();
                state.extend_from_slice(&challenge.state);
                challenge.state = state;
                challenge.into()
            }
            Outcome::Refused(refusal) => {
                log::debug!(
                    "refused",
                    realm = self.realm,
                    resolver = resolver.name,
                    reason = format!("{refusal:?}")
                );
                refusal.into()
            }
        }
    }
}

fn asked_realm(context: &Context) -> Option<&str> {
    let asked = context.attributes.get(REALM).map(String::as_str);
    asked.filter(|realm| !realm.is_empty())
}

fn found(realm: &str, resolver: &Resolver, known: Known) -> Found {
    match known {
        Known::Refused(refusal) => refusal.into(),
        Known::Undecided => Found::CannotTell,
        Known::Somebody(candidate) => match candidate.barred {
            Some(refusal) => refusal.into(),
            None => in_realm(realm, resolver, candidate.principal).into(),
        },
    }
}

fn in_realm(realm: &str, resolver: &Resolver, principal: Principal) -> Principal {
    person::known_to(principal, &resolver.name).attribute(person::REALM, realm)
}
