//! Bringing in a database of privacyIDEA's: realms and resolvers, HOTP and TOTP tokens, policies. What is here already is left as it is, so a second run
//! adds what the first could not, and otherwise nothing.

mod cipher;
mod date;
mod factor;
mod owner;
mod pin;
mod policy;
mod realm;
mod report;
mod resolver;
mod sql;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{ImportKind, ImportProgress};
use crate::factor::{FactorError, FactorService};
use crate::model::{BackendName, TenantId, TenantTree};
use crate::password::{PasswordError, PasswordPool};
use crate::port::{Clock, PrivacyideaDatabase, PrivacyideaResolver, PrivacyideaValue, Random, Store, StoreError};

pub use cipher::{EncryptionKeys, EncryptionKeysError};
pub use report::{ImportNote, PrivacyideaReport, Wanted, WantedLdap};

/// How many tokens are read at once.
const PAGE: u32 = 1000;

/// The backend that realms and resolvers are brought into, as the configuration file has it.
#[derive(Debug, Clone)]
pub struct RealmBackend {
    /// Its name.
    pub name: BackendName,
    /// Its configuration: a JSON object.
    pub fixed: Value,
    /// The files that it is granted.
    pub files: BTreeSet<String>,
    /// The databases.
    pub databases: BTreeSet<String>,
    /// Backends that its resolvers may lead to.
    pub delegates: Vec<Delegate>,
}

/// Another backend that users come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// Its name.
    pub name: BackendName,
    /// Other names by which a resolver may lead to it.
    pub aliases: Vec<BackendName>,
    /// How it names its users for ever, where that is known.
    pub names: UserNames,
}

/// How a backend names its users for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserNames {
    /// By an attribute in LDAP. Without one: `entryUUID`, else `objectGUID`, else the entry's name.
    Ldap(Option<String>),
    /// In a way that cannot be known from here.
    Unknown,
}

/// Reads policies as the dialect does that follows them.
pub trait PolicyReader: Send + Sync {
    /// The document of a policy of this name with these fields.
    ///
    /// # Errors
    /// Why it cannot be followed here.
    fn read(&self, name: &str, fields: &Map<String, Value>) -> Result<Value, String>;
}

/// Asks the plugin of the realm backend.
#[async_trait]
pub trait ConfigCheck: Send + Sync {
    /// Whether it accepts this configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    async fn check(&self, config: &Value) -> Result<(), String>;
}

/// Knows the login names of resolvers' users.
#[async_trait]
pub trait Logins: Send + Sync {
    /// The login name of whom a resolver knows by this id. The resolver is as the backend's configuration has it.
    async fn find_login(&self, resolver: &Value, userid: &str) -> Option<String>;
}

/// What is brought in, and how.
#[derive(Clone, Copy)]
pub struct PrivacyideaImport<'a> {
    /// From where.
    pub database: &'a dyn PrivacyideaDatabase,
    /// What opens it.
    pub keys: &'a Arc<EncryptionKeys>,
    /// Into what.
    pub backend: &'a RealmBackend,
    /// What policies mean here.
    pub policies: &'a dyn PolicyReader,
    /// What the backend's plugin says of its new configuration.
    pub check: &'a dyn ConfigCheck,
    /// Who people are.
    pub logins: &'a Arc<dyn Logins>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Why an import ended before its end. What was done until then stays done.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyideaImportError {
    /// The other system's database cannot be read.
    #[error("the database to be brought in cannot be read; see that it is up, and run the import again")]
    Foreign(#[source] StoreError),
    /// The store of this system refused or did not answer.
    #[error("the store did not take what was brought in; run the import again to go on with it")]
    Store(#[from] StoreError),
    /// A factor could not be kept.
    #[error("the factor `{serial}` could not be kept; run the import again to go on with it")]
    Factor {
        /// Its serial.
        serial: String,
        /// Why.
        #[source]
        source: FactorError,
    },
    /// A PIN could not be hashed.
    #[error("the PINs could not be hashed; run the import again to go on with it")]
    Password(#[from] PasswordError),
    /// The key file is another database's.
    #[error(
        "the key file does not open what the database holds; nothing was changed: \
         take the file that `PI_ENCFILE` named where this database was used"
    )]
    WrongKey,
    /// The backend does not accept what would be added to its configuration. Nothing was written.
    #[error(
        "the backend `{backend}` does not accept what would be added to its configuration; nothing was changed: \
         write what it refuses into the configuration file in another way, and run the import again ({reason})"
    )]
    Refused {
        /// The backend.
        backend: BackendName,
        /// What is wrong.
        reason: String,
    },
    /// Nothing here has written what was added to the backend's configuration.
    #[error("what was added to the configuration of the backend `{0}` cannot be read")]
    Unreadable(BackendName),
    /// There is nothing that all tenants are below.
    #[error("the store has no top tenant, or more than one")]
    NoTop,
}

