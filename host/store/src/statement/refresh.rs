//! Refresh tokens: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{
    EventKind, IdentityId, Paged, Query, RefreshToken, RefreshTokenId, Session, Timestamp, TokenDigest, login_key,
};
use keyway_core::port::{RefreshFilter, RefreshOrder, RefreshStore, RevocationMark, Revoked, StoreError};
use sqlx::{FromRow, QueryBuilder};

use super::ending::BY_MOBILE_REFRESH;
use super::event::{ToldRefresh, record_refresh_tokens};
use super::list::{count, push_equal, push_scope, push_search, push_slice};
use super::{Connection, Database, DriverStore, LOCKS_ROWS, REMOVE_EXPIRED_REFRESH_TOKENS};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{RefreshRow, to_json};

#[async_trait]
impl RefreshStore for DriverStore {
    async fn find_refresh_token(
        &self,
        digest: &TokenDigest,
    ) -> Result<Option<(RefreshToken, RevocationMark)>, StoreError> {
        self.call("find a refresh token", async {
            find_refresh_token(&mut *self.reader().await?, digest).await
        })
        .await
    }

    async fn find_refresh_token_of(
        &self,
        identity: IdentityId,
        client_id: &str,
    ) -> Result<Option<RefreshToken>, StoreError> {
        self.call("find a refresh token", async {
            find_of(&mut *self.reader().await?, identity, client_id).await
        })
        .await
    }

    async fn list_refresh_tokens(
        &self,
        query: &Query<RefreshFilter, RefreshOrder>,
    ) -> Result<Paged<RefreshToken>, StoreError> {
        self.call("list refresh tokens", async {
            list_refresh_tokens(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn add_refresh_token(&self, token: &RefreshToken) -> Result<bool, StoreError> {
        let token = token.clone();
        self.write("add a refresh token", move |connection| {
            Box::pin(async move { add(connection, &token).await })
        })
        .await
    }

    async fn remove_refresh_token(&self, identity: IdentityId, client_id: &str) -> Result<bool, StoreError> {
        let client_id = client_id.to_owned();
        self.write("remove a refresh token", move |connection| {
            Box::pin(async move { remove_of(connection, identity, &client_id).await })
        })
        .await
    }
}

/// The columns of a [`RefreshRow`], from a table called `r`, and perhaps one more.
macro_rules! select_refresh_tokens {
    ($rest:literal) => {
        select_refresh_tokens!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT r.id, r.hash, r.key_id, r.identity, r.directory_user, r.tenant, r.backend, r.login, r.plugin_digest, r.linked_as, r.client_id, \
             r.mobile, r.client_address, r.user_agent, r.attributes, r.created_at, r.expires_at",
            $more,
            " FROM refresh_token r WHERE ",
            $rest
        )
    };
}

async fn find_refresh_token(
    connection: &mut Connection,
    digest: &TokenDigest,
) -> Result<Option<(RefreshToken, RevocationMark)>, Failure> {
    // In one statement: the token was there when the mark was the latest.
    let row: Option<MarkedRow> = sqlx::query_as(select_refresh_tokens!(
        ", (SELECT mark FROM revocation_clock) AS mark",
        "r.hash = $1 AND r.key_id = $2"
    ))
    .bind(digest.hash.as_slice())
    .bind(digest.key.0)
    .fetch_optional(connection)
    .await?;
    let Some(MarkedRow { token, mark }) = row else {
        return Ok(None);
    };
    Ok(Some((token.try_into()?, RevocationMark(mark))))
}

/// A refresh token, and the latest mark.
#[derive(FromRow)]
struct MarkedRow {
    #[sqlx(flatten)]
    token: RefreshRow,
    mark: i64,
}

async fn find_of(
    connection: &mut Connection,
    identity: IdentityId,
    client_id: &str,
) -> Result<Option<RefreshToken>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if client_id.contains('\0') {
        return Ok(None);
    }
    let row: Option<RefreshRow> = sqlx::query_as(select_refresh_tokens!("r.identity = $1 AND r.client_id = $2"))
        .bind(identity.0)
        .bind(client_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(RefreshToken::try_from).transpose()?)
}

async fn list_refresh_tokens(
    connection: &mut Connection,
    query: &Query<RefreshFilter, RefreshOrder>,
) -> Result<Paged<RefreshToken>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM refresh_token r WHERE ");
    push_owner(&mut total, query);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM refresh_token r WHERE ");
    push_conditions(&mut filtered, query);
    let mut items = QueryBuilder::new(select_refresh_tokens!(""));
    push_conditions(&mut items, query);
    let order = match query.order {
        RefreshOrder::Created => "r.created_at",
        RefreshOrder::Client => "r.client_key",
        RefreshOrder::Mobile => "r.mobile",
    };
    push_slice(&mut items, order, "r.id", query.direction, query.page);
    let total = count(connection, total).await?;
    let filtered = count(connection, filtered).await?;
    let rows: Vec<RefreshRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(RefreshToken::try_from).collect::<Result<_, _>>()?,
        total,
        filtered,
    })
}

