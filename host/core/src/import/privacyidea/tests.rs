//! Rules of bringing in what privacyIDEA has.

mod fake;
mod owners;
mod realms;
mod tokens;

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::Secret;
use crate::key::MasterKey;
use crate::model::Factor;
use crate::port::{
    AddedConfig, DocumentKind, DocumentStore as _, FactorStore, NewDocument, PrivacyideaPolicy, SystemRandom,
};
use crate::testing::{MemoryStore, StillClock, cheap_passwords};
use fake::{Fake, encrypted, key_file, owned, realm, resolver, token};

struct Bar;

impl ImportProgress for Bar {
    fn begin(&self, _kind: ImportKind, _rows: u64) {}

    fn advance(&self, _rows: u64) {}
}

/// A policy is what it says, unless it is named `strange`.
struct Reader;

impl PolicyReader for Reader {
    fn read(&self, name: &str, fields: &Map<String, Value>) -> Result<Value, String> {
        if name == "strange" {
            return Err("unknown action `strange`".to_owned());
        }
        Ok(Value::Object(fields.clone()))
    }
}

/// Everybody is called by the id behind an `u`, but nobody of another backend.
struct Names;

#[async_trait]
impl Logins for Names {
    async fn find_login(&self, resolver: &Value, userid: &str) -> Option<String> {
        (resolver["type"] != "backend").then(|| format!("u{userid}"))
    }
}

/// Accepts everything but a realm of the name `refused`.
struct Plugin;

#[async_trait]
impl ConfigCheck for Plugin {
    async fn check(&self, config: &Value) -> Result<(), String> {
        match config.pointer("/realms/refused") {
            Some(_) => Err("`/realms/refused`: is refused".to_owned()),
            None => Ok(()),
        }
    }
}

struct House {
    store: Arc<MemoryStore>,
    clock: Arc<StillClock>,
    passwords: Arc<PasswordPool>,
    factors: Arc<FactorService>,
    importer: PrivacyideaImporter,
    backend: Mutex<RealmBackend>,
}

impl House {
    fn new() -> Self {
        let (store, clock, random) = (MemoryStore::new(), Arc::new(StillClock::new()), Arc::new(SystemRandom));
        let passwords = Arc::new(cheap_passwords(2, 64).unwrap());
        let factors = FactorService::new(
            Arc::clone(&store) as Arc<dyn FactorStore>,
            Arc::clone(&passwords),
            MasterKey::new([1; 32]),
            clock.clone(),
            random.clone(),
        );
        let factors = Arc::new(factors);
        let importer = PrivacyideaImporter::new(
            store.clone(),
            Arc::clone(&factors),
            Arc::clone(&passwords),
            clock.clone(),
            random,
        );
        let backend = RealmBackend {
            name: BackendName::parse("realms").unwrap(),
            fixed: json!({}),
            files: ["passwd1".to_owned()].into(),
            databases: BTreeSet::new(),
            delegates: Vec::new(),
        };
        Self {
            store,
            clock,
            passwords,
            factors,
            importer,
            backend: Mutex::new(backend),
        }
    }

    fn configure(&self, change: impl FnOnce(&mut RealmBackend)) {
        change(&mut self.backend.lock().unwrap());
    }

    async fn try_run(&self, fake: &Fake, dry_run: bool) -> Result<PrivacyideaReport, PrivacyideaImportError> {
        let keys = Arc::new(EncryptionKeys::read(&Secret::new(key_file())).unwrap());
        let backend = self.backend.lock().unwrap().clone();
        let logins: Arc<dyn Logins> = Arc::new(Names);
        let import = PrivacyideaImport {
            database: fake,
            keys: &keys,
            backend: &backend,
            policies: &Reader,
            check: &Plugin,
            logins: &logins,
            dry_run,
        };
        self.importer.run(import, &Bar).await
    }

    async fn run(&self, fake: &Fake) -> PrivacyideaReport {
        self.try_run(fake, false).await.unwrap()
    }

    async fn added(&self) -> Value {
        let stored = self
            .store
            .find_document(DocumentKind::BackendConfig, "realms")
            .await
            .unwrap();
        let added = stored.map(|stored| AddedConfig::parse(&stored.document).unwrap());
        added.map_or(Value::Null, |added| Value::Object(added.config))
    }

    async fn factor(&self, serial: &str) -> Factor {
        self.factors.get(serial).await.unwrap()
    }
}

/// What was added, what was there, what was left out.
fn numbers(report: &PrivacyideaReport, kind: ImportKind) -> (u64, u64, u64) {
    let tally = report.of(kind);
    (tally.added, tally.present, tally.skipped)
}

fn reasons(report: &PrivacyideaReport) -> Vec<String> {
    let skipped = report.skipped.iter();
    skipped
        .map(|row| format!("{} {}: {}", row.kind.as_str(), row.id, row.reason))
        .collect()
}

fn notes(report: &PrivacyideaReport) -> Vec<String> {
    let notes = report.notes.iter();
    notes.map(|note| format!("{}: {}", note.id, note.text)).collect()
}

