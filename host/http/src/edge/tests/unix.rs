//! The unix socket.

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::super::{Drained, Edge, ListenError, Listener, Stop};
use super::{quick, status_line};
use crate::testing::TestState;

#[tokio::test]
async fn the_admin_socket_is_private_and_replaces_only_what_is_dead() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert!(path.exists(), "a dead socket file is left");

    let listener = Listener::unix(&path).expect("a dead socket is replaced");
    let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stop = Stop::new();
    let state = TestState::new().await.state;
    let ended = tokio::spawn(listener.serve(Router::new(), state, Edge::new(quick()), stop.clone()));
    let mut stream = UnixStream::connect(&path).await.expect("a listener");
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(status_line(&answer), "HTTP/1.1 200 OK");
    assert!(matches!(Listener::unix(&path), Err(ListenError::InUse(_))));

    stop.trigger();
    assert_eq!(ended.await.expect("no panic"), Drained::Whole);
    assert!(!path.exists(), "the file goes with the listener");
    std::fs::write(&path, "precious").expect("a file");
    assert!(
        matches!(Listener::unix(&path), Err(ListenError::Bind { .. })),
        "what is no socket is left alone"
    );
}
