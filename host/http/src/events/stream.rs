//! One reader's stream. A task of its own reads for it and waits when it does not take what is there, so that a slow reader holds a few
//! events and one place, and loses both when it takes too long.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse;
use futures::stream::{self, Stream};
use keyway_core::model::{Event, EventCursor, TenantId};
use keyway_core::token::{CheckRequest, TokenValue};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, interval_at, timeout};

use super::ACCESS;
use crate::AppState;
use crate::dialect::wazo::Envelope;
use crate::edge::InFlight;

/// Events that are ready and not taken.
const READY: usize = 16;

/// Events that are read from the store at once.
const BATCH: u32 = 64;

/// Somebody who reads events.
pub(super) struct Reader {
    pub(super) state: AppState,
    pub(super) token: TokenValue,
    pub(super) tenant: TenantId,
    pub(super) place: EventCursor,
}

/// The stream has ended: its reader is gone or too slow, or may not read any more.
struct Ended;

type Sender = mpsc::Sender<sse::Event>;

impl Reader {
    /// Starts reading. `permit` and `busy` are let go when it ends, even if the reader never takes notice of that.
    pub(super) fn start(
        mut self,
        permit: OwnedSemaphorePermit,
        busy: Option<InFlight>,
    ) -> sse::Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
        let (sender, receiver) = mpsc::channel(READY);
        tokio::spawn(async move {
            let Err(Ended) = self.read(&sender).await;
            drop((permit, busy));
        });
        sse::Sse::new(stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|event| (Ok(event), receiver))
        }))
    }

    async fn read(&mut self, sender: &Sender) -> Result<Infallible, Ended> {
        let events = std::sync::Arc::clone(&self.state.events.service);
        let settings = self.state.events.settings.clone();
        let mut follower = events.follow();
        let mut checks = ticks(settings.check_interval);
        let mut quiet = ticks(settings.keep_alive);
        // So that a client that is cut off before anything happens knows where it was.
        self.send(sender, self.sign_of_life()).await?;
        loop {
            let batch = events.read(self.place, self.tenant, BATCH).await;
            let batch = batch.map_err(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "a stream of events ends");
                Ended
            })?;
            if !batch.events.is_empty() {
                self.check().await?;
                quiet.reset();
            }
            for event in &batch.events {
                self.send(sender, self.render(event)).await?;
            }
            let moved = batch.reached != self.place;
            self.place = batch.reached;
            if moved {
                continue;
            }
            tokio::select! {
                biased;
                () = sender.closed() => return Err(Ended),
                _ = checks.tick() => self.check().await?,
                _ = quiet.tick() => self.send(sender, self.sign_of_life()).await?,
                goes_on = follower.wait_beyond(self.place) => if !goes_on { return Err(Ended) },
            }
        }
    }

    /// Whether the token is still good. From the cache, as a rule.
    async fn check(&self) -> Result<(), Ended> {
        let asked = CheckRequest {
            scope: Some(ACCESS),
            tenant: None,
        };
        let live = self.state.tokens.check(&self.token, asked).await;
        live.map(|_| ()).map_err(|_| Ended)
    }

    async fn send(&self, sender: &Sender, event: sse::Event) -> Result<(), Ended> {
        let patience = self.state.events.settings.patience;
        match timeout(patience, sender.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended),
        }
    }

    fn render(&self, event: &Event) -> sse::Event {
        let envelope = Envelope::of(event, &self.state.dialects.wazo);
        sse::Event::default()
            .id(event.cursor.to_string())
            .event(event.event.kind.as_str())
            .data(envelope.body.to_string())
    }

    /// A comment, which no client shows; where it goes on is told with it, because what is not for it moves the reader on as well.
    fn sign_of_life(&self) -> sse::Event {
        sse::Event::default().comment("").id(self.place.to_string())
    }
}

fn ticks(interval: Duration) -> tokio::time::Interval {
    let interval = interval.max(Duration::from_millis(1));
    interval_at(Instant::now() + interval, interval)
}
