//! Accounts and profiles: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Account, Profile, TenantId, Timestamp, UserId, phone_key};
use keyway_core::port::{AccountStore, Revoked, StoreError};
use sqlx::QueryBuilder;

use super::revocation::{self, Whole};
use super::{Connection, Database, DriverStore, LOCKS_ROWS, user_change};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{AccountRow, ProfileRow, accounts, to_json};

/// The name of the advisory lock under which numbers are given to accounts; see `revocation.rs` for the others. There is one for all numbers: two
/// accounts that exchange theirs would wait for each other otherwise.
pub(super) const NUMBERS: i32 = 0x6b77_0006;

/// How many users one statement asks for: SQLite takes some 32,000 values.
const CHUNK: usize = 1000;

#[async_trait]
impl AccountStore for DriverStore {
    async fn find_account(&self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        self.call("find an account", async {
            find(&mut *self.reader().await?, tenant).await
        })
        .await
    }

    async fn list_accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.call("list accounts", async { list(&mut *self.reader().await?).await })
            .await
    }

    async fn put_account(
        &self,
        before: &Account,
        account: &Account,
        at: Timestamp,
    ) -> Result<Option<Revoked>, StoreError> {
        let (before, account) = (before.clone(), account.clone());
        let work = self.write_tenants_revoking("put an account", move |connection| {
            Box::pin(async move {
                let put = put(connection, &before, &account, at).await?;
                Ok((put.is_some(), put.unwrap_or_default()))
            })
        });
        let (is_put, revoked) = work.await?;
        Ok(is_put.then_some(revoked))
    }

    async fn find_profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        Ok(self.list_profiles(&[user]).await?.pop())
    }

    async fn list_profiles(&self, users: &[UserId]) -> Result<Vec<Profile>, StoreError> {
        self.call("find profiles", async {
            list_profiles(&mut *self.reader().await?, users).await
        })
        .await
    }

    async fn put_profile(&self, before: &Profile, profile: &Profile) -> Result<bool, StoreError> {
        let (before, profile) = (before.clone(), profile.clone());
        self.write("put a profile", move |connection| {
            Box::pin(async move { put_profile(connection, &before, &profile).await })
        })
        .await
    }
}

/// Accounts with their numbers; the rest of the statement is to follow.
macro_rules! select_accounts {
    ($rest:literal) => {
        concat!(
            "SELECT a.tenant, a.enabled, a.trial_expires_at, a.reseller, a.language, a.timezone, a.api_key, a.document, n.number \
             FROM account a LEFT JOIN account_number n ON n.tenant = a.tenant ",
            $rest
        )
    };
}

async fn find(connection: &mut Connection, tenant: TenantId) -> Result<Option<Account>, Failure> {
    let rows: Vec<AccountRow> = sqlx::query_as(select_accounts!("WHERE a.tenant = $1 ORDER BY n.position"))
        .bind(tenant.0)
        .fetch_all(connection)
        .await?;
    Ok(accounts(rows)?.pop())
}

async fn list(connection: &mut Connection) -> Result<Vec<Account>, Failure> {
    let rows: Vec<AccountRow> = sqlx::query_as(select_accounts!("ORDER BY a.tenant, n.position"))
        .fetch_all(connection)
        .await?;
    Ok(accounts(rows)?)
}

async fn put(
    connection: &mut Connection,
    before: &Account,
    account: &Account,
    at: Timestamp,
) -> Result<Option<Revoked>, Failure> {
    let tenant = account.tenant;
    // Also whoever else changes this account waits here.
    revocation::lock_out(connection, Whole::Subtree(tenant)).await?;
    let current = find(connection, tenant).await?;
    if current.unwrap_or_else(|| Account::of(tenant)) != *before {
        return Ok(None);
    }
    write(connection, account).await?;
    write_numbers(connection, account).await?;
    if account.enabled == before.enabled && account.trial_expires_at == before.trial_expires_at {
        // Whatever closed it, or set it a term, has ended what there was to end.
        return Ok(Some(Revoked::default()));
    }
    Ok(Some(revocation::confine(connection, tenant, at).await?))
}

