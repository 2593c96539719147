//! Second factors: the port, and how they are written. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Factor, FactorId, FactorOwner, IdentityId, Paged, Timestamp, login_key};
use keyway_core::port::{FactorChange, FactorQuery, FactorStore, NewFactor, OtpUse, StoreError, StoredFactor};
use sqlx::QueryBuilder;

use super::{Connection, Database, DriverStore, LOCKS_ROWS, factor_list, factor_use};
use crate::failure::{Failure, explain, text};
use crate::row::to_json;

#[async_trait]
impl FactorStore for DriverStore {
    async fn add_factor(&self, new: &NewFactor) -> Result<(), StoreError> {
        let new = new.clone();
        self.write("add a factor", move |connection| {
            Box::pin(async move { add(connection, &new).await })
        })
        .await
    }

    async fn find_factor(&self, serial: &str) -> Result<Option<StoredFactor>, StoreError> {
        self.call("find a factor", async {
            factor_list::find(&mut *self.reader().await?, serial).await
        })
        .await
    }

    async fn active_factors(&self, owner: IdentityId) -> Result<Vec<StoredFactor>, StoreError> {
        self.call("find somebody's factors", async {
            factor_list::active(&mut *self.reader().await?, owner).await
        })
        .await
    }

    async fn otp_lengths(&self) -> Result<Vec<u8>, StoreError> {
        self.call("find the lengths of one-time passwords", async {
            factor_list::otp_lengths(&mut *self.reader().await?).await
        })
        .await
    }

