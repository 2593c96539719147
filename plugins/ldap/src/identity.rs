//! From somebody in the directory to a principal of the host.

use keyway_sdk::directory::{self, Found};
use keyway_sdk::{Context, Fault, Principal, Refusal, Subject, log};

use crate::config::{Link, Settings};
use crate::directory::Person;
use crate::verdict::Stop;

/// The longest value of an attribute, in bytes.
const MAX_VALUE: usize = 1024;
/// Bytes of all attributes. The host refuses a session with more than 12 KiB of groups and attributes.
const MAX_ATTRIBUTES: usize = 3 * 1024;

/// The principal that this person is.
pub(crate) fn principal(settings: &Settings, context: &Context, person: &Person) -> Result<Principal, Stop> {
    let entry = &person.entry;
    let email = bounded(&settings.email_attribute, entry.text(&settings.email_attribute));
    let principal = match settings.link {
        Link::Email => linked(settings, context, email.as_deref())?,
        Link::Subject => {
            let subject = entry.subject(settings.uid_attribute.as_deref())?;
            let typed = person.typed.as_deref().unwrap_or(&subject);
            let mut own = Principal::own(&subject).login(entry.login(&settings.login_attribute, typed));
            own.email = email;
            own.display_name = bounded(&settings.name_attribute, entry.text(&settings.name_attribute));
            own
        }
    };
    log::debug!("known", step = "identity", subject = name_of(&principal.subject));
    Ok(with_attributes(principal, settings, person))
}

/// The host's own user with this email address, or with the address for a login name, as wazo has it.
fn linked(settings: &Settings, context: &Context, email: Option<&str>) -> Result<Principal, Stop> {
    let Some(email) = email.map(str::to_lowercase) else {
        log::debug!("the entry has no email address", step = "identity");
        return Err(Refusal::UnknownIdentifier.into());
    };
    let tenant = settings.tenant.as_deref().or(context.tenant.as_deref());
    let found = match directory::find_by_email(&email, tenant).map_err(Fault::from)? {
        Found::Nobody => directory::find_by_login(&email, tenant).map_err(Fault::from)?,
        found => found,
    };
    match found {
        Found::One(user) if user.enabled => {
            let mut principal = Principal::directory(&user);
            // What the operator grants to a group of the directory must not go to one of the same name that somebody made in the host.
            principal.groups.clear();
            Ok(principal)
        }
        Found::One(_) => Err(Refusal::Disabled.into()),
        Found::Nobody => {
            log::debug!("no user of the host has the email address", step = "identity");
            Err(Refusal::UnknownIdentifier.into())
        }
        Found::Several => Err(Refusal::Ambiguous.into()),
    }
}

/// A value that the host takes. One that is too long must not be why its owner cannot log in.
fn bounded(attribute: &str, value: Option<&str>) -> Option<String> {
    let is_short = |value: &&str| {
        let is_short = value.len() <= MAX_VALUE;
        if !is_short {
            log::warn!("an attribute is too long and was left out", attribute = attribute);
        }
        is_short
    };
    value.filter(is_short).map(str::to_owned)
}

fn name_of(subject: &Subject) -> &str {
    match subject {
        Subject::Directory(name) | Subject::Own(name) | Subject::Delegated { subject: name, .. } => name,
    }
}

/// Adds the groups, and the attributes that the operator wants, as far as they fit.
fn with_attributes(mut principal: Principal, settings: &Settings, person: &Person) -> Principal {
    let mut room = MAX_ATTRIBUTES;
    for name in &settings.attributes {
        let Some(value) = person.entry.text(name) else { continue };
        match room.checked_sub(name.len() + value.len()) {
            Some(left) if value.len() <= MAX_VALUE => {
                room = left;
                principal = principal.attribute(name, value);
            }
            _ => log::warn!("an attribute is too long and was left out", attribute = name),
        }
    }
    principal.groups(&person.groups)
}
