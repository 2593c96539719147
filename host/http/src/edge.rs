//! What every listener stands behind: TLS, limits, request ids, liveness. No dialect names, no domain rules.

mod listen;
mod settings;
mod stop;
mod tls;

pub use listen::{Drained, ListenError, Listener};
pub use settings::EdgeSettings;
pub use stop::Stop;
pub use tls::{Tls, TlsError, TlsFiles, self_signed};

use axum::response::{IntoResponse, Response};

/// The answer to a path that no route has.
pub async fn not_found() -> Response {
    http::StatusCode::NOT_FOUND.into_response()
}
