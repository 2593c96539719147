//! Resolvers of the type `passwd`.

use keyway_sdk::testing::{MockHost, verifier};
use keyway_sdk::{Outcome, Refusal, Subject, json};
use realm::Realm;

use super::{attribute, check_refused, verified, warned};

fn host(text: &str) -> MockHost {
    MockHost::new()
        .config(json!({
            "default_realm": "realm1",
            "realms": { "realm1": { "resolvers": [{ "name": "passwd1" }] } },
            "resolvers": { "passwd1": { "type": "passwd", "file": "passwd1" } }
        }))
        .file("passwd1", text)
}

fn line(login: &str, hash: &str, uid: &str) -> String {
    format!("{login}:{hash}:{uid}:100:Carol Danvers,R 1,+49 1,+49 2,carol@example.org:/home:/bin/sh\n")
}

#[test]
fn a_line_of_the_file_is_somebody() {
    let hash = verifier("s3cre7");
    let carol = verified(host(&line("carol", &hash, "1000")).login::<Realm>("carol", "s3cre7"));
    assert_eq!(carol.subject, Subject::Own("passwd1:1000".to_owned()));
    assert_eq!(
        (carol.login.as_str(), carol.email.as_deref()),
        ("carol", Some("carol@example.org"))
    );
    assert_eq!(carol.display_name.as_deref(), Some("Carol Danvers"));
    for (name, value) in [
        ("realm.name", "realm1"),
        ("realm.resolver", "passwd1"),
        ("realm.userid", "1000"),
        ("givenname", "Carol"),
        ("surname", "Danvers"),
        ("room", "R 1"),
        ("phone", "+49 1"),
        ("mobile", "+49 2"),
        ("email", "carol@example.org"),
    ] {
        assert_eq!(attribute(&carol, name), value);
    }
    assert_eq!(carol.attributes.len(), 9);
}

#[test]
fn nothing_that_is_told_holds_a_hash() {
    let hash = verifier("s3cre7");
    let host = host(&line("carol", &hash, "1000"));
    let outcome = host.login::<Realm>("carol", "s3cre7");
    let told = format!("{outcome:?} {:?}", host.lines());
    assert!(!told.contains("$argon2") && !told.contains(&hash), "{told}");
}

#[test]
fn case_counts_in_a_login() {
    let host = host(&line("carol", &verifier("s3cre7"), "1000"));
    check_refused(&host, "Carol", "s3cre7", Refusal::UnknownIdentifier);
}

#[test]
fn an_unknown_login_costs_what_a_wrong_password_costs() {
    // The file's hashes are of another cost than the host's own: a stranger is compared with one of them, and never let in by it.
    let users = line("daemon", "*", "1") + &line("carol", &verifier("s3cre7"), "1000");
    check_refused(&host(&users), "erin", "s3cre7", Refusal::UnknownIdentifier);
    check_refused(&host(&users), "carol", "wrong", Refusal::WrongCredential);
    check_refused(&host(&users), "daemon", "s3cre7", Refusal::WrongCredential);
    check_refused(&host(""), "erin", "s3cre7", Refusal::UnknownIdentifier);
    check_refused(
        &host(&line("daemon", "*", "1")),
        "erin",
        "s3cre7",
        Refusal::UnknownIdentifier,
    );
}

#[test]
fn a_stranger_is_compared_with_a_hash_of_the_file() {
    // Of no use to the host, so a second comparison shows that the first was with this one.
    let host = host(&line("carol", "DES of old", "1000"));
    assert_eq!(
        host.login::<Realm>("erin", "s3cre7"),
        Ok(Refusal::UnknownIdentifier.into())
    );
    assert_eq!((host.comparisons(), warned(&host, "passwd1")), (2, None));
}

#[test]
fn a_hash_may_be_of_any_format_that_the_host_knows() {
    // `openssl passwd -6 -salt saltsalt s3cre7`
    let hash = "$6$saltsalt$ehrFdUWTgO4x8Ni5AAouGuJs8l0HSzO6aP6YRI.ANVepXJumHaJgPwQO1gllM8cAkKRpSTYtF/T4YFtLooj9H0";
    verified(host(&line("carol", hash, "1000")).login::<Realm>("carol", "s3cre7"));
    check_refused(
        &host(&line("carol", hash, "1000")),
        "carol",
        "wrong",
        Refusal::WrongCredential,
    );
}

#[test]
fn what_is_no_hash_fits_no_password() {
    for (hash, refusal) in [
        ("", Refusal::WrongCredential),
        ("x", Refusal::WrongCredential),
        ("*", Refusal::WrongCredential),
        ("*LK*", Refusal::WrongCredential),
        ("!", Refusal::Disabled),
        ("!!", Refusal::Disabled),
    ] {
        for password in ["", "x", "*", "!", "s3cre7"] {
            check_refused(&host(&line("carol", hash, "1000")), "carol", password, refusal);
        }
    }
    let locked = format!("!{}", verifier("s3cre7"));
    check_refused(
        &host(&line("carol", &locked, "1000")),
        "carol",
        "s3cre7",
        Refusal::Disabled,
    );
}

