//! Keyway's plugin host: the only room that knows WebAssembly.
//!
//! A backend is a plugin (a component file), a configuration and a name. The runtime compiles the plugin, checks what it imports,
//! exports and wants, and makes a fresh instance of it for each login step, under limits that are always on. A changed file,
//! configuration, grant or limit becomes a new *generation*; the swap is a transaction, and any failure leaves the old generation
//! serving.
//!
//! # For whoever composes the server
//! ```no_run
//! # use std::sync::Arc;
//! # use keyway_core::{Secret, directory::DirectoryService, model::BackendName, password::PasswordPool, port::{Backends, PluginHost, SystemClock}};
//! # use keyway_runtime::{BackendSpec, HostServices, NoDatabases, Runtime, RuntimeSettings};
//! # async fn compose(directory: Arc<DirectoryService>, passwords: Arc<PasswordPool>, key: Secret<[u8; 32]>) -> Result<(), Box<dyn std::error::Error>> {
//! let settings = RuntimeSettings::new("plugins".into(), "var".into(), key);
//! // The room `store` opens the databases that an operator names.
//! let services = HostServices { directory, passwords, databases: Arc::new(NoDatabases) };
//! let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await?;
//!
//! let mut wazo_user = BackendSpec::new(BackendName::parse("wazo_user")?, "wazo_user");
//! wazo_user.aliases = vec![BackendName::parse("xivo_user")?];
//! // Returns when each backend is live or refused; the statuses say which. Call it again whenever the configuration changes.
//! let statuses = runtime.set_desired(vec![wazo_user]).await;
//! # drop(statuses);
//!
//! let backends: Arc<dyn Backends> = runtime.clone();       // for the token service
//! let plugins: Arc<dyn PluginHost> = runtime.clone();      // for the admin API; SIGHUP calls `reconcile`
//! # drop((backends, plugins));
//! runtime.shutdown().await;
//! # Ok(()) }
//! ```
//! `keyway plugin check FILE` and `keyway plugin test FILE` are [`check_file`] and [`try_file`]: they need neither a server nor a
//! [`Runtime`].

mod answer;
mod bindings;
mod call;
mod check;
mod comparing;
mod delegation;
mod engine;
mod error;
mod fault;
mod file;
mod generation;
mod grant;
mod import;
mod limits;
mod net;
mod pattern;
mod plugin;
mod profile;
mod registry;
mod reload;
mod runtime;
mod services;
mod settings;
mod spec;
mod text;
mod trace;
mod variant;
mod vouch;
mod wasi;

pub use check::{CheckError, PluginReport, ReportedProblem, Trial, Tried, check_file, try_file};
pub use error::RuntimeError;
pub use file::FileSpec;
pub use grant::Grants;
pub use limits::Limits;
pub use net::{AddressPolicy, Balance, EndpointSpec, InvalidNetwork, InvalidTls, Protection, Server, TlsSpec};
pub use reload::trial::TrialError;
pub use runtime::Runtime;
pub use services::{HostDirectory, HostPasswords, HostServices, NoDatabases};
pub use settings::{Probation, RuntimeSettings};
pub use spec::{BackendSpec, Instances};
pub use trace::TraceStep;
pub use variant::VariantSpec;
