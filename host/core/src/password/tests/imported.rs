//! Verifiers that other systems have made. These come from libxcrypt 4.4 and from Python's passlib 1.7 (Drupal's from its definition).

use proptest::prelude::*;

use super::*;

const PASSWORD: &str = "s3cre7 pässword";

const OF_THE_PASSWORD: &[&str] = &[
    "$1$abcdefgh$vr8.8qoOObXiQ0E4Ff5im0",
    "$5$saltstring$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
    "$5$rounds=1000$saltsaltsaltsalt$ugz4e7/n3cDAbFXYdLRXj4urCadynT1s1HIJ/DRp94D",
    "$6$saltstring$zCnBvulZNStdCPxo9TYAqzAW5CQ0XyCUH1UnefJmHnjS2CB6nigJ1Aluuqh/raUDC1fxmOnXk9sM.bNPMC4h3/",
    "$6$rounds=10000$a$TY2KPYrwkAJi6zSNwfEcOhPpmdhAmdargYQ0IbehIAM9eGYnuG4ifyqO7EFAbwkULXodRAZUcBTh6JnJg17Bm/",
    "$2b$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    "$2a$05$abcdefghijklmnopqrstuuB7I15/gM.gaXv48joCZk6p.aSe2e9i6",
    "$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    "$y$j75$abcdefgh$gTaOz.MZ7CB2q6Bp.IHhj8cV4BFwUO9Uomzmys4V9y7",
    "$y$j75$$TB/aqX6kg7dgM6GL9YF79DBtcHT2Qpp0Ifmb73mK5O/",
    "$y$j75.0$abcdefghijklmnop$iXVCU6.KhQpRIx6L61Nlo6US.cf8MdXzImjasu4VoV7",
    "$y$j9T$LdJMENpBABJJ3hIHjB1Bi.$iGl9y2MSZMvwreoeNsXT3N56O/TJEwFOcu78VRIBLG4",
    "$7$6/..../....abcd$4qiFq1UfOZD1T1Fi3XACAdmBMCCAMhO3q./Xu0rLJG.",
    "$7$76..../....SodiumChloride$DU/rOTIUksjBdJaAV2kVlrR4NMzKK6TZN8haRcSaFZD",
    "$7$BU..../....SodiumChloride$PKqt1ONq9hb8G16rW9fM48Ph3B2x3i51EEq6yQUEqK8",
    "$P$6abcdefghCkmtDQaSd5xOHHDZrmpGv1",
    "$H$6abcdefghCkmtDQaSd5xOHHDZrmpGv1",
    "{SSHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==",
    "{SSHA256}VHkJn47ISx96OwqN5tCfEsW+lmFzQkBTJTebnP0DeBBzYWx0",
    "{SSHA512}suMo7RNM/sY3QK/p5s44OOUK9thJoTaD4ibQ8/oYgyo+kSuohyq1EjPoKkQdRAdS2MtYNB8N/7+I+0bZ1vD2wHNhbHRzYWx0c2FsdHNhbHQ=",
    "{SHA}LVnvxZAGPZfgqBxvIRnhpmbbvBM=",
    "ad5759b6182dad6e52a4d5ea9f862415486e3c5a7c78d2dfbcdcbd7a8b6da2cf",
    "$pbkdf2$1000$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA",
    "$pbkdf2-sha256$1000$c2FsdHNhbHT/.w$lTZEuG9dLbz.XcNOTkPUaLWQZXhjmkm8.LuEj7MQk2o",
    "$pbkdf2-sha512$1000$c2FsdHNhbHT/.w$vSS1VJqBlSg4S61/Yh07G6bAfxJX8Yk.6chVTFZTjQ0TVRN6dk3UjLadZ7JV3Yc7HAqGNfJ7L5dWgjCP9pSszw",
    "{PBKDF2}1000$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA",
    "{PBKDF2-SHA256}1000$c2FsdHNhbHT/.w$lTZEuG9dLbz.XcNOTkPUaLWQZXhjmkm8.LuEj7MQk2o",
    "{PBKDF2-SHA512}1000$c2FsdHNhbHT/.w$vSS1VJqBlSg4S61/Yh07G6bAfxJX8Yk.6chVTFZTjQ0TVRN6dk3UjLadZ7JV3Yc7HAqGNfJ7L5dWgjCP9pSszw",
    "$S$6abcdefghug5CBo0AObXLeOfFOZCYRh0FqCKmvhAs3Cdd2dBjE6x",
    "$y$j75/.$abcdefgh$AGJLbx0DGernDhB1eraXe5jh6k4lySCnJpbWwjuZK48",
    "$y$j75/0$abcdefgh$Ut4rgKssGm1Y/LucHdYs32rDrQb5GQpAkOf3N6KsjP9",
    "$y$j750..$abcdefgh$YLCxur/iAf9TL/kLmQgGJljopbNWtOpwicU1A41lA08",
];

