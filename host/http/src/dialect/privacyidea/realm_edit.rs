//! Changes of what APIs add to realms and resolvers. What the configuration file says stays as it is.

use keyway_core::port::{BackendDesk, BackendSettingsError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Privacyidea;
use super::error::{Failure, Told};
use super::realm_config::{Entry, RealmConfig};

/// How often a change is tried again that another one came between.
const ATTEMPTS: usize = 5;

/// The longest name of a realm or a resolver.
const MAX_NAME: usize = 64;

impl Privacyidea {
    /// Changes what APIs added: `edit` sees what is configured now, and may be asked again if that changes meanwhile.
    ///
    /// # Errors
    /// Those of `edit`, and [`Failure::Desk`].
    pub(super) async fn edit_realms<T>(
        &self,
        edit: impl Fn(&RealmConfig, &mut Map<String, Value>) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, Failure> {
        let backend = &self.settings().backend;
        let mut attempts = ATTEMPTS;
        loop {
            let config = self.realm_config().await?;
            let mut added = config.added();
            let done = edit(&config, &mut added)?;
            let change = self
                .get_desk()?
                .change(backend, Value::Object(added), config.settings.revision);
            attempts -= 1;
            match change.await {
                Ok(()) => return Ok(done),
                Err(BackendSettingsError::Overtaken) if attempts > 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The configuration of backends.
    ///
    /// # Errors
    /// [`Failure::Denied`] where no server runs.
    pub(super) fn get_desk(&self) -> Result<&dyn BackendDesk, Failure> {
        let desk = self.desk();
        desk.ok_or_else(|| Failure::Denied("The configuration cannot be changed here.".to_owned()))
    }
}

/// Refuses to change what the configuration file says.
///
/// # Errors
/// [`Failure::Denied`].
pub(super) fn check_added(entry: Option<&Entry<'_>>, what: &str) -> Result<(), Failure> {
    match entry {
        Some(entry) if entry.is_fixed => Err(Failure::Denied(format!(
            "The {what} is defined in the server's configuration file and can only be changed there."
        ))),
        _ => Ok(()),
    }
}

/// A realm's name as it is kept: in lower case, with `-` for blanks.
///
/// # Errors
/// [`Failure::Parameter`] for what is none.
pub(super) fn realm_name(text: &str) -> Result<String, Failure> {
    let name = text.trim().to_lowercase().replace(' ', "-");
    check_name(&name, "realm")?;
    Ok(name)
}

/// Refuses what is no name of a realm or a resolver.
///
/// # Errors
/// [`Failure::Parameter`].
pub(super) fn check_name(name: &str, what: &str) -> Result<(), Failure> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(legal) {
        return Ok(());
    }
    Err(Failure::Parameter(format!(
        "The name of a {what} is 1 to {MAX_NAME} letters, digits, `_`, `.` or `-`"
    )))
}

/// There is no such thing.
pub(super) fn unknown(what: &str, name: &str) -> Failure {
    let name: String = name.chars().take(MAX_NAME).collect();
    Failure::NotFound(format!("There is no {what} `{name}`."))
}

/// It cannot be removed, because something depends on it.
pub(super) fn in_use(message: String) -> Failure {
    Told::new(http::StatusCode::BAD_REQUEST, 302, message).into()
}

/// A number for clients that know things by numbers: it follows from the name, so it is the same on all nodes and for ever.
pub(super) fn id_of(what: &str, name: &str) -> u32 {
    let hash: [u8; 32] = Sha256::digest(format!("{what}/{name}")).into();
    let first = hash.first_chunk().copied().unwrap_or_default();
    // No client is tempted to take it for a negative number, nor for nothing.
    (u32::from_be_bytes(first) >> 1).max(1)
}