fn push_owner(builder: &mut QueryBuilder<Database>, query: &Query<RefreshFilter, RefreshOrder>) {
    push_scope(builder, "r.tenant", query.scope);
    if let Some(identity) = query.filter.identity {
        builder.push(" AND r.identity = ").push_bind(identity.0);
    }
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<RefreshFilter, RefreshOrder>) {
    push_owner(builder, query);
    push_search(builder, &["r.client_key"], query.search.as_deref());
    push_equal(builder, "r.client_id", query.filter.client_id.as_deref());
    if let Some(mobile) = query.filter.mobile {
        builder.push(" AND r.mobile = ").push_bind(mobile);
    }
}

async fn remove_of(connection: &mut Connection, identity: IdentityId, client_id: &str) -> Result<bool, Failure> {
    if client_id.contains('\0') {
        return Ok(false);
    }
    let statement = "DELETE FROM refresh_token WHERE identity = $1 AND client_id = $2 \
        RETURNING client_id, tenant, identity, mobile";
    let removed: Vec<ToldRefresh> = sqlx::query_as(statement)
        .bind(identity.0)
        .bind(client_id)
        .fetch_all(&mut *connection)
        .await?;
    record_refresh_tokens(connection, EventKind::RefreshTokenDeleted, &removed).await?;
    Ok(removed.len() == 1)
}

