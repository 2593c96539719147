//! The queue in front of the mail server: bounded, in memory, and patient. A mail server that is down delays mails and fails no request.

mod line;

use std::sync::Arc;
use std::time::Duration;

use keyway_core::model::{Timestamp, UserId};
use keyway_core::port::{Clock, Letter, Mailer, MailerError, Random};
use lettre::Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::compose::compose;
use crate::transport::{Carrier, Smtp};
use crate::{MailSettings, SettingsError, Templates};

/// A mail that waits. Its place in the queue is free again when it goes.
pub(crate) struct Waiting {
    mail: Message,
    topic: &'static str,
    user: UserId,
    expires_at: Timestamp,
    attempts: u32,
    _place: OwnedSemaphorePermit,
}

/// Takes letters in, and sends them from a task of its own. What has not left when the process ends is lost: whoever waits for it asks again.
pub struct Outbox {
    settings: MailSettings,
    templates: Arc<Templates>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    places: Arc<Semaphore>,
    line: mpsc::UnboundedSender<Waiting>,
}

impl Outbox {
    /// Starts the task, which ends when the outbox is dropped. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`SettingsError::Authorities`].
    pub fn start(
        settings: MailSettings,
        templates: Arc<Templates>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, SettingsError> {
        let carrier = Arc::new(Smtp::new(&settings.server)?);
        Ok(Self::with(settings, templates, clock, random, carrier))
    }

    fn with(
        settings: MailSettings,
        templates: Arc<Templates>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        carrier: Arc<dyn Carrier>,
    ) -> Self {
        // Places bound it: whoever puts something in holds one.
        let (sender, receiver) = mpsc::unbounded_channel();
        let line = line::Line::new(carrier, Arc::clone(&clock), &settings);
        tokio::spawn(line.run(receiver));
        Self {
            places: Arc::new(Semaphore::new(settings.capacity)),
            line: sender,
            settings,
            templates,
            clock,
            random,
        }
    }

    /// Waits until every mail has left, but no longer than this; returns how many have not.
    pub async fn empty(&self, patience: Duration) -> usize {
        let all = u32::try_from(self.settings.capacity).unwrap_or(u32::MAX);
        let emptied = tokio::time::timeout(patience, self.places.acquire_many(all)).await;
        if emptied.is_ok() {
            0
        } else {
            self.settings.capacity.saturating_sub(self.places.available_permits())
        }
    }
}

impl Mailer for Outbox {
    fn post(&self, letter: &Letter) -> Result<(), MailerError> {
        let capacity = self.settings.capacity;
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| MailerError::Full { capacity })?;
        let mail = compose(letter, &self.settings, &self.templates, self.clock.now(), &*self.random)?;
        let waiting = Waiting {
            mail,
            topic: letter.topic.name(),
            user: letter.user,
            expires_at: letter.expires_at,
            attempts: 0,
            _place: place,
        };
        // The task ends after this, unless it panicked.
        self.line.send(waiting).map_err(|_| MailerError::Unwritable {
            reason: "the queue has come to its end".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
