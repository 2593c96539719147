//! `[backend.grants]`: what a plugin may do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keyway_core::port::{NamedDatabaseSpec, NamedDatabases as _};
use keyway_runtime::{FileSpec, Grants, TlsSpec};
use keyway_store::SqlDatabases;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::endpoint::{self, RawEndpoint};
use super::error::ConfigError;
use super::http::positive_time;
use super::password::within;
use super::quantity::{Size, Span};
use super::secret::{self, RawSecretFile};
use super::source::Source;

/// All of them as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGrants {
    log: Option<bool>,
    directory: Option<Vec<DirectoryGrant>>,
    credential: Option<Vec<CredentialGrant>>,
    net: BTreeMap<Spanned<String>, RawEndpoint>,
    file: BTreeMap<Spanned<String>, RawFile>,
    sql: BTreeMap<Spanned<String>, RawDatabase>,
    pub(super) delegate: Vec<Spanned<String>>,
    // Other hosts' perhaps, and refused with a reason of their own.
    kv: Option<Spanned<IgnoredAny>>,
    otp: Option<Spanned<IgnoredAny>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DirectoryGrant {
    Find,
    Verify,
    List,
    Link,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CredentialGrant {
    Expose,
}

/// `grants.file.<name>` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: Spanned<String>,
    max_size: Option<Spanned<Size>>,
}

/// `grants.sql.<name>` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    url: Spanned<String>,
    password: Option<RawSecretFile>,
    ca: Option<Spanned<String>>,
    timeout: Option<Spanned<Span>>,
    connections: Option<Spanned<u32>>,
    max_rows: Option<Spanned<u32>>,
    max_bytes: Option<Spanned<Size>>,
}

impl RawGrants {
    /// `owners` are the names and aliases of all backends, with the names of those that they lead to.
    pub(super) fn check(&self, owners: &HashMap<String, String>, source: &Source) -> Result<Grants, ConfigError> {
        if let Some(raw) = [&self.kv, &self.otp].into_iter().flatten().next() {
            return Err(source.refuse(
                raw.span(),
                "not supported by this version, which grants `log`, `directory`, `credential`, `net`, `file`, `sql` and `delegate`",
            ));
        }
        let usual = Grants::default();
        let directory = |wanted, usual| {
            self.directory
                .as_ref()
                .map_or(usual, |granted| granted.contains(&wanted))
        };
        let credential = self.credential.as_deref().unwrap_or_default();
        Ok(Grants {
            log: self.log.unwrap_or(usual.log),
            directory_find: directory(DirectoryGrant::Find, usual.directory_find),
            directory_verify: directory(DirectoryGrant::Verify, usual.directory_verify),
            directory_list: directory(DirectoryGrant::List, usual.directory_list),
            directory_link: directory(DirectoryGrant::Link, usual.directory_link),
            credential_expose: credential.contains(&CredentialGrant::Expose),
            net: endpoint::check_all(&self.net, source)?,
            file: check_named(&self.file, "a file's", source, RawFile::check)?,
            sql: check_named(&self.sql, "a database's", source, RawDatabase::check)?,
            delegate: self.check_delegate(owners, source)?,
        })
    }

    /// Each backend by the name that was written, and by its own, which its answers go by.
    fn check_delegate(
        &self,
        owners: &HashMap<String, String>,
        source: &Source,
    ) -> Result<BTreeSet<String>, ConfigError> {
        let mut names = BTreeSet::new();
        for raw in &self.delegate {
            let name = raw.get_ref();
            let owner = owners
                .get(name)
                .ok_or_else(|| source.refuse(raw.span(), format!("no backend has the name `{name}`")))?;
            names.extend([name.clone(), owner.clone()]);
        }
        Ok(names)
    }
}

fn check_named<R, T>(
    raw: &BTreeMap<Spanned<String>, R>,
    whose: &str,
    source: &Source,
    check: impl Fn(&R, &Source) -> Result<T, ConfigError>,
) -> Result<BTreeMap<String, T>, ConfigError> {
    let one = |(name, raw): (&Spanned<String>, &R)| {
        endpoint::check_name(name, whose, source)?;
        Ok((name.get_ref().clone(), check(raw, source)?))
    };
    raw.iter().map(one).collect()
}

impl RawFile {
    fn check(&self, source: &Source) -> Result<FileSpec, ConfigError> {
        if self.path.get_ref().is_empty() {
            return Err(source.refuse(self.path.span(), "names no file"));
        }
        let usual = FileSpec::new(source.path(self.path.get_ref()));
        let max_size = size(self.max_size.as_ref(), FileSpec::MAX_SIZE, usual.max_size, source)?;
        Ok(FileSpec { max_size, ..usual })
    }
}

