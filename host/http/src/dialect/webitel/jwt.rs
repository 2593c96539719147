//! What this dialect's callers hold: a JSON Web Token (RFC 7519) over HMAC-SHA-256, whose `exp` is in milliseconds as the original has it. The signature says that
//! we made it; what stands behind it, the core's session or a domain's record, says whether it is still good.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::key::{MasterKey, Sealer};
use keyway_core::model::Timestamp;
use keyway_core::port::Random;
use keyway_core::token::TokenValue;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::acl::{Acl, Part};
use crate::memory::Memory;

/// `{"typ":"JWT","alg":"HS256"}`: the only one that we write, and that we read.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// Longer texts are none of ours.
const MAX_LENGTH: usize = 4096;

/// How many verified tokens are remembered.
const REMEMBERED: usize = 16_384;

/// What a core token is sealed for.
const PLACE: &str = "webitel/token";

/// Bytes of a core token's text, after which its key stands.
const TOKEN_LENGTH: usize = 36;

/// What a token says of rights, for those who read it by themselves.
const TOLD: [&str; 3] = ["cdr", "cdr/files", "cdr/media"];

/// What tells tokens of domains apart, and their version.
const OF_DOMAIN: &str = "domain";
const VERSION: u8 = 2;

/// What stands behind a token.
#[derive(Debug, Clone)]
pub(super) enum Behind {
    /// A session that began here: its token is presented with its key.
    Pair {
        /// The core's.
        token: TokenValue,
        /// The session's id.
        key: Uuid,
    },
    /// A session that began in another dialect, which knows of no keys.
    Foreign(TokenValue),
    /// The record of a token of a domain.
    Record(Uuid),
}

/// A token that we made, whether or not it has expired.
#[derive(Debug, Clone)]
pub(super) struct Genuine {
    /// What stands behind it.
    pub(super) behind: Behind,
    /// From when on it is no longer good: milliseconds since 1970.
    exp: i64,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is none of ours by its form: perhaps another dialect's.
    #[error("the token is no JSON Web Token of this API")]
    Foreign,
    /// It says that it is, and is not.
    #[error("the token is not genuine")]
    Forged,
}

/// The keys that tokens are signed and sealed with.
pub(super) struct JwtKeys {
    mac: Hmac<Sha256>,
    sealer: Sealer,
    verified: Memory<Genuine>,
}

#[derive(Serialize)]
struct SessionClaims<'a> {
    exp: i64,
    acl: Part<'a>,
    s: String,
}

#[derive(Serialize)]
struct DomainClaims<'a> {
    id: Uuid,
    exp: i64,
    d: &'a str,
    t: &'a str,
    v: u8,
}

#[derive(Deserialize)]
struct RawClaims {
    exp: i64,
    s: Option<String>,
    id: Option<Uuid>,
    t: Option<String>,
    v: Option<u8>,
}

impl JwtKeys {
    /// Those that follow from this master key.
    pub(super) fn new(master: &MasterKey) -> Self {
        let key = master.derive("keyway/webitel/jwt/v1");
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mac = Hmac::new_from_slice(key.expose()).expect("a key of any length");
        Self {
            mac,
            verified: Memory::new(&master.derive("keyway/webitel/memory/v1"), REMEMBERED),
            sealer: Sealer::new(&MasterKey::new(*master.derive("keyway/webitel/seal/v1").expose())),
        }
    }

    /// The text of a session's token. The key is sealed in it, so that the two are known for a pair when nothing else is left of the session.
    pub(super) fn of_session(
        &self,
        token: &TokenValue,
        key: Uuid,
        expires_at: Timestamp,
        acl: &Acl,
        random: &dyn Random,
    ) -> String {
        let text = Secret::new(format!("{}{}", token.reveal(), key.hyphenated()).into_bytes());
        let sealed = self.sealer.seal(PLACE, &text, random);
        self.sign(&SessionClaims {
            exp: millis(expires_at),
            acl: acl.part(&TOLD),
            s: URL_SAFE_NO_PAD.encode(sealed),
        })
    }

    /// The text of a token of a domain.
    pub(super) fn of_domain(&self, id: Uuid, expires_at: Timestamp, domain: &str) -> String {
        self.sign(&DomainClaims {
            id,
            exp: millis(expires_at),
            d: domain,
            t: OF_DOMAIN,
            v: VERSION,
        })
    }

    /// What stands behind a token that was signed with this key.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(super) fn read(&self, text: &str) -> Result<Genuine, Unreadable> {
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.'));
        let parts = rest.and_then(|rest| rest.split_once('.')).ok_or(Unreadable::Foreign)?;
        if text.len() > MAX_LENGTH {
            return Err(Unreadable::Forged);
        }
        if let Some(genuine) = self.verified.get(text.as_bytes()) {
            return Ok(genuine);
        }
        let genuine = self.verify(text, parts)?;
        self.verified.insert(text.as_bytes(), genuine.clone());
        Ok(genuine)
    }

    fn verify(&self, text: &str, (claims, signature): (&str, &str)) -> Result<Genuine, Unreadable> {
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unreadable::Forged)?;
        let signed = text.get(..HEADER.len() + 1 + claims.len()).ok_or(Unreadable::Forged)?;
        let verified = self.mac(signed).verify_slice(&signature);
        verified.map_err(|_| Unreadable::Forged)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Unreadable::Forged)?;
        let claims: RawClaims = serde_json::from_slice(&claims).map_err(|_| Unreadable::Forged)?;
        let exp = claims.exp;
        let behind = match claims {
            RawClaims { s: Some(sealed), .. } => self.unseal(&sealed),
            RawClaims {
                id: Some(id),
                t: Some(kind),
                v: Some(VERSION),
                ..
            } if kind == OF_DOMAIN => Some(Behind::Record(id)),
            _ => None,
        };
        Ok(Genuine {
            behind: behind.ok_or(Unreadable::Forged)?,
            exp,
        })
    }

    fn unseal(&self, sealed: &str) -> Option<Behind> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let text = self.sealer.open(PLACE, &sealed)?;
        let (token, key) = std::str::from_utf8(text.expose())
            .ok()?
            .split_at_checked(TOKEN_LENGTH)?;
        Some(Behind::Pair {
            token: TokenValue::parse(token)?,
            key: Uuid::try_parse(key).ok()?,
        })
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        #[expect(clippy::expect_used, reason = "texts, numbers and maps with texts for keys are JSON")]
        let claims = serde_json::to_vec(claims).expect("claims are JSON");
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac
    }
}

impl Genuine {
    /// Another dialect's, which says by itself until when it is good.
    pub(super) fn foreign(token: TokenValue) -> Self {
        Self {
            behind: Behind::Foreign(token),
            exp: i64::MAX,
        }
    }

    /// Whether it is no longer good for its age.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.exp <= millis(now)
    }
}

/// Milliseconds since 1970, as this API writes times.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}
