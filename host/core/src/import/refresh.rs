//! Refresh tokens: from the token in clear to what this system keeps of one. Many at once, as users are.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{AT_ONCE, Arrival, ImportError, ImportKind, Outcome, PAGE, Run, joined, outcome, parse};
use crate::Secret;
use crate::model::{
    BackendName, Client, Identity, PluginDigest, RefreshToken, RefreshTokenId, Timestamp, TokenDigest, UserId,
};
use crate::port::{ForeignRefreshToken, Store};
use crate::token::TokenValue;

/// The backend of a refresh token that names none that this system could have.
const BACKEND: &str = "wazo_user";

/// A refresh token in this system's terms, but for its owner's names.
struct Ready {
    id: RefreshTokenId,
    user: UserId,
    /// Under each key that there is, the one that is in use first.
    digests: Vec<TokenDigest>,
    backend: BackendName,
    /// Whether an earlier import brought it in, so that it was removed here if it is not here.
    was_here: bool,
    now: Timestamp,
    expires_at: Option<Timestamp>,
    foreign: ForeignRefreshToken,
}

impl Run<'_> {
    pub(super) async fn refresh_tokens(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::RefreshToken, rows);
        let mut after = Secret::new(String::new());
        let mut under_way = JoinSet::new();
        loop {
            let page = self.foreign.refresh_tokens(&after, PAGE).await;
            let page = page.map_err(ImportError::Foreign)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.value.clone();
            for foreign in page {
                let id = format!("{}/{}", foreign.user, foreign.client_id);
                match self.ready_token(foreign) {
                    Ok(ready) => {
                        let (store, dry_run) = (Arc::clone(&self.importer.store), self.how.dry_run);
                        under_way.spawn(async move { Ok((id, bring_in(&*store, ready, dry_run).await?)) });
                    }
                    Err(skipped) => self.note(ImportKind::RefreshToken, &id, skipped),
                }
                if under_way.len() >= AT_ONCE {
                    self.take_token(&mut under_way).await?;
                }
            }
        }
        while !under_way.is_empty() {
            self.take_token(&mut under_way).await?;
        }
        Ok(())
    }

    async fn take_token(
        &mut self,
        under_way: &mut JoinSet<Result<(String, Outcome), ImportError>>,
    ) -> Result<(), ImportError> {
        if let Some(done) = under_way.join_next().await {
            let (id, became) = joined(done)?;
            self.note(ImportKind::RefreshToken, &id, became);
        }
        Ok(())
    }

    fn ready_token(&self, foreign: ForeignRefreshToken) -> Result<Ready, Outcome> {
        let value = TokenValue::parse(foreign.value.expose()).ok_or_else(|| Outcome::skipped("it is no UUID"))?;
        if !(1..=1024).contains(&foreign.client_id.chars().count()) {
            return Err(Outcome::skipped("its client id is empty or too long"));
        }
        let user = parse(&foreign.user).ok();
        let Some((user, arrival)) = user.and_then(|user| Some((user, *self.users.get(&user)?))) else {
            return Err(Outcome::skipped("its user was not brought in"));
        };
        let backend = foreign
            .backend
            .as_deref()
            .and_then(|name| BackendName::parse(name).ok());
        let backend = backend.or_else(|| BackendName::parse(BACKEND).ok());
        let now = self.importer.clock.now();
        Ok(Ready {
            id: RefreshTokenId(self.importer.random.uuid()),
            user: UserId(user),
            digests: self.importer.keys.digests(&value).collect(),
            backend: backend.ok_or_else(|| Outcome::skipped("its backend has no name that a backend can have"))?,
            was_here: arrival == Arrival::Before
                && self
                    .earlier
                    .is_some_and(|earlier| foreign.created_at.is_none_or(|created| created < earlier)),
            now,
            expires_at: self.how.refresh_ttl.map(|ttl| now.plus(ttl)),
            foreign,
        })
    }
}

async fn bring_in(store: &dyn Store, ready: Ready, dry_run: bool) -> Result<Outcome, ImportError> {
    for digest in &ready.digests {
        let known = store.find_refresh_token(digest).await;
        if known.map_err(ImportError::Store)?.is_some() {
            return Ok(Outcome::Present);
        }
    }
    if ready.was_here {
        let reason = "an earlier import saw it and it is not here: it was left out then, revoked since, or is too old";
        return Ok(Outcome::skipped(reason));
    }
    let same_client = store.find_refresh_token_of(ready.user.into(), &ready.foreign.client_id);
    if same_client.await.map_err(ImportError::Store)?.is_some() {
        return Ok(other_of_client());
    }
    if dry_run {
        return Ok(Outcome::Added);
    }
    let (Some(user), Some(digest)) = (
        store.find_user(ready.user).await.map_err(ImportError::Store)?,
        ready.digests.first().copied(),
    ) else {
        return Ok(Outcome::skipped("its user is not here"));
    };
    let foreign = ready.foreign;
    let mut identity = Identity::of_user(&user, ready.backend);
    if let Some(login) = foreign.login {
        identity.login = login;
    }
    let token = RefreshToken {
        id: ready.id,
        digest,
        identity,
        // No plugin of this system let its owner in.
        plugin: PluginDigest([0; 32]),
        linked_as: None,
        client_id: foreign.client_id,
        mobile: foreign.mobile,
        client: Client {
            address: foreign.address,
            user_agent: foreign.user_agent,
        },
        attributes: foreign.attributes,
        created_at: foreign.created_at.unwrap_or(ready.now),
        expires_at: ready.expires_at,
    };
    match store.add_refresh_token(&token).await {
        Ok(false) => Ok(other_of_client()),
        added => outcome(added.map(|_| ())),
    }
}

fn other_of_client() -> Outcome {
    Outcome::skipped("its user has another refresh token of this client here")
}
