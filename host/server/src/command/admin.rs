//! One request of the admin API: to the running server, or, where none runs, in process over the same routes and an opened store.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use keyway_core::port::SystemRandom;
use keyway_http::{AppState, DialectSettings, admin};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use super::failure::Failure;
use crate::app::data_dir::{DataDir, DataDirError, admin_socket};
use crate::app::privilege::Account;
use crate::app::services::Services;
use crate::app::{chain, master_key};
use crate::config::Config;

/// What may stand in a path or a query as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How often a command looks for a server that is just starting or stopping, and how long it waits in between.
const ATTEMPTS: u32 = 50;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Where a request can be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// By a server, or in process.
    Anywhere,
    /// By a server only.
    Server,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    target: String,
    body: Option<Value>,
    place: Place,
}

impl Call {
    /// A request to the path that these steps make, below `/keyway/v1`.
    pub(crate) fn new(method: Method, steps: &[&str]) -> Self {
        let steps: Vec<String> = steps.iter().map(|step| escape(step)).collect();
        Self {
            method,
            target: format!("/keyway/v1/{}", steps.join("/")),
            body: None,
            place: Place::Anywhere,
        }
    }

    /// With this in the query.
    #[must_use]
    pub(crate) fn query(mut self, key: &str, value: &str) -> Self {
        let mark = if self.target.contains('?') { "&" } else { "?" };
        for part in [mark, key, "=", &escape(value)] {
            self.target.push_str(part);
        }
        self
    }

    /// With this body.
    #[must_use]
    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Only a running server can answer it.
    #[must_use]
    pub(crate) fn on_server(mut self) -> Self {
        self.place = Place::Server;
        self
    }

    fn request(&self) -> Result<Request<Body>, Failure> {
        let body = self
            .body
            .as_ref()
            .map_or_else(Body::empty, |value| Body::from(value.to_string()));
        Request::builder()
            .method(self.method.clone())
            .uri(&self.target)
            .header(http::header::HOST, "localhost")
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| Failure::failed(format!("cannot make the request: {error}")))
    }
}

/// Carries a request out and returns its answer.
///
/// # Errors
/// What the answer says went wrong, or that no server runs.
pub(crate) async fn send(config: &Config, call: &Call) -> Result<Value, Failure> {
    let socket = admin_socket(&config.data_dir);
    let mut owner = None;
    for _ in 0..ATTEMPTS {
        if let Some(stream) = connect(&socket).await? {
            return over(stream, call, &socket).await;
        }
        if call.place == Place::Server {
            return Err(Failure::failed(format!(
                "no server is running on `{}`; start it with `keyway -c {}`",
                config.data_dir.display(),
                config.file.display()
            )));
        }
        owner = owner.or(become_owner(&config.data_dir)?);
        match DataDir::open_for_command(&config.data_dir) {
            Ok(lock) => return in_process(config, call, lock).await,
            // A server holds the folder and does not answer yet, or not any more.
            Err(DataDirError::Locked(_)) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                let explained = owner
                    .as_ref()
                    .map_or(Ok(()), |owner: &Account| owner.check_data_dir(&config.data_dir));
                explained.map_err(|reason| Failure::of(&reason))?;
                return Err(Failure::of(&error));
            }
        }
    }
    Err(Failure::failed(format!(
        "a server holds `{}` and does not answer on its admin socket; try again when it has started or stopped",
        config.data_dir.display()
    )))
}

/// Has the running server carry a request out; `None` where none runs.
///
/// # Errors
/// What the answer says went wrong, or that the server cannot be reached.
pub(crate) async fn send_if_running(config: &Config, call: &Call) -> Result<Option<Value>, Failure> {
    let socket = admin_socket(&config.data_dir);
    match connect(&socket).await? {
        Some(stream) => over(stream, call, &socket).await.map(Some),
        None => Ok(None),
    }
}

/// Holds the data folder for a command that a running server would be in the way of.
///
/// # Errors
/// That a server runs, or holds the folder.
pub(crate) async fn lock_out_server(config: &Config) -> Result<DataDir, Failure> {
    let socket = admin_socket(&config.data_dir);
    for _ in 0..ATTEMPTS {
        if connect(&socket).await?.is_some() {
            return Err(Failure::failed(format!(
                "a server is running on `{}`; stop it first, it would not hear of what changes",
                config.data_dir.display()
            )));
        }
        become_owner(&config.data_dir)?;
        match DataDir::open_for_command(&config.data_dir) {
            Ok(lock) => return Ok(lock),
            Err(DataDirError::Locked(_)) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(Failure::of(&error)),
        }
    }
    Err(Failure::failed(format!(
        "a server holds `{}`; stop it first",
        config.data_dir.display()
    )))
}

/// `None` where nobody listens.
async fn connect(socket: &Path) -> Result<Option<UnixStream>, Failure> {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    match UnixStream::connect(socket).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(None),
        Err(error) if error.kind() == PermissionDenied => Err(Failure::failed(format!(
            "this user may not use `{}`; run the command as the server's user, or as root",
            socket.display()
        ))),
        Err(error) => Err(Failure::failed(format!(
            "cannot reach the server on `{}`: {error}",
            socket.display()
        ))),
    }
}

async fn over(stream: UnixStream, call: &Call, socket: &Path) -> Result<Value, Failure> {
    let broken = |error: hyper::Error| {
        Failure::failed(format!(
            "the server on `{}` did not answer: {}; see its log",
            socket.display(),
            chain(&error)
        ))
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(call.request()?).await.map_err(broken)?;
    let status = response.status();
    let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
    connection.abort();
    read(status, &bytes)
}

async fn in_process(config: &Config, call: &Call, lock: DataDir) -> Result<Value, Failure> {
    let router = open_router(config).await?;
    let response = router
        .oneshot(call.request()?)
        .await
        .unwrap_or_else(|never| match never {});
    let status = response.status();
    let bytes = response
        .into_body()
        .collect()
        .await
        .map_err(|error| Failure::of(&error))?
        .to_bytes();
    drop(lock);
    read(status, &bytes)
}

async fn open_router(config: &Config) -> Result<ClosingRouter, Failure> {
    let master = master_key::read(&config.master_key, &SystemRandom).map_err(|error| Failure::of(&error))?;
    let services = Services::open(config, &master)
        .await
        .map_err(|error| Failure::of(&error))?;
    let state = AppState::new(services.into_parts(config, None, DialectSettings::default()));
    Ok(ClosingRouter {
        router: admin::router(&state),
        state,
    })
}

/// Gives root up before the first touch of a data folder that is somebody else's; returns whom it became.
fn become_owner(data_dir: &Path) -> Result<Option<Account>, Failure> {
    let owner = Account::owner_of(data_dir);
    if let Some(owner) = &owner {
        owner.assume().map_err(|error| Failure::of(&error))?;
    }
    Ok(owner)
}

/// The routes over a store that is closed after one request.
struct ClosingRouter {
    router: Router,
    state: AppState,
}

impl ClosingRouter {
    async fn oneshot(self, request: Request<Body>) -> Result<axum::response::Response, std::convert::Infallible> {
        let response = self.router.oneshot(request).await;
        self.state.store.close().await;
        response
    }
}

fn read(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(answer);
    }
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let error = text("error").map_or_else(|| format!("the server answered {status}"), str::to_owned);
    Err(Failure::failed(match text("next") {
        Some(next) => format!("{error}; {next}"),
        None => error,
    }))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests;
