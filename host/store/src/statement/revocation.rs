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
//! An account of which nobody may log in any more is a revocation of its tenant: an opening that waits for it finds the account closed.
//!
//! A refresh token needs no note: whatever makes a note removes it, so a login with one makes sure that it is still there.
//!
//! The order of locks is: names (see `user_name.rs`), plugin, identity, the session's tenant, directory user, the user's tenant if that is another one,
//! the identity's queue, account, numbers (see `account.rs`), refresh tokens, sessions, `revocation_clock`, `revocation`.

use keyway_core::model::{Account, Closed, IdentityId, PluginDigest, Session, TenantId, Timestamp};
use keyway_core::port::{OpeningOutcome, REVOCATIONS_KEPT, RevocationMark, StoreError};

use uuid::Uuid;

use super::{Connection, LOCKS_ROWS};
use crate::failure::Failure;

/// Whose sessions are revoked as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole {
    Identity(IdentityId),
    Plugin(PluginDigest),
    Tenant(TenantId),
}

impl Whole {
    fn kind(&self) -> &'static str {
        match self {
            Self::Identity(_) => "identity",
            Self::Plugin(_) => "plugin",
            Self::Tenant(_) => "tenant",
        }
    }

    fn target(&self) -> &[u8] {
        match self {
            Self::Identity(id) => id.0.as_bytes(),
            Self::Plugin(digest) => &digest.0,
            Self::Tenant(id) => id.0.as_bytes(),
        }
    }

    /// PostgreSQL's advisory locks have two numbers for a name. Two targets that share one wait for each other, and no more.
    pub(super) fn lock_name(&self) -> (i32, i32) {
        let kind = match self {
            Self::Identity(_) => 0x6b77_0001,
            Self::Plugin(_) => 0x6b77_0002,
            Self::Tenant(_) => 0x6b77_0005,
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

/// Why the session may not be opened; if it may, it still may until the transaction ends.
pub(super) async fn admit(
    connection: &mut Connection,
    session: &Session,
    since: RevocationMark,
) -> Result<Option<OpeningOutcome>, Failure> {
    let identity = &session.identity;
    let own = identity.tenant;
    let whole = [
        Whole::Plugin(session.plugin),
        Whole::Identity(identity.id),
        Whole::Tenant(own),
    ];
    let [plugin, identity_lock, tenant] = whole.map(|whole| whole.lock_name());
    if LOCKS_ROWS {
        sqlx::query(
            "SELECT pg_advisory_xact_lock_shared($1, $2), pg_advisory_xact_lock_shared($3, $4), pg_advisory_xact_lock_shared($5, $6)",
        )
        .bind(plugin.0)
        .bind(plugin.1)
        .bind(identity_lock.0)
        .bind(identity_lock.1)
        .bind(tenant.0)
        .bind(tenant.1)
        .execute(&mut *connection)
        .await?;
    }
    let users = match identity.user {
        None => own,
        Some(user) => {
            let (enabled, tenant) = find_standing(connection, user.0).await?;
            if !enabled {
                return Ok(Some(OpeningOutcome::Disabled));
            }
            tenant
        }
    };
    if users != own {
        lock_in(connection, Whole::Tenant(users)).await?;
    }
    // A statement of its own: only one that begins when the locks are held sees what was committed until then.
    let (closed, overtaken): (bool, bool) = sqlx::query_as(REFUSED)
        .bind(since.0)
        .bind(session.plugin.0.as_slice())
        .bind(identity.id.0.as_bytes().as_slice())
        .bind(own.0.as_bytes().as_slice())
        .bind(users.0.as_bytes().as_slice())
        .bind(own.0)
        .bind(users.0)
        .bind(session.opened_at.0)
        .fetch_one(&mut *connection)
        .await?;
    if closed && let Some(closed) = find_closed(connection, [own, users], session.opened_at).await? {
        return Ok(Some(OpeningOutcome::Closed(closed)));
    }
    Ok(overtaken.then_some(OpeningOutcome::Overtaken))
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

/// Keeps the target's sessions from being revoked as a whole until the transaction ends, and waits while they are.
async fn lock_in(connection: &mut Connection, whole: Whole) -> Result<(), Failure> {
    if LOCKS_ROWS {
        let (kind, target) = whole.lock_name();
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $2)")
            .bind(kind)
            .bind(target)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Whether nobody of the tenants may log in (see [`Account::closed`]), and whether the login was overtaken. Besides a later note: if one that was later
/// is removed already, nobody knows whom it concerned. And a mark that is still to come was not read from this database as it is; it was
/// restored from a backup.
const REFUSED: &str = "SELECT \
    EXISTS (SELECT 1 FROM account WHERE tenant IN ($6, $7) AND (NOT enabled OR trial_expires_at <= $8)), \
    EXISTS (SELECT 1 FROM revocation WHERE kind = 'plugin' AND target = $2 AND mark > $1) \
    OR EXISTS (SELECT 1 FROM revocation WHERE kind = 'identity' AND target = $3 AND mark > $1) \
    OR EXISTS (SELECT 1 FROM revocation WHERE kind = 'tenant' AND target IN ($4, $5) AND mark > $1) \
    OR NOT EXISTS (SELECT 1 FROM revocation_clock WHERE swept <= $1 AND mark >= $1)";

/// Why nobody of the first of these tenants of which that is so may log in.
async fn find_closed(
    connection: &mut Connection,
    tenants: [TenantId; 2],
    at: Timestamp,
) -> Result<Option<Closed>, Failure> {
    for tenant in tenants {
        let found: Option<(bool, Option<i64>)> =
            sqlx::query_as("SELECT enabled, trial_expires_at FROM account WHERE tenant = $1")
                .bind(tenant.0)
                .fetch_optional(&mut *connection)
                .await?;
        let closed = found.and_then(|(enabled, end)| {
            let account = Account {
                enabled,
                trial_expires_at: end.map(Timestamp),
                ..Account::of(tenant)
            };
            account.closed(at)
        });
        if closed.is_some() {
            return Ok(closed);
        }
    }
    Ok(None)
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
