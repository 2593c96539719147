//! How sessions end, whatever ends them: with their tokens, with those in which their owners act in somebody else's place, and told. Compiled once per
//! driver.
//!
//! Each function wants to be called inside a transaction.

use keyway_core::model::{EventKind, SessionId, Timestamp};
use keyway_core::port::Revoked;
use sqlx::{Encode, Type};
use uuid::Uuid;

use super::event::{self, ToldRefresh};
use super::{Connection, Database, LOCKS_ROWS};
use crate::failure::Failure;
use crate::row::{DigestRow, EndedSession, ToldSession};

/// The statements that end sessions: lock them (where the database does that) with those in which their owners act in somebody else's place, remove
/// their tokens, remove them. A session that is opened in between keeps its token and lives on, as if it had been opened afterwards. Where refresh tokens end too, they do so first: whoever is
/// opening a session with one is waited for, so that the session is found, and whoever comes later finds none.
pub(super) struct Ending {
    refresh: Option<EndingRefresh>,
    lock: &'static str,
    /// Besides, the end of the life of their tokens, and of those with which their owners act in somebody else's place.
    cut: &'static str,
    tokens: &'static str,
    sessions: &'static str,
}

struct EndingRefresh {
    lock: &'static str,
    remove: &'static str,
}

/// The statements for the sessions, and where there is a second condition, for the refresh tokens that fit it.
macro_rules! ending {
    ($which:literal, refresh $tokens:literal) => {
        Ending {
            refresh: Some(EndingRefresh {
                lock: concat!(
                    "SELECT id FROM refresh_token WHERE ",
                    $tokens,
                    " ORDER BY id FOR UPDATE"
                ),
                remove: concat!(
                    "DELETE FROM refresh_token WHERE ",
                    $tokens,
                    " RETURNING client_id, tenant, identity, mobile"
                ),
            }),
            ..ending!($which)
        }
    };
    ($which:literal) => {
        Ending {
            refresh: None,
            lock: concat!(
                "SELECT id FROM session WHERE id IN (SELECT id FROM session WHERE ",
                $which,
                " UNION ALL SELECT id FROM session WHERE actor_session IS NOT NULL \
                 AND actor_session IN (SELECT id FROM session WHERE ",
                $which,
                ")) ORDER BY id FOR UPDATE"
            ),
            cut: concat!(
                "UPDATE token SET expires_at = $2 WHERE expires_at > $2 AND session IN (SELECT id FROM session WHERE ",
                $which,
                " UNION ALL SELECT id FROM session WHERE actor_session IS NOT NULL \
                 AND actor_session IN (SELECT id FROM session WHERE ",
                $which,
                ")) RETURNING hash, key_id"
            ),
            tokens: concat!(
                "DELETE FROM token WHERE session IN (SELECT id FROM session WHERE ",
                $which,
                ") RETURNING hash, key_id"
            ),
            sessions: concat!(
                "DELETE FROM session WHERE ",
                $which,
                " AND NOT EXISTS (SELECT 1 FROM token WHERE token.session = session.id) RETURNING id, tenant, identity, mobile, dialect, actor, \
                 EXISTS (SELECT 1 FROM session acted WHERE acted.actor_session = session.id) AS acts"
            ),
        }
    };
}

pub(super) const BY_ID: Ending = ending!("id = $1");
/// The sessions in which the owner of this one acts in somebody else's place.
const BY_ACTOR: Ending = ending!("actor_session = $1");
pub(super) const BY_IDENTITY: Ending = ending!("identity = $1", refresh "identity = $1");
pub(super) const BY_PLUGIN: Ending = ending!("plugin_digest = $1", refresh "plugin_digest = $1");
/// All sessions and refresh tokens of a directory user.
pub(super) const BY_USER: Ending = ending!("directory_user = $1", refresh "directory_user = $1");
/// All sessions and refresh tokens of a tenant, and of its users wherever they are.
pub(super) const BY_TENANT: Ending = ending!(
    "(tenant = $1 OR directory_user IN (SELECT id FROM directory_user WHERE tenant = $1))",
    refresh "(tenant = $1 OR directory_user IN (SELECT id FROM directory_user WHERE tenant = $1))"
);
/// As [`BY_TENANT`], and those of the tenants below it.
pub(super) const BY_SUBTREE: Ending = ending!(
    "id IN (WITH RECURSIVE below (id) AS (SELECT id FROM tenant WHERE id = $1 UNION SELECT t.id FROM tenant t JOIN below b ON b.id = t.parent) \
     SELECT s.id FROM session s LEFT JOIN directory_user u ON u.id = s.directory_user \
     WHERE s.tenant IN (SELECT id FROM below) OR u.tenant IN (SELECT id FROM below))",
    refresh
    "id IN (WITH RECURSIVE below (id) AS (SELECT id FROM tenant WHERE id = $1 UNION SELECT t.id FROM tenant t JOIN below b ON b.id = t.parent) \
     SELECT r.id FROM refresh_token r LEFT JOIN directory_user u ON u.id = r.directory_user \
     WHERE r.tenant IN (SELECT id FROM below) OR u.tenant IN (SELECT id FROM below))"
);
/// The sessions that an identity opened with mobile clients' refresh tokens.
pub(super) const BY_MOBILE_REFRESH: Ending =
    ending!("refresh IN (SELECT id FROM refresh_token WHERE identity = $1 AND mobile)");

