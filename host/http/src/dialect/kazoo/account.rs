//! Accounts: the tree of them, and what is said of each.

mod body;
mod content;
mod gregorian;
mod paging;

use axum::response::Response;
use keyway_core::accounts::AccountIndex;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{Account, Tenant, TenantId, TenantScope, account_key};
use keyway_core::port::StoreError;
use serde_json::{Map, Value, json};

use super::ask::{Ask, Caller};
use super::document::account as tell;
use super::envelope::Answer;
use super::error::Failure;
use crate::document::{Routes, get};

pub(super) use body::told;
pub(super) use content::{closed_to_clients, merge, realm, rest};
pub(super) use gregorian::{gregorian, of_gregorian};
pub(super) use paging::Paging;

use content::{Content, Governed};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/accounts", get(tell::list, list).put(tell::create_below_own, create))
        .route(
            "/accounts/{account}",
            get(tell::show, show)
                .put(tell::create, create)
                .post(tell::replace, replace)
                .patch(tell::change, change)
                .delete(tell::remove, remove),
        )
        .route("/accounts/{account}/children", get(tell::list_children, list_children))
        .route(
            "/accounts/{account}/descendants",
            get(tell::list_descendants, list_descendants),
        )
        .route("/accounts/{account}/parents", get(tell::list_parents, list_above))
        .route("/accounts/{account}/tree", get(tell::list_tree, list_above))
}

impl Ask {
    /// The account, for whoever may read it: those of it, and administrators of those above it.
    ///
    /// # Errors
    /// As [`Ask::account`].
    pub(super) async fn readable(&self, caller: &Caller) -> Result<TenantId, Failure> {
        let account = self.account(caller).await?;
        if account != caller.account() {
            self.admin(caller)?;
        }
        Ok(account)
    }

    /// The account, for its administrators and those of the accounts above it.
    ///
    /// # Errors
    /// As [`Ask::account`].
    pub(super) async fn administered(&self, caller: &Caller) -> Result<TenantId, Failure> {
        let account = self.account(caller).await?;
        self.admin(caller)?;
        Ok(account)
    }
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        let index = ask.kazoo.accounts().index().await?;
        let master = index.master();
        if caller.account() != master {
            return Err(Failure::Forbidden);
        }
        ask.admin(&caller)?;
        let all = [vec![master], index.descendants(master)].concat();
        Ok(Paging::of(&ask)?.page_of(&all, |id| body::listed(&index, *id)))
    };
    let result = listed.await;
    ask.answer(result)
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        let account = ask.readable(&caller).await?;
        Ok(Answer::ok(ask.account_body(account).await?))
    };
    let result = shown.await;
    ask.answer(result)
}

async fn list_children(ask: Ask) -> Response {
    let result = list_of(&ask, AccountIndex::children).await;
    ask.answer(result)
}

async fn list_descendants(ask: Ask) -> Response {
    let result = list_of(&ask, AccountIndex::descendants).await;
    ask.answer(result)
}

async fn list_of(ask: &Ask, below: fn(&AccountIndex, TenantId) -> Vec<TenantId>) -> Result<Answer, Failure> {
    let caller = ask.caller().await?;
    let account = ask.administered(&caller).await?;
    let index = ask.kazoo.accounts().index().await?;
    Ok(Paging::of(ask)?.page_of(&below(&index, account), |id| body::listed(&index, *id)))
}

/// The accounts above this one, as far as the caller may know of them: from its own account on.
async fn list_above(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        let account = ask.readable(&caller).await?;
        let index = ask.kazoo.accounts().index().await?;
        let mut above = index.ancestors(account);
        above.retain(|id| index.is_within(*id, caller.account()));
        let named = above.iter().map(|id| body::named(&index, *id));
        Ok(Answer::ok(named.collect::<Vec<_>>()))
    };
    let result = listed.await;
    ask.answer(result)
}

async fn create(ask: Ask) -> Response {
    let created = async {
        let caller = ask.caller().await?;
        let parent = ask.administered(&caller).await?;
        let content = Content::named(ask.data()?)?;
        is_free(&ask, content.name.as_deref(), content.realm.as_deref(), None).await?;
        let made = ask.kazoo.accounts().create_account(parent, content.into_new()).await;
        let (tenant, _) = made.map_err(refused)?;
        Ok(Answer::created(ask.account_body(tenant.id).await?))
    };
    let result = created.await;
    ask.answer(result)
}

async fn replace(ask: Ask) -> Response {
    let replaced = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let (tenant, current) = current(&ask, account).await?;
        let mut data = ask.data()?.clone();
        content::keep_governed(&mut data, &body::said(&tenant, &current));
        put(&ask, &caller, (tenant, current), data).await
    };
    let result = replaced.await;
    ask.answer(result)
}

