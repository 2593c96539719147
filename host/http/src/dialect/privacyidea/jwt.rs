//! What this dialect's callers hold: a JSON Web Token (RFC 7519) over HMAC-SHA-256, with the token of the core in its nonce. The signature says that we made
//! it; the core says whether it is still good.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::Timestamp;
use keyway_core::port::Random;
use keyway_core::token::TokenValue;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::ascii_json::CLAIMS;
use super::rights::Role;

/// `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Longer texts are none of ours.
const MAX_LENGTH: usize = 64 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What a token says.
#[derive(Debug)]
pub(super) struct Claims {
    /// The login name, without a realm.
    pub(super) username: String,
    /// The realm, empty for local administrators.
    pub(super) realm: String,
    /// The token of the core that stands behind it.
    pub(super) token: TokenValue,
    /// Whether it is an administrator's.
    pub(super) role: Role,
    /// From when on it is no longer good: whole seconds.
    pub(super) expires_at: Timestamp,
    /// The names of the actions that it is good for.
    pub(super) rights: Vec<String>,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is none, or not one of ours. Says why, in words for the caller.
    #[error("{0}")]
    Malformed(&'static str),
    /// It has expired.
    #[error("the token has expired")]
    Expired,
}

/// The key that tokens are signed with.
#[derive(Clone)]
pub(super) struct JwtKey(Hmac<Sha256>);

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
}

#[derive(Deserialize)]
struct RawClaims {
    username: String,
    realm: String,
    nonce: String,
    role: Role,
    exp: i64,
    rights: Vec<String>,
}