#[test]
fn a_hash_that_the_host_cannot_use_fits_no_password_and_is_reported() {
    let host = host(&line("carol", "s3cre7", "1000"));
    let outcome = host.login::<Realm>("carol", "s3cre7");
    assert_eq!(outcome, Ok(Refusal::WrongCredential.into()));
    assert_eq!(warned(&host, "passwd1").as_deref(), Some("a stored hash is of no use"));
}

#[test]
fn two_lines_with_one_login_or_one_user_id_are_nobodys() {
    let hash = verifier("s3cre7");
    for text in [
        line("carol", &hash, "1000") + &line("carol", &hash, "1001"),
        line("carol", &hash, "1000") + &line("erin", &hash, "1000"),
    ] {
        let host = host(&text);
        check_refused(&host, "carol", "s3cre7", Refusal::Ambiguous);
        let message = "two lines of the file have the same login or user id";
        assert_eq!(warned(&host, "passwd1").as_deref(), Some(message));
    }
}

#[test]
fn a_line_that_is_none_is_left_out_and_reported() {
    let hash = verifier("s3cre7");
    let host = host(&format!("carol:{hash}:1:1\n{}", line("carol", &hash, "1000")));
    verified(host.login::<Realm>("carol", "s3cre7"));
    assert_eq!(
        warned(&host, "passwd1").as_deref(),
        Some("a line of the file is of no use")
    );
    let logged = format!("{:?}", host.lines());
    assert!(!logged.contains("argon2"), "{logged}");
}

#[test]
fn logins_that_no_line_can_have_are_nobodys() {
    let host = host(&line("carol", &verifier("s3cre7"), "1000"));
    for identifier in ["carol:x", "carol\n", "#carol", " carol", "carol ", ":", "*", "carol\0"] {
        let outcome = host.login::<Realm>(identifier, "s3cre7");
        assert!(
            matches!(outcome, Ok(Outcome::Refused(Refusal::UnknownIdentifier))),
            "{identifier}"
        );
    }
}

#[test]
fn a_user_id_that_makes_no_subject_is_refused_and_reported() {
    for userid in ["1".repeat(250), "1\0".to_owned()] {
        let host = host(&line("carol", &verifier("s3cre7"), &userid));
        check_refused(&host, "carol", "s3cre7", Refusal::Ambiguous);
        let message = "a user has no login or no user id that the host takes";
        assert_eq!(warned(&host, "passwd1").as_deref(), Some(message));
    }
}

#[test]
fn lines_end_as_they_end_anywhere() {
    let (carol, dave) = (line("carol", &verifier("c"), "1"), line("dave", &verifier("d"), "2"));
    for text in [
        carol.clone() + &dave,
        (carol.clone() + &dave).replace('\n', "\r\n"),
        (carol.clone() + &dave).trim_end().to_owned(),
        format!("\n\n# people\n{carol}\n{dave}\n\n"),
    ] {
        verified(host(&text).login::<Realm>("carol", "c"));
        verified(host(&text).login::<Realm>("dave", "d"));
    }
}

#[test]
fn what_is_too_long_or_no_text_in_a_line_is_not_told_of() {
    let hash = verifier("s3cre7");
    let text = format!("carol:{hash}:1:1:Carol\0,R 1,{}:/:/\n", "5".repeat(10 << 20));
    let carol = verified(host(&text).login::<Realm>("carol", "s3cre7"));
    assert_eq!(attribute(&carol, "room"), "R 1");
    assert!(!carol.attributes.contains_key("phone") && !carol.attributes.contains_key("givenname"));
    assert_eq!(carol.display_name, None);
}

#[test]
fn a_hash_of_any_format_lets_its_owner_in_and_nobody_else() {
    // Of `s3cre7 pässword`, by libxcrypt and passlib.
    for hash in [
        "$5$rounds=1000$saltsaltsaltsalt$ugz4e7/n3cDAbFXYdLRXj4urCadynT1s1HIJ/DRp94D",
        "$6$saltstring$zCnBvulZNStdCPxo9TYAqzAW5CQ0XyCUH1UnefJmHnjS2CB6nigJ1Aluuqh/raUDC1fxmOnXk9sM.bNPMC4h3/",
        "$2b$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
        "1|$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
        "$y$j75$abcdefgh$gTaOz.MZ7CB2q6Bp.IHhj8cV4BFwUO9Uomzmys4V9y7",
        "{SSHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==",
        "{SSHA256}VHkJn47ISx96OwqN5tCfEsW+lmFzQkBTJTebnP0DeBBzYWx0",
        "{SHA}LVnvxZAGPZfgqBxvIRnhpmbbvBM=",
        "ad5759b6182dad6e52a4d5ea9f862415486e3c5a7c78d2dfbcdcbd7a8b6da2cf",
    ] {
        let host = host(&line("carol", hash, "1000"));
        verified(host.login::<Realm>("carol", "s3cre7 pässword"));
        check_refused(&host, "carol", "s3cre7", Refusal::WrongCredential);
        check_refused(&host, "carol", hash, Refusal::WrongCredential);
    }
}
