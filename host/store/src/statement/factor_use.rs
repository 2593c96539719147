//! How second factors are used, rightly and wrongly. Compiled once per driver.
//!
//! What somebody uses is used once, whoever asks at the same time: one statement holds the condition and the change, and the number of rows that it
//! changed decides. Where several transactions write at once, the second waits for the first one's row and then looks at the condition anew.

use keyway_core::model::{FactorId, Timestamp};
use keyway_core::port::{OtpUse, StoreError};

use super::{Connection, LOCKS_ROWS};
use crate::failure::Failure;

pub(super) async fn use_otp(connection: &mut Connection, used: OtpUse) -> Result<bool, Failure> {
    let Some(next) = used.counter.checked_add(1) else {
        return Ok(false);
    };
    let statement = "UPDATE factor SET counter = $2, drift = $3, failures = 0, state = $5, last_used_at = $6 \
        WHERE id = $1 AND state = $4 AND failures <= max_failures AND counter < $2";
    let changed = sqlx::query(statement)
        .bind(used.factor.0)
        .bind(number(next)?)
        .bind(used.drift)
        .bind(used.state.as_str())
        .bind(used.becomes.as_str())
        .bind(used.at.0)
        .execute(connection)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// A counter, as the databases hold it: not the last half of what it could be.
pub(super) fn number(counter: u64) -> Result<i64, StoreError> {
    i64::try_from(counter).map_err(|_| StoreError::Inconsistent {
        what: "`factor.counter` would be out of range".to_owned(),
    })
}

pub(super) async fn use_code(
    connection: &mut Connection,
    factor: FactorId,
    code: [u8; 32],
    at: Timestamp,
) -> Result<bool, Failure> {
    if LOCKS_ROWS {
        // The factor first: it must not be locked, switched off or removed between the two statements.
        sqlx::query("SELECT id FROM factor WHERE id = $1 FOR UPDATE")
            .bind(factor.0)
            .execute(&mut *connection)
            .await?;
    }
    let statement = "DELETE FROM factor_code WHERE factor = $1 AND code = $2 \
        AND EXISTS (SELECT 1 FROM factor WHERE id = $1 AND state = 'active' AND failures <= max_failures)";
    let used = sqlx::query(statement)
        .bind(factor.0)
        .bind(code.as_slice())
        .execute(&mut *connection)
        .await?;
    if used.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query("UPDATE factor SET failures = 0, last_used_at = $2 WHERE id = $1")
        .bind(factor.0)
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(true)
}

pub(super) async fn count_codes(connection: &mut Connection, factor: FactorId) -> Result<u32, Failure> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM factor_code WHERE factor = $1")
        .bind(factor.0)
        .fetch_one(connection)
        .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Counts a failure on each of these that may still fail; they are in one order for all callers.
pub(super) async fn begin_attempts(
    connection: &mut Connection,
    factors: Vec<FactorId>,
) -> Result<Vec<FactorId>, Failure> {
    let mut begun = Vec::with_capacity(factors.len());
    for factor in factors {
        let counted =
            sqlx::query("UPDATE factor SET failures = failures + 1 WHERE id = $1 AND failures < max_failures")
                .bind(factor.0)
                .execute(&mut *connection)
                .await?;
        if counted.rows_affected() == 1 {
            begun.push(factor);
        }
    }
    Ok(begun)
}

/// Takes a failure back from each of these, which are in one order for all callers.
pub(super) async fn take_back_attempts(connection: &mut Connection, factors: Vec<FactorId>) -> Result<(), Failure> {
    for factor in factors {
        sqlx::query("UPDATE factor SET failures = failures - 1 WHERE id = $1 AND failures > 0")
            .bind(factor.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
