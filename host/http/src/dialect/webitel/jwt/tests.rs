//! What is signed and sealed, and what is refused.

use super::*;
use keyway_core::port::SystemRandom;
use serde_json::{Value, json};

const KEY: Uuid = Uuid::from_u128(6);
const END: Timestamp = Timestamp(1_700_000_005_000_900);

fn keys() -> JwtKeys {
    JwtKeys::new(&MasterKey::new([7; 32]))
}

fn token() -> TokenValue {
    TokenValue::new(Uuid::from_u128(5))
}

fn of_session(keys: &JwtKeys) -> String {
    let acl = Acl::parse(&json!({"cdr": ["ro"], "cdr/media": ["*"], "book": ["*"]})).expect("an access list");
    keys.of_session(&token(), KEY, END, &acl, &SystemRandom)
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
fn token_says_its_key_and_whether_it_has_expired() {
    let genuine = keys().read(&of_session(&keys())).expect("genuine");
    assert!(!genuine.has_expired(Timestamp(1_700_000_004_999_999)));
    assert!(genuine.has_expired(Timestamp(1_700_000_005_000_000)));
    let Behind::Pair { token: read, key } = genuine.behind else {
        panic!("a session's");
    };
    assert_eq!((read.reveal(), key), (token().reveal(), KEY));
}

#[test]
fn token_of_a_domain_leads_to_its_record() {
    let id = Uuid::from_u128(9);
    let text = keys().of_domain(id, END, "a.test");
    let claims = json!({"id": id, "exp": 1_700_000_005_000_i64, "d": "a.test", "t": "domain", "v": 2});
    assert_eq!(part(&text, 1), claims);
    let genuine = keys().read(&text).expect("genuine");
    assert!(matches!(genuine.behind, Behind::Record(read) if read == id));
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
        assert_eq!(keys().read(&text).err(), error, "{name}");
    }
}
