//! Users of an account.

mod body;
mod content;
mod store;

use axum::response::Response;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{Query, TenantId, TenantScope, User};
use keyway_core::port::{UserFilter, UserOrder};
use serde_json::{Map, Value};

use super::account::{Paging, merge};
use super::ask::{Ask, Caller};
use super::document::user as tell;
use super::envelope::Answer;
use super::error::Failure;
use crate::document::{Routes, get};

use content::Content;
use store::Standing;

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/accounts/{account}/users",
            get(tell::list, list).put(tell::create, create),
        )
        .route(
            "/accounts/{account}/users/{user}",
            get(tell::show, show)
                .post(tell::replace, replace)
                .patch(tell::change, change)
                .delete(tell::remove, remove),
        )
}

impl Ask {
    /// The user that the path names, if it is one of this account.
    ///
    /// # Errors
    /// [`Failure::BadIdentifier`], or that the store did not answer.
    pub(super) async fn user_of(&self, account: TenantId) -> Result<User, Failure> {
        let id = self.user()?;
        let scope = TenantScope::Only(account);
        let found = self.kazoo.directory().get_user_in(id, scope).await;
        found.map_err(|error| match error {
            DirectoryError::NotFound { .. } => Failure::BadIdentifier(id.0.simple().to_string()),
            error => error.into(),
        })
    }

    /// The user that the path names, for itself and for administrators.
    async fn changeable(&self, caller: &Caller) -> Result<(User, By), Failure> {
        let account = self.account(caller).await?;
        if self.admin(caller).is_ok() {
            let user = self.user_of(account).await?;
            self.is_no_greater(caller, &user).await?;
            return Ok((user, By::Administrator));
        }
        if caller.user() != Some(self.user()?) {
            return Err(Failure::Forbidden);
        }
        Ok((self.user_of(account).await?, By::User))
    }

    /// Who administers an account does not become, by a new password, somebody of it who may more.
    async fn is_no_greater(&self, caller: &Caller, user: &User) -> Result<(), Failure> {
        let directory = self.kazoo.directory();
        Ok(directory.may_stand_in(user, &caller.live.accesses).await?)
    }
}

/// Whose word a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The user's own.
    User,
    Administrator,
}

async fn list(ask: Ask) -> Response {
    let result = list_all(&ask).await;
    ask.answer(result)
}

async fn list_all(ask: &Ask) -> Result<Answer, Failure> {
    let caller = ask.caller().await?;
    let account = ask.readable(&caller).await?;
    let paging = Paging::of(ask)?;
    let text = |key: &str| ask.query(key).map(str::to_owned);
    let query = Query::<UserFilter, UserOrder> {
        filter: UserFilter {
            login: text("filter_username"),
            firstname: text("filter_first_name"),
            lastname: text("filter_last_name"),
            email: text("filter_email"),
            ..UserFilter::default()
        },
        page: paging.page(),
        ..Query::all(TenantScope::Only(account))
    };
    let found = ask.kazoo.directory().list_users(&query).await?;
    let ids: Vec<_> = found.items.iter().map(|user| user.id).collect();
    let profiles = ask.kazoo.accounts().list_profiles(&ids).await?;
    let rights = ask.kazoo.accounts().list_rights(&ids).await?;
    let users = found.items.iter().zip(&profiles).zip(&rights);
    let rows = users.map(|((user, profile), right)| body::listed(user, profile, right.kazoo));
    Ok(paging.answer(rows.collect(), found.filtered))
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        let account = ask.readable(&caller).await?;
        let user = ask.user_of(account).await?;
        Ok(Answer::ok(body::of(&Standing::of(&ask, user).await?)))
    };
    let result = shown.await;
    ask.answer(result)
}

async fn create(ask: Ask) -> Response {
    let created = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let content = Content::new_user(ask.data()?)?;
        let made = store::create(&ask, &caller, account, content).await?;
        Ok(Answer::created(body::of(&made)))
    };
    let result = created.await;
    ask.answer(result)
}

async fn replace(ask: Ask) -> Response {
    let replaced = async {
        let caller = ask.caller().await?;
        let (user, by) = ask.changeable(&caller).await?;
        let current = Standing::of(&ask, user).await?;
        let mut data = ask.data()?.clone();
        content::keep_governed(&mut data, &body::said(&current));
        put(&ask, &caller, by, &current, &data).await
    };
    let result = replaced.await;
    ask.answer(result)
}

async fn change(ask: Ask) -> Response {
    let changed = async {
        let caller = ask.caller().await?;
        let (user, by) = ask.changeable(&caller).await?;
        let current = Standing::of(&ask, user).await?;
        let mut data = body::said(&current);
        merge(&mut data, ask.data()?);
        put(&ask, &caller, by, &current, &data).await
    };
    let result = changed.await;
    ask.answer(result)
}

async fn put(
    ask: &Ask,
    caller: &Caller,
    by: By,
    current: &Standing,
    data: &Map<String, Value>,
) -> Result<Answer, Failure> {
    let mut content = Content::changed(data, current)?;
    if by == By::User && !content.leaves_governed(current) {
        return Err(Failure::Forbidden);
    }
    content.say_only(by, ask.data()?);
    let changed = store::change(ask, caller, by, current, content).await?;
    Ok(Answer::ok(body::of(&changed)))
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let user = ask.user_of(account).await?;
        ask.is_no_greater(&caller, &user).await?;
        let standing = Standing::of(&ask, user).await?;
        let directory = ask.kazoo.directory();
        directory
            .remove_user_in(standing.user.id, TenantScope::Only(account), &caller.live.accesses)
            .await?;
        Ok(Answer::ok(body::of(&standing)))
    };
    let result = removed.await;
    ask.answer(result)
}
