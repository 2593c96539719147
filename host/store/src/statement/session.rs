//! Lists of sessions: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{IdentityId, LINK_DIALECT, Paged, Query, Session, SessionId, Timestamp};
use keyway_core::port::{ListedSession, SessionFilter, SessionOrder, SessionStore, StoreError};
use sqlx::QueryBuilder;

use super::list::{count, push_order, push_scope, push_slice};
use super::{Connection, Database, DriverStore};
use crate::failure::Failure;
use crate::row::{ListedSessionRow, SessionRow};

#[async_trait]
impl SessionStore for DriverStore {
    async fn find_session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.call("find a session", async {
            find_session(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn list_sessions(
        &self,
        query: &Query<SessionFilter, SessionOrder>,
    ) -> Result<Paged<ListedSession>, StoreError> {
        self.call("list sessions", async {
            list_sessions(&mut *self.reader().await?, query).await
        })
        .await
    }
}

/// The columns of a [`SessionRow`], from a table called `s`.
macro_rules! select_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.identity, s.directory_user, s.tenant, s.backend, s.login, s.plugin_digest, s.dialect, s.client_address, \
             s.user_agent, s.attributes, s.opened_at, s.purpose, s.admin, s.mobile, s.refresh, s.actor",
            $rest
        )
    };
}

async fn find_session(connection: &mut Connection, id: SessionId) -> Result<Option<Session>, Failure> {
    let row: Option<SessionRow> = sqlx::query_as(select_sessions!(" FROM session s WHERE s.id = $1"))
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Session::try_from).transpose()?)
}

async fn list_sessions(
    connection: &mut Connection,
    query: &Query<SessionFilter, SessionOrder>,
) -> Result<Paged<ListedSession>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM session s WHERE ");
    push_conditions(&mut total, query);
    let mut items = QueryBuilder::new(select_sessions!(
        ", (SELECT max(t.expires_at) FROM token t WHERE t.session = s.id) AS ends_at, r.client_id \
         FROM session s LEFT JOIN refresh_token r ON r.id = s.refresh WHERE s.id IN (SELECT s.id FROM session s WHERE "
    ));
    // The slice is taken of sessions alone: what is joined to them is looked up for those of the page.
    push_conditions(&mut items, query);
    let order = match query.order {
        SessionOrder::Opened => "s.opened_at",
        SessionOrder::Mobile => "s.mobile",
        SessionOrder::Expires => "(SELECT max(t.expires_at) FROM token t WHERE t.session = s.id)",
        SessionOrder::UserAgent => "coalesce(s.user_agent, '')",
        SessionOrder::Client => "coalesce((SELECT r.client_id FROM refresh_token r WHERE r.id = s.refresh), '')",
    };
    push_slice(&mut items, order, "s.id", query.direction, query.page);
    items.push(")");
    push_order(&mut items, order, "s.id", query.direction);
    let total = count(connection, total).await?;
    let rows: Vec<ListedSessionRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows
            .into_iter()
            .map(ListedSession::try_from)
            .collect::<Result<_, _>>()?,
        total,
        filtered: total,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<SessionFilter, SessionOrder>) {
    push_scope(builder, "s.tenant", query.scope);
    if let Some(identity) = query.filter.identity {
        builder.push(" AND s.identity = ").push_bind(identity.0);
        builder.push(" AND s.dialect <> ").push_bind(LINK_DIALECT);
    }
}

/// How many sessions with a token that is good at `now` the identity has open; mailed links, and sessions in which somebody else acts, do not count. `replacing`
/// leaves out those that were opened with a mobile client's refresh token.
pub(super) async fn count_open(
    connection: &mut Connection,
    identity: IdentityId,
    now: Timestamp,
    replacing: bool,
) -> Result<u64, Failure> {
    let mut builder = QueryBuilder::new("SELECT count(*) FROM session s WHERE s.identity = ");
    builder.push_bind(identity.0);
    builder
        .push(" AND s.actor_session IS NULL AND s.dialect <> ")
        .push_bind(LINK_DIALECT);
    builder.push(" AND EXISTS (SELECT 1 FROM token t WHERE t.session = s.id AND t.expires_at > ");
    builder.push_bind(now.0).push(")");
    if replacing {
        builder.push(
            " AND (s.refresh IS NULL OR NOT EXISTS (SELECT 1 FROM refresh_token r WHERE r.id = s.refresh AND r.mobile))",
        );
    }
    count(connection, builder).await
}

/// How many sessions the identity has, whatever they are, but no more than `most` are counted.
pub(super) async fn count_up_to(connection: &mut Connection, identity: IdentityId, most: u32) -> Result<u64, Failure> {
    let mut builder = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM session WHERE identity = ");
    builder.push_bind(identity.0);
    builder.push(" LIMIT ").push_bind(i64::from(most)).push(") AS counted");
    count(connection, builder).await
}
