//! Trying a configuration on the plugin that serves, without putting it in place.

use std::sync::Arc;

use super::bring_up::{BringUpError, HEALTH_DEADLINE};
use super::file;
use super::plan::{CopyError, Planner, is_unhealthy, plugin_path};
use crate::generation::Generation;
use crate::registry::Live;
use crate::{BackendSpec, ReportedProblem};

/// Why a configuration would not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// No backend has this name.
    #[error("there is no such backend")]
    Unknown,
    /// The plugin does not accept it.
    #[error("the plugin does not accept the configuration")]
    Refused(Vec<ReportedProblem>),
    /// The plugin cannot be loaded, or not with what it is granted.
    #[error("{0}")]
    NotLoadable(String),
    /// The plugin accepts it, and finds that something that it depends on is not there.
    #[error("{reason}")]
    Unhealthy {
        /// What the plugin says.
        reason: String,
        /// Whether it is so with the configuration that serves, too.
        was_before: bool,
    },
}

impl Planner {
    /// Brings up a generation with this configuration, asks for its health, and lets it go.
    pub(crate) async fn try_out(&self, spec: &BackendSpec, live: Option<Arc<Live>>) -> Result<(), TrialError> {
        let generation = self.bring_up_beside(spec, live.as_deref()).await.map_err(refusal)?;
        let Some(Err(fault)) = generation.health(HEALTH_DEADLINE).await else {
            return Ok(());
        };
        Err(TrialError::Unhealthy {
            reason: BringUpError::Unhealthy(fault).to_string(),
            was_before: match live {
                Some(live) => is_unhealthy(&live).await,
                None => false,
            },
        })
    }

    /// On the plugin that serves, or, where none does, on the file that would.
    async fn bring_up_beside(&self, spec: &BackendSpec, live: Option<&Live>) -> Result<Generation, Refusal> {
        if let Some(live) = live {
            let digest = live.generation.digest();
            return self.bring_up_copy(spec, digest).await.map_err(|error| match error {
                CopyError::Refused { error, .. } => Refusal::BringUp(error),
                error @ CopyError::Missing(_) => Refusal::Other(error.to_string()),
            });
        }
        let path = plugin_path(&self.plugins_dir, &spec.plugin).map_err(Refusal::Other)?;
        let max = self.max_plugin_bytes;
        let read = tokio::task::spawn_blocking(move || file::read_plugin(&path, max)).await;
        let file = match read {
            Ok(Ok(file)) => file,
            Ok(Err(error)) => return Err(Refusal::Other(error.to_string())),
            Err(error) => return Err(Refusal::Other(error.to_string())),
        };
        let brought_up = self.workshop.bring_up(spec, file.digest, file.bytes).await;
        brought_up.map_err(Refusal::BringUp)
    }
}

enum Refusal {
    BringUp(BringUpError),
    Other(String),
}

fn refusal(refusal: Refusal) -> TrialError {
    match refusal {
        Refusal::BringUp(BringUpError::Config(problems)) => {
            let problems = problems.into_iter().map(|problem| ReportedProblem {
                pointer: problem.pointer,
                message: problem.message,
            });
            TrialError::Refused(problems.collect())
        }
        Refusal::BringUp(error) => TrialError::NotLoadable(error.to_string()),
        Refusal::Other(reason) => TrialError::NotLoadable(reason),
    }
}
