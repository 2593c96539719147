//! What a backend may say, and what it costs it.

use keyway_core::model::{Outcome, Principal, Refusal, Subject};
use keyway_core::port::Backends as _;

use crate::host::{ALICE, PASSWORD, TestHost, spec};

#[tokio::test]
async fn a_directory_user_logs_in_through_a_component_and_its_alias() {
    let host = TestHost::start().await;
    host.install_built("wazo_user", "wazo_user");
    let mut wazo_user = spec("wazo_user");
    wazo_user.aliases = vec!["xivo_user".to_owned().try_into().unwrap()];
    host.desire(wazo_user).await;

    for name in ["wazo_user", "xivo_user"] {
        let outcome = host.login(name, "alice", PASSWORD).await;
        let Ok(Outcome::Verified(Principal {
            subject, login, groups, ..
        })) = outcome
        else {
            panic!("{name}: {outcome:?}");
        };
        assert_eq!((subject, login.as_str()), (Subject::Directory(ALICE), "alice"));
        assert_eq!(groups, ["staff"]);
    }
    let wrong = host.login("wazo_user", "alice", "wrong").await;
    assert_eq!(wrong, Ok(Outcome::Refused(Refusal::WrongCredential)));
    let unknown = host.login("wazo_user", "bob", PASSWORD).await;
    assert_eq!(unknown, Ok(Outcome::Refused(Refusal::UnknownIdentifier)));
    assert_eq!(host.runtime.names().len(), 1);
}
