//! Sessions: everybody's and a user's.

use axum::response::Response;
use keyway_core::model::{IdentityId, LINK_DIALECT, Query, SessionId, TenantScope, Timestamp, UserId};
use keyway_core::port::{ListedSession, SessionFilter, SessionOrder};
use serde_json::{Value, json};

use super::ask::{Ask, Caller};
use super::document::session as tell;
use super::error::Failure;
use super::ids::Ids;
use super::list_query::list_query;
use super::wire;
use crate::document::{Routes, delete, get};

/// Without an order that is asked for, they come as they were opened.
pub(super) const ORDERS: [(&str, SessionOrder); 5] = [
    ("mobile", SessionOrder::Mobile),
    ("created_at", SessionOrder::Opened),
    ("expires_at", SessionOrder::Expires),
    ("user_agent", SessionOrder::UserAgent),
    ("refresh_token_client_id", SessionOrder::Client),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/sessions", get(tell::list, list))
        .route("/sessions/{session}", delete(tell::end, end))
        .route("/users/{user}/sessions", get(tell::list_of_user, list_of_user))
        .route(
            "/users/{user}/sessions/{session}",
            delete(tell::end_of_user, end_of_user),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.sessions.read").await?;
        let query = query(&ask, &caller, SessionFilter::default())?;
        Ok(wire::page(ask.wazo.tokens().list_sessions(&query).await?, |session| {
            body(&session)
        }))
    };
    ask.answer(listed.await)
}

/// Answers the same for a session that is unknown or of a tenant that is none of the caller's: nobody learns which there are.
async fn end(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let ended = async {
        let caller = ask.authorize(&format!("auth.sessions.{id}.delete")).await?;
        let tokens = ask.wazo.tokens();
        tokens.end_session(SessionId(id), None, caller.scope()).await?;
        Ok(wire::no_content())
    };
    ask.answer(ended.await)
}

async fn list_of_user(ask: Ask, Ids([user]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.users.{user}.sessions.read")).await?;
        let user = ask.wazo.directory().get_user_in(UserId(user), caller.scope()).await?;
        let filter = SessionFilter {
            identity: Some(user.id.into()),
        };
        // Whatever tenant the user was of when it logged in.
        let query = Query {
            scope: TenantScope::All,
            ..query(&ask, &caller, filter)?
        };
        Ok(wire::page(ask.wazo.tokens().list_sessions(&query).await?, |session| {
            body(&session)
        }))
    };
    ask.answer(listed.await)
}

async fn end_of_user(ask: Ask, Ids([user, session]): Ids<2>) -> Response {
    let ended = async {
        let access = format!("auth.users.{user}.sessions.{session}.delete");
        let caller = ask.authorize(&access).await?;
        let user = ask.wazo.directory().get_user_in(UserId(user), caller.scope()).await?;
        let owner: IdentityId = user.id.into();
        let tokens = ask.wazo.tokens();
        tokens
            .end_session(SessionId(session), Some(owner), TenantScope::All)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(ended.await)
}

fn query(ask: &Ask, caller: &Caller, filter: SessionFilter) -> Result<Query<SessionFilter, SessionOrder>, Failure> {
    list_query(ask, caller, &ORDERS, SessionOrder::Opened, filter)
}

/// A session as this dialect writes it. Its dates are whole seconds.
fn body(listed: &ListedSession) -> Value {
    let session = &listed.session;
    let date = |at: Timestamp| wire::utc(at.whole_seconds());
    json!({
        "uuid": session.id,
        "mobile": session.mobile,
        "tenant_uuid": session.identity.tenant,
        // A mailed link is nobody's login.
        "user_uuid": (session.dialect != LINK_DIALECT).then_some(session.identity.id),
        "user_agent": session.client.user_agent,
        "created_at": date(session.opened_at),
        "expires_at": listed.expires_at.map(date),
        "refresh_token_client_id": listed.client_id,
    })
}
