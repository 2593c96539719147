//! Second factors.

use keyway_core::Secret;
use keyway_core::model::{
    Factor, FactorId, FactorKind, FactorOwner, FactorState, IdentityId, OtpAlgorithm, OtpParameters, TenantId,
    Timestamp,
};
use keyway_core::port::{StoreError, StoredFactor};
use sqlx::FromRow;
use uuid::Uuid;

use super::{from_json, inconsistent};

/// A factor, without what the store keeps of its secret.
#[derive(FromRow)]
pub(crate) struct FactorRow {
    id: Uuid,
    serial: String,
    kind: String,
    algorithm: String,
    digits: i32,
    period: i32,
    owner: Option<Uuid>,
    tenant: Option<Uuid>,
    login: String,
    realm: String,
    resolver: String,
    state: String,
    pin: Option<String>,
    counter: i64,
    drift: i64,
    failures: i64,
    max_failures: i64,
    otp_window: i64,
    sync_window: i64,
    description: String,
    attributes: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

/// A factor with its sealed seed.
#[derive(FromRow)]
pub(crate) struct StoredFactorRow {
    #[sqlx(flatten)]
    factor: FactorRow,
    sealed_seed: Vec<u8>,
}

impl TryFrom<StoredFactorRow> for StoredFactor {
    type Error = StoreError;

    fn try_from(row: StoredFactorRow) -> Result<Self, StoreError> {
        Ok(Self {
            factor: row.factor.try_into()?,
            sealed_seed: row.sealed_seed,
        })
    }
}

impl TryFrom<FactorRow> for Factor {
    type Error = StoreError;

    fn try_from(row: FactorRow) -> Result<Self, StoreError> {
        let id = FactorId(row.id);
        Ok(Self {
            id,
            kind: one_of(
                id,
                "kind",
                [FactorKind::Hotp, FactorKind::Totp, FactorKind::Recovery],
                FactorKind::as_str,
                &row.kind,
            )?,
            parameters: OtpParameters {
                algorithm: one_of(
                    id,
                    "algorithm",
                    [OtpAlgorithm::Sha1, OtpAlgorithm::Sha256, OtpAlgorithm::Sha512],
                    OtpAlgorithm::as_str,
                    &row.algorithm,
                )?,
                digits: number(id, "digits", row.digits)?,
                period: number(id, "period", row.period)?,
            },
            owner: owner(row.owner, row.tenant, row.login, row.realm, row.resolver),
            state: one_of(
                id,
                "state",
                [
                    FactorState::Enrolling,
                    FactorState::Active,
                    FactorState::Disabled,
                    FactorState::Revoked,
                ],
                FactorState::as_str,
                &row.state,
            )?,
            pin: row.pin.map(Secret::new),
            counter: number(id, "counter", row.counter)?,
            drift: row.drift,
            failures: number(id, "failures", row.failures)?,
            max_failures: number(id, "max_failures", row.max_failures)?,
            window: number(id, "otp_window", row.otp_window)?,
            sync_window: number(id, "sync_window", row.sync_window)?,
            description: row.description,
            attributes: from_json("factor.attributes", &id, &row.attributes)?,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
            serial: row.serial,
        })
    }
}

fn owner(
    identity: Option<Uuid>,
    tenant: Option<Uuid>,
    login: String,
    realm: String,
    resolver: String,
) -> Option<FactorOwner> {
    Some(FactorOwner {
        identity: IdentityId(identity?),
        tenant: TenantId(tenant?),
        login,
        realm,
        resolver,
    })
}

fn one_of<T: Copy, const N: usize>(
    id: FactorId,
    column: &str,
    all: [T; N],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T, StoreError> {
    all.into_iter()
        .find(|one| name(*one) == text)
        .ok_or_else(|| inconsistent(format!("`factor.{column}` of `{id}` is unknown")))
}

fn number<N, T: TryFrom<N>>(id: FactorId, column: &str, number: N) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| inconsistent(format!("`factor.{column}` of `{id}` is out of range")))
}
