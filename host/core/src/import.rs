//! Bringing in another system's directory: what is missing here is added under its own id, and what is there is left as it is. So a second run
//! adds nothing, and one that was interrupted is gone on with by another.

mod group;
mod ldap;
mod mark;
mod policy;
pub mod privacyidea;
mod refresh;
mod report;
mod tenant;
#[cfg(test)]
mod tests;
mod user;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use uuid::Uuid;

use crate::key::KeyRing;
use crate::model::{AuthenticationMethod, GroupId, PolicyId, TenantId, Timestamp};
use crate::port::{Clock, ForeignDirectory, Random, Store, StoreError};
use crate::setting::{SettingError, SettingService};

use group::GroupNames;
use report::Outcome;
pub use report::{ImportKind, ImportReport, ImportTally, RenamedTenant, Skipped};

/// How many rows are read at once, and how many are written at once.
const PAGE: u32 = 1000;
const AT_ONCE: usize = 64;

/// How an import is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportSettings {
    /// Only say what would be done.
    pub dry_run: bool,
    /// How long refresh tokens stay good from now on; `None` for ever.
    pub refresh_ttl: Option<Duration>,
}

/// Who wants to see how far an import is.
pub trait ImportProgress: Send + Sync {
    /// So many rows of this kind are to come.
    fn begin(&self, kind: ImportKind, rows: u64);

    /// So many rows of it are done.
    fn advance(&self, rows: u64);
}

/// Why an import ended before its end. What was done until then stays done.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The other system's directory cannot be read.
    #[error("the directory to be brought in cannot be read; see that its database is up, and run the import again")]
    Foreign(#[source] StoreError),
    /// The store of this system refused or did not answer.
    #[error("the store did not take what was brought in; run the import again to go on with it")]
    Store(#[source] StoreError),
    /// A setting of a tenant could not be written.
    #[error("the store did not take what was brought in; run the import again to go on with it")]
    Setting(#[from] SettingError),
    /// There is nothing that all tenants are below.
    #[error("the directory to be brought in has no top tenant, or more than one")]
    NoTop,
    /// The top tenants cannot be made one.
    #[error(
        "the top tenant cannot take the id `{id}` that it has in the directory to be brought in; \
         bring it into a new store, or remove the LDAP settings of the top tenant"
    )]
    Top {
        /// The id.
        id: Uuid,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// Brings directories in.
pub struct Importer {
    store: Arc<dyn Store>,
    keys: KeyRing,
    settings: Arc<SettingService>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// One import under way.
struct Run<'a> {
    importer: &'a Importer,
    foreign: &'a dyn ForeignDirectory,
    progress: &'a dyn ImportProgress,
    how: ImportSettings,
    report: ImportReport,
    /// The top tenant's id there, and its id here for as long as it is another one.
    top: (TenantId, TenantId),
    /// The method of the users of the top tenant who have none of their own, if it is another one here: they keep it.
    top_method: Option<AuthenticationMethod>,
    /// Those that are here, or would be.
    tenants: HashSet<TenantId>,
    /// Tenants, policies and groups that this run added: nobody can have taken anything from them here.
    fresh: HashSet<Uuid>,
    /// From ids there to ids here.
    policies: HashMap<PolicyId, PolicyId>,
    groups: HashMap<GroupId, GroupId>,
    users: HashMap<Uuid, Arrival>,
    group_names: HashMap<TenantId, GroupNames>,
    /// When an earlier import began that came to its end.
    earlier: Option<Timestamp>,
}

/// When a user came to be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Before,
    Now,
}

impl Importer {
    /// Into this store.
    pub fn new(
        store: Arc<dyn Store>,
        keys: KeyRing,
        settings: Arc<SettingService>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            keys,
            settings,
            clock,
            random,
        }
    }

    /// Brings a directory in. No server should be using the store meanwhile: it would not hear of all that changes.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn run(
        &self,
        foreign: &dyn ForeignDirectory,
        how: ImportSettings,
        progress: &dyn ImportProgress,
    ) -> Result<ImportReport, ImportError> {
        let mut run = Run {
            importer: self,
            foreign,
            progress,
            how,
            report: ImportReport::new(how.dry_run),
            top: (TenantId(Uuid::nil()), TenantId(Uuid::nil())),
            top_method: None,
            tenants: HashSet::new(),
            policies: HashMap::new(),
            groups: HashMap::new(),
            fresh: HashSet::new(),
            users: HashMap::new(),
            group_names: HashMap::new(),
            earlier: None,
        };
        let began = self.clock.now();
        let counts = foreign.counts().await.map_err(ImportError::Foreign)?;
        run.tenants(counts.tenants).await?;
        run.earlier = run.find_earlier().await?;
        run.policies(counts.policies).await?;
        run.groups(counts.groups).await?;
        run.users(counts.users).await?;
        run.contacts().await?;
        run.refresh_tokens(counts.refresh_tokens).await?;
        run.ldap_settings(counts.ldap_settings).await?;
        run.end(began).await?;
        Ok(run.report)
    }
}

impl Run<'_> {
    fn store(&self) -> &dyn Store {
        &*self.importer.store
    }

    /// A tenant's id in the store as it is now: a dry run leaves the top tenant its old one.
    fn here(&self, tenant: TenantId) -> TenantId {
        if tenant == self.top.0 { self.top.1 } else { tenant }
    }

    /// The tenant with this id, if it is here or would be.
    fn known_tenant(&self, id: &str) -> Result<TenantId, Outcome> {
        let tenant = TenantId(parse(id)?);
        if self.tenants.contains(&tenant) {
            Ok(tenant)
        } else {
            Err(Outcome::skipped(format!("its tenant `{tenant}` was not brought in")))
        }
    }

    /// What whoever was here before can have lost here since an import came to its end: all but what is as new as this run.
    fn settled(&self) -> Option<Arc<HashSet<Uuid>>> {
        self.earlier.map(|_| Arc::new(self.fresh.clone()))
    }

    fn note(&mut self, kind: ImportKind, id: &str, outcome: Outcome) {
        self.report.note(kind, id, outcome);
        self.progress.advance(1);
    }
}

/// An id that must be a UUID.
/// Why an access that an earlier import brought does not come back.
fn taken_away() -> Outcome {
    Outcome::skipped("an earlier import saw it and it is not here: it was taken away since")
}

fn parse(id: &str) -> Result<Uuid, Outcome> {
    Uuid::try_parse(id.trim()).map_err(|_| Outcome::skipped("its id is no UUID"))
}

/// What becomes of a row that the store was asked to add: a store that does not answer ends the import.
fn outcome(added: Result<(), StoreError>) -> Result<Outcome, ImportError> {
    match added {
        Ok(()) => Ok(Outcome::Added),
        Err(StoreError::Conflict { what }) => Ok(Outcome::skipped(format!("its `{what}` is taken here"))),
        Err(error @ (StoreError::Missing { .. } | StoreError::Inconsistent { .. })) => {
            Ok(Outcome::skipped(error.to_string()))
        }
        Err(error) => Err(ImportError::Store(error)),
    }
}

/// What a task came to.
fn joined<T>(done: Result<Result<T, ImportError>, JoinError>) -> Result<T, ImportError> {
    done.map_err(|error| {
        ImportError::Store(StoreError::Unavailable {
            action: "bring in a row",
            source: error.into(),
        })
    })?
}
