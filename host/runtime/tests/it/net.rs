//! Endpoints, with a plugin that does what it must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keyway_core::model::Outcome;
use keyway_core::port::BackendFault;
use keyway_runtime::{BackendSpec, EndpointSpec, Grants, Limits, Protection, Server};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::host::{PASSWORD, TestHost, spec};

/// A server that reads everything and says nothing, and counts who came.
async fn target() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 << 10];
                while let Ok(1..) = stream.read(&mut bytes).await {}
            });
        }
    });
    (port, came)
}

async fn host(port: u16) -> TestHost {
    let server = Server {
        host: "127.0.0.1".to_owned(),
        port,
    };
    let endpoint = EndpointSpec {
        connections: 3,
        bytes: 1 << 20,
        ..EndpointSpec::new(vec![server], Protection::None)
    };
    let grants = Grants {
        credential_expose: true,
        net: [
            ("target".to_owned(), endpoint.clone()),
            ("elsewhere".to_owned(), endpoint),
        ]
        .into(),
        ..Grants::default()
    };
    let limits = Limits {
        deadline: Duration::from_millis(1500),
        host_call_bytes: 16 << 20,
        ..Limits::default()
    };
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    let status = host
        .desire(BackendSpec {
            grants,
            limits,
            ..spec("hostile")
        })
        .await;
    assert_eq!(status.reason, None);
    host
}

fn is_unavailable(result: &Result<Outcome, BackendFault>, why: &str) -> bool {
    matches!(result, Err(BackendFault::Unavailable(reason)) if reason.contains(why))
}

#[tokio::test]
async fn connections_and_bytes_are_counted() {
    let (port, came) = target().await;
    let host = host(port).await;
    let result = host.login("hostile", "net_flood", PASSWORD).await;
    assert!(is_unavailable(&result, "used up"), "{result:?}");
    let result = host.login("hostile", "net_firehose", PASSWORD).await;
    assert!(is_unavailable(&result, "used up"), "{result:?}");
    // The next call has all of it again.
    let result = host.login("hostile", "net_flood=3", PASSWORD).await;
    assert!(matches!(result, Ok(Outcome::Verified(_))), "{result:?}");
    // The server may take a moment to see who came.
    let began = Instant::now();
    while came.load(Ordering::SeqCst) < 3 + 1 + 3 && began.elapsed() < Duration::from_secs(5) {
        tokio::task::yield_now().await;
    }
    assert_eq!(came.load(Ordering::SeqCst), 3 + 1 + 3);
}

#[tokio::test]
async fn an_endpoint_that_a_plugin_did_not_ask_for_is_none_of_its_own() {
    let (port, came) = target().await;
    let result = host(port).await.login("hostile", "net_elsewhere", PASSWORD).await;
    assert!(
        matches!(&result, Err(BackendFault::Misconfigured(reason)) if reason.contains("grants.net.elsewhere")),
        "{result:?}"
    );
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_never_comes_is_waited_for_until_the_deadline() {
    let (port, _) = target().await;
    let host = host(port).await;
    let began = Instant::now();
    let result = host.login("hostile", "net_wait", PASSWORD).await;
    assert!(matches!(result, Err(BackendFault::DeadlineExceeded(_))), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_carried_a_credential_is_not_kept() {
    let (port, _) = target().await;
    let host = host(port).await;
    for (identifier, kept) in [("net_keep", "true"), ("net_keep_credential", "false")] {
        let Ok(Outcome::Verified(principal)) = host.login("hostile", identifier, PASSWORD).await else {
            panic!("{identifier}");
        };
        assert_eq!(
            principal.attributes,
            [("kept".to_owned(), kept.to_owned())],
            "{identifier}"
        );
    }
}
