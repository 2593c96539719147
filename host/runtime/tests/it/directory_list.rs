//! `directory-list`: which of the host's users a plugin gets to see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, Credential, DigestAlgorithm, TenantId, Timestamp, User, UserId};
use keyway_core::port::{BackendFault, Step, VerifyRequest};
use keyway_runtime::{BackendSpec, HostDirectory, HostServices, Limits, VariantSpec};
use uuid::Uuid;

use crate::errand::{answer, error, hostile, serve};
use crate::host::{PASSWORD, TestHost, context, services};

/// What was asked: the pattern, the tenant, and how many at most.
type Question = (String, Option<String>, u32);

/// Each of two tenants has three users; the second one's come later.
#[derive(Default)]
struct TwoTenants {
    asked: Arc<Mutex<Vec<Question>>>,
}

fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

#[async_trait]
impl HostDirectory for TwoTenants {
    async fn find_by_login(&self, _login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, pattern: &str, narrowed: Option<&str>, most: u32) -> Result<Vec<User>, DirectoryError> {
        let question = (pattern.to_owned(), narrowed.map(ToOwned::to_owned), most);
        self.asked.lock().unwrap().push(question);
        let user = |number: u128| {
            let owner = tenant(number / 10);
            User::new(
                UserId(Uuid::from_u128(number)),
                owner,
                &format!("user{number}"),
                Timestamp(0),
            )
        };
        let users = [11, 12, 13, 21, 22, 23].map(user).into_iter();
        let fitting = users.filter(|user| narrowed.is_none_or(|wanted| user.tenant.to_string() == wanted));
        Ok(fitting.take(usize::try_from(most).unwrap()).collect())
    }

    async fn group_names(&self, _user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn verify_password(
        &self,
        _backend: &BackendName,
        _user: Option<UserId>,
        _password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Ok(false)
    }

    async fn find_by_digest(
        &self,
        _backend: &BackendName,
        _algorithm: DigestAlgorithm,
        _digest: &Secret<Vec<u8>>,
        _tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }
}

async fn host_of(spec: BackendSpec) -> (TestHost, Arc<Mutex<Vec<Question>>>) {
    let directory = TwoTenants::default();
    let asked = Arc::clone(&directory.asked);
    let services = HostServices {
        directory: Arc::new(directory),
        ..services()
    };
    (serve(TestHost::start_over(services).await, [spec]).await, asked)
}

#[tokio::test]
async fn users_are_listed_up_to_a_number() {
    let (host, asked) = host_of(hostile("hostile")).await;
    assert_eq!(host.run("list_directory|2||user*").await, answer("user11\nuser12"));
    let second = format!("list_directory|9|{}|*", tenant(2));
    assert_eq!(host.run(&second).await, answer("user21\nuser22\nuser23"));
    assert_eq!(host.run("list_directory|4000000000|elsewhere|*").await, answer(""));
    let questions = [
        ("user*".to_owned(), None, 2),
        ("*".to_owned(), Some(tenant(2).to_string()), 9),
        ("*".to_owned(), Some("elsewhere".to_owned()), 1_000),
    ];
    assert_eq!(*asked.lock().unwrap(), questions);
}

#[tokio::test]
async fn nobody_is_listed_without_the_capability() {
    let mut spec = hostile("hostile");
    spec.grants.directory_list = false;
    let (host, asked) = host_of(spec).await;
    let refused = error("NotGranted(\"directory.list\")");
    assert_eq!(host.run("list_directory|9||*").await, refused);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_lists_as_often_and_as_much_as_it_may() {
    let spec = BackendSpec {
        limits: Limits {
            lookups: 3,
            // A user is about 80 bytes.
            fetched_bytes: 400,
            ..Limits::default()
        },
        ..hostile("hostile")
    };
    let (host, asked) = host_of(spec).await;
    assert_eq!(host.run("repeat|3|list_directory|1||*").await, answer("user11"));
    assert_eq!(host.run("repeat|4|list_directory|1||*").await, error("LimitReached"));
    assert_eq!(asked.lock().unwrap().len(), 6, "the fourth is not asked");
    assert_eq!(host.run("list_directory|9||*").await, error("LimitReached"));
}

#[tokio::test]
async fn whoever_is_listed_is_not_let_in() {
    let mut spec = hostile("hostile");
    spec.grants.directory_link = true;
    let (host, _) = host_of(spec).await;
    let claimed = host.login("hostile", "name_listed|*", PASSWORD).await;
    assert!(matches!(claimed, Err(BackendFault::Broken(_))), "{claimed:?}");
}

/// Whom the second tenant's own backend is told of. It lets in none of them, so that it has to complain.
async fn listed_in_second(host: &TestHost, errand: &str) -> String {
    let spec = VariantSpec {
        tenant: tenant(2),
        config: serde_json::json!({}),
        secrets: BTreeMap::new(),
        net: BTreeMap::new(),
    };
    let name = BackendName::parse("hostile").unwrap();
    let slot = host.runtime.find_variant(&name, spec).await.unwrap();
    let request = VerifyRequest {
        context: context(),
        step: Step::Start {
            identifier: format!("complain|list_directory|{errand}"),
            credential: Credential::Password(Secret::from(PASSWORD)),
        },
        deadline: Instant::now() + slot.deadline,
    };
    match slot.backend.verify(request).await {
        Err(BackendFault::Misconfigured(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tenants_own_backend_lists_that_tenants_users_alone() {
    let template = BackendSpec {
        is_template: true,
        ..hostile("hostile")
    };
    let (host, _) = host_of(template).await;
    let all = r#"{"answer": "user21\nuser22\nuser23"}"#;
    assert_eq!(listed_in_second(&host, "9||*").await, all);
    // Others' are not in its way, either.
    assert_eq!(listed_in_second(&host, "3||*").await, all);
    let first = format!("9|{}|*", tenant(1));
    assert_eq!(listed_in_second(&host, &first).await, r#"{"answer": ""}"#);
}