/// Whether the refresh token is there, and stays until the transaction ends.
pub(super) async fn hold(connection: &mut Connection, id: RefreshTokenId) -> Result<bool, Failure> {
    let select = if LOCKS_ROWS {
        "SELECT id FROM refresh_token WHERE id = $1 FOR SHARE"
    } else {
        "SELECT id FROM refresh_token WHERE id = $1"
    };
    let found = sqlx::query(select).bind(id.0).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Makes a refresh token, or keeps the one that is there; returns that, and what ended. Others that make one for the identity must be kept
/// out: see `queue` in `revocation.rs`.
pub(super) async fn make(
    connection: &mut Connection,
    session: &Session,
    new: &RefreshToken,
    replaces: Option<RefreshTokenId>,
) -> Result<(RefreshToken, Revoked), Failure> {
    let identity = session.identity.id;
    let revoked = if new.mobile {
        end_mobile(connection, identity).await?
    } else {
        Revoked::default()
    };
    if let Some(known) = find_of(connection, identity, &new.client_id).await? {
        let fits = !new.mobile
            && Some(known.id) != replaces
            && known.plugin == new.plugin
            && known.identity.backend == new.identity.backend
            && known.expires_at.is_none_or(|at| at > new.created_at);
        // Its owner may be removing it at the same time: then it is not there to be kept.
        if fits && extend(connection, known.id, new).await? {
            let kept = RefreshToken {
                expires_at: new.expires_at,
                linked_as: new.linked_as.clone(),
                ..known
            };
            return Ok((kept, revoked));
        }
        let statement = "DELETE FROM refresh_token WHERE id = $1 RETURNING client_id, tenant, identity, mobile";
        let removed: Vec<ToldRefresh> = sqlx::query_as(statement)
            .bind(known.id.0)
            .fetch_all(&mut *connection)
            .await?;
        record_refresh_tokens(connection, EventKind::RefreshTokenDeleted, &removed).await?;
    }
    insert(connection, new).await?;
    let told = (new.client_id.clone(), new.identity.tenant.0, identity.0, new.mobile);
    record_refresh_tokens(connection, EventKind::RefreshTokenCreated, &[told]).await?;
    Ok((new.clone(), revoked))
}

/// Removes the identity's refresh tokens of mobile clients, and ends the sessions that were opened with them.
async fn end_mobile(connection: &mut Connection, identity: IdentityId) -> Result<Revoked, Failure> {
    if LOCKS_ROWS {
        // Whoever is opening a session with one of them is waited for, so that the session is found.
        sqlx::query("SELECT id FROM refresh_token WHERE identity = $1 AND mobile ORDER BY id FOR UPDATE")
            .bind(identity.0)
            .execute(&mut *connection)
            .await?;
    }
    let revoked = BY_MOBILE_REFRESH.end(connection, identity.0).await?;
    let statement = "DELETE FROM refresh_token WHERE identity = $1 AND mobile \
        RETURNING client_id, tenant, identity, mobile";
    let removed: Vec<ToldRefresh> = sqlx::query_as(statement)
        .bind(identity.0)
        .fetch_all(&mut *connection)
        .await?;
    record_refresh_tokens(connection, EventKind::RefreshTokenDeleted, &removed).await?;
    Ok(revoked)
}

async fn extend(connection: &mut Connection, id: RefreshTokenId, new: &RefreshToken) -> Result<bool, Failure> {
    let updated = sqlx::query("UPDATE refresh_token SET expires_at = $2, linked_as = $3 WHERE id = $1")
        .bind(id.0)
        .bind(new.expires_at.map(|at| at.0))
        .bind(optional_text("refresh_token.linked_as", new.linked_as.as_deref())?)
        .execute(connection)
        .await?;
    Ok(updated.rows_affected() == 1)
}

async fn insert(connection: &mut Connection, new: &RefreshToken) -> Result<(), Failure> {
    add(connection, new).await.and_then(|added| {
        let taken = StoreError::Conflict { what: "refresh token" };
        if added { Ok(()) } else { Err(taken.into()) }
    })
}

/// Adds it unless one with its digest, or one of its client's, is there; returns whether it was added.
async fn add(connection: &mut Connection, new: &RefreshToken) -> Result<bool, Failure> {
    let (identity, client) = (&new.identity, &new.client);
    let added = sqlx::query(
        "INSERT INTO refresh_token (id, hash, key_id, identity, directory_user, tenant, backend, login, plugin_digest, client_id, \
         client_key, mobile, client_address, user_agent, attributes, created_at, expires_at, linked_as) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
    )
    .bind(new.id.0)
    .bind(new.digest.hash.as_slice())
    .bind(new.digest.key.0)
    .bind(identity.id.0)
    .bind(identity.user.map(|user| user.0))
    .bind(identity.tenant.0)
    .bind(identity.backend.as_str())
    .bind(text("refresh_token.login", &identity.login)?)
    .bind(new.plugin.0.as_slice())
    .bind(text("refresh_token.client_id", &new.client_id)?)
    .bind(login_key(&new.client_id))
    .bind(new.mobile)
    .bind(optional_text("refresh_token.client_address", client.address.as_deref())?)
    .bind(optional_text("refresh_token.user_agent", client.user_agent.as_deref())?)
    .bind(to_json("refresh_token.attributes", &new.attributes)?)
    .bind(new.created_at.0)
    .bind(new.expires_at.map(|at| at.0))
    .bind(optional_text("refresh_token.linked_as", new.linked_as.as_deref())?)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[], "user"))?;
    Ok(added.rows_affected() == 1)
}

/// Removes at most `limit` that have expired; returns how many.
pub(super) async fn sweep(connection: &mut Connection, now: Timestamp, limit: u32) -> Result<u64, Failure> {
    let removed: Vec<ToldRefresh> = sqlx::query_as(REMOVE_EXPIRED_REFRESH_TOKENS)
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    record_refresh_tokens(connection, EventKind::RefreshTokenDeleted, &removed).await?;
    Ok(removed.len() as u64)
}