fn policy(name: &str, scope: &str, action: &str) -> PrivacyideaPolicy {
    PrivacyideaPolicy {
        name: name.to_owned(),
        active: true,
        scope: scope.to_owned(),
        action: action.to_owned(),
        priority: 1,
        ..PrivacyideaPolicy::default()
    }
}

/// A little of everything.
fn small() -> Fake {
    Fake {
        resolvers: vec![resolver("passwd1", "passwdresolver", &[("fileName", "/etc/pi/passwd")])],
        realms: vec![PrivacyideaRealm {
            is_default: true,
            ..realm("realm1", &["passwd1"])
        }],
        tokens: vec![
            owned("HOTP1", "passwd1", "1000"),
            token("TOTP1", "totp"),
            token("SPASS1", "spass"),
        ],
        policies: vec![
            policy("p1", "authentication", "otppin=userstore"),
            policy("strange", "admin", "strange"),
        ],
        settings: Vec::new(),
    }
}

use crate::port::PrivacyideaRealm;

#[tokio::test]
async fn a_dry_run_counts_what_an_import_does_and_writes_nothing() {
    let house = House::new();
    let dry = house.try_run(&small(), true).await.unwrap();
    assert_eq!(house.added().await, Value::Null);
    assert!(house.factors.find("HOTP1").await.unwrap().is_none());
    let policies = house
        .store
        .list_documents(DocumentKind::PrivacyideaPolicy)
        .await
        .unwrap();
    assert_eq!(policies, []);

    let real = house.run(&small()).await;
    assert_eq!((&dry.tallies, &dry.skipped), (&real.tallies, &real.skipped));
    assert!(dry.changes() && real.changes());
    for (kind, expected) in [
        (ImportKind::Resolver, (1, 0, 0)),
        (ImportKind::Realm, (1, 0, 0)),
        (ImportKind::Setting, (1, 0, 0)),
        (ImportKind::Policy, (1, 0, 1)),
        (ImportKind::Factor, (2, 0, 1)),
        (ImportKind::FactorOwner, (1, 0, 0)),
    ] {
        assert_eq!(numbers(&real, kind), expected, "{kind:?}");
    }
    let mut reasons = reasons(&real);
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "factors SPASS1: tokens of the type `spass` are not brought in",
            "policies strange: unknown action `strange`",
        ]
    );
    assert_eq!(
        notes(&real),
        ["admin: no policy limits this scope now: everything is allowed in it until one does"]
    );
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let house = House::new();
    house.run(&small()).await;
    let before = (house.added().await, house.factor("HOTP1").await);
    let again = house.run(&small()).await;
    assert!(!again.changes(), "{again:?}");
    assert_eq!((house.added().await, house.factor("HOTP1").await), before);
    assert_eq!(numbers(&again, ImportKind::Factor), (0, 2, 1));
    assert_eq!(numbers(&again, ImportKind::FactorOwner), (0, 1, 0));
}

#[tokio::test]
async fn a_policy_of_the_same_name_that_says_something_else_stays() {
    let house = House::new();
    let mut fake = small();
    house.run(&fake).await;
    fake.policies = vec![policy("p1", "webui", "jwt_validity=60")];
    let report = house.run(&fake).await;
    assert_eq!(numbers(&report, ImportKind::Policy), (0, 0, 1));
    assert!(
        reasons(&report)
            .iter()
            .any(|reason| reason.ends_with("says something else"))
    );
}

#[tokio::test]
async fn another_databases_key_is_refused_before_anything_is_written() {
    let house = House::new();
    let mut fake = small();
    for token in &mut fake.tokens {
        // Under the second key.
        token.seed = Secret::new(encrypted(1, hex::encode(fake::SEED).as_bytes()));
    }
    let refused = house.try_run(&fake, false).await.unwrap_err();
    assert!(matches!(refused, PrivacyideaImportError::WrongKey), "{refused}");
    assert_eq!(house.added().await, Value::Null);

    // One that is broken is left out, as long as another shows that the key is right.
    fake.tokens.push(token("GOOD", "hotp"));
    let report = house.run(&fake).await;
    assert_eq!(numbers(&report, ImportKind::Factor), (1, 0, 3));
    let broken = "factors HOTP1: its seed does not open with this key".to_owned();
    assert!(reasons(&report).contains(&broken));
}

#[tokio::test]
async fn without_tokens_a_password_tells_whether_the_key_is_right() {
    for (key, is_right) in [(1, true), (0, false)] {
        let house = House::new();
        let mut ldap = resolver("ldap1", "ldapresolver", &[]);
        // Padding alone is right by chance once in 256 times; this one is not.
        let password = format!("{}:{}", fake::IV, encrypted(key, b"l-s3cre7"));
        ldap.settings
            .push(("BINDPW".to_owned(), PrivacyideaValue::Encrypted(Secret::new(password))));
        let fake = Fake {
            resolvers: vec![ldap],
            ..Fake::default()
        };
        assert_eq!(house.try_run(&fake, true).await.is_ok(), is_right, "{key}");
    }
    House::new().run(&Fake::default()).await;
}
