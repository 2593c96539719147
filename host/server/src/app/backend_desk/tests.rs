//! Rules of changing a backend's configuration, on a stage that plays as it is told.

use std::sync::Mutex;
use std::time::Duration;

use keyway_core::model::BackendName;
use keyway_core::port::{Change, DocumentStore as _, NewDocument, SystemRandom};
use keyway_core::testing::MemoryStore;
use keyway_runtime::Grants;
use serde_json::json;

use super::*;

/// Notes what is put on it.
#[derive(Default)]
struct FakeStage {
    /// Each backend's configuration, and how many secrets it has, in the order in which they came.
    played: Mutex<Vec<(String, Value, usize)>>,
    trial: Mutex<Option<TrialError>>,
    breaks: Mutex<Option<String>>,
    /// Done once in the midst of a trial: what comes between.
    between: Mutex<Option<Interlude>>,
}

type Interlude = Box<dyn FnOnce() -> futures::future::BoxFuture<'static, ()> + Send>;

impl FakeStage {
    fn note(&self, spec: &BackendSpec) {
        let played = (spec.name.to_string(), spec.config.clone(), spec.secrets.len());
        self.played.lock().unwrap().push(played);
    }

    fn last(&self) -> (String, Value, usize) {
        self.played.lock().unwrap().last().cloned().unwrap()
    }

    fn count(&self) -> usize {
        self.played.lock().unwrap().len()
    }

    fn answer_trials(&self, error: TrialError) {
        *self.trial.lock().unwrap() = Some(error);
    }
}

#[async_trait]
impl Stage for FakeStage {
    async fn set_desired(&self, specs: Vec<BackendSpec>) {
        for spec in &specs {
            self.note(spec);
        }
    }

