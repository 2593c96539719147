//! What is put together depends on what the configuration says.

use std::path::Path;

use keyway_core::directory::AddUser;
use keyway_core::model::DigestAlgorithm;

use super::*;

/// Which digests somebody's new password has in a server of these listeners. Each takes a list of dialects, or the usual ones.
async fn digests(listeners: &[Option<&str>]) -> Vec<DigestAlgorithm> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "store.url = \"sqlite:keyway.db\"\n\
        password = { memory = \"19MiB\", iterations = 2, parallelism = 1, workers = 1 }\n"
        .to_owned();
    for dialects in listeners {
        text.push_str("[[listen]]\naddress = \"127.0.0.1:0\"\n");
        text.extend(dialects.map(|dialects| format!("dialects = [{dialects}]\n")));
    }
    let file = folder.path().join("keyway.toml");
    let config = Config::parse(Path::new(&file), &text, &[]).expect("a configuration");
    let services = Services::open(&config, &MasterKey::new([7; 32]))
        .await
        .expect("a store");
    let alice = AddUser {
        login: Some("alice".to_owned()),
        password: Some("s3cre7".into()),
        ..AddUser::default()
    };
    let alice = services.directory.add_user(alice).await.expect("a user");
    let digests = services.store.find_digests(alice.id).await.expect("digests");
    digests.into_iter().map(|digest| digest.algorithm).collect()
}

#[tokio::test]
async fn passwords_have_digests_only_where_a_listener_serves_kazoo() {
    let others = Some("\"wazo\", \"privacyidea\", \"webitel\"");
    for without in [&[others][..], &[Some("")], &[others, Some("")]] {
        assert_eq!(digests(without).await, [], "{without:?}");
    }
    for with in [
        &[][..],
        &[None],
        &[Some("\"kazoo\"")],
        &[others, Some("\"webitel\", \"kazoo\"")],
    ] {
        let mut found = digests(with).await;
        found.sort_by_key(|algorithm| *algorithm == DigestAlgorithm::Sha1);
        assert_eq!(found, DigestAlgorithm::ALL, "{with:?}");
    }
}
