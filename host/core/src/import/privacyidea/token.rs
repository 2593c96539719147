//! Tokens, which become factors.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::cipher::EncryptionKeys;
use super::factor::{self, Ready, Usual};
use super::owner::{Owners, PENDING, Person, Whose};
use super::pin::{Pin, Pins};
use super::realm::RealmConfig;
use super::{Logins, PAGE, PrivacyideaImport, PrivacyideaImportError, PrivacyideaImporter, Run, foreign};
use crate::factor::{FactorError, FactorService};
use crate::import::report::{ImportKind, Outcome};
use crate::model::{Factor, FactorOwner, TenantId};
use crate::password::PasswordPool;
use crate::port::{
    Clock, FactorChange, PrivacyideaOwner, PrivacyideaResolver, PrivacyideaToken, Random, Store, StoreError,
    StoredVerifier,
};

/// How many tokens are under way at once: what takes its time is the hashing of PINs, which the password pool does on its own threads.
const AT_ONCE: usize = 8;

/// What is to be known of a factor that is not quite as the token was.
const NO_LOGIN: &str =
    "the login name of its owner is not known, so it is shown with the resolver's id; assign it again to change that";
const LOST_PIN: &str = "its PIN cannot be taken over: nobody knows the one that it has now, so set a new one";

/// What each token needs.
struct Desk {
    store: Arc<dyn Store>,
    factors: Arc<FactorService>,
    passwords: Arc<PasswordPool>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    keys: Arc<EncryptionKeys>,
    logins: Arc<dyn Logins>,
    owners: Owners,
    usual: Usual,
    pins: Pins,
    dry_run: bool,
}

/// What became of a token, and of its owner if it has one.
struct Done {
    serial: String,
    factor: Outcome,
    owner: Option<(String, Outcome)>,
    notes: Vec<String>,
}

impl Run<'_> {
    pub(super) async fn tokens(
        &mut self,
        resolvers: &[PrivacyideaResolver],
        config: &RealmConfig,
        tenant: TenantId,
        rows: u64,
    ) -> Result<(), PrivacyideaImportError> {
        self.begin(ImportKind::Factor, rows);
        let usual = Usual::new(self.import.database.settings().await.map_err(foreign)?);
        let owners = Owners::new(self.import.backend, tenant, resolvers, config);
        let desk = Arc::new(Desk::new(self.importer, &self.import, owners, usual));
        let mut under_way = JoinSet::new();
        let mut after = 0;
        loop {
            let page = self.import.database.tokens(after, PAGE).await.map_err(foreign)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.id;
            for token in page {
                let desk = Arc::clone(&desk);
                under_way.spawn(async move { desk.bring_in(token).await });
                if under_way.len() >= AT_ONCE {
                    self.take_one(&mut under_way).await?;
                }
            }
        }
        while !under_way.is_empty() {
            self.take_one(&mut under_way).await?;
        }
        Ok(())
    }

    async fn take_one(
        &mut self,
        under_way: &mut JoinSet<Result<Done, PrivacyideaImportError>>,
    ) -> Result<(), PrivacyideaImportError> {
        let Some(done) = under_way.join_next().await else {
            return Ok(());
        };
        let done = joined(done)?;
        self.report.count(ImportKind::Factor, &done.serial, done.factor);
        if let Some((owner, became)) = done.owner {
            let id = format!("{} of {owner}", done.serial);
            self.report.count(ImportKind::FactorOwner, &id, became);
        }
        for note in done.notes {
            self.report.note(ImportKind::Factor, &done.serial, note);
        }
        self.progress.advance(1);
        Ok(())
    }
}

impl Desk {
    fn new(importer: &PrivacyideaImporter, import: &PrivacyideaImport<'_>, owners: Owners, usual: Usual) -> Self {
        Self {
            store: Arc::clone(&importer.store),
            factors: Arc::clone(&importer.factors),
            passwords: Arc::clone(&importer.passwords),
            clock: Arc::clone(&importer.clock),
            random: Arc::clone(&importer.random),
            keys: Arc::clone(import.keys),
            logins: Arc::clone(import.logins),
            owners,
            usual,
            pins: Pins::new(),
            dry_run: import.dry_run,
        }
    }

