//! What the log says about requests. Never a path, a query, a header or a body: they hold tokens and passwords.

use std::error::Error;
use std::fmt::Write as _;

use super::Call;

/// Logs an error with all its causes, under the request's id.
pub fn log_failure(call: &Call, error: &dyn Error) {
    let chain = chain(error);
    tracing::error!(request_id = call.id(), error = %chain, "request failed");
}

/// An error with all its causes, in one line. For logs and operators only.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing into a string cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