impl RawDatabase {
    fn check(&self, source: &Source) -> Result<NamedDatabaseSpec, ConfigError> {
        let usual = NamedDatabaseSpec::new(&self.place(source));
        let count = |raw: &Option<Spanned<u32>>, most, usual| {
            Ok::<u32, ConfigError>(within(raw.as_ref(), 1..=most, source)?.unwrap_or(usual))
        };
        let spec = NamedDatabaseSpec {
            password: self.password.as_ref().map(|raw| raw.check(source)).transpose()?,
            ca: self.ca.as_ref().map(|raw| authorities(raw, source)).transpose()?,
            timeout: positive_time(self.timeout.as_ref(), usual.timeout, source)?,
            connections: count(&self.connections, 100, usual.connections)?,
            max_rows: count(&self.max_rows, 1_000_000, usual.max_rows)?,
            max_bytes: size(self.max_bytes.as_ref(), 256 << 20, usual.max_bytes, source)?,
            ..usual
        };
        // Nothing is connected to yet.
        match SqlDatabases.open(&spec) {
            Ok(_) => Ok(spec),
            Err(reason) => Err(source.refuse(self.url.span(), reason)),
        }
    }

    /// A file is relative to the configuration, as everything else.
    fn place(&self, source: &Source) -> String {
        let url = self.url.get_ref();
        match url.strip_prefix("sqlite:") {
            Some(file) if !file.is_empty() && !file.starts_with(':') => {
                let file = source.path(file.strip_prefix("//").unwrap_or(file));
                format!("sqlite:{}", file.display())
            }
            _ => url.clone(),
        }
    }
}

fn authorities(raw: &Spanned<String>, source: &Source) -> Result<keyway_core::Secret<Vec<u8>>, ConfigError> {
    let read = secret::read(&source.file(raw.get_ref())).map_err(|problem| source.refuse(raw.span(), problem))?;
    match TlsSpec::new(Some(read.expose()), None, None) {
        Ok(_) => Ok(read),
        Err(error) => Err(source.refuse(raw.span(), error.to_string())),
    }
}

fn size(raw: Option<&Spanned<Size>>, most: u64, usual: u64, source: &Source) -> Result<u64, ConfigError> {
    match raw {
        Some(raw) if raw.get_ref().0 == 0 => Err(source.refuse(raw.span(), "must not be zero")),
        Some(raw) if raw.get_ref().0 > most => {
            Err(source.refuse(raw.span(), format!("must be at most `{}MiB`", most >> 20)))
        }
        Some(raw) => Ok(raw.get_ref().0),
        None => Ok(usual),
    }
}

/// One backend with those that it may ask.
pub(super) struct Asks<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The others, as typed.
    pub(super) asked: &'a [Spanned<String>],
}

/// Refuses backends that ask each other, or themselves, in a circle. All that they ask exist.
pub(super) fn refuse_cycles(
    all: &[Asks<'_>],
    owners: &HashMap<String, String>,
    source: &Source,
) -> Result<(), ConfigError> {
    let mut done = BTreeSet::new();
    for asks in all {
        let mut way = vec![asks.name];
        if let Some((raw, circle)) = circle(asks, all, owners, &mut way, &mut done) {
            let circle = circle.join("` -> `");
            return Err(source.refuse(raw.span(), format!("backends ask each other in a circle: `{circle}`")));
        }
    }
    Ok(())
}

/// The circle that goes through the end of the way, and the entry that closes it.
fn circle<'a>(
    asks: &Asks<'a>,
    all: &[Asks<'a>],
    owners: &'a HashMap<String, String>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<(&'a Spanned<String>, Vec<&'a str>)> {
    if done.contains(asks.name) {
        return None;
    }
    for raw in asks.asked {
        let Some(owner) = owners.get(raw.get_ref()) else {
            continue;
        };
        if let Some(at) = way.iter().position(|name| name == owner) {
            let mut circle: Vec<&str> = way.iter().skip(at).copied().collect();
            circle.push(owner);
            return Some((raw, circle));
        }
        let Some(next) = all.iter().find(|other| other.name == owner) else {
            continue;
        };
        way.push(next.name);
        if let Some(found) = circle(next, all, owners, way, done) {
            return Some(found);
        }
        way.pop();
    }
    done.insert(asks.name);
    None
}
