//! What nodes tell each other over LISTEN and NOTIFY: which tokens were revoked, and that tenants or documents changed.
//!
//! A notice is sent by the transaction that it speaks of, so it arrives if, and only if, that committed, unless the listener's connection is
//! down. That is said at once, and again when it is back: what came in between is lost.

use std::time::Duration;

use keyway_core::model::{KeyId, TokenDigest};
use keyway_core::port::{Change, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::row::to_json;

/// The channel's name.
pub(super) const CHANNEL: &str = "keyway_changes";

/// `PostgreSQL` takes payloads of less than 8000 bytes.
const LONGEST_PAYLOAD: usize = 7999;

/// How long nothing may be heard before the connection is asked whether it is still alive: a network that swallows packets says nothing.
const QUIET: Duration = Duration::from_secs(5);

/// The time between attempts to connect: from the first to the second, doubled each time.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What one transaction has to say.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notice {
    /// These tokens were revoked: key id, and hash in hexadecimal.
    Tokens(Vec<(i32, String)>),
    /// More tokens were revoked than fit.
    AnyToken,
    /// Tenants were added or removed.
    Tenants,
    /// Documents were written or removed.
    Documents,
}

impl Notice {
    /// The notice that these tokens were revoked.
    pub(super) fn of_tokens(tokens: &[TokenDigest]) -> Self {
        // None is shorter than this, so more of them need not be written down to see that they do not fit.
        if tokens.len() > LONGEST_PAYLOAD / 64 {
            return Self::AnyToken;
        }
        Self::Tokens(
            tokens
                .iter()
                .map(|token| (token.key.0, hex::encode(token.hash)))
                .collect(),
        )
    }
}

#[derive(Serialize, Deserialize)]
struct Message {
    node: Uuid,
    notice: Notice,
}

/// The text that goes over the channel.
pub(super) fn payload(node: Uuid, notice: Notice) -> Result<String, StoreError> {
    let text = to_json("notice", &Message { node, notice })?;
    if text.len() <= LONGEST_PAYLOAD {
        return Ok(text);
    }
    to_json(
        "notice",
        &Message {
            node,
            notice: Notice::AnyToken,
        },
    )
}

/// The changes that a text stands for, as node `own` sees them.
fn changes_of(payload: &str, own: Uuid) -> Vec<Change> {
    let digest = |(key, hash): (i32, String)| {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).ok()?;
        Some(TokenDigest {
            key: KeyId(key),
            hash: bytes,
        })
    };
    match serde_json::from_str::<Message>(payload) {
        Ok(Message { node, .. }) if node == own => Vec::new(),
        Ok(Message {
            notice: Notice::Tokens(tokens),
            ..
        }) => {
            let tokens: Option<Vec<TokenDigest>> = tokens.into_iter().map(digest).collect();
            vec![tokens.map_or(Change::AnyTokenRevoked, Change::TokensRevoked)]
        }
        Ok(Message {
            notice: Notice::AnyToken,
            ..
        }) => vec![Change::AnyTokenRevoked],
        Ok(Message {
            notice: Notice::Tenants,
            ..
        }) => vec![Change::TenantsChanged],
        Ok(Message {
            notice: Notice::Documents,
            ..
        }) => vec![Change::DocumentsChanged],
        // A node of another version says something that this one has no words for. To be safe, it stands for everything.
        Err(_) => vec![
            Change::AnyTokenRevoked,
            Change::TenantsChanged,
            Change::DocumentsChanged,
        ],
    }
}

/// Listens from before this returns until it is aborted.
pub(super) async fn start(
    options: PgConnectOptions,
    patience: Duration,
    node: Uuid,
    changes: broadcast::Sender<Change>,
) -> Result<AbortHandle, sqlx::Error> {
    let listener = listen(&options, patience).await?;
    let task = tokio::spawn(follow(listener, options, patience, node, changes));
    Ok(task.abort_handle())
}

async fn listen(options: &PgConnectOptions, patience: Duration) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(patience)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // What is lost in between must be told, so the listener must not reconnect by itself.
    listener.eager_reconnect(false);
    timeout(patience, listener.listen(CHANNEL))
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(listener)
}

async fn follow(
    mut listener: PgListener,
    options: PgConnectOptions,
    patience: Duration,
    node: Uuid,
    changes: broadcast::Sender<Change>,
) {
    loop {
        let reason = hear(&mut listener, patience, node, &changes).await;
        tracing::warn!(%reason, "lost the feed of changes from other nodes; no token is checked from the cache until it is back");
        // A send fails only where nobody subscribes.
        let _ = changes.send(Change::FeedLost);
        listener = reconnect(&options, patience).await;
        tracing::info!("the feed of changes from other nodes is back");
        let _ = changes.send(Change::FeedRestored);
    }
}

/// Passes on what is heard; returns why nothing more can be.
async fn hear(
    listener: &mut PgListener,
    patience: Duration,
    node: Uuid,
    changes: &broadcast::Sender<Change>,
) -> String {
    loop {
        match timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                for change in changes_of(notification.payload(), node) {
                    let _ = changes.send(change);
                }
            }
            Ok(Ok(None)) => return "the connection was closed".to_owned(),
            Ok(Err(error)) => return error.to_string(),
            Err(_quiet) => match timeout(patience, listener.execute("SELECT 1")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "the connection does not answer".to_owned(),
            },
        }
    }
}

async fn reconnect(options: &PgConnectOptions, patience: Duration) -> PgListener {
    let (mut pause, longest) = BACKOFF;
    loop {
        match listen(options, patience).await {
            Ok(listener) => return listener,
            Err(error) => tracing::debug!(%error, "the feed of changes is still down"),
        }
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> TokenDigest {
        TokenDigest {
            key: KeyId(i32::MIN),
            hash: [byte; 32],
        }
    }

    #[test]
    fn a_notice_arrives_as_it_was_sent_on_another_node_only() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let text = payload(here, Notice::of_tokens(&[digest(1), digest(2)])).expect("a payload");
        assert_eq!(
            changes_of(&text, there),
            [Change::TokensRevoked(vec![digest(1), digest(2)])]
        );
        assert_eq!(changes_of(&text, here), []);
        let text = payload(here, Notice::Tenants).expect("a payload");
        assert_eq!(changes_of(&text, there), [Change::TenantsChanged]);
        let text = payload(here, Notice::Documents).expect("a payload");
        assert_eq!(changes_of(&text, there), [Change::DocumentsChanged]);
    }

    #[test]
    fn a_notice_of_any_number_of_tokens_fits_a_payload() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let tokens: Vec<_> = (0..=255).map(digest).collect();
        for count in 0..tokens.len() {
            let text = payload(here, Notice::of_tokens(&tokens[..count])).expect("a payload");
            assert!(text.len() <= LONGEST_PAYLOAD, "{count} tokens: {} bytes", text.len());
            let expected = match changes_of(&text, there).as_slice() {
                [Change::AnyTokenRevoked] => count > 90,
                [Change::TokensRevoked(named)] => named.as_slice() == &tokens[..count],
                _ => false,
            };
            assert!(expected, "{count} tokens");
        }
    }

    #[test]
    fn a_notice_that_nobody_understands_stands_for_everything() {
        for text in [
            "",
            "{}",
            r#"{"node":"00000000-0000-0000-0000-000000000001","notice":"realms"}"#,
        ] {
            assert_eq!(
                changes_of(text, Uuid::nil()),
                [
                    Change::AnyTokenRevoked,
                    Change::TenantsChanged,
                    Change::DocumentsChanged
                ]
            );
        }
    }
}
