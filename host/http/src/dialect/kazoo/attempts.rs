//! Attempts to log in, written for the administrators of the account.

use keyway_core::model::{IdentityId, TenantId};
use keyway_core::port::NewAttempt;
use keyway_core::token::LiveToken;

use super::ask::Ask;

/// How an attempt ended.
pub(super) enum Ended<'a> {
    /// Somebody was let in.
    LetIn(&'a LiveToken),
    /// Nobody was, and this is what is to be said of it.
    Refused(&'a str),
    /// The same for somebody who is known, and wanted to act in another's place.
    RefusedTo {
        /// Who wanted to act.
        actor: IdentityId,
        /// In whose place.
        target: Option<IdentityId>,
        /// What is to be said of it.
        reason: &'a str,
    },
}

impl Ask {
    /// Has an attempt of this kind on an account written, if its administrators want it. What that takes, nobody waits for.
    pub(super) async fn record(&self, kind: &str, account: TenantId, ended: Ended<'_>) {
        let success = matches!(ended, Ended::LetIn(_));
        if !self.kazoo.is_written(account, kind, success).await {
            return;
        }
        let client = self.client();
        let (message, identity, actor) = match ended {
            Ended::Refused(message) => (message.to_owned(), None, None),
            Ended::RefusedTo { actor, target, reason } => (reason.to_owned(), target, Some(actor)),
            Ended::LetIn(live) => {
                let session = &live.record.session;
                let actor: Option<IdentityId> = session.actor.as_ref().map(|actor| actor.identity);
                let message = format!("{} was let in", session.identity.login);
                (message, Some(session.identity.id), actor)
            }
        };
        self.kazoo.accounts().record_attempt(NewAttempt {
            at: self.kazoo.now(),
            tenant: account,
            identity,
            actor,
            kind: kind.to_owned(),
            success,
            message,
            client: client.address.unwrap_or_default(),
            user_agent: client.user_agent.unwrap_or_default(),
            request_id: self.call.id().to_owned(),
        });
    }
}
