//! The way for mails, and what becomes of those that wait when the server stops.

use std::sync::Arc;
use std::time::Duration;

use keyway_core::notice::NoticeService;
use keyway_core::port::{Clock, Random};
use keyway_mail::{Outbox, SettingsError};

use crate::config::MailConfig;

/// How long a stopping server waits for mails to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts the queue, if the configuration says where mails go.
///
/// # Errors
/// [`SettingsError`].
pub(crate) fn start(
    config: &MailConfig,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Option<Arc<Outbox>>, SettingsError> {
    let Some(settings) = config.settings.clone() else {
        return Ok(None);
    };
    let templates = Arc::new(config.templates.clone());
    let outbox = Outbox::start(settings, templates, Arc::clone(clock), Arc::clone(random))?;
    Ok(Some(Arc::new(outbox)))
}

/// Lets what is under way leave, for a while.
pub(crate) async fn finish(notices: &NoticeService, outbox: Option<&Outbox>) {
    notices.settle(PATIENCE).await;
    if let Some(outbox) = outbox {
        let left = outbox.empty(PATIENCE).await;
        if left > 0 {
            tracing::warn!(mails = left, "mails had not left when the server stopped, and are lost");
        }
    }
}
