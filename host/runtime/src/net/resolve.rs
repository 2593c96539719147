//! What a server's name stands for now. The system's resolver holds a thread for as long as it likes, also when nobody waits for it any more, so only so
//! many are at it at once.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{NetError, Server};

/// Look-ups under way at once, of one endpoint.
const OWN: usize = 4;

// Of the process, whose threads they take. Names that tenants say, whose zones may be made to hang, leave the operator's alone.
static OPERATORS: Semaphore = Semaphore::const_new(16);
static TENANTS: Semaphore = Semaphore::const_new(16);

/// Looks names up for one endpoint.
#[derive(Debug)]
pub(super) struct Resolver {
    own: Arc<Semaphore>,
    all: &'static Semaphore,
}

impl Resolver {
    /// For an endpoint that the operator names, or somebody else.
    pub(super) fn new(is_operators: bool) -> Self {
        Self {
            own: Arc::new(Semaphore::new(OWN)),
            all: if is_operators { &OPERATORS } else { &TENANTS },
        }
    }

    /// The addresses, with the server's port. Waits for its turn; how long is up to the caller.
    ///
    /// # Errors
    /// [`NetError::Unresolved`].
    pub(super) async fn resolve(&self, server: &Server) -> Result<Vec<SocketAddr>, NetError> {
        if let Ok(address) = server.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, server.port)]);
        }
        let (host, port) = (server.host.clone(), server.port);
        let found = self.look_up(move || Ok((host.as_str(), port).to_socket_addrs()?.collect()));
        found
            .await
            .map_err(|_: io::Error| NetError::Unresolved(server.to_string()))
    }

    /// Has it done on a thread that may block, which keeps its turn until it is through.
    async fn look_up<T: Send + 'static>(&self, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        // Nobody closes these.
        let own = Arc::clone(&self.own).acquire_owned().await.map_err(io::Error::other)?;
        let turn = self.all.acquire().await.map_err(io::Error::other)?;
        let looking = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((own, turn));
            done
        });
        looking.await?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_look_up_that_nobody_waits_for_keeps_its_turn_until_it_ends() {
        let resolver = Resolver::new(true);
        let mut hanging = Vec::new();
        for _ in 0..OWN {
            let (release, released) = mpsc::channel::<()>();
            hanging.push(release);
            let (began, has_begun) = mpsc::channel();
            let work = move || {
                began.send(()).unwrap();
                let _ = released.recv();
                Ok(())
            };
            assert!(
                timeout(Duration::from_millis(20), resolver.look_up(work))
                    .await
                    .is_err()
            );
            has_begun.recv().unwrap();
        }
        assert!(
            timeout(Duration::from_millis(20), resolver.look_up(|| Ok(())))
                .await
                .is_err()
        );
        // An address needs no turn.
        let address = Server {
            host: "::1".to_owned(),
            port: 7,
        };
        assert_eq!(resolver.resolve(&address).await, Ok(vec!["[::1]:7".parse().unwrap()]));
        drop(hanging);
        resolver.look_up(|| Ok(())).await.unwrap();
    }
}
