//! What is remembered of a plan that came to nothing.

use keyway_core::Secret;
use keyway_core::model::BackendName;

use super::*;
use crate::check::no_services;
use crate::engine::HostEngine;

/// A component with nothing in it, which is quickly compiled and is no plugin.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

fn planner(folder: &Path) -> Planner {
    std::fs::write(folder.join("empty.wasm"), EMPTY).unwrap();
    let engine = HostEngine::new(2).unwrap();
    let deadline = Duration::from_secs(2);
    let workshop = Workshop::new(engine, no_services(), None, Secret::new([0; 32]), deadline);
    Planner {
        workshop: Arc::new(workshop),
        archive: Arc::new(Archive::open(folder).unwrap()),
        plugins_dir: folder.to_owned(),
        max_plugin_bytes: 1024,
    }
}

/// A look, without anybody insisting.
async fn look(planner: &Planner, (seen, trouble): Known) -> Known {
    let situation = Situation {
        is_wanted: true,
        spec: Arc::new(BackendSpec::new(BackendName::parse("empty").unwrap(), "empty")),
        live: None,
        seen,
        trouble,
        record: BackendRecord::default(),
        insist: false,
    };
    match planner.plan(&situation).await {
        Plan::Keep { seen, trouble } => (seen, trouble),
        Plan::Wait | Plan::Swap(_) => panic!("an empty component cannot serve"),
    }
}

type Known = (Option<(FileStamp, PluginDigest)>, Option<Trouble>);

fn reason((_, trouble): &Known) -> &str {
    &trouble.as_ref().unwrap().reason
}

#[tokio::test]
async fn a_file_that_found_no_place_to_be_compiled_is_tried_again_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let planner = planner(folder.path());
    let others = planner.workshop.compiler.occupy().await;
    let first = look(&planner, (None, None)).await;
    assert!(reason(&first).contains("another compilation"), "{}", reason(&first));
    drop(others);

    let second = look(&planner, first).await;
    assert!(reason(&second).contains("does not export"), "{}", reason(&second));
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut planner = planner(folder.path());
    let first = look(&planner, (None, None)).await;
    assert!(reason(&first).contains("does not export"), "{}", reason(&first));

    // It would now be refused for its size.
    planner.max_plugin_bytes = 1;
    let second = look(&planner, first.clone()).await;
    assert_eq!(reason(&second), reason(&first));
}
