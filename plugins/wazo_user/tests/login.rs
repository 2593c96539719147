//! The rules of a login, each on its own.

use keyway_sdk::log::Level;
use keyway_sdk::testing::{MockCredential, MockHost, MockUser};
use keyway_sdk::{Capability, DigestAlgorithm, Fault, Outcome, Principal, Refusal, Subject, json};
use wazo_user::WazoUser;

fn host() -> MockHost {
    MockHost::new()
        .add_user(
            MockUser::new("alice")
                .password("s3cre7")
                .email("alice@example.org")
                .groups(["staff", "support"]),
        )
        .add_user(
            MockUser::new("mallory")
                .password("s3cre7")
                .email("mallory@example.org")
                .disabled(),
        )
        .add_user(MockUser::new("robot").email("robot@example.org"))
}

#[track_caller]
#[expect(clippy::panic, reason = "a test's own assertion")]
fn principal(outcome: Result<Outcome, Fault>) -> Principal {
    match outcome {
        Ok(Outcome::Verified(principal)) => principal,
        other => panic!("not verified: {other:?}"),
    }
}

/// Nobody is let in, it costs one comparison, and nobody saw the password.
#[track_caller]
fn check_refused(host: &MockHost, identifier: &str, password: &str, refusal: Refusal) {
    assert_eq!(
        host.login::<WazoUser>(identifier, password),
        Ok(refusal.into()),
        "{identifier}"
    );
    assert_eq!((host.comparisons(), host.exposures()), (1, 0), "{identifier}");
}

#[test]
fn a_user_is_verified_with_what_the_directory_knows() {
    let host = MockHost::new().add_user(
        MockUser::new("Alice")
            .with_id("8d1c0f9e-0000-4000-8000-000000000001")
            .password("s3cre7")
            .email("alice@example.org")
            .display_name("Alice Liddell")
            .groups(["staff", "support"]),
    );
    let alice = principal(host.login::<WazoUser>("alice", "s3cre7"));
    assert_eq!(
        alice.subject,
        Subject::Directory("8d1c0f9e-0000-4000-8000-000000000001".to_owned())
    );
    assert_eq!(alice.login, "Alice");
    assert_eq!(alice.email.as_deref(), Some("alice@example.org"));
    assert_eq!(alice.display_name.as_deref(), Some("Alice Liddell"));
    assert_eq!(alice.groups, ["staff", "support"]);
    assert!(alice.accesses.is_empty() && alice.attributes.is_empty());
    assert_eq!((host.comparisons(), host.exposures()), (1, 0));
}

#[test]
fn login_name_and_email_are_compared_without_regard_to_case() {
    for identifier in ["alice", "ALICE", "alice@example.org", "Alice@Example.ORG"] {
        assert_eq!(
            principal(host().login::<WazoUser>(identifier, "s3cre7")).login,
            "alice",
            "{identifier}"
        );
    }
}

#[test]
fn an_email_goes_before_a_login_name() {
    let host = host().add_user(MockUser::new("alice@example.org").password("mine"));
    assert_eq!(
        principal(host.login::<WazoUser>("alice@example.org", "s3cre7")).login,
        "alice"
    );
    check_refused(&host, "alice@example.org", "mine", Refusal::WrongCredential);
}

#[test]
fn a_refusal_costs_one_comparison_whatever_its_reason() {
    let host = host();
    check_refused(&host, "alice", "wrong", Refusal::WrongCredential);
    check_refused(&host, "alice", "", Refusal::WrongCredential);
    check_refused(&host, "nobody", "s3cre7", Refusal::UnknownIdentifier);
    check_refused(&host, "mallory", "s3cre7", Refusal::Disabled);
    check_refused(&host, "mallory@example.org", "s3cre7", Refusal::Disabled);
    check_refused(&host, "robot", "s3cre7", Refusal::WrongCredential);
    check_refused(&host, "robot", "", Refusal::WrongCredential);
}

#[test]
fn an_identifier_that_fits_several_needs_a_tenant() {
    let host = MockHost::new()
        .add_user(MockUser::new("alice").tenant("acme").password("s3cre7"))
        .add_user(MockUser::new("alice").tenant("globex").password("s3cre7"));
    check_refused(&host, "alice", "s3cre7", Refusal::Ambiguous);

    let acme = host.clone().context(|context| context.tenant = Some("acme".to_owned()));
    let alice = principal(acme.login::<WazoUser>("alice", "s3cre7"));
    assert_eq!(alice.subject, Subject::Directory("user-alice-acme".to_owned()));

    let nowhere = host.context(|context| context.tenant = Some("initech".to_owned()));
    check_refused(&nowhere, "alice", "s3cre7", Refusal::UnknownIdentifier);
}

