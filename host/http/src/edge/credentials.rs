//! What a request's headers say about who sends it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, header};
use keyway_core::Secret;

/// The longest login and password that are looked at, as they are encoded.
const MAX_ENCODED: usize = 8 * 1024;

/// The most of a `User-Agent` that is kept.
const MAX_USER_AGENT: usize = 512;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Login and password of HTTP's Basic scheme. `None` for an absent or unreadable header, an empty login or an empty password: an empty
/// password must never reach a backend, where it could mean an anonymous bind.
pub fn basic_credentials(headers: &HeaderMap) -> Option<(String, Secret<Vec<u8>>)> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    // Case-sensitive, as xivo-auth and wazo-auth have it.
    basic_of(value.strip_prefix(b"Basic ")?)
}

/// The same of what stands after the name of the scheme, wherever it stands.
pub fn basic_of(encoded: &[u8]) -> Option<(String, Secret<Vec<u8>>)> {
    if encoded.len() > MAX_ENCODED {
        return None;
    }
    let decoded = Secret::new(BASE64.decode(encoded.trim_ascii()).ok()?);
    let bytes = decoded.expose();
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (login, password) = (bytes.get(..colon)?, bytes.get(colon + 1..)?);
    if login.is_empty() || password.is_empty() {
        return None;
    }
    // UTF-8 where the whole is UTF-8, Latin-1 otherwise: old browsers know no other.
    if std::str::from_utf8(bytes).is_ok() {
        return Some((
            String::from_utf8_lossy(login).into_owned(),
            Secret::new(password.to_vec()),
        ));
    }
    Some((latin1(login), Secret::new(latin1(password).into_bytes())))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The `User-Agent` header, cut at 512 bytes.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let mut text = String::from_utf8_lossy(headers.get(header::USER_AGENT)?.as_bytes()).into_owned();
    text.truncate(text.floor_char_boundary(MAX_USER_AGENT));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(authorization: &str) -> Option<(String, Vec<u8>)> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(authorization).expect("a legal header"),
        );
        basic_credentials(&headers).map(|(login, password)| (login, password.expose().clone()))
    }

    fn basic(bytes: &[u8]) -> String {
        format!("Basic {}", BASE64.encode(bytes))
    }

    #[test]
    fn basic_is_split_at_the_first_colon_and_read_as_utf8_then_latin1() {
        let alice = |password: &[u8]| Some(("alice".to_owned(), password.to_vec()));
        assert_eq!(of(&basic(b"alice:s3cre7")), alice(b"s3cre7"));
        assert_eq!(of(&basic(b"alice:a:b")), alice(b"a:b"));
        assert_eq!(of("Basic YWxpY2U6czNjcmU3"), alice(b"s3cre7"), "no padding needed");
        assert_eq!(of(&basic("alice:é".as_bytes())), alice("é".as_bytes()));
        assert_eq!(of(&basic(b"alice:\xe9")), alice("é".as_bytes()));
    }

    #[test]
    fn basic_is_absent_when_half_of_it_is() {
        let long = basic(&[b'x'; 8 * 1024]);
        let absent = [
            "Basic",
            "Basic ",
            "Basic %%%",
            "Bearer x",
            &basic(b"alice"),
            &basic(b"alice:"),
            &basic(b":s3cre7"),
            &basic(b":"),
            &basic(b"alice:s3cre7").replace("Basic", "basic"),
            &long,
        ];
        for header in absent {
            assert_eq!(of(header), None, "{header}");
        }
    }

    #[test]
    fn user_agent_is_cut_at_a_character() {
        let mut headers = HeaderMap::new();
        assert_eq!(user_agent(&headers), None);
        let long = format!("a{}", "é".repeat(400));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_bytes(long.as_bytes()).expect("legal"),
        );
        assert_eq!(user_agent(&headers).map(|text| text.len()), Some(511));
    }
}
