//! What every listener stands behind: TLS, limits, request ids, liveness. No dialect names, no domain rules.

mod answer;
mod budget;
mod call;
mod client;
mod connection;
mod credentials;
mod listen;
mod live;
mod log;
mod pace;
mod page;
mod payload;
mod request_id;
mod settings;
mod stop;
#[cfg(test)]
mod tests;
mod tls;
mod unix;
mod whole;

pub use call::Call;
pub use credentials::{basic_credentials, basic_of, user_agent};
pub use listen::{Drained, ListenError, Listener};
pub use live::answers;
pub(crate) use live::mount;
pub use log::{chain, log_failure};
pub use pace::InFlight;
use page::unavailable;
pub use page::{message, not_allowed, not_found, not_found_page};
pub use payload::{Payload, PayloadError};
pub use settings::{Edge, EdgeSettings};
pub use stop::Stop;
pub use tls::{Tls, TlsError, TlsFiles, self_signed};
pub(crate) use whole::Whole;
