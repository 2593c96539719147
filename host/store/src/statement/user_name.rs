//! Whether names are free: logins and addresses, each among both. Compiled once per driver.

use keyway_core::model::{TenantId, Timestamp, UserId};
use keyway_core::port::{StoreError, Uniqueness};

use super::{Connection, LOCKS_ROWS};
use crate::failure::Failure;

/// The first half of the names of these advisory locks; see `revocation.rs` for the others.
const LOCK: i32 = 0x6b77_0004;

/// A user, whose own names are free to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) user: UserId,
    pub(super) tenant: TenantId,
    pub(super) created_at: Timestamp,
    pub(super) unique: Uniqueness,
}

/// Keeps others from taking these names until the transaction ends. To be called first in it, for all names at once: whoever takes names holds no
/// other lock yet, and takes theirs in one order.
pub(super) async fn lock(connection: &mut Connection, keys: &[String]) -> Result<(), Failure> {
    if !LOCKS_ROWS {
        return Ok(());
    }
    let mut locks: Vec<i32> = keys.iter().map(|key| number(key)).collect();
    locks.sort_unstable();
    locks.dedup();
    for lock in locks {
        sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind(LOCK)
            .bind(lock)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// FNV-1a, which every version of every node computes alike. Two names that share a number wait for each other, and no more.
fn number(key: &str) -> i32 {
    let hash = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.cast_signed()
}

/// # Errors
/// [`StoreError::Conflict`] on `what` if somebody else has one of these, as a login or as an address; see [`Uniqueness`] for who counts.
pub(super) async fn check_free(
    connection: &mut Connection,
    what: &'static str,
    keys: &[String],
    owner: Owner,
) -> Result<(), Failure> {
    for key in keys {
        let query = match owner.unique {
            Uniqueness::InTenant => sqlx::query_scalar(TAKEN_IN_TENANT)
                .bind(key)
                .bind(owner.user.0)
                .bind(owner.tenant.0)
                .bind(owner.created_at.0),
            Uniqueness::Everywhere => sqlx::query_scalar(TAKEN).bind(key).bind(owner.user.0),
        };
        let taken: bool = query.fetch_one(&mut *connection).await?;
        if taken {
            return Err(StoreError::Conflict { what }.into());
        }
    }
    Ok(())
}

const TAKEN: &str = "SELECT \
    EXISTS (SELECT 1 FROM directory_user WHERE login_key = $1 AND id <> $2) \
    OR EXISTS (SELECT 1 FROM user_email WHERE address_key = $1 AND directory_user <> $2)";

const TAKEN_IN_TENANT: &str = "SELECT \
    EXISTS (SELECT 1 FROM directory_user WHERE login_key = $1 AND id <> $2 AND (tenant = $3 OR created_at > $4)) \
    OR EXISTS (SELECT 1 FROM user_email e JOIN directory_user u ON u.id = e.directory_user \
    WHERE e.address_key = $1 AND u.id <> $2 AND (u.tenant = $3 OR u.created_at > $4))";

#[cfg(test)]
mod tests {
    use super::super::account::NUMBERS;
    use super::super::revocation::{QUEUE, Whole};
    use super::super::tenant::MOVES;
    use super::*;
    use keyway_core::model::{IdentityId, PluginDigest, TenantId};
    use uuid::Uuid;

    /// Names are locked before users, and queues after them: were a name and a queue one lock, a login and a change would wait for each other.
    #[test]
    fn names_share_no_lock_with_anything_else() {
        let others = [
            Whole::Identity(IdentityId(Uuid::nil())).lock_name().0,
            Whole::Plugin(PluginDigest::NONE).lock_name().0,
            Whole::Tenant(TenantId(Uuid::nil())).lock_name().0,
            QUEUE,
            NUMBERS,
            MOVES,
        ];
        assert!(!others.contains(&LOCK));
    }
}