impl JwtKey {
    pub(super) fn new(key: &Secret<[u8; 32]>) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(key.expose()).expect("a key of any length"))
    }

    /// The token's text.
    pub(super) fn sign(&self, claims: &Claims, random: &dyn Random) -> String {
        let mut salt = [0; 4];
        random.fill(&mut salt);
        let nonce = format!(
            "{}{:08x}",
            claims.token.reveal().replace('-', ""),
            u32::from_be_bytes(salt)
        );
        let claims = json!({
            "username": claims.username,
            "realm": claims.realm,
            "nonce": nonce,
            "role": claims.role.name(),
            "authtype": "password",
            "exp": claims.expires_at.0.div_euclid(1_000_000),
            "rights": claims.rights,
        });
        let signed = format!("{HEADER}.{}", BASE64.encode(CLAIMS.write(&claims)));
        let signature = BASE64.encode(self.mac(&signed).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    /// What a token says that was signed with this key and has not expired.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(super) fn read(&self, text: &str, now: Timestamp) -> Result<Claims, Unreadable> {
        let no_token = Unreadable::Malformed("it is no JSON Web Token");
        if text.len() > MAX_LENGTH {
            return Err(Unreadable::Malformed("it is too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(no_token)?;
        let (header, claims) = signed.split_once('.').ok_or(no_token)?;
        // What we sign always begins with the same header. Another one is looked at only to say what is wrong.
        if header != HEADER {
            let header: RawHeader = decode(header).ok_or(no_token)?;
            if header.alg != "HS256" {
                return Err(Unreadable::Malformed("its algorithm is not allowed"));
            }
        }
        let signature = BASE64.decode(signature).map_err(|_| no_token)?;
        let verified = self.mac(signed).verify_slice(&signature);
        verified.map_err(|_| Unreadable::Malformed("its signature is wrong"))?;
        let claims: RawClaims = decode(claims).ok_or(Unreadable::Malformed("its claims are not the right ones"))?;
        let expires_at = Timestamp(claims.exp.saturating_mul(1_000_000));
        if expires_at <= now {
            return Err(Unreadable::Expired);
        }
        Ok(Claims {
            token: token_of(&claims.nonce).ok_or(Unreadable::Malformed("its nonce is not the right one"))?,
            username: claims.username,
            realm: claims.realm,
            role: claims.role,
            expires_at,
            rights: claims.rights,
        })
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(signed.as_bytes());
        mac
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

/// The token of the core: the first 32 of the nonce's 40 digits.
fn token_of(nonce: &str) -> Option<TokenValue> {
    if nonce.len() != 40 {
        return None;
    }
    let uuid = uuid::Uuid::try_parse(nonce.get(..32)?).ok()?;
    Some(TokenValue::new(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_core::port::SystemRandom;
    use serde_json::Value;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn key() -> JwtKey {
        JwtKey::new(&Secret::new([7; 32]))
    }

    fn claims() -> Claims {
        Claims {
            username: "zoë".to_owned(),
            realm: "realm1".to_owned(),
            token: TokenValue::new(uuid::Uuid::from_u128(5)),
            role: Role::User,
            expires_at: Timestamp(1_700_003_600_900_000),
            rights: vec!["disable".to_owned()],
        }
    }

    fn parts(token: &str) -> Vec<Value> {
        let parts = token.split('.').take(2);
        parts.map(|part| decode(part).expect("JSON")).collect()
    }

    #[test]
    fn token_says_what_the_original_says_and_nothing_else() {
        let token = key().sign(&claims(), &SystemRandom);
        let [header, mut claims] = parts(&token).try_into().expect("two parts");
        let nonce = claims["nonce"].take();
        assert_eq!(nonce.as_str().map(str::len), Some(40));
        insta::assert_snapshot!(format!("{header}\n{claims}"), @r#"
        {"alg":"HS256","typ":"JWT"}
        {"authtype":"password","exp":1700003600,"nonce":null,"realm":"realm1","rights":["disable"],"role":"user","username":"zoë"}
        "#);
        assert!(!token.contains(['-', '_']) || !token.rsplit_once('.').expect("dots").0.contains(['-', '_']));
    }

    #[test]
    fn token_is_read_until_it_expires() {
        let token = key().sign(&claims(), &SystemRandom);
        let read = key().read(&token, NOW).expect("good");
        assert_eq!(
            (
                read.username.as_str(),
                read.realm.as_str(),
                read.role,
                read.rights.len()
            ),
            ("zoë", "realm1", Role::User, 1)
        );
        assert_eq!(read.token.reveal(), claims().token.reveal());
        assert!(key().read(&token, Timestamp(1_700_003_599_999_999)).is_ok());
        assert_eq!(
            key().read(&token, Timestamp(1_700_003_600_000_000)).err(),
            Some(Unreadable::Expired)
        );
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "the table of answers")]
    fn token_that_is_not_ours_is_refused_and_says_why() {
        let good = key().sign(&claims(), &SystemRandom);
        let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
        let sign = |header: &str, payload: &str| {
            let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
            let mac = key().mac(&signed).finalize().into_bytes();
            format!("{signed}.{}", BASE64.encode(mac))
        };
        let hs256 = r#"{"alg":"HS256"}"#;
        let other = JwtKey::new(&Secret::new([8; 32])).sign(&claims(), &SystemRandom);
        let table = [
            ("nothing", String::new()),
            ("text", "nope".to_owned()),
            ("two parts", format!("{header}.{payload}")),
            ("four parts", format!("{good}.{signature}")),
            ("padding", format!("{good}=")),
            ("alg none", format!("{}.{payload}.", BASE64.encode(r#"{"alg":"none"}"#))),
            ("alg None", format!("{}.{payload}.", BASE64.encode(r#"{"alg":"None"}"#))),
            ("alg HS512", sign(r#"{"alg":"HS512"}"#, "{}")),
            ("alg a list", sign(r#"{"alg":["HS256"]}"#, "{}")),
            ("no signature", format!("{header}.{payload}.")),
            ("half a signature", format!("{header}.{payload}.{}", &signature[..20])),
            ("another key", other),
            (
                "another payload",
                format!("{header}.{}.{signature}", BASE64.encode("{}")),
            ),
            ("no claims", sign(hs256, "{}")),
            (
                "no exp",
                sign(
                    hs256,
                    r#"{"username":"a","realm":"","nonce":"0","role":"admin","rights":[]}"#,
                ),
            ),
            (
                "a role that is none",
                sign(
                    hs256,
                    r#"{"username":"a","realm":"","nonce":"0","role":"root","exp":9999999999,"rights":[]}"#,
                ),
            ),
            (
                "a nonce that is none",
                sign(
                    hs256,
                    r#"{"username":"a","realm":"","nonce":"0","role":"admin","exp":9999999999,"rights":[]}"#,
                ),
            ),
            ("too long", "a".repeat(MAX_LENGTH + 1)),
        ];
        let told: Vec<_> = table
            .iter()
            .map(|(name, token)| match key().read(token, NOW) {
                Err(reason) => format!("{name}: {reason}"),
                Ok(claims) => panic!("{name}: {claims:?}"),
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        nothing: it is no JSON Web Token
        text: it is no JSON Web Token
        two parts: it is no JSON Web Token
        four parts: its signature is wrong
        padding: it is no JSON Web Token
        alg none: its algorithm is not allowed
        alg None: its algorithm is not allowed
        alg HS512: its algorithm is not allowed
        alg a list: it is no JSON Web Token
        no signature: its signature is wrong
        half a signature: its signature is wrong
        another key: its signature is wrong
        another payload: its signature is wrong
        no claims: its claims are not the right ones
        no exp: its claims are not the right ones
        a role that is none: its claims are not the right ones
        a nonce that is none: its nonce is not the right one
        too long: it is too long
        ");
    }
}
