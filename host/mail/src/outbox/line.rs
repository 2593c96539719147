//! Who is sent next, and when again.

use std::collections::VecDeque;
use std::sync::Arc;

use keyway_core::port::Clock;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Waiting;
use crate::transport::{Carrier, Undelivered};
use crate::{MailSettings, settings::Retry};

/// The mails that wait, and those that are being sent.
pub(super) struct Line {
    carrier: Arc<dyn Carrier>,
    clock: Arc<dyn Clock>,
    retry: Retry,
    /// How many are sent at once.
    width: usize,
    ready: VecDeque<Waiting>,
    /// What the server would not take, and when to try again.
    deferred: Vec<(Instant, Waiting)>,
    sending: JoinSet<(Waiting, Result<(), Undelivered>)>,
    /// How often in a row the server could not be reached, and when to try again.
    failures: u32,
    closed_until: Option<Instant>,
}

impl Line {
    pub(super) fn new(carrier: Arc<dyn Carrier>, clock: Arc<dyn Clock>, settings: &MailSettings) -> Self {
        Self {
            carrier,
            clock,
            retry: settings.retry,
            width: usize::try_from(settings.server.connections).unwrap_or(1).max(1),
            ready: VecDeque::new(),
            deferred: Vec::new(),
            sending: JoinSet::new(),
            failures: 0,
            closed_until: None,
        }
    }

    /// Sends what comes until nobody can put anything in any more.
    pub(super) async fn run(mut self, mut incoming: UnboundedReceiver<Waiting>) {
        loop {
            self.wake();
            self.send();
            let next = self.next_change();
            tokio::select! {
                waiting = incoming.recv() => match waiting {
                    Some(waiting) => self.ready.push_back(waiting),
                    None => return,
                },
                Some(sent) = self.sending.join_next() => match sent {
                    Ok((waiting, result)) => self.settle(waiting, result),
                    Err(error) => tracing::error!(%error, "sending a mail ended abnormally; the mail is lost"),
                },
                () = sleep_until(next) => {}
            }
        }
    }

    /// Lets those in again whose time has come.
    fn wake(&mut self) {
        let now = Instant::now();
        let (due, rest) = std::mem::take(&mut self.deferred)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.deferred = rest;
        self.ready
            .extend(Vec::into_iter(due).map(|(_, waiting): (_, Waiting)| waiting));
        self.closed_until = self.closed_until.filter(|until| *until > now);
    }

    /// Starts as many as there may be: none while the server is left alone, and one to find out whether it is back.
    fn send(&mut self) {
        let width = match (self.closed_until, self.failures) {
            (Some(_), _) => 0,
            (None, 0) => self.width,
            (None, _) => 1,
        };
        while self.sending.len() < width
            && let Some(mut waiting) = self.ready.pop_front()
        {
            if waiting.expires_at <= self.clock.now() {
                report_expired(&waiting);
                continue;
            }
            waiting.attempts = waiting.attempts.saturating_add(1);
            let (carrier, mail) = (Arc::clone(&self.carrier), waiting.mail.clone());
            self.sending.spawn(async move { (waiting, carrier.carry(mail).await) });
        }
    }

    fn settle(&mut self, waiting: Waiting, result: Result<(), Undelivered>) {
        let (topic, user, attempts) = (waiting.topic, waiting.user, waiting.attempts);
        match result {
            Ok(()) => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(waiting = self.ready.len(), "the mail server is back");
                }
                tracing::info!(topic, %user, attempts, "mail sent");
            }
            Err(reason @ Undelivered::Refused(_)) => {
                self.failures = 0;
                tracing::error!(topic, %user, %reason, "a mail is refused for good and not sent");
            }
            Err(reason @ Undelivered::Deferred(_)) => {
                self.failures = 0;
                let wait = self.retry.after(attempts);
                tracing::warn!(topic, %user, attempts, %reason, ?wait, "a mail is refused for now");
                self.deferred.push((Instant::now() + wait, waiting));
            }
            Err(reason @ Undelivered::Unreachable(_)) => {
                // At the end, so that a mail over which the server stumbles holds no other back.
                self.ready.push_back(waiting);
                // Those that were under way at the same time say the same thing again.
                if self.closed_until.is_none() {
                    self.failures = self.failures.saturating_add(1);
                    let wait = self.retry.after(self.failures);
                    let waiting = self.ready.len();
                    tracing::warn!(%reason, waiting, ?wait, "the mail server cannot be used; mails wait");
                    self.closed_until = Some(Instant::now() + wait);
                }
            }
        }
    }

    /// When something changes by itself.
    fn next_change(&self) -> Option<Instant> {
        let deferred = self.deferred.iter().map(|(at, _)| *at);
        let reopened = self.closed_until.filter(|_| !self.ready.is_empty());
        deferred.chain(reopened).min()
    }
}

fn report_expired(waiting: &Waiting) {
    let (topic, user, attempts) = (waiting.topic, waiting.user, waiting.attempts);
    tracing::error!(topic, %user, attempts, "a mail could not be sent while its link was good; it is dropped");
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