async fn change(ask: Ask) -> Response {
    let changed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let (tenant, current) = current(&ask, account).await?;
        let mut data = body::said(&tenant, &current);
        merge(&mut data, ask.data()?);
        put(&ask, &caller, (tenant, current), data).await
    };
    let result = changed.await;
    ask.answer(result)
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let body = ask.account_body(account).await?;
        let removed = ask.kazoo.accounts().remove_account(account, caller.account()).await;
        removed.map_err(refused)?;
        Ok(Answer::ok(body))
    };
    let result = removed.await;
    ask.answer(result)
}

/// Puts what was sent in the place of what is said of an account.
async fn put(
    ask: &Ask,
    caller: &Caller,
    (tenant, current): (Tenant, Account),
    data: Map<String, Value>,
) -> Result<Answer, Failure> {
    let content = match tenant.name {
        Some(_) => Content::named(&data)?,
        None => Content::parse(&data)?,
    };
    // What decides whether an account is open, and for what numbers it stands, those above it say.
    let is_own = tenant.id == caller.account() && tenant.parent != tenant.id;
    if is_own && !content.leaves_governed(&current) {
        return Err(Failure::Forbidden);
    }
    is_free(ask, content.name.as_deref(), content.realm.as_deref(), Some(&tenant)).await?;
    let (name, realm) = (content.name.clone(), content.realm.clone());
    let accounts = ask.kazoo.accounts();
    // Whoever has no say in it brings nothing back that others change meanwhile, and neither does who said nothing of it.
    let said = if is_own {
        Governed::default()
    } else {
        content.governed(ask.data()?)
    };
    let edit = move |current| content.put_over(current, &said);
    let put = if tenant.name == name && tenant.realm == realm {
        accounts.change_account(tenant.id, edit).await
    } else {
        accounts.change_account_and_tenant(tenant.id, edit, name, realm).await
    };
    put.map_err(refused)?;
    Ok(Answer::ok(ask.account_body(tenant.id).await?))
}

/// Looks whether a realm leads to nobody else's account, also as a domain name, and a name that is new to the account likewise.
async fn is_free(ask: &Ask, name: Option<&str>, realm: Option<&str>, current: Option<&Tenant>) -> Result<(), Failure> {
    let index = ask.kazoo.accounts().index().await?;
    let own = current.map(|tenant| tenant.id);
    let name = name.unwrap_or_default();
    let before = current.and_then(|tenant| tenant.name.as_deref());
    let is_others = index.find_by_name(name).iter().any(|id| Some(*id) != own);
    if is_others && before.map(account_key) != Some(account_key(name)) {
        return Err(taken("name", name));
    }
    match realm.and_then(|realm| index.find_by_realm(realm)) {
        Some(other) if Some(other) != own => Err(taken("realm", realm.unwrap_or_default())),
        _ => Ok(()),
    }
}

async fn current(ask: &Ask, account: TenantId) -> Result<(Tenant, Account), Failure> {
    let scope = TenantScope::Only(account);
    let tenant = ask.kazoo.directory().get_tenant(account, scope).await?;
    Ok((tenant, ask.kazoo.accounts().get_account(account).await?))
}

impl Ask {
    /// An account as this API writes it.
    ///
    /// # Errors
    /// [`Failure::BadIdentifier`], or that the store did not answer.
    pub(super) async fn account_body(&self, account: TenantId) -> Result<Map<String, Value>, Failure> {
        let index = self.kazoo.accounts().index().await?;
        let body = body::of(&index, account, self.kazoo.now());
        body.ok_or_else(|| Failure::BadIdentifier(account.0.simple().to_string()))
    }
}

fn taken(field: &str, value: &str) -> Failure {
    let message = format!("{field} is already in use");
    (field, "unique", json!({ "message": message, "cause": value })).into()
}

/// What is wrong with an account as a request has it, by the name that the field has here.
pub(super) fn refused(error: DirectoryError) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { what }) => match what {
            "tenant name" => taken("name", ""),
            "tenant realm" | "tenant domain" => taken("realm", ""),
            "phone number" => taken("phone_numbers", ""),
            what => DirectoryError::Store(StoreError::Conflict { what }).into(),
        },
        DirectoryError::Store(StoreError::InUse { .. }) => {
            let detail = json!({ "message": "there are accounts below this one" });
            ("account", "has_descendants", detail).into()
        }
        DirectoryError::Invalid { field, rule } => {
            let field = match field {
                "tenant name" => "name",
                "reseller" => "account",
                field => field,
            };
            (field, "invalid", json!({ "message": rule })).into()
        }
        // The caller's own account.
        DirectoryError::Protected { .. } => Failure::Forbidden,
        error => error.into(),
    }
}