    async fn bring_in(&self, token: PrivacyideaToken) -> Result<Done, PrivacyideaImportError> {
        let whose = self.owners.of(&token, &*self.logins).await;
        let mut done = Done {
            serial: token.serial.clone(),
            factor: Outcome::Present,
            owner: None,
            notes: Vec::new(),
        };
        let broken = |source| PrivacyideaImportError::Factor {
            serial: token.serial.clone(),
            source,
        };
        let owner = token.owners.first().map(PrivacyideaOwner::named).unwrap_or_default();
        if let Some(here) = self.factors.find(&token.serial).await.map_err(broken)? {
            let became = self.owner_of_present(here, whose).await?;
            done.owner = became.map(|became| (owner, became));
            return Ok(done);
        }
        let mut ready = match self.ready(&token) {
            Ok(ready) => ready,
            Err(reason) => {
                done.factor = Outcome::Skipped(reason);
                return Ok(done);
            }
        };
        done.factor = Outcome::Added;
        done.notes.append(&mut ready.notes);
        done.owner = match &whose {
            Whose::Nobodys => None,
            Whose::Known(person) => {
                if !person.knows_login {
                    done.notes.push(NO_LOGIN.to_owned());
                }
                Some((owner, Outcome::Added))
            }
            Whose::Unknown { reason, .. } => Some((owner, Outcome::skipped(reason))),
        };
        let pin = self.pin(&token, &mut done.notes).await?;
        if self.dry_run {
            return Ok(done);
        }
        ready.factor.pin = pin;
        match whose {
            Whose::Nobodys => {}
            Whose::Known(person) => ready.factor.owner = Some(self.resolve(person).await?),
            Whose::Unknown { pending, .. } => ready.factor.attributes.push((PENDING.to_owned(), pending)),
        }
        match self.factors.adopt(ready.factor, &ready.seed).await {
            Ok(_) => {}
            // Serials here are the same without regard to case.
            Err(FactorError::Taken(_)) => done.factor = Outcome::Present,
            Err(error) => return Err(broken(error)),
        }
        Ok(done)
    }

    /// What the factor keeps of the token's PIN. A dry run hashes nothing.
    async fn pin(
        &self,
        token: &PrivacyideaToken,
        notes: &mut Vec<String>,
    ) -> Result<Option<StoredVerifier>, PrivacyideaImportError> {
        let pin = Pin::read(&token.pin, &self.keys);
        let (verifier, is_lost) = if self.dry_run {
            (None, matches!(pin, Pin::Lost))
        } else {
            self.pins.verifier(&self.passwords, &*self.random, pin).await?
        };
        if is_lost {
            notes.push(LOST_PIN.to_owned());
        }
        Ok(verifier)
    }

    /// The factor that a token becomes, or why it is left out.
    fn ready(&self, token: &PrivacyideaToken) -> Result<Ready, String> {
        let ready = factor::of(token, &self.usual, &self.keys, self.clock.now())?;
        match FactorService::check_adoption(&ready.factor, &ready.seed) {
            Ok(()) => Ok(ready),
            Err(refused) => Err(refused.to_string()),
        }
    }

    /// A factor that an import could not give to its owner gets it when it can. Any other is left as it is.
    async fn owner_of_present(&self, here: Factor, whose: Whose) -> Result<Option<Outcome>, PrivacyideaImportError> {
        let is_pending = here.attributes.iter().any(|(key, _)| key == PENDING);
        let person = match whose {
            Whose::Nobodys => return Ok(None),
            _ if here.owner.is_some() || !is_pending => return Ok(Some(Outcome::Present)),
            Whose::Unknown { reason, .. } => return Ok(Some(Outcome::skipped(reason))),
            Whose::Known(person) => person,
        };
        if self.dry_run {
            return Ok(Some(Outcome::Added));
        }
        let broken = |source| PrivacyideaImportError::Factor {
            serial: here.serial.clone(),
            source,
        };
        let owner = self.resolve(person).await?;
        match self.factors.assign(&here.serial, owner).await {
            Err(FactorError::State(state)) => {
                return Ok(Some(Outcome::skipped(format!("it is {}", state.as_str()))));
            }
            assigned => assigned.map_err(broken)?,
        }
        let attributes = here.attributes.iter().filter(|(key, _)| key != PENDING);
        let change = FactorChange {
            attributes: Some(attributes.cloned().collect()),
            ..FactorChange::default()
        };
        self.factors.change(&here.serial, change).await.map_err(broken)?;
        Ok(Some(Outcome::Added))
    }

    async fn resolve(&self, person: Person) -> Result<FactorOwner, PrivacyideaImportError> {
        let now = self.clock.now();
        self.owners.resolve(person, &*self.store, &*self.random, now).await
    }
}

/// What a task came to.
fn joined(done: Result<Result<Done, PrivacyideaImportError>, JoinError>) -> Result<Done, PrivacyideaImportError> {
    done.map_err(|error| {
        PrivacyideaImportError::Store(StoreError::Unavailable {
            action: "bring in a token",
            source: error.into(),
        })
    })?
}