    async fn list_factors(&self, query: &FactorQuery) -> Result<Paged<Factor>, StoreError> {
        self.call("list factors", async {
            factor_list::list(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn change_factor(&self, id: FactorId, change: &FactorChange) -> Result<bool, StoreError> {
        let change = change.clone();
        self.write("change a factor", move |connection| {
            Box::pin(async move { change_one(connection, id, &change).await })
        })
        .await
    }

    async fn remove_factor(&self, id: FactorId) -> Result<bool, StoreError> {
        self.write("remove a factor", move |connection| Box::pin(remove(connection, id)))
            .await
    }

    async fn use_otp(&self, used: &OtpUse) -> Result<bool, StoreError> {
        let used = *used;
        self.write("use a one-time password up", move |connection| {
            Box::pin(factor_use::use_otp(connection, used))
        })
        .await
    }

    async fn use_code(&self, factor: FactorId, code: &[u8; 32], at: Timestamp) -> Result<bool, StoreError> {
        let code = *code;
        self.write("use a recovery code up", move |connection| {
            Box::pin(factor_use::use_code(connection, factor, code, at))
        })
        .await
    }

    async fn count_codes(&self, factor: FactorId) -> Result<u32, StoreError> {
        self.call("count recovery codes", async {
            factor_use::count_codes(&mut *self.reader().await?, factor).await
        })
        .await
    }

    async fn begin_attempts(&self, factors: &[FactorId]) -> Result<Vec<FactorId>, StoreError> {
        let factors = in_order(factors);
        self.write("count attempts on factors", move |connection| {
            Box::pin(factor_use::begin_attempts(connection, factors))
        })
        .await
    }

    async fn take_back_attempts(&self, factors: &[FactorId]) -> Result<(), StoreError> {
        let factors = in_order(factors);
        self.write("take back attempts on factors", move |connection| {
            Box::pin(factor_use::take_back_attempts(connection, factors))
        })
        .await
    }
}

/// In one order for all callers, so that two never wait for each other; each once.
fn in_order(factors: &[FactorId]) -> Vec<FactorId> {
    let mut factors = factors.to_vec();
    factors.sort_unstable();
    factors.dedup();
    factors
}

/// How many codes one statement inserts: SQLite takes some 32,000 values, of which a code has two.
const CHUNK: usize = 1000;

async fn add(connection: &mut Connection, new: &NewFactor) -> Result<(), Failure> {
    let factor = &new.stored.factor;
    let owner = OwnerColumns::of(factor.owner.as_ref())?;
    sqlx::query(
        "INSERT INTO factor (id, serial, serial_key, kind, algorithm, digits, period, owner, directory_user, tenant, login, login_key, \
         realm, realm_key, resolver, resolver_key, state, pin, counter, drift, failures, max_failures, otp_window, sync_window, \
         description, description_key, attributes, sealed_seed, created_at, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT id FROM directory_user WHERE id = $8), $9, $10, $11, $12, $13, $14, $15, $16, \
         $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)",
    )
    .bind(factor.id.0)
    .bind(text("factor.serial", &factor.serial)?)
    .bind(login_key(&factor.serial))
    .bind(factor.kind.as_str())
    .bind(factor.parameters.algorithm.as_str())
    .bind(i32::from(factor.parameters.digits))
    .bind(i32::from(factor.parameters.period))
    .bind(factor.owner.as_ref().map(|owner| owner.identity.0))
    .bind(factor.owner.as_ref().map(|owner| owner.tenant.0))
    .bind(owner.login)
    .bind(login_key(owner.login))
    .bind(owner.realm)
    .bind(login_key(owner.realm))
    .bind(owner.resolver)
    .bind(login_key(owner.resolver))
    .bind(factor.state.as_str())
    .bind(factor.pin.as_ref().map(|pin| pin.expose().as_str()))
    .bind(factor_use::number(factor.counter)?)
    .bind(factor.drift)
    .bind(i64::from(factor.failures))
    .bind(i64::from(factor.max_failures))
    .bind(i64::from(factor.window))
    .bind(i64::from(factor.sync_window))
    .bind(text("factor.description", &factor.description)?)
    .bind(login_key(&factor.description))
    .bind(to_json("factor.attributes", &factor.attributes)?)
    .bind(new.stored.sealed_seed.as_slice())
    .bind(factor.created_at.0)
    .bind(factor.last_used_at.map(|at| at.0))
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    for chunk in new.codes.chunks(CHUNK) {
        let mut insert: QueryBuilder<Database> = QueryBuilder::new("INSERT INTO factor_code (factor, code) ");
        insert.push_values(chunk, |mut row, code| {
            row.push_bind(factor.id.0).push_bind(code.to_vec());
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// What is kept of an owner besides the ids.
#[derive(Default)]
struct OwnerColumns<'a> {
    login: &'a str,
    realm: &'a str,
    resolver: &'a str,
}

impl<'a> OwnerColumns<'a> {
    fn of(owner: Option<&'a FactorOwner>) -> Result<Self, Failure> {
        let Some(owner) = owner else {
            return Ok(Self::default());
        };
        Ok(Self {
            login: text("factor.login", &owner.login)?,
            realm: text("factor.realm", &owner.realm)?,
            resolver: text("factor.resolver", &owner.resolver)?,
        })
    }
}

/// A serial that is taken, or an owner who is gone. Only PostgreSQL has to tell a user from a tenant: in the other store no user goes between
/// the two halves of a statement.
fn refused(error: sqlx::Error) -> Failure {
    let constraint = error.as_database_error().and_then(|database| database.constraint());
    let is_user = constraint.is_some_and(|name| name.contains("directory_user"));
    let referred = if is_user { "user" } else { "tenant" };
    explain(error, &[("id", "factor id"), ("serial_key", "serial")], referred)
}

async fn change_one(connection: &mut Connection, id: FactorId, change: &FactorChange) -> Result<bool, Failure> {
    let FactorChange {
        only_in: _,
        only_of: _,
        state,
        owner,
        pin,
        failures,
        max_failures,
        window,
        sync_window,
        description,
        attributes,
    } = change;
    if let Some(Some(owner)) = owner {
        hold_owner(connection, owner).await?;
    }
    let mut update: QueryBuilder<Database> = QueryBuilder::new("UPDATE factor SET id = id");
    if let Some(state) = state {
        update.push(", state = ").push_bind(state.as_str());
    }
    if let Some(owner) = owner {
        push_owner(&mut update, owner.as_ref())?;
    }
    if let Some(pin) = pin {
        update
            .push(", pin = ")
            .push_bind(pin.as_ref().map(|pin| pin.expose().clone()));
    }
    for (column, number) in [
        (", failures = ", failures),
        (", max_failures = ", max_failures),
        (", otp_window = ", window),
        (", sync_window = ", sync_window),
    ] {
        if let Some(number) = number {
            update.push(column).push_bind(i64::from(*number));
        }
    }
    if let Some(description) = description {
        let description = text("factor.description", description)?;
        update.push(", description = ").push_bind(description.to_owned());
        update.push(", description_key = ").push_bind(login_key(description));
    }
    if let Some(attributes) = attributes {
        update
            .push(", attributes = ")
            .push_bind(to_json("factor.attributes", attributes)?);
    }
    update.push(" WHERE id = ").push_bind(id.0);
    push_conditions(&mut update, change);
    let changed = update.build().execute(connection).await.map_err(refused)?;
    Ok(changed.rows_affected() == 1)
}

/// Keeps a directory user and its tenant from being removed until the transaction ends. Before the factor, in the order in which whoever removes
/// them locks them: else the two could wait for each other.
async fn hold_owner(connection: &mut Connection, owner: &FactorOwner) -> Result<(), Failure> {
    if !LOCKS_ROWS {
        return Ok(());
    }
    let was_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM directory_user WHERE id = $1)")
        .bind(owner.identity.0)
        .fetch_one(&mut *connection)
        .await?;
    let held = sqlx::query("SELECT 1 FROM directory_user WHERE id = $1 FOR KEY SHARE")
        .bind(owner.identity.0)
        .fetch_optional(&mut *connection)
        .await?;
    if was_there && held.is_none() {
        return Err(StoreError::Missing { what: "user" }.into());
    }
    sqlx::query("SELECT 1 FROM tenant WHERE id = $1 FOR KEY SHARE")
        .bind(owner.tenant.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// As what the factor must be.
fn push_conditions(update: &mut QueryBuilder<Database>, change: &FactorChange) {
    if let Some(state) = change.only_in {
        update.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(owner) = change.only_of {
        match owner {
            Some(owner) => update.push(" AND owner = ").push_bind(owner.0),
            None => update.push(" AND owner IS NULL"),
        };
    }
}

fn push_owner(update: &mut QueryBuilder<Database>, owner: Option<&FactorOwner>) -> Result<(), Failure> {
    let identity = owner.map(|owner| owner.identity.0);
    update.push(", owner = ").push_bind(identity);
    update.push(", directory_user = (SELECT u.id FROM directory_user u WHERE u.id = ");
    update.push_bind(identity).push(")");
    update.push(", tenant = ").push_bind(owner.map(|owner| owner.tenant.0));
    let OwnerColumns { login, realm, resolver } = OwnerColumns::of(owner)?;
    for (column, key, value) in [
        (", login = ", ", login_key = ", login),
        (", realm = ", ", realm_key = ", realm),
        (", resolver = ", ", resolver_key = ", resolver),
    ] {
        update.push(column).push_bind(value.to_owned());
        update.push(key).push_bind(login_key(value));
    }
    Ok(())
}

async fn remove(connection: &mut Connection, id: FactorId) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM factor WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}
