//! Sessions and tokens. Compiled once per driver, like its neighbours: see `sqlite.rs` and `postgres.rs`.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::model::{EventKind, RefreshTokenId, Session, SessionId, Timestamp, Token, TokenDigest, TokenRecord};
use keyway_core::port::{Opened, Opening, OpeningOutcome, Refreshing, RevokeTarget, Revoked, StoreError, Swept};
use sqlx::error::ErrorKind;
use uuid::Uuid;

use super::ending::{BY_ID, BY_IDENTITY, BY_PLUGIN, BY_TENANT, end_acted, tell_ended};
use super::revocation::{self, Admission, Whole};
use super::{Connection, LOCKS_ROWS, REMOVE_EXPIRED_TOKENS, event, refresh, remove_empty_sessions, session};
use crate::failure::{Failure, text};
use crate::row::{TokenRow, ToldSession, to_json};

/// Opens a session, or says why not; besides, what ended because of it.
pub(super) async fn open_session(
    connection: &mut Connection,
    opening: &Opening,
) -> Result<(OpeningOutcome, Revoked), Failure> {
    let refused = |outcome| Ok((outcome, Revoked::default()));
    let session = &opening.session;
    let until = match revocation::admit(connection, session, opening.verified_since).await? {
        Admission::Granted { until } => until,
        Admission::Refused(outcome) => return refused(outcome),
    };
    if opening.limit.is_some() || matches!(opening.refresh, Refreshing::Make { .. }) {
        revocation::queue(connection, session.identity.id).await?;
    }
    if let Refreshing::With(id) = opening.refresh
        && !refresh::hold(connection, id).await?
    {
        return refused(OpeningOutcome::Overtaken);
    }
    if is_full(connection, opening).await? {
        return refused(OpeningOutcome::Full);
    }
    if let Some(actor) = &session.actor
        && !hold_session(connection, actor.session).await?
    {
        return refused(OpeningOutcome::Overtaken);
    }
    let (mut opened, session_refresh) = match &opening.refresh {
        Refreshing::No | Refreshing::With(_) => (Opened::default(), session.refresh),
        Refreshing::Make { token, replaces } => {
            let (refresh, revoked) = refresh::make(connection, session, token, *replaces).await?;
            let id = Some(refresh.id);
            let refresh = Some(Box::new(refresh));
            let opened = Opened {
                refresh,
                revoked,
                ..Opened::default()
            };
            (opened, id)
        }
    };
    opened.cut_to = until.filter(|until| *until < opening.token.expires_at);
    let token = Token {
        expires_at: opened.cut_to.unwrap_or(opening.token.expires_at),
        ..opening.token.clone()
    };
    write_session(connection, session, session_refresh).await?;
    write_token(connection, &token).await?;
    let revoked = opened.revoked.clone();
    Ok((OpeningOutcome::Opened(opened), revoked))
}

/// Whether there is such a session; if so, nobody can end it before the transaction ends.
async fn hold_session(connection: &mut Connection, id: SessionId) -> Result<bool, Failure> {
    let select = if LOCKS_ROWS {
        "SELECT 1 FROM session WHERE id = $1 FOR KEY SHARE"
    } else {
        "SELECT 1 FROM session WHERE id = $1"
    };
    Ok(sqlx::query(select)
        .bind(id.0)
        .fetch_optional(connection)
        .await?
        .is_some())
}

async fn is_full(connection: &mut Connection, opening: &Opening) -> Result<bool, Failure> {
    let Some(limit) = opening.limit else {
        return Ok(false);
    };
    let identity = opening.session.identity.id;
    // Most have far fewer, which an index tells.
    if session::count_up_to(connection, identity, limit).await? < u64::from(limit) {
        return Ok(false);
    }
    let replacing = matches!(&opening.refresh, Refreshing::Make { token, .. } if token.mobile);
    let open = session::count_open(connection, identity, opening.token.issued_at, replacing).await?;
    Ok(open >= u64::from(limit))
}

