//! What this dialect's callers hold: a JSON Web Token (RFC 7519) over HMAC-SHA-256, whose `exp` is in milliseconds as the original has it. The signature says that
//! we made it; what stands behind it, the core's session or a domain's record, says whether it is still good.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::model::Timestamp;
use keyway_core::port::Random;
use keyway_core::token::TokenValue;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::acl::{Acl, Part};

/// `{"typ":"JWT","alg":"HS256"}`: the only one that we write, and that we read.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// Longer texts are none of ours.
const MAX_LENGTH: usize = 4096;

/// What a core token is sealed for.
const PLACE: &str = "webitel/token";

/// What a token says of rights, for those who read it by themselves.
const TOLD: [&str; 3] = ["cdr", "cdr/files", "cdr/media"];

/// What tells tokens of domains apart, and their version.
const OF_DOMAIN: &str = "domain";
const VERSION: u8 = 2;

/// What stands behind a token.
#[derive(Debug)]
pub(super) enum Behind {
    /// A session.
    Session(TokenValue),
    /// The record of a token of a domain.
    Record(Uuid),
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
    /// It has expired.
    #[error("the token has expired")]
    Expired,
}

/// The keys that tokens are signed and sealed with.
pub(super) struct JwtKeys {
    mac: Hmac<Sha256>,
    sealing: MasterKey,
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
            sealing: MasterKey::new(*master.derive("keyway/webitel/seal/v1").expose()),
        }
    }

    /// The text of a session's token.
    pub(super) fn of_session(
        &self,
        token: &TokenValue,
        expires_at: Timestamp,
        acl: &Acl,
        random: &dyn Random,
    ) -> String {
        let text = Secret::new(token.reveal().into_bytes());
        let sealed = self.sealing.seal(PLACE, &text, random);
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

    /// What stands behind a token that was signed with this key and has not expired.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(super) fn read(&self, text: &str, now: Timestamp) -> Result<Behind, Unreadable> {
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.'));
        let (claims, signature) = rest.and_then(|rest| rest.split_once('.')).ok_or(Unreadable::Foreign)?;
        if text.len() > MAX_LENGTH {
            return Err(Unreadable::Forged);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unreadable::Forged)?;
        let signed = text.get(..HEADER.len() + 1 + claims.len()).ok_or(Unreadable::Forged)?;
        let verified = self.mac(signed).verify_slice(&signature);
        verified.map_err(|_| Unreadable::Forged)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Unreadable::Forged)?;
        let claims: RawClaims = serde_json::from_slice(&claims).map_err(|_| Unreadable::Forged)?;
        if claims.exp <= millis(now) {
            return Err(Unreadable::Expired);
        }
        match claims {
            RawClaims { s: Some(sealed), .. } => self.unseal(&sealed).map(Behind::Session).ok_or(Unreadable::Forged),
            RawClaims {
                id: Some(id),
                t: Some(kind),
                v: Some(VERSION),
                ..
            } if kind == OF_DOMAIN => Ok(Behind::Record(id)),
            _ => Err(Unreadable::Forged),
        }
    }

    fn unseal(&self, sealed: &str) -> Option<TokenValue> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let text = self.sealing.open(PLACE, &sealed)?;
        TokenValue::parse(std::str::from_utf8(text.expose()).ok()?)
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

/// Milliseconds since 1970, as this API writes times.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_core::port::SystemRandom;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
    const END: Timestamp = Timestamp(1_700_000_005_000_900);

    fn keys() -> JwtKeys {
        JwtKeys::new(&MasterKey::new([7; 32]))
    }

    fn token() -> TokenValue {
        TokenValue::new(Uuid::from_u128(5))
    }

    fn of_session(keys: &JwtKeys) -> String {
        let acl = Acl::parse(&json!({"cdr": ["ro"], "cdr/media": ["*"], "book": ["*"]})).expect("an access list");
        keys.of_session(&token(), END, &acl, &SystemRandom)
    }

    fn part(text: &str, number: usize) -> Value {
        let part = text.split('.').nth(number).expect("a part");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("Base64")).expect("JSON")
    }

    #[test]
    fn token_says_what_the_original_says_and_hides_the_core_s() {
        let text = of_session(&keys());
        let mut claims = part(&text, 1);
        assert!(!text.contains(&URL_SAFE_NO_PAD.encode(token().reveal())));
        let sealed = claims["s"].take();
        assert!(!sealed.as_str().expect("text").is_empty());
        assert_eq!(part(&text, 0), json!({"typ": "JWT", "alg": "HS256"}));
        assert_eq!(
            claims,
            json!({"exp": 1_700_000_005_000_i64, "acl": {"cdr": ["ro"], "cdr/media": ["*"]}, "s": null})
        );
        assert_ne!(
            text,
            of_session(&keys()),
            "two logins at the same time have tokens of their own"
        );
    }

    #[test]
    fn token_is_read_until_it_expires() {
        let text = of_session(&keys());
        let Behind::Session(read) = keys().read(&text, NOW).expect("good") else {
            panic!("a session's");
        };
        assert_eq!(read.reveal(), token().reveal());
        assert!(keys().read(&text, Timestamp(1_700_000_004_999_999)).is_ok());
        let late = keys().read(&text, Timestamp(1_700_000_005_000_000));
        assert_eq!(late.err(), Some(Unreadable::Expired));
    }

    #[test]
    fn token_of_a_domain_leads_to_its_record() {
        let id = Uuid::from_u128(9);
        let text = keys().of_domain(id, END, "a.test");
        let claims = json!({"id": id, "exp": 1_700_000_005_000_i64, "d": "a.test", "t": "domain", "v": 2});
        assert_eq!(part(&text, 1), claims);
        assert!(matches!(keys().read(&text, NOW), Ok(Behind::Record(read)) if read == id));
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let text = of_session(&keys());
        let [_, claims, signature] = text.split('.').collect::<Vec<_>>().try_into().expect("three parts");
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let sign = |claims: Value| {
            let signed = format!("{HEADER}.{}", encode(claims));
            let mac = keys().mac(&signed).finalize().into_bytes();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
        };
        let exp = 9_999_999_999_999_i64;
        let none = encode(json!({"typ": "JWT", "alg": "none"}));
        let other = of_session(&JwtKeys::new(&MasterKey::new([8; 32])));
        let (foreign, forged) = (Some(Unreadable::Foreign), Some(Unreadable::Forged));
        for (name, text, error) in [
            ("nothing", String::new(), foreign),
            ("a core token", token().reveal(), foreign),
            ("two parts", format!("{HEADER}.{claims}"), foreign),
            ("alg none", format!("{none}.{claims}."), foreign),
            ("another key", other, forged),
            ("no signature", format!("{HEADER}.{claims}."), forged),
            (
                "half a signature",
                format!("{HEADER}.{claims}.{}", &signature[..20]),
                forged,
            ),
            ("four parts", format!("{text}.{signature}"), forged),
            (
                "another payload",
                format!("{HEADER}.{}.{signature}", encode(json!({}))),
                forged,
            ),
            ("no claims", sign(json!({})), forged),
            ("no token", sign(json!({"exp": exp})), forged),
            ("a seal that is none", sign(json!({"exp": exp, "s": "AAAA"})), forged),
            (
                "another version",
                sign(json!({"exp": exp, "id": Uuid::nil(), "t": "domain", "v": 3})),
                forged,
            ),
            ("too long", format!("{text}{}", "A".repeat(MAX_LENGTH)), forged),
        ] {
            assert_eq!(keys().read(&text, NOW).err(), error, "{name}");
        }
    }
}
