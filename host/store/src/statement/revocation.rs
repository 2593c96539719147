//! What refuses logins that were under way while sessions were revoked. Compiled once per driver.
//!
//! A login reads the latest mark before its credential is judged. A revocation of a whole identity, plugin or tenant, and a new password, ends the
//! sessions that are there and then notes a new mark, in one transaction. Opening a session looks whether there is a note that is later than
//! the login's mark. Two things make this exact:
//! - Marks are committed in their order, because `revocation_clock` stays locked from the update until the commit. So a mark that a login
//!   has read stands for all revocations up to it: their new state is what the backend then saw. No clock of any node has a part in it.
//! - An opening and a revocation of the same target wait for each other (where several may write at once): both look only when they hold
//!   the lock, so either the revocation finds the session or the opening finds the note.
//!
//! An account that is closed, or on trial, is a revocation of its tenant and of those below: an opening waits for it and finds the account closed, or its end.
//! So an opening holds the session's tenant and its user's and all those above them, and nobody moves a tenant that is held.
//!
//! A refresh token needs no note: whatever makes a note removes it, so a login with one makes sure that it is still there.
//!
//! The order of locks is: moves of tenants (see `tenant.rs`), names (see `user_name.rs`), plugin, identity, directory user, tenants, the identity's queue,
//! account, numbers (see `account.rs`), refresh tokens, sessions, `revocation_clock`, `revocation`. Whoever waits for a tenant alone holds no other one
//! alone but while it moves that one, of which there is one at a time.

use std::collections::{HashMap, HashSet};

use keyway_core::model::{Account, IdentityId, PluginDigest, Session, TenantId, Timestamp};
use keyway_core::port::{OpeningOutcome, REVOCATIONS_KEPT, RevocationMark, Revoked, StoreError};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::ending::BY_SUBTREE;
use super::{Connection, Database, LOCKS_ROWS};
use crate::failure::Failure;

/// Whose sessions are revoked as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole {
    Identity(IdentityId),
    Plugin(PluginDigest),
    Tenant(TenantId),
    /// A tenant and all that are below it.
    Subtree(TenantId),
}

impl Whole {
    fn kind(&self) -> &'static str {
        match self {
            Self::Identity(_) => "identity",
            Self::Plugin(_) => "plugin",
            Self::Tenant(_) => "tenant",
            Self::Subtree(_) => "subtree",
        }
    }

    fn target(&self) -> &[u8] {
        match self {
            Self::Identity(id) => id.0.as_bytes(),
            Self::Plugin(digest) => &digest.0,
            Self::Tenant(id) | Self::Subtree(id) => id.0.as_bytes(),
        }
    }

    /// PostgreSQL's advisory locks have two numbers for a name. Two targets that share one wait for each other, and no more.
    pub(super) fn lock_name(&self) -> (i32, i32) {
        let kind = match self {
            Self::Identity(_) => 0x6b77_0001,
            Self::Plugin(_) => 0x6b77_0002,
            Self::Tenant(_) | Self::Subtree(_) => 0x6b77_0005,
        };
        let first = self.target().first_chunk().copied().unwrap_or_default();
        (kind, i32::from_be_bytes(first))
    }
}

/// The latest mark.
pub(super) async fn latest_mark(connection: &mut Connection) -> Result<RevocationMark, Failure> {
    let mark = sqlx::query_scalar("SELECT mark FROM revocation_clock")
        .fetch_one(connection)
        .await?;
    Ok(RevocationMark(mark))
}

