//! `keyway import privacyidea`.

mod logins;
mod plugin;
mod report;
mod wanted;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use keyway_core::Secret;
use keyway_core::import::privacyidea::{Delegate, EncryptionKeys, Logins, PrivacyideaImport, RealmBackend, UserNames};
use keyway_core::port::SystemRandom;
use keyway_http::PrivacyideaPolicyReader;
use keyway_runtime::BackendSpec;
use keyway_store::open_privacyidea;
use serde_json::Value;
use zeroize::Zeroizing;

use super::bar::Bar;
use crate::app::master_key;
use crate::app::services::Services;
use crate::command::admin;
use crate::command::failure::Failure;
use crate::command::input;
use crate::command::output::Output;
use crate::config::Config;
use logins::GrantedLogins;
use plugin::RealmPlugin;

/// More than this is no key file.
const LONGEST: u64 = 64 * 1024;

/// The plugin whose way of naming users is known here.
const LDAP: &str = "ldap";

/// What to bring in.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The database as `SQLALCHEMY_DATABASE_URI` of pi.cfg names it: `sqlite:FILE`, `postgres://USER@HOST/NAME` or `mysql://USER@HOST/NAME`.
    /// `-` reads it from standard input, which is where a password in it is safe
    #[arg(long, value_name = "URL")]
    url: String,
    /// The file of encryption keys, which `PI_ENCFILE` of pi.cfg names
    #[arg(long, value_name = "FILE")]
    enckey: PathBuf,
    /// The backend that realms and resolvers come into [default: `backend` of `[dialect.privacyidea]`]
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(config: &Config, output: Output, json: bool, options: &Options) -> Result<(), Failure> {
    let url = if options.url == "-" {
        input::read_secret("URL of the database")?
    } else {
        Secret::new(options.url.clone())
    };
    let spec = find_backend(config, options.backend.as_deref())?;
    let backend = realm_backend(spec, config);
    super::super::block_on(async {
        // Both are the other system's: they are opened before root becomes the owner of the data folder.
        let keys = Arc::new(read_keys(&options.enckey)?);
        let timeout = config.store.settings.acquire_timeout;
        let database = open_privacyidea(url.expose(), timeout).await;
        let database = database.map_err(|error| Failure::of(&error))?;
        let lock = admin::lock_out_server(config).await?;
        let plugin = RealmPlugin::open(&config.plugins_dir, spec).await?;
        let master = master_key::read(&config.master_key, &SystemRandom).map_err(|error| Failure::of(&error))?;
        let services = Services::open(config, &master).await;
        let services = services.map_err(|error| Failure::of(&error))?;
        let store = Arc::clone(&services.store);
        let logins: Arc<dyn Logins> = Arc::new(GrantedLogins::new(&spec.grants));
        let import = PrivacyideaImport {
            database: &*database,
            keys: &keys,
            backend: &backend,
            policies: &PrivacyideaPolicyReader,
            check: &plugin,
            logins: &logins,
            dry_run: options.dry_run,
        };
        let bar = Bar::new(!json);
        let imported = services.into_privacyidea_importer().run(import, &bar).await;
        bar.clear();
        store.close().await;
        drop(lock);
        let report = imported.map_err(|error| Failure::of(&error))?;
        let value = serde_json::to_value(&report).map_err(|error| Failure::of(&error))?;
        output.one(&value, || report::text(&report, &backend.name));
        Ok(())
    })
}

fn find_backend<'a>(config: &'a Config, named: Option<&str>) -> Result<&'a BackendSpec, Failure> {
    let name = named.unwrap_or(&config.dialect.privacyidea.backend);
    find(&config.backends, name).ok_or_else(|| {
        Failure::usage(format!(
            "`{}` has no `[[backend]]` of the name or alias `{name}`",
            config.file.display()
        ))
    })
}

/// By name or alias.
fn find<'a>(backends: &'a [BackendSpec], name: &str) -> Option<&'a BackendSpec> {
    let is_called = |spec: &&BackendSpec| {
        let mut names = std::iter::once(&spec.name).chain(&spec.aliases);
        names.any(|known| known.as_str() == name)
    };
    backends.iter().find(is_called)
}

fn realm_backend(spec: &BackendSpec, config: &Config) -> RealmBackend {
    let mut delegates: Vec<Delegate> = Vec::new();
    for name in &spec.grants.delegate {
        let other = find(&config.backends, name);
        if let Some(other) = other.filter(|other| delegates.iter().all(|known| known.name != other.name)) {
            delegates.push(Delegate {
                name: other.name.clone(),
                aliases: other.aliases.clone(),
                names: names_of(other),
            });
        }
    }
    RealmBackend {
        name: spec.name.clone(),
        fixed: spec.config.clone(),
        files: spec.grants.file.keys().cloned().collect(),
        databases: spec.grants.sql.keys().cloned().collect(),
        delegates,
    }
}

/// With `link`, the users of an LDAP directory are the host's own.
fn names_of(backend: &BackendSpec) -> UserNames {
    let text = |key| {
        let found = backend.config.get(key).and_then(Value::as_str).map(str::trim);
        found.filter(|text| !text.is_empty())
    };
    if backend.plugin == LDAP && text("link").is_none_or(|link| link == "subject") {
        UserNames::Ldap(text("uid_attribute").map(str::to_owned))
    } else {
        UserNames::Unknown
    }
}

fn read_keys(path: &Path) -> Result<EncryptionKeys, Failure> {
    let shown = path.display();
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.map_err(|error| Failure::failed(format!("cannot read the key file `{shown}`: {error}")))?;
    let keys = EncryptionKeys::read(&Secret::new(std::mem::take(&mut *bytes)));
    keys.map_err(|error| Failure::failed(format!("`{shown}` cannot be used: {error}")))
}

#[cfg(test)]
mod tests {
    use keyway_core::model::BackendName;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_ldap_backend_names_its_users_as_its_configuration_says() {
        for (plugin, config, expected) in [
            ("ldap", json!({}), UserNames::Ldap(None)),
            ("ldap", json!({"uid_attribute": " "}), UserNames::Ldap(None)),
            (
                "ldap",
                json!({"uid_attribute": "mail", "link": "subject"}),
                UserNames::Ldap(Some("mail".to_owned())),
            ),
            ("ldap", json!({"link": "email"}), UserNames::Unknown),
            ("wazo_user", json!({}), UserNames::Unknown),
        ] {
            let mut spec = BackendSpec::new(BackendName::parse("x").unwrap(), plugin);
            spec.config = config;
            assert_eq!(names_of(&spec), expected, "{spec:?}");
        }
    }
}
