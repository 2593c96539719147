//! Digests of login and password: whom the host finds by one, and for whom it vouches because of that.

use keyway_core::Secret;
use keyway_core::model::{Answer, Credential, DigestAlgorithm, Outcome, Principal, Refusal, Subject};
use keyway_core::port::{BackendFault, RequestContext, Step, VerifyRequest};

use crate::host::{ALICE, BOBS_DIGEST, DIGEST, PASSWORD, TestHost, spec};

async fn log_in(host: &TestHost, algorithm: DigestAlgorithm, digest: &str, tenant: Option<&str>) -> Outcome {
    let slot = host.slot("wazo_user");
    let context = RequestContext {
        tenant: tenant.map(ToOwned::to_owned),
        ..RequestContext::default()
    };
    let step = Step::Start {
        identifier: String::new(),
        credential: Credential::Digest {
            algorithm,
            value: Secret::from(digest),
        },
    };
    let request = VerifyRequest {
        context,
        step,
        deadline: std::time::Instant::now() + slot.deadline,
    };
    let answer: Answer = slot.backend.verify(request).await.unwrap();
    answer.outcome
}

async fn hostile() -> TestHost {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    let mut spec = spec("hostile");
    spec.secrets.insert("key".to_owned(), Secret::from(DIGEST));
    assert_eq!(host.desire(spec).await.reason, None);
    host
}

#[tokio::test]
async fn a_directory_user_logs_in_with_a_digest_through_a_component() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let outcome = log_in(&host, DigestAlgorithm::Md5, DIGEST, Some("master")).await;
    let Outcome::Verified(Principal {
        subject, login, groups, ..
    }) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!((subject, login.as_str()), (Subject::Directory(ALICE), "alice"));
    assert_eq!(groups, ["staff"]);
    for (algorithm, digest, tenant) in [
        (DigestAlgorithm::Sha1, DIGEST, Some("master")),
        (DigestAlgorithm::Md5, "00", Some("master")),
        (DigestAlgorithm::Md5, DIGEST, Some("acme")),
        (DigestAlgorithm::Md5, DIGEST, None),
    ] {
        let outcome = log_in(&host, algorithm, digest, tenant).await;
        assert_eq!(
            outcome,
            Outcome::Refused(Refusal::WrongCredential),
            "{algorithm:?} {digest} {tenant:?}"
        );
    }
}

#[tokio::test]
async fn a_digest_vouches_for_its_user_alone() {
    let host = hostile().await;
    let found = host.login("hostile", "finds_by_digest", DIGEST).await;
    assert!(
        matches!(&found, Ok(Outcome::Verified(principal)) if principal.subject == Subject::Directory(ALICE)),
        "{found:?}"
    );
    let found = host.login("hostile", "claims_another_by_digest", DIGEST).await;
    assert!(matches!(&found, Ok(Outcome::Verified(_))), "{found:?}");
    for digest in [BOBS_DIGEST, PASSWORD] {
        let claim = host.login("hostile", "claims_another_by_digest", digest).await;
        assert!(matches!(&claim, Err(BackendFault::Broken(_))), "{digest}: {claim:?}");
    }
}

#[tokio::test]
async fn a_digest_of_the_operators_speaks_for_nobody_in_a_lookup() {
    let host = hostile().await;
    let found = host.find_by_name("finds_by_digest").await;
    assert!(matches!(&found, Err(BackendFault::Broken(_))), "{found:?}");
}