const OF_THE_EMPTY_PASSWORD: &[&str] = &[
    "$1$abcdefgh$M55TzYaaccxVGbptZWaxX/",
    "$5$saltstring$FdNfA4gXqvCeO6iZs7G/.wwwoywYZqo0l1pwmfWaBA7",
    "$5$rounds=1000$saltsaltsaltsalt$HbTHCxL8uy/75gt0om1lfg98CGj2Jn.ziC7pXxHGndC",
    "$6$saltstring$kyGrqt6gmjAdtFLPrflEFifSYLCWWq1pyx95SvqinLDy2UHmj0sTF0MSLMwxPFZc3tu5kQckI8fks0zOPda3n1",
    "$6$rounds=10000$a$yyNOM7uk/ENex4WwhgVXwhy0RZ5L8casenLw4QJuTJsOdr3kbFGZdlJhKxGYF7g5i0XWJTFgorqog1JA/a91S1",
    "$2y$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq",
];

const OF_A_LONG_PASSWORD: &[&str] = &[
    "$1$abcdefgh$z6x8uc2YR4Iwn7XrK8ZMY/",
    "$5$saltstring$rwq/JJiS514uBZM0XlgTBNTZFB6WIioWwq2E4Bl1FB1",
    "$5$rounds=1000$saltsaltsaltsalt$bksjr8ocTx/lKQgAZIMduVz/TT6JM/pWGFmrch5QMVC",
    "$6$saltstring$t389DMhSoo4E0ZoBwi6pljSVVV2g3aqHWf0TDNhYgN8bq.ZZvSs36oL5OhBAJhEa0qstQyuXVFSHD/d.cFQMw0",
    "$6$rounds=10000$a$fjd/gQ84s3NL97W/rbkckLRIpFDC.AKhVzHDh7hiRg5DW5hwopaPVc5l.vHe3FKNpofa9UZWk57zm3MFMHyBo.",
];

const EIGHTY: &str = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";

fn long_password() -> String {
    "x".repeat(200)
}

/// What a plugin hands in is judged as tightly as can be.
async fn compare(pool: &PasswordPool, verifier: &str, password: &str) -> Result<bool, PasswordError> {
    pool.compare_untrusted(SHARE, &password.into(), Some(&stored(verifier)))
        .await
}

#[tokio::test]
async fn what_other_systems_have_made_belongs_to_its_password_only() {
    let pool = pool_of(CHEAP);
    let long = long_password();
    for (password, verifiers) in [
        (PASSWORD, OF_THE_PASSWORD),
        ("", OF_THE_EMPTY_PASSWORD),
        (&long, OF_A_LONG_PASSWORD),
    ] {
        for verifier in verifiers {
            assert_eq!(compare(&pool, verifier, password).await, Ok(true), "{verifier}");
            let wrong = format!("{password}x");
            assert_eq!(compare(&pool, verifier, &wrong).await, Ok(false), "{verifier}");
        }
    }
}

#[tokio::test]
async fn what_other_systems_have_made_is_outdated() {
    for verifier in OF_THE_PASSWORD {
        let expected = Comparison {
            matches: true,
            outdated: true,
        };
        assert_eq!(verify(verifier, PASSWORD).await, Ok(expected), "{verifier}");
    }
}

#[tokio::test]
async fn tags_are_in_any_case_with_or_without_padding() {
    let pool = pool_of(CHEAP);
    for verifier in [
        "{ssha}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==",
        "{SShA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA",
        "{sha}LVnvxZAGPZfgqBxvIRnhpmbbvBM",
    ] {
        assert_eq!(compare(&pool, verifier, PASSWORD).await, Ok(true), "{verifier}");
    }
}

#[tokio::test]
async fn owncloud_numbers_its_bcrypt() {
    let pool = pool_of(CHEAP);
    let verifier = "1|$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza";
    assert_eq!(compare(&pool, verifier, PASSWORD).await, Ok(true));
    assert_eq!(compare(&pool, verifier, "wrong").await, Ok(false));
}

#[tokio::test]
async fn of_a_password_bcrypt_sees_seventy_two_bytes() {
    let pool = pool_of(CHEAP);
    for (length, expected) in [(71, false), (72, true), (80, true), (300, true)] {
        let password = "x".repeat(length);
        assert_eq!(compare(&pool, EIGHTY, &password).await, Ok(expected), "{length}");
    }
}

