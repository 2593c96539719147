//! What stands for digests: one salt for each tenant and algorithm, and what a search costs.

use uuid::Uuid;

use super::*;
use crate::key::MasterKey;
use crate::model::{DigestAlgorithm, TenantId};
use crate::port::StoredDigest;

const ACME: TenantId = TenantId(Uuid::from_u128(0xac3e));

/// Of `alice:s3cre7`.
const MD5: &str = "4ba78cb0338d14321fe2ba165f05ba8e";
const SHA1: &str = "5a00ae94c23501cdb5a437cf9b82b3e0ff2dee6a";

fn key(byte: u8) -> DigestKey {
    DigestKey::new(&MasterKey::new([byte; 32]))
}

async fn hash(key: &DigestKey, tenant: TenantId, algorithm: DigestAlgorithm, digest: &str) -> StoredDigest {
    let pool = cheap_passwords(1, 16).unwrap();
    let made = key.hash(&pool, SHARE, tenant, algorithm, &digest.into()).await.unwrap();
    assert_eq!(pool.computed(), 1);
    made
}

#[tokio::test]
async fn equal_digests_have_one_hash_for_each_key_tenant_and_algorithm() {
    let made = hash(&key(1), ACME, DigestAlgorithm::Md5, MD5).await;
    assert_eq!(
        (made.algorithm, made.cost.as_str()),
        (DigestAlgorithm::Md5, "m=8,t=1,p=1")
    );
    assert_eq!(hash(&key(1), ACME, DigestAlgorithm::Md5, MD5).await, made);
    let others = [
        hash(&key(2), ACME, DigestAlgorithm::Md5, MD5).await,
        hash(&key(1), TenantId(Uuid::nil()), DigestAlgorithm::Md5, MD5).await,
        hash(&key(1), ACME, DigestAlgorithm::Sha1, MD5).await,
        hash(&key(1), ACME, DigestAlgorithm::Md5, &MD5.to_uppercase()).await,
    ];
    for (index, other) in others.iter().enumerate() {
        assert!(other.hash != made.hash, "{index}");
    }
}

#[tokio::test]
async fn a_password_has_a_digest_of_each_algorithm_over_the_login_in_lower_case() {
    let (key, pool) = (key(1), cheap_passwords(1, 16).unwrap());
    let made = key
        .of_password(&pool, SHARE, ACME, "Alice", &"s3cre7".into())
        .await
        .unwrap();
    assert_eq!(pool.computed(), 2);
    assert_eq!(
        made,
        [
            hash(&key, ACME, DigestAlgorithm::Md5, MD5).await,
            hash(&key, ACME, DigestAlgorithm::Sha1, SHA1).await,
        ]
    );
}

#[test]
fn a_digest_is_looked_for_at_no_more_than_three_costs_that_can_be_paid() {
    let pool = cheap_passwords(1, 16).unwrap();
    let to_try = |stored: &[&str]| {
        let stored: Vec<_> = stored.iter().map(|text| (*text).to_owned()).collect();
        let costs = DigestCost::to_try(&pool, &stored);
        costs.into_iter().map(DigestCost::text).collect::<Vec<_>>()
    };
    assert_eq!(to_try(&[]), ["m=8,t=1,p=1"]);
    assert_eq!(to_try(&["m=8,t=2,p=1"]), ["m=8,t=2,p=1"]);
    let stored = ["m=16,t=1,p=1", "m=8,t=1,p=1", "m=32,t=1,p=1", "m=64,t=1,p=1"];
    assert_eq!(to_try(&stored), ["m=8,t=1,p=1", "m=64,t=1,p=1", "m=32,t=1,p=1"]);
    let unusable = [
        "m=8388608,t=100,p=1",
        "m=8, t=1,p=1",
        "m=08,t=1,p=1",
        "m=8,t=1",
        "m=8,t=1,p=1,x=1",
        "m=1,t=1,p=1",
        "",
    ];
    assert_eq!(to_try(&unusable), ["m=8,t=1,p=1"]);
}

#[test]
fn the_key_prints_nothing_of_itself() {
    assert_eq!(format!("{:?}", key(0xab)), "DigestKey([secret])");
}