    async fn change(&self, spec: BackendSpec) -> Result<(), String> {
        self.note(&spec);
        self.breaks.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    async fn try_out(&self, _spec: BackendSpec) -> Result<(), TrialError> {
        let between = self.between.lock().unwrap().take();
        if let Some(between) = between {
            between().await;
        }
        self.trial.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

fn realms() -> BackendSpec {
    let mut spec = BackendSpec::new(BackendName::parse("realms").unwrap(), "realm");
    spec.aliases = vec![BackendName::parse("users").unwrap()];
    spec.config = json!({ "realms": { "staff": { "resolvers": ["p"] } } });
    spec.grants = Grants {
        delegate: ["ldap_corp".to_owned()].into(),
        ..Grants::default()
    };
    spec
}

fn template() -> BackendSpec {
    BackendSpec {
        is_template: true,
        ..BackendSpec::new(BackendName::parse("tenants").unwrap(), "ldap")
    }
}

struct House {
    store: Arc<MemoryStore>,
    stage: Arc<FakeStage>,
    desk: Desk,
}

impl House {
    async fn new() -> Self {
        Self::on(MemoryStore::new()).await
    }

    /// A node over this store.
    async fn on(store: Arc<MemoryStore>) -> Self {
        let stage = Arc::new(FakeStage::default());
        let desk = Desk::new(
            Arc::clone(&stage) as _,
            Arc::clone(&store) as _,
            MasterKey::new([3; 32]),
            Arc::new(SystemRandom),
        );
        desk.use_file(vec![realms(), template()]).await;
        Self { store, stage, desk }
    }

    async fn revision(&self) -> i64 {
        self.desk.settings("realms").await.unwrap().revision
    }

    async fn add(&self, added: Value) -> Result<(), BackendSettingsError> {
        let revision = self.revision().await;
        self.desk.change("realms", added, revision).await
    }

    /// Waits until the stage has played as many.
    async fn played(&self, count: usize) {
        while self.stage.count() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn sales() -> Value {
    json!({ "realms": { "sales": { "resolvers": ["q"] } } })
}

fn both() -> Value {
    json!({ "realms": { "staff": { "resolvers": ["p"] }, "sales": { "resolvers": ["q"] } } })
}

#[tokio::test]
async fn settings_show_what_the_file_says_apart_from_what_was_added() {
    let house = House::new().await;
    let before = house.desk.settings("realms").await.unwrap();
    let expected = BackendSettings {
        fixed: realms().config,
        added: json!({}),
        backends: vec!["ldap_corp".to_owned()],
        ..BackendSettings::default()
    };
    assert_eq!(before, expected);
    house.add(sales()).await.unwrap();
    let after = house.desk.settings("users").await.unwrap();
    assert_eq!(
        (after.fixed, after.added, after.revision),
        (realms().config, sales(), 1)
    );
}

#[tokio::test]
async fn a_change_runs_before_it_is_answered_and_after_a_restart() {
    let house = House::new().await;
    house.add(sales()).await.unwrap();
    assert_eq!(house.stage.last(), ("realms".to_owned(), both(), 0));
    let restarted = House::on(house.store).await;
    assert_eq!(restarted.stage.played.lock().unwrap()[0].1, both());
}

#[tokio::test]
async fn who_is_not_there_or_a_template_is_unknown() {
    let house = House::new().await;
    for name in ["absent", "tenants", ""] {
        let unknown = |result: Result<(), BackendSettingsError>| matches!(result, Err(BackendSettingsError::Unknown(found)) if found == name);
        assert!(unknown(house.desk.settings(name).await.map(drop)));
        assert!(unknown(house.desk.change(name, sales(), 0).await));
        assert!(unknown(house.desk.try_out(name, sales()).await));
        assert!(unknown(house.desk.set_secret(name, "pw", None).await));
    }
}

#[tokio::test]
async fn what_the_plugin_refuses_is_neither_stored_nor_run() {
    let house = House::new().await;
    let problem = ReportedProblem {
        pointer: "/realms/sales".to_owned(),
        message: "no such resolver".to_owned(),
    };
    let down = || TrialError::Unhealthy {
        reason: "q is down".to_owned(),
        was_before: false,
    };
    for (error, pointer, message) in [
        (TrialError::Refused(vec![problem]), "/realms/sales", "no such resolver"),
        (TrialError::NotLoadable("no grant".to_owned()), "", "no grant"),
        (down(), "", "q is down"),
    ] {
        house.stage.answer_trials(error);
        let played = house.stage.count();
        for refused in [
            house.add(sales()).await,
            house.desk.try_out("realms", sales()).await,
            house.desk.set_secret("realms", "pw", Some("x".into())).await,
        ] {
            let Err(BackendSettingsError::Refused(problems)) = refused else {
                panic!("it is {refused:?}");
            };
            assert_eq!(problems, [(pointer.to_owned(), message.to_owned())]);
        }
        assert_eq!((house.stage.count(), house.revision().await), (played, 0));
    }
}

#[tokio::test]
async fn what_is_no_object_or_no_name_is_refused() {
    let house = House::new().await;
    for strange in [json!([]), json!("x"), json!(null)] {
        let refused = house.add(strange.clone()).await;
        assert!(matches!(refused, Err(BackendSettingsError::Refused(_))));
        let refused = house.desk.try_out("realms", strange).await;
        assert!(matches!(refused, Err(BackendSettingsError::Refused(_))));
    }
    for name in ["", &"x".repeat(256)] {
        let refused = house.desk.set_secret("realms", name, Some("x".into())).await;
        assert!(matches!(refused, Err(BackendSettingsError::Refused(_))));
    }
}

/// Else nobody could repair a configuration while a server is down.
#[tokio::test]
async fn a_change_is_made_while_what_serves_is_not_in_order_either() {
    let house = House::new().await;
    house.stage.answer_trials(TrialError::Unhealthy {
        reason: "p is down".to_owned(),
        was_before: true,
    });
    assert!(house.add(sales()).await.is_ok());
    let tried = house.desk.try_out("realms", sales()).await;
    assert!(
        matches!(tried, Err(BackendSettingsError::Refused(_))),
        "a trial says so all the same"
    );
}

#[tokio::test]
async fn who_has_read_an_older_revision_is_told_so() {
    let house = House::new().await;
    house.add(sales()).await.unwrap();
    for revision in [0, 2] {
        let overtaken = house.desk.change("realms", json!({}), revision).await;
        assert!(matches!(overtaken, Err(BackendSettingsError::Overtaken)));
    }
    assert_eq!(house.desk.settings("realms").await.unwrap().added, sales());
}

#[tokio::test]
async fn one_change_of_two_nodes_at_once_is_overtaken() {
    let here = House::new().await;
    let there = House::on(Arc::clone(&here.store)).await;
    let other = there.desk.clone();
    *here.stage.between.lock().unwrap() = Some(Box::new(move || {
        Box::pin(async move { other.change("realms", json!({ "a": 1 }), 0).await.unwrap() })
    }));
    let overtaken = here.desk.change("realms", sales(), 0).await;
    assert!(
        matches!(overtaken, Err(BackendSettingsError::Overtaken)),
        "{overtaken:?}"
    );
    assert_eq!(here.stage.last().1["a"], 1, "this node has caught up");
    assert_eq!(here.revision().await, 1);
}

#[tokio::test]
async fn a_secret_that_comes_between_overtakes_nobody() {
    let here = House::new().await;
    let there = House::on(Arc::clone(&here.store)).await;
    let other = there.desk.clone();
    *here.stage.between.lock().unwrap() = Some(Box::new(move || {
        Box::pin(async move { other.set_secret("realms", "pw", Some("x".into())).await.unwrap() })
    }));
    here.desk.change("realms", sales(), 0).await.unwrap();
    assert_eq!(here.stage.last(), ("realms".to_owned(), both(), 1));
    assert_eq!(here.revision().await, 1);
}

#[tokio::test]
async fn a_secret_is_kept_sealed_reaches_the_plugin_and_is_forgotten() {
    let house = House::new().await;
    house
        .desk
        .set_secret("realms", "pw", Some("hunter2".into()))
        .await
        .unwrap();
    assert_eq!(house.stage.last().2, 1);
    assert_eq!(house.revision().await, 0, "it is no change of the configuration");
    let stored = house.store.find_document(KIND, "realms").await.unwrap().unwrap();
    let sealed = stored.sealed.unwrap();
    assert!(!sealed.windows(7).any(|bytes| bytes == b"hunter2"));
    house.add(sales()).await.unwrap();
    assert_eq!(house.stage.last().2, 1, "it outlives a change of the configuration");
    house.desk.set_secret("realms", "pw", None).await.unwrap();
    assert_eq!(house.stage.last().2, 0);
    let stored = house.store.find_document(KIND, "realms").await.unwrap().unwrap();
    assert_eq!(stored.sealed, None);
}

#[tokio::test]
async fn what_is_stored_and_cannot_be_loaded_is_said_so() {
    let house = House::new().await;
    *house.stage.breaks.lock().unwrap() = Some("it broke".to_owned());
    let broken = house.add(sales()).await;
    assert!(matches!(broken, Err(BackendSettingsError::NotLoaded(reason)) if reason == "it broke"));
    assert_eq!(house.revision().await, 1);
}

#[tokio::test]
async fn a_store_that_does_not_answer_changes_nothing_and_what_was_read_stays() {
    let house = House::new().await;
    house.add(sales()).await.unwrap();
    let played = house.stage.count();
    house.store.set_down(true);
    let failed = house.desk.change("realms", json!({}), 1).await;
    assert!(matches!(failed, Err(BackendSettingsError::Store(_))));
    assert_eq!(house.stage.count(), played);
    house.desk.use_file(vec![realms()]).await;
    assert_eq!(house.stage.last().1, both(), "a reload keeps what was added");
}

#[tokio::test]
async fn a_new_file_keeps_what_was_added_below_its_words() {
    let house = House::new().await;
    house.add(sales()).await.unwrap();
    let file = BackendSpec {
        config: json!({ "realms": { "sales": { "resolvers": ["of the file"] } } }),
        ..realms()
    };
    house.desk.use_file(vec![file.clone()]).await;
    assert_eq!(house.stage.last().1, file.config);
    house.desk.use_file(Vec::new()).await;
    assert!(matches!(
        house.desk.settings("realms").await,
        Err(BackendSettingsError::Unknown(_))
    ));
    house.desk.use_file(vec![realms()]).await;
    assert_eq!(house.stage.last().1, both());
}

#[tokio::test]
async fn what_another_node_adds_runs_here_too() {
    let here = House::new().await;
    let there = House::on(Arc::clone(&here.store)).await;
    let following = tokio::spawn(here.desk.clone().follow());
    there.add(sales()).await.unwrap();
    here.store.announce(Change::DocumentsChanged);
    here.played(3).await;
    assert_eq!(here.stage.last(), ("realms".to_owned(), both(), 0));
    assert_eq!(here.revision().await, 1);
    // What concerns other documents loads nothing.
    here.store.announce(Change::DocumentsChanged);
    there.desk.set_secret("realms", "pw", Some("x".into())).await.unwrap();
    here.store.announce(Change::FeedRestored);
    here.played(4).await;
    assert_eq!(here.stage.last().2, 1);
    following.abort();
}

#[tokio::test]
async fn a_document_that_cannot_be_read_stops_no_other() {
    let house = House::new().await;
    let strange = NewDocument {
        name: "realms".to_owned(),
        document: "[]".to_owned(),
        sealed: None,
        replaces: Some(0),
    };
    house.store.put_document(KIND, &strange).await.unwrap();
    let restarted = House::on(house.store).await;
    assert_eq!(restarted.stage.played.lock().unwrap()[0].1, realms().config);
    let refused = restarted.desk.change("realms", sales(), 0).await;
    assert!(
        matches!(
            refused,
            Err(BackendSettingsError::Store(StoreError::Inconsistent { .. }))
        ),
        "{refused:?}"
    );
}