/// For C a password ends there. So `a` would have the verifiers of `a\0b`, and for some schemes a repeated key is the key itself.
#[tokio::test]
async fn a_password_with_a_zero_byte_has_no_verifier_of_crypt() {
    let pool = pool_of(CHEAP);
    let password = format!("{PASSWORD}\0");
    let of_crypt = |verifier: &&&str| {
        ["$1", "$2", "$5", "$6", "$7", "$y"]
            .iter()
            .any(|start| verifier.starts_with(start))
    };
    for verifier in OF_THE_PASSWORD.iter().filter(of_crypt) {
        assert_eq!(compare(&pool, verifier, &password).await, Ok(false), "{verifier}");
        assert_eq!(
            compare(&pool, verifier, &format!("{password}{PASSWORD}")).await,
            Ok(false),
            "{verifier}"
        );
    }
}

#[tokio::test]
async fn what_is_no_password_or_a_weak_one_is_not_accepted() {
    let pool = pool_of(CHEAP);
    for refused in [
        // DES, in its three forms.
        "abJnggxhB/yWI",
        "_J9..XXXX/yWI1234567",
        "!abJnggxhB/yWI",
        "x",
        "*",
        "!",
        "!!",
        "*0",
        "",
        "s3cre7",
        "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
        "{SMD5}X03MO1qnZdYdgyfeuILPmXNhbHQ=",
        "{CRYPT}$1$abcdefgh$vr8.8qoOObXiQ0E4Ff5im0",
        "{CLEARTEXT}s3cre7",
        "{}",
        "{SSHA",
        // MD5, SHA-1 and an SHA-256 in capitals.
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "AD5759B6182DAD6E52A4D5EA9F862415486E3C5A7C78D2DFBCDCBD7A8B6DA2CF",
        "2|$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    ] {
        let expected = Err(PasswordError::Unsupported("unknown".to_owned()));
        assert_eq!(compare(&pool, refused, refused).await, expected, "{refused}");
    }
}

/// And how the format is called.
const MALFORMED: &[(&str, &str)] = &[
    ("$1$abcdefgh", "md5-crypt"),
    ("$1$abcdefghi$vr8.8qoOObXiQ0E4Ff5im0", "md5-crypt"),
    ("$1$abcdefgh$vr8.8qoOObXiQ0E4Ff5im", "md5-crypt"),
    ("$5$salt:$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6", "sha256-crypt"),
    (
        "$5$rounds=999$a$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha256-crypt",
    ),
    (
        "$5$rounds=$a$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha256-crypt",
    ),
    (
        "$5$rounds=+5000$a$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha256-crypt",
    ),
    (
        "$5$rounds=1000000000$a$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha256-crypt",
    ),
    (
        "$5$saltsaltsaltsalts$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha256-crypt",
    ),
    (
        "$6$saltstring$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
        "sha512-crypt",
    ),
    ("$6", "sha512-crypt"),
    ("$2b$03$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza", "bcrypt"),
    ("$2b$32$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza", "bcrypt"),
    ("$2b$4$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza", "bcrypt"),
    ("$2b$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnz", "bcrypt"),
    ("1|$argon2id$v=19$m=8,t=1,p=1", "bcrypt"),
    ("$y$j75$abcdefgh", "yescrypt"),
    (
        "$y$.75$abcdefgh$UNa/rl.6nVGBsCaHRM4RVl9uzbZpPchuJgPR8CaHoQ/",
        "yescrypt",
    ),
    (
        "$y$j75zzzzzzzzzzz$abcdefgh$UNa/rl.6nVGBsCaHRM4RVl9uzbZpPchuJgPR8CaHoQ/",
        "yescrypt",
    ),
    (
        "$y$jz5$abcdefgh$UNa/rl.6nVGBsCaHRM4RVl9uzbZpPchuJgPR8CaHoQ/",
        "yescrypt",
    ),
    ("$7$6/..../....$abcd", "scrypt"),
    (
        "$7$6........../....$abcd$tBdT6ru/eXYC6GG.wM8IAQa46D/RyAPpZQ5s6hsOb7A",
        "scrypt",
    ),
    ("$P$4abcdefghCkmtDQaSd5xOHHDZrmpGv1", "phpass"),
    ("$P$Tabcdefgh", "phpass"),
    ("$S$6abcdefgh", "phpass"),
    ("{SSHA}abcdef", "{SSHA}"),
    ("{SSHA}LVnvxZAGPZfgqBxvIRnhpmbbvBM=", "{SSHA}"),
    ("{SHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==", "{SHA}"),
    ("{pbkdf2}1000$c2FsdHNhbHT/.w", "{PBKDF2}"),
    ("$pbkdf2$0$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA", "pbkdf2"),
    (
        "$pbkdf2-sha256$1000$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA",
        "pbkdf2-sha256",
    ),
];

#[tokio::test]
async fn what_is_incomplete_is_malformed() {
    let pool = pool_of(CHEAP);
    for (verifier, named) in MALFORMED {
        let expected = Err(PasswordError::Unsupported(format!("malformed {named}")));
        assert_eq!(compare(&pool, verifier, "x").await, expected, "{verifier}");
    }
}