#[test]
fn other_credentials_than_a_password_are_refused_at_the_same_cost() {
    let host = host();
    for credential in [
        MockCredential::Otp("s3cre7".to_owned()),
        MockCredential::ApiKey("s3cre7".to_owned()),
        MockCredential::Digest(DigestAlgorithm::Md5, "s3cre7".to_owned()),
    ] {
        for identifier in ["alice", "nobody"] {
            let outcome = host.present::<WazoUser>(identifier, credential.clone());
            assert_eq!(
                outcome,
                Ok(Refusal::UnsupportedCredential.into()),
                "{identifier} {credential:?}"
            );
            assert_eq!(host.comparisons(), 1);
        }
    }
}

/// A digest of this login and password, for the tenant `master`.
#[track_caller]
fn by_digest(host: &MockHost, algorithm: DigestAlgorithm, login: &str, password: &str) -> Result<Outcome, Fault> {
    let host = host
        .clone()
        .context(|context| context.tenant = Some("master".to_owned()));
    let outcome = host.present::<WazoUser>("", MockCredential::digest(algorithm, login, password));
    assert_eq!((host.comparisons(), host.exposures()), (1, 0), "{login}");
    outcome
}

#[test]
fn a_digest_says_by_itself_whose_it_is() {
    let host = host();
    for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha1] {
        let alice = principal(by_digest(&host, algorithm, "alice", "s3cre7"));
        assert_eq!(alice.subject, Subject::Directory("user-alice-master".to_owned()));
        assert_eq!(
            (alice.login.as_str(), &alice.groups[..]),
            ("alice", &["staff".to_owned(), "support".to_owned()][..])
        );
    }
}

#[test]
fn a_refused_digest_costs_one_comparison_whatever_the_reason() {
    let (host, md5) = (host(), DigestAlgorithm::Md5);
    let wrong = Ok(Refusal::WrongCredential.into());
    assert_eq!(by_digest(&host, md5, "alice", "wrong"), wrong);
    assert_eq!(by_digest(&host, md5, "nobody", "s3cre7"), wrong);
    assert_eq!(by_digest(&host, md5, "robot", ""), wrong);
    assert_eq!(by_digest(&host, md5, "mallory", "s3cre7"), Ok(Refusal::Disabled.into()));
}

#[test]
fn a_digest_needs_the_tenant_of_its_user() {
    let host = host();
    for tenant in [None, Some("acme".to_owned())] {
        let host = host.clone().context(|context| context.tenant = tenant);
        let digest = MockCredential::digest(DigestAlgorithm::Sha1, "alice", "s3cre7");
        assert_eq!(
            host.present::<WazoUser>("", digest),
            Ok(Refusal::WrongCredential.into())
        );
        assert_eq!(host.comparisons(), 1);
    }
}

#[test]
fn a_digest_beside_a_name_is_refused() {
    let host = host().context(|context| context.tenant = Some("master".to_owned()));
    let digest = MockCredential::digest(DigestAlgorithm::Md5, "alice", "s3cre7");
    assert_eq!(
        host.present::<WazoUser>("alice", digest),
        Ok(Refusal::UnsupportedCredential.into())
    );
    assert_eq!(host.comparisons(), 1);
}

#[test]
fn an_exposed_password_is_not_what_it_wants() {
    let host = MockHost::new();
    assert_eq!(
        host.describe::<WazoUser>().wanted(),
        [Capability::Log, Capability::DirectoryFind, Capability::DirectoryVerify]
    );
}

#[test]
fn a_missing_grant_is_a_fault_that_names_it() {
    for (capability, name) in [
        (Capability::DirectoryFind, "directory.find"),
        (Capability::DirectoryVerify, "directory.verify"),
    ] {
        let fault = Fault::misconfigured(format!("the capability `{name}` is not granted"));
        assert_eq!(host().deny(capability).login::<WazoUser>("alice", "s3cre7"), Err(fault));
    }
    assert_eq!(
        principal(host().deny(Capability::Log).login::<WazoUser>("alice", "s3cre7")).login,
        "alice"
    );
}

#[test]
fn a_directory_that_does_not_answer_is_a_fault() {
    let host = host().unavailable();
    let fault = || Err(Fault::unavailable("the host's directory did not answer"));
    assert_eq!(host.login::<WazoUser>("alice", "s3cre7"), fault());
    let digest = MockCredential::digest(DigestAlgorithm::Md5, "alice", "s3cre7");
    assert_eq!(host.present::<WazoUser>("", digest), fault());
}

#[test]
fn an_unknown_key_of_the_configuration_is_a_problem() {
    let host = MockHost::new();
    assert_eq!(host.check_config::<WazoUser>(&json!({})), Ok(()));
    let problems = host.check_config::<WazoUser>(&json!({ "tenant": "acme" })).unwrap_err();
    assert_eq!(problems[0].pointer, "/tenant");
}

#[test]
fn the_log_says_why_and_never_the_password() {
    let host = host();
    check_refused(&host, "nobody", "s3cre7", Refusal::UnknownIdentifier);
    let [line] = &host.lines()[..] else {
        panic!("{:?}", host.lines())
    };
    assert_eq!(
        (line.level, line.field("reason")),
        (Level::Debug, Some("UnknownIdentifier"))
    );
    assert!(!format!("{line:?}").contains("s3cre7"));
}
