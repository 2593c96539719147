//! Rules of verifiers, and below of the pool.

mod digest;
mod imported;
mod pool;

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::testing::{CHEAP, cheap_passwords};

const SHARE: &Share = &Share::Unjudged;

/// Counts up, so that no two salts are equal.
struct Counter(AtomicU8);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

fn pool_of(params: PasswordParams) -> PasswordPool {
    PasswordPool::for_tests(params, 1, 16, Arc::new(Counter(AtomicU8::new(1)))).unwrap()
}

fn stored(text: &str) -> StoredVerifier {
    Secret::new(text.to_owned())
}

async fn verify(verifier: &str, password: &str) -> Result<Comparison, PasswordError> {
    cheap_passwords(1, 16)
        .unwrap()
        .verify_stored(SHARE, &password.into(), Some(&stored(verifier)))
        .await
}

#[test]
fn new_verifiers_are_never_below_the_minimum() {
    let params = |memory_mib: u32, iterations, parallelism| PasswordParams {
        memory_kib: memory_mib * 1024,
        iterations,
        parallelism,
    };
    assert_eq!(PasswordParams::default().check(), Ok(()));
    for good in [params(19, 2, 1), params(46, 1, 1), params(64, 3, 4)] {
        assert_eq!(good.check(), Ok(()), "{good:?}");
    }
    let weak = [
        params(18, 2, 1),
        params(18, 100, 1),
        params(45, 1, 1),
        params(64, 0, 1),
        params(64, 3, 0),
        params(64, 3, 9000),
    ];
    for weak in weak {
        assert_eq!(weak.check(), Err(PasswordError::TooWeak), "{weak:?}");
        let pool = PasswordPool::new(weak, 1, 1, Arc::new(Counter(AtomicU8::new(1))));
        assert_eq!(pool.err(), Some(PasswordError::TooWeak));
    }
}

#[tokio::test]
async fn a_verifier_belongs_to_its_password_only() {
    let pool = pool_of(CHEAP);
    let verifier = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    let right = pool
        .verify_stored(SHARE, &"s3cre7".into(), Some(&verifier))
        .await
        .unwrap();
    assert_eq!((right.matches, right.outdated), (true, false));
    let wrong = pool
        .verify_stored(SHARE, &"s3cre8".into(), Some(&verifier))
        .await
        .unwrap();
    assert_eq!((wrong.matches, wrong.outdated), (false, false));
}

#[tokio::test]
async fn a_verifier_is_a_phc_string_with_a_salt_of_its_own() {
    let pool = pool_of(CHEAP);
    let one = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    let two = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    assert!(
        one.expose()
            .starts_with("$argon2id$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$"),
        "{}",
        one.expose()
    );
    assert!(one != two);
}

/// The reference implementation's own test vector (argon2 2017-12, `test.c`): version 19, m=65536, t=2, p=1, argon2id.
#[tokio::test]
async fn argon2_agrees_with_its_reference_implementation() {
    let verifier = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert!(verify(verifier, "password").await.unwrap().matches);
    assert!(!verify(verifier, "differentpassword").await.unwrap().matches);
}

