//! The real host: the component's imports.

use super::authenticator::keyway::backend::{
    config, directory, directory_digest, directory_list, log, net, secrets, types,
};
use crate::directory::{DirectoryError, Found, User};
use crate::log::Level;
use crate::net::{NetError, Protection, TlsError};
use crate::{DigestAlgorithm, SecretError};

pub(crate) use super::database::query_database;
pub(crate) use super::delegate::{delegate_answer, delegate_find, delegate_list, delegate_verify};
pub(crate) use super::file::{find_lines, list_lines};

/// A handle to a secret in the host.
pub(crate) struct Handle(pub(super) secrets::Secret);

impl Handle {
    pub(crate) fn matches(&self, verifier: Option<&str>) -> Result<bool, SecretError> {
        Ok(self.0.matches(verifier)?)
    }

    pub(crate) fn expose(&self) -> Result<Vec<u8>, SecretError> {
        Ok(self.0.expose()?)
    }
}

pub(crate) fn emit(level: Level, message: &str, fields: &[(String, String)]) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::emit(level, message, fields);
}

pub(crate) fn config_json() -> String {
    config::json()
}

pub(crate) fn get_secret(name: &str) -> Option<Handle> {
    config::get_secret(name).map(Handle)
}

pub(crate) fn find_by_login(login: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    found(directory::find_by_login(login, tenant))
}

pub(crate) fn find_by_email(email: &str, tenant: Option<&str>) -> Result<Found, DirectoryError> {
    found(directory::find_by_email(email, tenant))
}

pub(crate) fn verify_password(user_id: Option<&str>, password: &Handle) -> Result<bool, DirectoryError> {
    match directory::verify_password(user_id, &password.0) {
        Ok(matches) => Ok(matches),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn find_by_digest(
    algorithm: DigestAlgorithm,
    digest: &Handle,
    tenant: Option<&str>,
) -> Result<Option<User>, DirectoryError> {
    let algorithm = match algorithm {
        DigestAlgorithm::Md5 => types::DigestAlgorithm::Md5,
        DigestAlgorithm::Sha1 => types::DigestAlgorithm::Sha1,
    };
    let user = directory_digest::find_by_digest(&digest.0, algorithm, tenant)?;
    Ok(user.map(Into::into))
}

pub(crate) fn list_directory_users(
    pattern: &str,
    tenant: Option<&str>,
    most: u32,
) -> Result<Vec<User>, DirectoryError> {
    let users = directory_list::list_users(pattern, tenant, most)?;
    Ok(users.into_iter().map(Into::into).collect())
}

fn found(answer: Result<Option<directory::User>, directory::DirectoryError>) -> Result<Found, DirectoryError> {
    match answer {
        Ok(Some(user)) => Ok(Found::One(user.into())),
        Ok(None) => Ok(Found::Nobody),
        Err(directory::DirectoryError::Ambiguous) => Ok(Found::Several),
        Err(error) => Err(error.into()),
    }
}

/// Of an answer that is not about one user.
impl From<directory::DirectoryError> for DirectoryError {
    fn from(error: directory::DirectoryError) -> Self {
        match error {
            directory::DirectoryError::NotGranted(capability) => Self::NotGranted(capability),
            // A comparison and a digest fit one user at most, and a list may fit many: the host has no reason to say `ambiguous`.
            directory::DirectoryError::Ambiguous | directory::DirectoryError::Unavailable => Self::Unavailable,
            directory::DirectoryError::LimitReached => Self::LimitReached,
        }
    }
}

impl From<directory::User> for User {
    fn from(user: directory::User) -> Self {
        Self {
            id: user.id,
            login: user.login,
            email: user.email,
            display_name: user.display_name,
            tenant: user.tenant,
            enabled: user.enabled,
            groups: user.groups,
        }
    }
}

impl From<secrets::SecretError> for SecretError {
    fn from(error: secrets::SecretError) -> Self {
        match error {
            secrets::SecretError::NotGranted(capability) => Self::NotGranted(capability),
            secrets::SecretError::UnsupportedVerifier(format) => Self::UnsupportedVerifier(format),
            secrets::SecretError::VerifierTooCostly => Self::VerifierTooCostly,
            secrets::SecretError::Busy => Self::Busy,
            secrets::SecretError::LimitReached => Self::LimitReached,
        }
    }
}

/// A connection in the host.
pub(crate) struct Socket(net::Connection);

impl Socket {
    pub(crate) fn read(&mut self, most: u32) -> Result<Vec<u8>, NetError> {
        Ok(self.0.read(most)?)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        Ok(self.0.write(bytes)?)
    }

    pub(crate) fn start_tls(&mut self) -> Result<(), NetError> {
        Ok(self.0.start_tls()?)
    }

    pub(crate) fn keep(self, state: &str) {
        net::Connection::keep(self.0, state);
    }
}

pub(crate) fn protection_of(endpoint: &str) -> Result<Protection, NetError> {
    Ok(match net::protection_of(endpoint)? {
        net::Protection::None => Protection::None,
        net::Protection::StartTls => Protection::StartTls,
        net::Protection::Tls => Protection::Tls,
    })
}

pub(crate) fn connect(endpoint: &str) -> Result<Socket, NetError> {
    Ok(Socket(net::connect(endpoint)?))
}

pub(crate) fn resume(endpoint: &str, state: &str) -> Result<Option<Socket>, NetError> {
    Ok(net::resume(endpoint, state)?.map(Socket))
}

impl From<net::NetError> for NetError {
    fn from(error: net::NetError) -> Self {
        match error {
            net::NetError::NotGranted(grant) => Self::NotGranted(grant),
            net::NetError::RefusedByPolicy => Self::RefusedByPolicy,
            net::NetError::Unresolved => Self::Unresolved,
            net::NetError::Unreachable => Self::Unreachable,
            net::NetError::TimedOut => Self::TimedOut,
            net::NetError::Closed => Self::Closed,
            net::NetError::LimitReached => Self::LimitReached,
            net::NetError::Tls(error) => Self::Tls(match error {
                net::TlsError::WrongName => TlsError::WrongName,
                net::TlsError::Expired => TlsError::Expired,
                net::TlsError::UnknownIssuer => TlsError::UnknownIssuer,
                net::TlsError::ClientCertificate => TlsError::ClientCertificate,
                net::TlsError::Handshake => TlsError::Handshake,
            }),
        }
    }
}