impl Ending {
    /// Ends the sessions for which the column is `value`.
    pub(super) async fn end<'v, T>(&self, connection: &mut Connection, value: T) -> Result<Revoked, Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Copy + Send + 'v,
    {
        self.end_refresh(connection, value).await?;
        self.lock(connection, value).await?;
        let mut revoked = Revoked::default();
        let acting = self.end_sessions(connection, value, &mut revoked).await?;
        end_acted(connection, acting, &mut revoked).await?;
        Ok(revoked)
    }

    /// Lets no token of the sessions for which the column is `value` be good after `end`, nor one of those in which their owners act in somebody else's
    /// place; returns those that would have been.
    pub(super) async fn cut<'v, T>(
        &self,
        connection: &mut Connection,
        value: T,
        end: Timestamp,
    ) -> Result<Revoked, Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Copy + Send + 'v,
    {
        self.lock(connection, value).await?;
        let cut: Vec<DigestRow> = sqlx::query_as(self.cut)
            .bind(value)
            .bind(end.0)
            .fetch_all(connection)
            .await?;
        let tokens = cut.iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(Revoked {
            sessions: Vec::new(),
            tokens,
        })
    }

    /// Ends the sessions themselves; returns those of them whose owners act in somebody else's place.
    async fn end_sessions<'v, T>(
        &self,
        connection: &mut Connection,
        value: T,
        revoked: &mut Revoked,
    ) -> Result<Vec<Uuid>, Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Copy + Send + 'v,
    {
        let tokens: Vec<DigestRow> = sqlx::query_as(self.tokens)
            .bind(value)
            .fetch_all(&mut *connection)
            .await?;
        for token in &tokens {
            revoked.tokens.push(token.try_into()?);
        }
        self.remove_sessions(connection, value, revoked).await
    }

    async fn end_refresh<'v, T>(&self, connection: &mut Connection, value: T) -> Result<(), Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Copy + Send + 'v,
    {
        let Some(EndingRefresh { lock, remove }) = self.refresh else {
            return Ok(());
        };
        if LOCKS_ROWS {
            sqlx::query(lock).bind(value).execute(&mut *connection).await?;
        }
        let removed: Vec<ToldRefresh> = sqlx::query_as(remove).bind(value).fetch_all(&mut *connection).await?;
        event::record_refresh_tokens(connection, EventKind::RefreshTokenDeleted, &removed).await
    }

    /// Keeps the sessions from being ended by anybody else until the transaction ends.
    pub(super) async fn lock<'v, T>(&self, connection: &mut Connection, value: T) -> Result<(), Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Send + 'v,
    {
        if LOCKS_ROWS {
            sqlx::query(self.lock).bind(value).execute(connection).await?;
        }
        Ok(())
    }

    /// Removes those without a token; returns those of them whose owners act in somebody else's place.
    pub(super) async fn remove_sessions<'v, T>(
        &self,
        connection: &mut Connection,
        value: T,
        revoked: &mut Revoked,
    ) -> Result<Vec<Uuid>, Failure>
    where
        T: Encode<'v, Database> + Type<Database> + Send + 'v,
    {
        let ended: Vec<EndedSession> = sqlx::query_as(self.sessions)
            .bind(value)
            .fetch_all(&mut *connection)
            .await?;
        tell_ended(connection, ended, revoked).await
    }
}

/// Tells of sessions that are no more; returns those of them whose owners act in somebody else's place.
pub(super) async fn tell_ended(
    connection: &mut Connection,
    ended: Vec<EndedSession>,
    revoked: &mut Revoked,
) -> Result<Vec<Uuid>, Failure> {
    let acting = ended.iter().filter(|ended| ended.acts).map(|ended| ended.told.id);
    let acting = acting.collect();
    let told: Vec<ToldSession> = ended.into_iter().map(|ended| ended.told).collect();
    event::record_sessions(connection, EventKind::SessionDeleted, &told).await?;
    revoked.sessions.extend(told.iter().map(|told| SessionId(told.id)));
    Ok(acting)
}

/// Ends the sessions in which the owners of these act in somebody else's place, and so on. These are no more: no other can be opened.
pub(super) async fn end_acted(
    connection: &mut Connection,
    mut acting: Vec<Uuid>,
    revoked: &mut Revoked,
) -> Result<(), Failure> {
    while let Some(session) = acting.pop() {
        BY_ACTOR.lock(connection, session).await?;
        acting.extend(BY_ACTOR.end_sessions(connection, session, revoked).await?);
    }
    Ok(())
}