/// Keeps sessions of this target from being opened until the transaction ends, and waits for those that are being opened. To be called
/// before sessions are looked for. A directory user's row, locked, does the same for the user's identity.
pub(super) async fn lock_out(connection: &mut Connection, whole: Whole) -> Result<(), Failure> {
    if LOCKS_ROWS {
        let (kind, target) = whole.lock_name();
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(kind)
            .bind(target)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Refuses the logins that are under way. To be called last in a transaction: others that revoke wait until it ends.
pub(super) async fn note(connection: &mut Connection, whole: Whole, at: Timestamp) -> Result<(), Failure> {
    let mark: i64 = sqlx::query_scalar("UPDATE revocation_clock SET mark = mark + 1 RETURNING mark")
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO revocation (kind, target, mark, revoked_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, target) DO UPDATE SET mark = excluded.mark, revoked_at = excluded.revoked_at",
    )
    .bind(whole.kind())
    .bind(whole.target())
    .bind(mark)
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// What else opens a session for this identity waits until the transaction ends: two that count its sessions, or make a refresh token for it,
/// must not do so at once.
pub(super) async fn queue(connection: &mut Connection, identity: IdentityId) -> Result<(), Failure> {
    if LOCKS_ROWS {
        let (_, target) = Whole::Identity(identity).lock_name();
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(QUEUE)
            .bind(target)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// The kind of advisory lock of [`queue`].
pub(super) const QUEUE: i32 = 0x6b77_0003;

/// Whether a session may be opened. If so, it still may until the transaction ends.
pub(super) enum Admission {
    /// It may, with a token that ends no later than this: the earliest end of a trial.
    Granted { until: Option<Timestamp> },
    /// It may not.
    Refused(OpeningOutcome),
}

pub(super) async fn admit(
    connection: &mut Connection,
    session: &Session,
    since: RevocationMark,
) -> Result<Admission, Failure> {
    let identity = &session.identity;
    let wholes = [Whole::Plugin(session.plugin), Whole::Identity(identity.id)];
    lock_in(connection, &wholes).await?;
    let mut tenants = vec![identity.tenant];
    if let Some(user) = identity.user {
        let (enabled, tenant) = find_standing(connection, user.0).await?;
        if !enabled {
            return Ok(Admission::Refused(OpeningOutcome::Disabled));
        }
        tenants.push(tenant);
    }
    let lineage = hold_lineage(connection, &tenants).await?;
    if let Some(closed) = Account::closed_among(&lineage, session.opened_at) {
        return Ok(Admission::Refused(OpeningOutcome::Closed(closed)));
    }
    let wholes = [
        wholes.to_vec(),
        tenants.into_iter().map(Whole::Tenant).collect(),
        lineage.iter().map(|account| Whole::Subtree(account.tenant)).collect(),
    ]
    .concat();
    if is_overtaken(connection, &wholes, since).await? {
        return Ok(Admission::Refused(OpeningOutcome::Overtaken));
    }
    Ok(Admission::Granted {
        until: Account::trial_end_among(&lineage),
    })
}

/// Does to what those of a tenant and of those below it hold what its account and those above it say: ends it and refuses the logins that are under way where
/// one is closed, else lets it last no longer than the earliest trial. The tenant must be locked out. To be called last in a transaction, as [`note`].
pub(super) async fn confine(connection: &mut Connection, tenant: TenantId, at: Timestamp) -> Result<Revoked, Failure> {
    let lineage = lineage(connection, &[tenant]).await?;
    if Account::closed_among(&lineage, at).is_some() {
        let revoked = BY_SUBTREE.end(connection, tenant.0).await?;
        note(connection, Whole::Subtree(tenant), at).await?;
        return Ok(revoked);
    }
    match Account::trial_end_among(&lineage) {
        Some(end) => BY_SUBTREE.cut(connection, tenant.0, end).await,
        None => Ok(Revoked::default()),
    }
}

/// As [`lineage`]. None of these accounts is closed, gets another trial or moves until the transaction ends.
pub(super) async fn hold_lineage(connection: &mut Connection, tenants: &[TenantId]) -> Result<Vec<Account>, Failure> {
    let mut held = HashSet::new();
    loop {
        // A statement of its own each time: only one that begins when the locks are held sees what was committed until then.
        let found = lineage(connection, tenants).await?;
        let new: Vec<_> = found.iter().map(|account| account.tenant).collect();
        let new: Vec<_> = new.into_iter().filter(|tenant| held.insert(*tenant)).collect();
        if !LOCKS_ROWS || new.is_empty() {
            return Ok(found);
        }
        let wholes: Vec<_> = new.into_iter().map(Whole::Subtree).collect();
        lock_in(connection, &wholes).await?;
    }
}

/// What a tenant that is looked at has for an account: its id, its parent, and whether the account is enabled and when its trial ends.
type LineageRow = (Uuid, Uuid, Option<bool>, Option<i64>);

/// The accounts of these tenants, each followed by those above it, the nearest first. Only what closes them is read.
async fn lineage(connection: &mut Connection, tenants: &[TenantId]) -> Result<Vec<Account>, Failure> {
    let mut select: QueryBuilder<Database> =
        QueryBuilder::new("WITH RECURSIVE above (id) AS (SELECT id FROM tenant WHERE id IN (");
    let mut ids = select.separated(", ");
    for tenant in tenants {
        ids.push_bind(tenant.0);
    }
    select.push(
        ") UNION SELECT t.parent FROM tenant t JOIN above a ON a.id = t.id) \
         SELECT t.id, t.parent, c.enabled, c.trial_expires_at FROM above a JOIN tenant t ON t.id = a.id \
         LEFT JOIN account c ON c.tenant = t.id",
    );
    let rows: Vec<LineageRow> = select.build_query_as().fetch_all(connection).await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.0, row)).collect();
    let mut found = Vec::with_capacity(rows.len());
    for tenant in tenants {
        let mut at = tenant.0;
        // Each once: the tenants above two of them are the same from some place on.
        while let Some((id, parent, enabled, trial)) = rows.remove(&at) {
            let known = Account::of(TenantId(id));
            found.push(Account {
                enabled: enabled.unwrap_or(known.enabled),
                trial_expires_at: trial.map(Timestamp),
                ..known
            });
            at = parent;
        }
    }
    Ok(found)
}

/// Whether one of these was revoked as a whole since. Besides a later note: if one that was later is removed already, nobody knows whom it concerned. And a
/// mark that is still to come was not read from this database as it is; it was restored from a backup.
async fn is_overtaken(connection: &mut Connection, wholes: &[Whole], since: RevocationMark) -> Result<bool, Failure> {
    let mut select: QueryBuilder<Database> =
        QueryBuilder::new("SELECT NOT EXISTS (SELECT 1 FROM revocation_clock WHERE swept <= ");
    select.push_bind(since.0).push(" AND mark >= ").push_bind(since.0);
    select.push(") OR EXISTS (SELECT 1 FROM revocation WHERE mark > ");
    select.push_bind(since.0).push(" AND (");
    let mut any = select.separated(" OR ");
    for whole in wholes {
        any.push("kind = ").push_bind_unseparated(whole.kind());
        any.push_unseparated(" AND target = ")
            .push_bind_unseparated(whole.target());
    }
    select.push("))");
    Ok(select.build_query_scalar().fetch_one(connection).await?)
}

/// Whether the user is enabled, and its tenant. Neither changes until the transaction ends.
async fn find_standing(connection: &mut Connection, user: Uuid) -> Result<(bool, TenantId), Failure> {
    let select = if LOCKS_ROWS {
        "SELECT enabled, tenant FROM directory_user WHERE id = $1 FOR SHARE"
    } else {
        "SELECT enabled, tenant FROM directory_user WHERE id = $1"
    };
    let found: Option<(bool, Uuid)> = sqlx::query_as(select).bind(user).fetch_optional(connection).await?;
    let (enabled, tenant) = found.ok_or(StoreError::Missing { what: "user" })?;
    Ok((enabled, TenantId(tenant)))
}

/// Keeps the targets' sessions from being revoked as a whole until the transaction ends, and waits while they are.
async fn lock_in(connection: &mut Connection, wholes: &[Whole]) -> Result<(), Failure> {
    if !LOCKS_ROWS {
        return Ok(());
    }
    let mut select: QueryBuilder<Database> = QueryBuilder::new("SELECT ");
    for (position, whole) in wholes.iter().enumerate() {
        let (kind, target) = whole.lock_name();
        select.push(if position == 0 {
            "pg_advisory_xact_lock_shared("
        } else {
            ", pg_advisory_xact_lock_shared("
        });
        select.push_bind(kind).push(", ").push_bind(target).push(")");
    }
    select.build().execute(connection).await?;
    Ok(())
}

/// Removes the notes that no login can be waiting for.
pub(super) async fn sweep(connection: &mut Connection, now: Timestamp) -> Result<(), Failure> {
    let kept = i64::try_from(REVOCATIONS_KEPT.as_micros()).unwrap_or(i64::MAX);
    let before = now.0.saturating_sub(kept);
    let latest: Option<i64> = sqlx::query_scalar("SELECT max(mark) FROM revocation WHERE revoked_at <= $1")
        .bind(before)
        .fetch_one(&mut *connection)
        .await?;
    let Some(latest) = latest else {
        return Ok(());
    };
    // The clock first: whoever notes has it before it has a row of `revocation`.
    sqlx::query("UPDATE revocation_clock SET swept = $1 WHERE swept < $1")
        .bind(latest)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM revocation WHERE revoked_at <= $1 AND mark <= $2")
        .bind(before)
        .bind(latest)
        .execute(connection)
        .await?;
    Ok(())
}
