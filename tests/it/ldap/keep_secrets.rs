//! No password is in the log, whatever became of the login.

use keyway_tests::peer::{Peer, Script};
use keyway_tests::slapd::{PEOPLE, SERVICE_PASSWORD, Slapd};

use super::corp::{Corp, status};

#[tokio::test]
async fn no_password_is_in_the_log() {
    let slapd = Slapd::builder()
        .entries(&format!(
            "dn: uid=dora,{PEOPLE}\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dora\nuserPassword: d0ras-very-0wn\n"
        ))
        .start();
    let garbage = Peer::start(Script::Answering(b"garbage".to_vec()));
    for (corp, expected) in [
        (Corp::at(&slapd.plain()), 200),
        (Corp::directly(&slapd.plain()), 200),
        (Corp::over_starttls(&slapd), 200),
        (Corp::at(garbage.address()), 503),
        (Corp::directly(garbage.address()), 503),
    ] {
        // The builder's servers log all that there is to log.
        let host = corp.start();
        assert_eq!(status(&host, "dora", "d0ras-very-0wn").await, expected);
        let refused = status(&host, "dora", "n0t-hers-at-all").await;
        assert!(matches!(refused, 401 | 503), "{refused}");
        let nobody = status(&host, "nobody", "wh0-ever-1t-is").await;
        assert!(matches!(nobody, 401 | 503), "{nobody}");
        let log = host.log().text();
        for secret in ["d0ras-very-0wn", "n0t-hers-at-all", "wh0-ever-1t-is", SERVICE_PASSWORD] {
            assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
        }
    }
}
