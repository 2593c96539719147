//! `keyway` and `keyway serve`: a server, until a signal ends it.

use super::failure::Failure;
use crate::app::error::StartError;
use crate::app::privilege::Account;
use crate::app::{Launch, Server, chain, log};
use crate::cli::{Global, ServeOptions};
use crate::config::Config;

pub(crate) fn run(global: &Global, options: &ServeOptions) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    let account = options.user.as_deref().map(Account::find).transpose();
    let account = account.map_err(|error| Failure::of(&error))?;
    let log = log::start(config.log, global.level());
    let launch = Launch { account, log };
    run_server(config, launch, async |_: &Server| Ok(()))
}

/// Starts a server, lets `prepare` put into it what it wants, and serves to the end.
pub(crate) fn run_server<P>(config: Config, launch: Launch, prepare: P) -> Result<(), Failure>
where
    P: AsyncFnOnce(&Server) -> Result<(), Failure>,
{
    super::block_on(async {
        let server = Server::start(config, launch).await.map_err(|error| explain(&error))?;
        prepare(&server).await?;
        server.run().await;
        Ok(())
    })
}

/// Adds what to do about it, where the error itself does not say.
fn explain(error: &StartError) -> Failure {
    let hint = match error {
        StartError::Config(_) => return Failure::usage(chain(error)),
        StartError::Listen(keyway_http::edge::ListenError::Bind { source, .. }) => match source.kind() {
            std::io::ErrorKind::AddrInUse => "; stop what listens there, or choose another address",
            std::io::ErrorKind::PermissionDenied => "; a port below 1024 takes root (see `-u`) or CAP_NET_BIND_SERVICE",
            std::io::ErrorKind::AddrNotAvailable => "; this machine does not have the address",
            _ => "",
        },
        _ => "",
    };
    Failure::failed(chain(error) + hint)
}
