//! The directory of these tests is as they believe it to be.

use keyway_tests::slapd::{Flaw, PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};

#[test]
fn users_bind_with_their_own_passwords_alone() {
    let slapd = Slapd::shared();
    assert!(slapd.takes(SERVICE_DN, SERVICE_PASSWORD));
    for (user, password, taken) in [
        ("uid=alice", "s3cre7", true),
        ("uid=alice", "b0bs-s3cre7", false),
        ("uid=Doe\\, John\\+x", "s3cre7", true),
        ("uid=a*(b)\\5Cc", "s3cre7", true),
        ("uid=zoë", "s3cre7", true),
        ("uid=locked", "s3cre7", false),
        ("uid=expired", "s3cre7", false),
        ("uid=nobody", "s3cre7", false),
    ] {
        assert_eq!(slapd.takes(&format!("{user},{PEOPLE}"), password), taken, "{user}");
    }
}

#[test]
fn a_directory_of_ones_own_can_be_changed_and_frozen() {
    let slapd = Slapd::builder().certificate(Flaw::Expired).start();
    let bob = format!("uid=bob,{PEOPLE}");
    let before = slapd.connections();
    assert!(slapd.takes(&bob, "b0bs-s3cre7"));
    assert_eq!(slapd.connections(), before + 1);
    slapd.remove(&bob);
    assert!(!slapd.takes(&bob, "b0bs-s3cre7"));
    slapd.freeze();
    assert!(std::net::TcpStream::connect(slapd.plain()).is_ok());
    slapd.thaw();
    assert!(slapd.takes(SERVICE_DN, SERVICE_PASSWORD));
    slapd.stop();
    assert!(std::net::TcpStream::connect(slapd.plain()).is_err());
    slapd.start();
    assert!(slapd.takes(SERVICE_DN, SERVICE_PASSWORD));
    assert!(!slapd.takes(&bob, "b0bs-s3cre7"), "its tree is as it was");
}