/// Brings databases of privacyIDEA's in.
pub struct PrivacyideaImporter {
    store: Arc<dyn Store>,
    factors: Arc<FactorService>,
    passwords: Arc<PasswordPool>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// One import under way.
struct Run<'a> {
    importer: &'a PrivacyideaImporter,
    import: PrivacyideaImport<'a>,
    progress: &'a dyn ImportProgress,
    report: PrivacyideaReport,
}

impl PrivacyideaImporter {
    /// Into this store.
    pub fn new(
        store: Arc<dyn Store>,
        factors: Arc<FactorService>,
        passwords: Arc<PasswordPool>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            factors,
            passwords,
            clock,
            random,
        }
    }

    /// Brings a database in. No server should be using the store meanwhile: it would not hear of all that changes.
    ///
    /// # Errors
    /// [`PrivacyideaImportError`].
    pub async fn run(
        &self,
        import: PrivacyideaImport<'_>,
        progress: &dyn ImportProgress,
    ) -> Result<PrivacyideaReport, PrivacyideaImportError> {
        let mut run = Run {
            importer: self,
            import,
            progress,
            report: PrivacyideaReport::new(import.dry_run),
        };
        let tenant = run.top_tenant().await?;
        let counts = import.database.counts().await.map_err(foreign)?;
        let resolvers = import.database.resolvers().await.map_err(foreign)?;
        run.check_key(&resolvers).await?;
        let config = run.realms(&resolvers, counts).await?;
        run.policies(counts.policies).await?;
        run.tokens(&resolvers, &config, tenant, counts.tokens).await?;
        Ok(run.report)
    }
}

impl Run<'_> {
    /// Everybody of a backend's own belongs to it.
    async fn top_tenant(&self) -> Result<TenantId, PrivacyideaImportError> {
        let tenants = self.importer.store.list_tenants().await?;
        TenantTree::new(&tenants).master().ok_or(PrivacyideaImportError::NoTop)
    }

    /// Refuses a key that opens nothing, before anything is written. A value here or there may be broken.
    async fn check_key(&self, resolvers: &[PrivacyideaResolver]) -> Result<(), PrivacyideaImportError> {
        let keys = self.import.keys;
        // A seed tells more than a password: it is kept in hexadecimal.
        let mut opened = Vec::new();
        let mut after = 0;
        while opened.is_empty() {
            let page = self.import.database.tokens(after, PAGE).await.map_err(foreign)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.id;
            let seeds = page
                .iter()
                .filter(|token| token.has_seed() && factor::kind(token).is_some());
            opened = seeds
                .map(|token| keys.seed(&token.seed, &token.seed_iv).is_some())
                .collect();
        }
        if opened.is_empty() {
            let values = resolvers.iter().flat_map(|resolver| &resolver.settings);
            let passwords = values.filter_map(|(_, value)| match value {
                PrivacyideaValue::Encrypted(password) => Some(keys.opens_password(password)),
                PrivacyideaValue::Text(_) => None,
            });
            opened = passwords.collect();
        }
        if opened.is_empty() || opened.contains(&true) {
            Ok(())
        } else {
            Err(PrivacyideaImportError::WrongKey)
        }
    }

    fn begin(&self, kind: ImportKind, rows: u64) {
        self.progress.begin(kind, rows);
    }
}

fn foreign(source: StoreError) -> PrivacyideaImportError {
    PrivacyideaImportError::Foreign(source)
}