async fn write(connection: &mut Connection, account: &Account) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO account (tenant, enabled, trial_expires_at, reseller, language, timezone, api_key, document) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant) DO UPDATE SET enabled = excluded.enabled, \
         trial_expires_at = excluded.trial_expires_at, reseller = excluded.reseller, language = excluded.language, \
         timezone = excluded.timezone, api_key = excluded.api_key, document = excluded.document",
    )
    .bind(account.tenant.0)
    .bind(account.enabled)
    .bind(account.trial_expires_at.map(|at| at.0))
    .bind(account.reseller)
    .bind(optional_text("account.language", account.language.as_deref())?)
    .bind(optional_text("account.timezone", account.timezone.as_deref())?)
    .bind(i64::from(account.api_key))
    .bind(to_json("account.document", &account.document)?)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[], "tenant"))?;
    Ok(())
}

/// To be called when the account's row is written, and so locked.
async fn write_numbers(connection: &mut Connection, account: &Account) -> Result<(), Failure> {
    let numbers: Vec<String> =
        sqlx::query_scalar("SELECT number FROM account_number WHERE tenant = $1 ORDER BY position")
            .bind(account.tenant.0)
            .fetch_all(&mut *connection)
            .await?;
    if numbers == account.phone_numbers {
        return Ok(());
    }
    if LOCKS_ROWS {
        sqlx::query("SELECT pg_advisory_xact_lock($1, 0)")
            .bind(NUMBERS)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("DELETE FROM account_number WHERE tenant = $1")
        .bind(account.tenant.0)
        .execute(&mut *connection)
        .await?;
    for (position, number) in (0_i32..).zip(&account.phone_numbers) {
        let number = text("account_number.number", number)?;
        // Texts without a digit stand for themselves.
        let key = phone_key(number).unwrap_or_else(|| number.to_owned());
        sqlx::query("INSERT INTO account_number (number_key, number, tenant, position) VALUES ($1, $2, $3, $4)")
            .bind(key)
            .bind(number)
            .bind(account.tenant.0)
            .bind(position)
            .execute(&mut *connection)
            .await
            .map_err(|error| explain(error, &[("number_key", "phone number")], "tenant"))?;
    }
    Ok(())
}

async fn list_profiles(connection: &mut Connection, users: &[UserId]) -> Result<Vec<Profile>, Failure> {
    let mut profiles = Vec::new();
    for chunk in users.chunks(CHUNK) {
        let mut select: QueryBuilder<Database> = QueryBuilder::new(
            "SELECT directory_user, language, timezone, verified, require_password_update, document \
             FROM user_profile WHERE directory_user IN (",
        );
        let mut ids = select.separated(", ");
        for user in chunk {
            ids.push_bind(user.0);
        }
        select.push(")");
        let rows: Vec<ProfileRow> = select.build_query_as().fetch_all(&mut *connection).await?;
        for row in rows {
            profiles.push(row.try_into()?);
        }
    }
    Ok(profiles)
}

async fn put_profile(connection: &mut Connection, before: &Profile, profile: &Profile) -> Result<bool, Failure> {
    if !user_change::lock(connection, profile.user).await? {
        return Err(StoreError::Missing { what: "user" }.into());
    }
    let current = list_profiles(connection, &[profile.user]).await?.pop();
    if current.unwrap_or_else(|| Profile::of(profile.user)) != *before {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO user_profile (directory_user, language, timezone, verified, require_password_update, document) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (directory_user) DO UPDATE SET language = excluded.language, \
         timezone = excluded.timezone, verified = excluded.verified, \
         require_password_update = excluded.require_password_update, document = excluded.document",
    )
    .bind(profile.user.0)
    .bind(optional_text("user_profile.language", profile.language.as_deref())?)
    .bind(optional_text("user_profile.timezone", profile.timezone.as_deref())?)
    .bind(profile.verified)
    .bind(profile.require_password_update)
    .bind(to_json("user_profile.document", &profile.document)?)
    .execute(connection)
    .await
    .map_err(|error| explain(error, &[], "user"))?;
    Ok(true)
}