/// Argon2: the reference implementation's `test.c`. PBKDF2 with SHA-256: RFC 6070's last parameters. PBKDF2 with SHA-512: the shape of what wazo
/// stores, with its salt of 64 bytes. Scrypt: RFC 7914, section 12, the third vector. The PBKDF2 values come from Python's `hashlib`.
#[tokio::test]
async fn imported_verifiers_are_compared_and_outdated() {
    let known = [
        (
            "password",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        ),
        (
            "password",
            "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        ),
        (
            "passwordPASSWORDpassword",
            "$pbkdf2-sha256$i=4096,l=32$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$NIyJ28vTKy8y2BS4EW6EzysXNH68GAAYHE4qH7jdU+E",
        ),
        (
            "password",
            "$pbkdf2-sha512$i=1000$WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWg$TgGrlUgvWzs8B1CoGy1DINHmfvFmWYQHyfBiQZNf6ydCEDQzcn8/wP2eUCYIlQ5B9wMyAXXvpI23k/lq0qw2kw",
        ),
        (
            "pleaseletmein",
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
        ),
    ];
    for (password, verifier) in known {
        let right = verify(verifier, password).await;
        assert_eq!(
            right,
            Ok(Comparison {
                matches: true,
                outdated: true
            }),
            "{verifier}"
        );
        assert!(!verify(verifier, "wrong").await.unwrap().matches);
    }
}

#[tokio::test]
async fn a_verifier_with_other_parameters_is_outdated() {
    let pool = pool_of(CHEAP);
    let verifier = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    for params in [
        PasswordParams {
            memory_kib: 16,
            ..CHEAP
        },
        PasswordParams { iterations: 2, ..CHEAP },
    ] {
        let comparison = pool_of(params)
            .verify_stored(SHARE, &"s3cre7".into(), Some(&verifier))
            .await
            .unwrap();
        assert_eq!((comparison.matches, comparison.outdated), (true, true));
    }
}

#[tokio::test]
async fn no_verifier_costs_one_computation_and_never_matches() {
    let pool = pool_of(CHEAP);
    for password in ["", "s3cre7"] {
        let before = pool.computed();
        let comparison = pool.verify_stored(SHARE, &password.into(), None).await.unwrap();
        assert_eq!((comparison.matches, comparison.outdated), (false, false));
        assert_eq!(pool.computed(), before + 1);
    }
}

/// Verifiers whose cost is only to be looked at.
fn costing(params: &str) -> StoredVerifier {
    stored(&format!(
        "${params}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    ))
}

#[tokio::test]
async fn a_verifier_that_demands_too_much_is_refused_before_it_is_computed() {
    let costly = [
        "argon2id$v=19$m=38913,t=1,p=1",
        "argon2id$v=19$m=8,t=9729,p=1",
        "argon2id$v=19$m=4294967295,t=1,p=1",
        "argon2d$v=19$m=8,t=4294967295,p=1",
        "pbkdf2-sha256$i=155649",
        "pbkdf2-sha512$i=4294967295",
        "scrypt$ln=16,r=8,p=1",
        "scrypt$ln=63,r=8,p=1",
        "scrypt$ln=255,r=8,p=1",
        "scrypt$ln=1,r=1,p=4294967295",
        "scrypt$ln=1,r=4294967295,p=4294967295",
    ];
    let pool = pool_of(CHEAP);
    for costly in costly {
        let refused = pool.compare_untrusted(SHARE, &"x".into(), Some(&costing(costly))).await;
        assert_eq!(refused, Err(PasswordError::TooCostly), "{costly}");
    }
    assert_eq!(pool.computed(), 0);
    // The highest that the lowest parameters of an operator let through.
    for twice in [
        "argon2id$v=19$m=8,t=9728,p=1",
        "argon2id$v=19$m=38912,t=1,p=1",
        "pbkdf2-sha256$i=155648",
    ] {
        let compared = pool.compare_untrusted(SHARE, &"x".into(), Some(&costing(twice))).await;
        assert_eq!(compared, Ok(false), "{twice}");
    }
}

#[test]
fn what_is_usual_elsewhere_is_let_through_by_the_usual_parameters() {
    let ceiling = Ceiling::untrusted(PasswordParams::default().cost().unwrap());
    for usual in [
        "argon2id$v=19$m=131072,t=3,p=1",
        "argon2id$v=19$m=65536,t=6,p=4",
        "pbkdf2-sha512$i=600000",
        "pbkdf2-sha256$i=600000",
        "scrypt$ln=17,r=8,p=1",
    ] {
        assert!(Verifier::parse(costing(usual).expose(), ceiling).is_ok(), "{usual}");
    }
    for costly in [
        "argon2id$v=19$m=131073,t=1,p=1",
        "argon2id$v=19$m=65536,t=7,p=1",
        "pbkdf2-sha512$i=1000000",
        "scrypt$ln=18,r=8,p=1",
        "scrypt$ln=17,r=8,p=2",
    ] {
        let refused = Verifier::parse(costing(costly).expose(), ceiling).err();
        assert_eq!(refused, Some(PasswordError::TooCostly), "{costly}");
    }
}

#[tokio::test]
async fn a_comparison_for_somebody_else_answers_as_one_of_the_hosts_own() {
    let pool = pool_of(CHEAP);
    let verifier = pool.hash(SHARE, &"s3cre7".into()).await.unwrap();
    for (value, verifier, expected) in [
        ("s3cre7", Some(&verifier), true),
        ("s3cre8", Some(&verifier), false),
        ("s3cre7", None, false),
        ("", None, false),
    ] {
        let before = pool.computed();
        assert_eq!(
            pool.compare_untrusted(SHARE, &value.into(), verifier).await,
            Ok(expected)
        );
        assert_eq!(pool.computed(), before + 1);
    }
}

#[tokio::test]
async fn a_stored_verifier_of_higher_parameters_than_the_current_is_compared() {
    let higher = PasswordParams {
        memory_kib: 256 * 1024,
        ..CHEAP
    };
    let verifier = pool_of(higher).hash(SHARE, &"s3cre7".into()).await.unwrap();
    let compared = pool_of(CHEAP)
        .verify_stored(SHARE, &"s3cre7".into(), Some(&verifier))
        .await;
    let expected = Comparison {
        matches: true,
        outdated: true,
    };
    assert_eq!(compared, Ok(expected));
}

#[tokio::test]
async fn a_stored_verifier_that_cannot_be_used_costs_one_computation() {
    let pool = pool_of(CHEAP);
    for unusable in [
        stored("$bcrypt$10$abcdefgh"),
        stored("no PHC string"),
        costing("argon2id$v=19$m=4194305,t=1,p=1"),
        costing("argon2id$v=19$m=1048576,t=9,p=1"),
    ] {
        let before = pool.computed();
        let compared = pool.verify_stored(SHARE, &"x".into(), Some(&unusable)).await;
        assert!(
            matches!(compared, Err(PasswordError::Unsupported(_) | PasswordError::TooCostly)),
            "{compared:?}"
        );
        assert_eq!(pool.computed(), before + 1);
    }
}

#[tokio::test]
async fn an_error_names_the_scheme_and_nothing_else_of_the_verifier() {
    let cases = [
        ("$bcrypt$10$abcdefgh", "bcrypt"),
        ("plain text password", "unknown"),
        ("", "unknown"),
        ("$", "unknown"),
        ("$Sekret!$x", "unknown"),
        ("$averyveryverylongscheme$x", "unknown"),
        ("{MD5}X03MO1qnZdYdgyfeuILPmQ==", "unknown"),
        ("$argon2id", "malformed argon2id"),
        ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", "malformed argon2id"),
        ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA", "malformed argon2id"),
        (
            "$argon2id$v=19$m=8,t=1,p=1$c2$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$argon2id$v=20$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$argon2id$v=19$m=8,m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$argon2id$v=19$m=+8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$argon2id$v=19$m=64,t=1,p=536870913$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed argon2id",
        ),
        (
            "$pbkdf2-sha256$i=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "malformed pbkdf2-sha256",
        ),
    ];
    for (verifier, named) in cases {
        assert_eq!(
            verify(verifier, "x").await,
            Err(PasswordError::Unsupported(named.to_owned())),
            "{verifier}"
        );
    }
}