/// Verifiers of each scheme that is repeated, by what they demand.
fn demanding(scheme: &str) -> String {
    let (hash32, hash64) = ("A".repeat(43), "A".repeat(86));
    match scheme.split_once('=').unwrap() {
        ("sha256-crypt", rounds) => format!("$5$rounds={rounds}$salt${hash32}"),
        ("sha512-crypt", rounds) => format!("$6$rounds={rounds}$salt${hash64}"),
        ("bcrypt", cost) => format!("$2b${cost}${}", "a".repeat(53)),
        ("yescrypt", params) => format!("$y${params}$abcd${hash32}"),
        ("scrypt", params) => format!("$7${params}abcd${hash32}"),
        ("phpass", rounds) => format!("$P${rounds}abcdefgh{}", "A".repeat(22)),
        ("drupal", rounds) => format!("$S${rounds}abcdefgh{hash32}"),
        ("pbkdf2", rounds) => format!("$pbkdf2${rounds}$c2FsdA${}", "A".repeat(27)),
        (other, _) => panic!("{other} is unknown"),
    }
}

#[test]
fn what_is_usual_among_other_systems_is_let_through_by_the_usual_parameters() {
    let ceiling = Ceiling::untrusted(PasswordParams::default().cost().unwrap());
    for usual in [
        "sha256-crypt=535000",
        "sha512-crypt=656000",
        "bcrypt=12",
        "yescrypt=j9T",
        "yescrypt=jBT",
        "scrypt=C6..../....",
        "phpass=H",
        "drupal=F",
        "pbkdf2=600000",
    ] {
        assert!(Verifier::parse(&demanding(usual), ceiling).is_ok(), "{usual}");
    }
}

#[tokio::test]
async fn an_imported_verifier_that_demands_too_much_is_refused_before_it_is_computed() {
    let pool = PasswordPool::new(PasswordParams::default(), 1, 16, Arc::new(Counter(AtomicU8::new(1)))).unwrap();
    for costly in [
        "sha256-crypt=999999999",
        "sha512-crypt=1000000",
        "bcrypt=13",
        "bcrypt=31",
        // 256 MiB; a row of 512 GiB; a thousand passes; a million lanes.
        "yescrypt=jFT",
        "yescrypt=j9yzzzz",
        "yescrypt=j7T/wz",
        "yescrypt=jT5.zzz",
        "scrypt=G6..../....",
        "scrypt=zzzzzzzzzzz",
        "scrypt=1/....zzzzz",
        "phpass=S",
        "drupal=S",
        "pbkdf2=1000000",
    ] {
        let compared = compare(&pool, &demanding(costly), "x").await;
        let malformed =
            matches!(&compared, Err(PasswordError::Unsupported(name)) if name.starts_with("malformed yescrypt"));
        assert!(
            compared == Err(PasswordError::TooCostly) || malformed,
            "{costly}: {compared:?}"
        );
    }
    assert_eq!(pool.computed(), 0);
}

/// These schemes take the password in every round, and who sends it is a stranger.
#[tokio::test]
async fn a_long_password_makes_no_costly_comparison_of_a_cheap_one() {
    let pool = pool_of(CHEAP);
    let long = "x".repeat(64 * 1024);
    for repeated in ["sha512-crypt=100000", "sha256-crypt=100000", "phpass=B", "drupal=B"] {
        let verifier = demanding(repeated);
        let parsed = Verifier::parse(&verifier, Ceiling::untrusted(CHEAP.cost().unwrap())).unwrap();
        let ceiling = Ceiling::untrusted(CHEAP.cost().unwrap());
        assert!(
            parsed.takes(b"short", ceiling) && !parsed.takes(long.as_bytes(), ceiling),
            "{repeated}"
        );
        let before = pool.computed();
        assert_eq!(compare(&pool, &verifier, &long).await, Ok(false));
        assert_eq!(pool.computed(), before + 1, "it costs what an unknown user costs");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,100}") {
        drop(Verifier::parse(&text, Ceiling::untrusted(CHEAP.cost().unwrap())));
    }

    #[test]
    fn no_text_that_begins_well_makes_the_parser_panic(
        start in prop::sample::select(vec![
            "$1$", "$5$", "$5$rounds=", "$6$", "$2b$04$", "$2y$", "1|$2a$", "$y$", "$y$j", "$7$", "$P$", "$H$", "$S$", "{SSHA}", "{SHA}",
            "{PBKDF2}", "$pbkdf2$", "$pbkdf2-sha256$", "$argon2id$", "$scrypt$",
        ]),
        rest in "[./0-9A-Za-z$=,+é]{0,110}",
    ) {
        drop(Verifier::parse(&format!("{start}{rest}"), Ceiling::untrusted(CHEAP.cost().unwrap())));
    }
}