async fn write_session(
    connection: &mut Connection,
    session: &Session,
    refresh: Option<RefreshTokenId>,
) -> Result<(), Failure> {
    let actor = session.actor.as_ref();
    let told = ToldSession {
        id: session.id.0,
        tenant: session.identity.tenant.0,
        identity: session.identity.id.0,
        mobile: session.mobile,
        dialect: session.dialect.clone(),
        actor: actor.map(|actor| to_json("session.actor", actor)).transpose()?,
    };
    let written = sqlx::query(
        "INSERT INTO session (id, identity, directory_user, tenant, backend, login, plugin_digest, dialect, client_address, \
         user_agent, attributes, opened_at, purpose, admin, mobile, refresh, actor_session, actor) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(session.id.0)
    .bind(session.identity.id.0)
    .bind(session.identity.user.map(|user| user.0))
    .bind(session.identity.tenant.0)
    .bind(session.identity.backend.as_str())
    .bind(text("session.login", &session.identity.login)?)
    .bind(session.plugin.0.as_slice())
    .bind(text("session.dialect", &session.dialect)?)
    .bind(session.client.address.as_deref().map(|address| text("session.client_address", address)).transpose()?)
    .bind(session.client.user_agent.as_deref().map(|agent| text("session.user_agent", agent)).transpose()?)
    .bind(to_json("session.attributes", &session.attributes)?)
    .bind(session.opened_at.0)
    .bind(session.purpose.as_str())
    .bind(session.admin)
    .bind(session.mobile)
    .bind(refresh.map(|refresh| refresh.0))
    .bind(actor.map(|actor| actor.session.0))
    .bind(told.actor.as_deref())
    .execute(&mut *connection)
    .await;
    if let Err(error) = written {
        return Err(explain_missing(connection, session.identity.tenant.0, error).await?);
    }
    event::record_sessions(connection, EventKind::SessionCreated, &[told]).await
}

async fn write_token(connection: &mut Connection, token: &Token) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO token (hash, key_id, session, issued_at, expires_at, accesses) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(token.digest.hash.as_slice())
    .bind(token.digest.key.0)
    .bind(token.session.0)
    .bind(token.issued_at.0)
    .bind(token.expires_at.0)
    .bind(to_json("token.accesses", &token.accesses[..])?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Which of the two that a session refers to is gone: PostgreSQL names the constraint, and SQLite can still be asked.
async fn explain_missing(connection: &mut Connection, tenant: Uuid, error: sqlx::Error) -> Result<Failure, Failure> {
    let Some(database) = error
        .as_database_error()
        .filter(|database| database.kind() == ErrorKind::ForeignKeyViolation)
    else {
        return Ok(error.into());
    };
    let tenant_is_missing = if let Some(name) = database.constraint() {
        name.contains("tenant")
    } else {
        let known = sqlx::query("SELECT 1 FROM tenant WHERE id = $1").bind(tenant);
        known.fetch_optional(connection).await?.is_none()
    };
    let what = if tenant_is_missing { "tenant" } else { "user" };
    Ok(StoreError::Missing { what }.into())
}

pub(super) async fn find_token(
    connection: &mut Connection,
    digest: &TokenDigest,
) -> Result<Option<TokenRecord>, Failure> {
    let row: Option<TokenRow> = sqlx::query_as(
        "SELECT t.hash, t.key_id, t.issued_at, t.expires_at, t.accesses, s.id, s.identity, s.directory_user, s.tenant, \
         s.backend, s.login, s.plugin_digest, s.dialect, s.client_address, s.user_agent, s.attributes, s.opened_at, s.purpose, s.admin, \
         s.mobile, s.refresh, s.actor \
         FROM token t JOIN session s ON s.id = t.session WHERE t.hash = $1 AND t.key_id = $2",
    )
    .bind(digest.hash.as_slice())
    .bind(digest.key.0)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(TokenRecord::try_from).transpose()?)
}

/// Ends the target's sessions and refuses the logins of a whole target that are under way.
pub(super) async fn revoke(
    connection: &mut Connection,
    target: &RevokeTarget,
    at: Timestamp,
) -> Result<Revoked, Failure> {
    let whole = whole(target);
    if let Some(whole) = whole {
        revocation::lock_out(connection, whole).await?;
    }
    let revoked = end(connection, target).await?;
    if let Some(whole) = whole {
        revocation::note(connection, whole, at).await?;
    }
    Ok(revoked)
}

/// Whose sessions the target stands for; `None` for a single token or session, which nobody can be about to open.
pub(super) fn whole(target: &RevokeTarget) -> Option<Whole> {
    match target {
        RevokeTarget::Token(_) | RevokeTarget::Session(_) => None,
        RevokeTarget::Identity(id) => Some(Whole::Identity(*id)),
        RevokeTarget::Plugin(digest) => Some(Whole::Plugin(*digest)),
        RevokeTarget::Tenant(id) => Some(Whole::Tenant(*id)),
    }
}

/// Ends the sessions that are there.
pub(super) async fn end(connection: &mut Connection, target: &RevokeTarget) -> Result<Revoked, Failure> {
    match target {
        RevokeTarget::Token(digest) => revoke_token(connection, digest).await,
        RevokeTarget::Session(id) => BY_ID.end(connection, id.0).await,
        RevokeTarget::Identity(id) => BY_IDENTITY.end(connection, id.0).await,
        RevokeTarget::Plugin(digest) => BY_PLUGIN.end(connection, digest.0.as_slice()).await,
        RevokeTarget::Tenant(id) => BY_TENANT.end(connection, id.0).await,
    }
}

async fn revoke_token(connection: &mut Connection, digest: &TokenDigest) -> Result<Revoked, Failure> {
    let session: Option<Uuid> = sqlx::query_scalar("SELECT session FROM token WHERE hash = $1 AND key_id = $2")
        .bind(digest.hash.as_slice())
        .bind(digest.key.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(session) = session else {
        return Ok(Revoked::default());
    };
    // Two of a session's tokens may be revoked at once; each must see whether the other is gone.
    BY_ID.lock(connection, session).await?;
    let removed = sqlx::query("DELETE FROM token WHERE hash = $1 AND key_id = $2")
        .bind(digest.hash.as_slice())
        .bind(digest.key.0)
        .execute(&mut *connection)
        .await?;
    let mut revoked = Revoked::default();
    if removed.rows_affected() > 0 {
        revoked.tokens.push(*digest);
    }
    let acting = BY_ID.remove_sessions(connection, session, &mut revoked).await?;
    end_acted(connection, acting, &mut revoked).await?;
    Ok(revoked)
}

pub(super) async fn sweep(connection: &mut Connection, now: Timestamp, limit: u32) -> Result<Swept, Failure> {
    let mut sessions: Vec<Uuid> = sqlx::query_scalar(REMOVE_EXPIRED_TOKENS)
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let tokens = sessions.len() as u64;
    sessions.sort_unstable();
    sessions.dedup();
    let ended = remove_empty_sessions(connection, &sessions).await?;
    // No cache need forget a token here: one with which somebody acts in another's place expires no later than the actor's own.
    let mut revoked = Revoked::default();
    let acting = tell_ended(connection, ended, &mut revoked).await?;
    end_acted(connection, acting, &mut revoked).await?;
    let refresh_tokens = refresh::sweep(connection, now, limit).await?;
    revocation::sweep(connection, now).await?;
    Ok(Swept {
        tokens,
        sessions: revoked.sessions.len() as u64,
        refresh_tokens,
    })
}
