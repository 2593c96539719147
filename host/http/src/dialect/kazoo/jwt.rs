//! What this dialect's callers hold: a JSON Web Token (RFC 7519), signed so that others can verify it by themselves, with the token of the core in one of its
//! claims. The signature says that we made it; the core says whether it is still good.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::{IdentityId, TenantId, Timestamp};
use keyway_core::token::TokenValue;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use uuid::fmt::Simple;

use super::signing::SigningKey;
use crate::presented::Unreadable;

/// How tokens are signed: by no other way does one count.
const ALGORITHM: &str = "RS256";

/// Who says so.
const ISSUER: &str = "kazoo";

/// The token of the core, and as many bytes that bind it to the rest.
const HALF: usize = 16;

/// What a token says.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) account: TenantId,
    /// Nobody for the account's own.
    pub(super) owner: Option<IdentityId>,
    /// How its owner logged in.
    pub(super) method: &'static str,
    /// From when on it is no longer good: whole seconds.
    pub(super) expires_at: Timestamp,
    /// Who acts in the owner's place.
    pub(super) original: Option<(TenantId, IdentityId)>,
    /// The token of the core that stands behind it.
    pub(super) token: TokenValue,
}

/// What is kept of a token that was verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) token: TokenValue,
    pub(super) expires_at: Timestamp,
}

/// Binds the token of the core to the claims beside it.
#[derive(Clone)]
pub(super) struct IdentityKey(Hmac<Sha256>);

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct RawClaims {
    iss: String,
    identity_sig: String,
    account_id: Uuid,
    owner_id: Option<Uuid>,
    exp: i64,
}

/// Whose a token is, as this API writes it.
#[derive(Serialize)]
pub(super) struct Owner {
    account_id: Simple,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<Simple>,
}

/// Claims as they are written, with the token of the core among them.
#[derive(Serialize)]
pub(super) struct BoundClaims {
    iss: &'static str,
    identity_sig: String,
    #[serde(flatten)]
    owner: Owner,
    method: &'static str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_account_id: Option<Simple>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_owner_id: Option<Simple>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

impl Claims {
    pub(super) fn owner(&self) -> Owner {
        Owner {
            account_id: self.account.0.simple(),
            owner_id: self.owner.map(|owner| owner.0.simple()),
        }
    }

    /// As they are written.
    pub(super) fn bound_by(&self, key: &IdentityKey) -> BoundClaims {
        BoundClaims {
            iss: ISSUER,
            identity_sig: key.signature(&self.token, self.account, self.owner),
            owner: self.owner(),
            method: self.method,
            exp: self.expires_at.0.div_euclid(1_000_000),
            original_account_id: self.original.map(|(account, _)| account.0.simple()),
            original_owner_id: self.original.map(|(_, owner)| owner.0.simple()),
        }
    }
}

/// What is to be signed of a token.
pub(super) fn unsigned(claims: &BoundClaims, key: &SigningKey) -> String {
    let header = Header {
        alg: ALGORITHM,
        typ: "JWT",
        kid: key.id(),
    };
    format!("{}.{}", encode(&header), encode(claims))
}

fn encode(part: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "texts and numbers are JSON")]
    let part = serde_json::to_vec(part).expect("a part of a token is JSON");
    URL_SAFE_NO_PAD.encode(part)
}

/// The whole of it.
pub(super) fn signed(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a token says that these keys made. Whether it has expired is not looked at.
///
/// # Errors
/// [`Unreadable`].
pub(super) fn read(text: &str, key: &SigningKey, identity: &IdentityKey) -> Result<Verified, Unreadable> {
    let (signed, signature) = text.rsplit_once('.').ok_or(Unreadable::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Unreadable::Malformed)?;
    let header: RawHeader = decode(header)?;
    if header.alg != ALGORITHM {
        return Err(Unreadable::Algorithm);
    }
    if header.kid.is_some_and(|id| id != key.id()) {
        return Err(Unreadable::Signature);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unreadable::Malformed)?;
    if !key.verifies(signed, &signature) {
        return Err(Unreadable::Signature);
    }
    let claims: RawClaims = decode(claims)?;
    if claims.iss != ISSUER {
        return Err(Unreadable::Identity);
    }
    let token = identity.read(
        &claims.identity_sig,
        TenantId(claims.account_id),
        claims.owner_id.map(IdentityId),
    );
    Ok(Verified {
        token: token.ok_or(Unreadable::Identity)?,
        expires_at: Timestamp(claims.exp.saturating_mul(1_000_000)),
    })
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Unreadable> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Unreadable::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Unreadable::Malformed)
}

impl IdentityKey {
    pub(super) fn new(key: &Secret<[u8; 32]>) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(key.expose()).expect("a key of any length"))
    }

    fn signature(&self, token: &TokenValue, account: TenantId, owner: Option<IdentityId>) -> String {
        let token = Uuid::try_parse(&token.reveal()).unwrap_or_default();
        let mac = self.mac(token, account, owner).finalize().into_bytes();
        let half = mac.get(..HALF).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([token.as_bytes().as_slice(), half].concat())
    }

    fn read(&self, text: &str, account: TenantId, owner: Option<IdentityId>) -> Option<TokenValue> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (token, half) = bytes.split_first_chunk::<HALF>()?;
        let token = Uuid::from_bytes(*token);
        if half.len() != HALF {
            return None;
        }
        self.mac(token, account, owner).verify_truncated_left(half).ok()?;
        Some(TokenValue::new(token))
    }

    fn mac(&self, token: Uuid, account: TenantId, owner: Option<IdentityId>) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(token.as_bytes());
        mac.update(account.0.as_bytes());
        mac.update(owner.map(|owner| owner.0).unwrap_or_default().as_bytes());
        mac
    }
}
