//! One-time passwords: made, asked for through all dialects, and used once.

use keyway_tests::postgres;
use keyway_tests::privacyidea::{PrivacyideaClient, code_of, hotp, totp};
use keyway_tests::wazo::Answer;
use serde_json::{Value, json};

use super::house::{client, house, house_with};

/// The seed of RFC 4226 and of RFC 6238's SHA-1.
const SEED: &[u8] = b"12345678901234567890";
const SEED_HEX: &str = "3132333435363738393031323334353637383930";

/// Gives a user a factor with that seed: its serial.
async fn enroll(pi: &PrivacyideaClient, admin: &str, kind: &str, user: &str, more: &[(&str, &str)]) -> String {
    let (login, realm) = user.split_once('@').unwrap_or((user, "realm1"));
    let mut fields = vec![("type", kind), ("user", login), ("realm", realm), ("otpkey", SEED_HEX)];
    fields.extend(more);
    let made = pi.post_as(admin, "/token/init", &fields).await;
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(made.headers["cache-control"], "no-store");
    made.body["detail"]["serial"].as_str().expect("a serial").to_owned()
}

fn authentication(answer: &Answer) -> &str {
    answer.body["result"]["authentication"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn enrolment_answers_a_uri_a_picture_and_a_serial() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let fields = [
        ("type", "totp"),
        ("user", "carol"),
        ("realm", "realm1"),
        ("genkey", "1"),
    ];
    let made = pi.post_as(&admin, "/token/init", &fields).await;
    assert_eq!(made.status, 200, "{made:?}");
    let detail = &made.body["detail"];
    assert!(
        detail["serial"]
            .as_str()
            .is_some_and(|serial| serial.starts_with("TOTP")),
        "{detail}"
    );
    let uri = detail["googleurl"]["value"].as_str().expect("a URI");
    assert!(uri.starts_with("otpauth://totp/") && uri.contains("secret="), "{uri}");
    let picture = detail["googleurl"]["img"].as_str().expect("a picture");
    assert!(picture.starts_with("data:image/png;base64,"), "{picture:.60}");
    assert!(
        detail["otpkey"]["value"]
            .as_str()
            .is_some_and(|seed| seed.starts_with("seed://")),
        "{detail}"
    );
    let serial = detail["serial"].as_str().expect("a serial");
    let listed = pi.get_as(&admin, &format!("/token/?serial={serial}")).await;
    let token = &listed.body["result"]["value"]["tokens"][0];
    assert_eq!(
        (&token["username"], &token["realms"]),
        (&json!("carol"), &json!(["realm1"])),
        "{listed:?}"
    );
    assert!(
        !listed
            .body
            .to_string()
            .contains(uri.split("secret=").nth(1).expect("a secret")),
        "it is seen once"
    );
}

#[tokio::test]
async fn a_pin_and_an_otp_are_checked_and_an_otp_is_good_once() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let serial = enroll(&pi, &admin, "hotp", "carol", &[("pin", "p1n")]).await;
    let good = pi.validate("carol", &format!("p1n{}", hotp(SEED, 0))).await;
    assert_eq!(
        (good.status, &good.body["result"]["value"]),
        (200, &json!(true)),
        "{good:?}"
    );
    assert_eq!(authentication(&good), "ACCEPT");
    assert_eq!(good.body["detail"]["serial"], serial.as_str());
    assert_eq!(good.headers["cache-control"], "no-store");
    let again = pi.validate("carol", &format!("p1n{}", hotp(SEED, 0))).await;
    assert_eq!(
        (&again.body["result"]["value"], authentication(&again)),
        (&json!(false), "REJECT"),
        "{again:?}"
    );
    assert_eq!(
        again.body["detail"]["message"],
        "wrong otp value. previous otp used again"
    );
    let late = pi.validate("carol", &format!("p1n{}", hotp(SEED, 14))).await;
    assert_eq!(
        late.body["result"]["value"],
        json!(false),
        "beyond the window: {late:?}"
    );
    let pin = pi.validate("carol", &format!("wrong{}", hotp(SEED, 1))).await;
    assert_eq!(pin.body["result"]["value"], json!(false), "{pin:?}");
    let resync = [
        ("serial", serial.as_str()),
        ("otp1", &hotp(SEED, 30)),
        ("otp2", &hotp(SEED, 31)),
    ];
    let resynced = pi.post_as(&admin, "/token/resync", &resync).await;
    assert_eq!(resynced.body["result"]["value"], json!(true), "{resynced:?}");
    let good = pi.validate("carol", &format!("p1n{}", hotp(SEED, 32))).await;
    assert_eq!(good.body["result"]["value"], json!(true), "{good:?}");
}

#[tokio::test]
async fn a_factor_that_failed_too_often_is_reset_by_an_administrator() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let serial = enroll(&pi, &admin, "hotp", "carol", &[]).await;
    for _ in 0..10 {
        pi.validate("carol", "000000").await;
    }
    let locked = pi.validate("carol", &hotp(SEED, 0)).await;
    assert_eq!(locked.body["detail"]["message"], "Failcounter exceeded", "{locked:?}");
    let reset = pi.post_as(&admin, "/token/reset", &[("serial", &serial)]).await;
    assert_eq!(reset.status, 200, "{reset:?}");
    let good = pi.validate("carol", &hotp(SEED, 0)).await;
    assert_eq!(good.body["result"]["value"], json!(true), "{good:?}");
}

#[tokio::test]
async fn early_and_late_time_steps_are_refused_and_counted() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let serial = enroll(&pi, &admin, "totp", "carol", &[]).await;
    for steps in [-20, 20] {
        let answer = pi.validate("carol", &totp(SEED, steps)).await;
        assert_eq!(answer.body["result"]["value"], json!(false), "{steps}: {answer:?}");
    }
    let listed = pi.get_as(&admin, &format!("/token/?serial={serial}")).await;
    assert_eq!(
        listed.body["result"]["value"]["tokens"][0]["failcount"], 2,
        "{listed:?}"
    );
    let good = pi.validate("carol", &totp(SEED, 0)).await;
    assert_eq!(good.body["result"]["value"], json!(true), "{good:?}");
}

#[tokio::test]
async fn a_user_with_a_factor_is_asked_for_it_by_auth() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    enroll(&pi, &admin, "totp", "carol", &[]).await;
    let asked = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(
        (asked.status, &asked.body["result"]["value"]),
        (200, &json!(false)),
        "{asked:?}"
    );
    assert_eq!(authentication(&asked), "CHALLENGE");
    let transaction = asked.body["detail"]["transaction_id"].as_str().expect("an id");
    assert_eq!(transaction.len(), 20);
    assert_eq!(asked.body["detail"]["multi_challenge"][0]["type"], "totp", "{asked:?}");
    let answer = |otp: String| {
        let (pi, transaction) = (pi.clone(), transaction.to_owned());
        async move {
            let fields = [
                ("username", "carol"),
                ("password", otp.as_str()),
                ("transaction_id", transaction.as_str()),
            ];
            pi.auth(&fields).await
        }
    };
    let wrong = answer("000000".to_owned()).await;
    assert_eq!((wrong.status, code_of(&wrong)), (401, 4031), "{wrong:?}");
    let right = answer(totp(SEED, 0)).await;
    assert_eq!(right.status, 200, "{right:?}");
    assert!(right.body["result"]["value"]["token"].is_string());
    assert_eq!(answer(totp(SEED, 1)).await.status, 401, "it was answered");
}

#[tokio::test]
async fn a_user_with_a_factor_is_asked_for_it_by_wazo_and_by_whatever_backend() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    // alice is the host's own user, found here through a realm.
    enroll(&pi, &admin, "hotp", "alice@house", &[]).await;
    let wazo = host.wazo();
    for (backend, login) in [("wazo_user", "alice"), ("realms", "alice@house")] {
        let body = json!({ "backend": backend });
        let asked = wazo.login(login, "s3cre7", body.clone()).await;
        assert_eq!(asked.status, 401, "{backend}: {asked:?}");
        assert!(
            asked.body["challenge"]["transaction_id"].is_string(),
            "{backend}: {asked:?}"
        );
    }
    let appended = wazo
        .login("alice", &format!("s3cre7{}", hotp(SEED, 0)), json!({}))
        .await;
    assert_eq!(appended.status, 200, "{appended:?}");
    let again = wazo
        .login("alice", &format!("s3cre7{}", hotp(SEED, 0)), json!({}))
        .await;
    assert_eq!(again.status, 401, "{again:?}");
    let beside = wazo.login("alice", "s3cre7", json!({ "otp": hotp(SEED, 1) })).await;
    assert_eq!(beside.status, 200, "{beside:?}");
    let asked = wazo.login("alice", "s3cre7", json!({})).await;
    let transaction = asked.body["challenge"]["transaction_id"].clone();
    let answered = wazo
        .login("alice", &hotp(SEED, 2), json!({ "transaction_id": transaction }))
        .await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let realm = wazo.login("carol", "c4rol-pw", json!({ "backend": "realms" })).await;
    assert_eq!(realm.status, 200, "who has no factor is asked for none: {realm:?}");
}

/// So many logins with this password at the same time; how many were accepted.
async fn race_to_log_in(pi: &PrivacyideaClient, user: &str, password: &str) -> usize {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (pi, user, password) = (pi.clone(), user.to_owned(), password.to_owned());
        calls.spawn(async move { pi.auth(&[("username", &user), ("password", &password)]).await });
    }
    let answers = calls.join_all().await;
    answers
        .iter()
        .filter(|answer| authentication(answer) == "ACCEPT")
        .count()
}

/// So many at the same time; how many were accepted.
async fn race(pi: &PrivacyideaClient, user: &str, pass: &str) -> usize {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (pi, user, pass) = (pi.clone(), user.to_owned(), pass.to_owned());
        calls.spawn(async move { pi.validate(&user, &pass).await });
    }
    let answers = calls.join_all().await;
    let accepted = |answer: &&Answer| answer.body["result"]["value"] == json!(true);
    answers.iter().filter(accepted).count()
}

#[tokio::test]
async fn of_many_uses_of_one_otp_at_the_same_time_one_succeeds() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let serial = enroll(&pi, &admin, "hotp", "carol", &[]).await;
    for counter in 0..3 {
        assert_eq!(race(&pi, "carol", &hotp(SEED, counter)).await, 1, "{counter}");
        pi.post_as(&admin, "/token/reset", &[("serial", &serial)]).await;
    }
    let password = format!("c4rol-pw{}", hotp(SEED, 3));
    assert_eq!(race_to_log_in(&pi, "carol", &password).await, 1);
}

#[tokio::test]
async fn of_many_uses_of_one_otp_on_two_nodes_one_succeeds() {
    let database = postgres::shared().database();
    let url = database.url();
    let first = house().store(&url).start();
    let key = std::fs::read(first.folder().join("var/master.key")).expect("a key");
    let second = keyway_tests::TestHost::builder()
        .config("[dialect.privacyidea]\nbackend = \"realms\"")
        .plugin("realm", keyway_tests::artefact("realm"))
        .file("passwd1.txt", super::house::PASSWD.as_bytes())
        .file("var/master.key", &key)
        .backend(super::house::REALMS)
        .store(&url)
        .start();
    let (here, there) = (client(&first), client(&second));
    let admin = here.token("admin", "4dmin-pw").await;
    let serial = enroll(&here, &admin, "hotp", "carol", &[]).await;
    for counter in 0..3 {
        let otp = hotp(SEED, counter);
        let (on_first, on_second) = tokio::join!(race(&here, "carol", &otp), race(&there, "carol", &otp));
        assert_eq!(on_first + on_second, 1, "{counter}");
        here.post_as(&admin, "/token/reset", &[("serial", &serial)]).await;
    }
    let password = format!("c4rol-pw{}", hotp(SEED, 3));
    let (on_first, on_second) = tokio::join!(
        race_to_log_in(&here, "carol", &password),
        race_to_log_in(&there, "carol", &password)
    );
    assert_eq!(on_first + on_second, 1, "through `/auth`");
    here.post_as(&admin, "/token/reset", &[("serial", &serial)]).await;
    // A challenge that one node gave is answered on the other.
    let asked = here.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    let transaction = asked.body["detail"]["transaction_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let otp = hotp(SEED, 4);
    let fields = [
        ("username", "carol"),
        ("password", otp.as_str()),
        ("transaction_id", &transaction),
    ];
    let answered = there.auth(&fields).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

#[tokio::test]
async fn seeds_are_sealed_at_rest_and_in_no_log() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    enroll(&pi, &admin, "hotp", "carol", &[("pin", "my-p1n-value")]).await;
    pi.validate("carol", "my-p1n-value755224").await;
    let log = host.log().text();
    let mut disk = Vec::new();
    for name in ["keyway.db", "keyway.db-wal"] {
        disk.extend(std::fs::read(host.folder().join("var").join(name)).unwrap_or_default());
    }
    let disk = String::from_utf8_lossy(&disk).into_owned();
    for secret in [
        "12345678901234567890",
        SEED_HEX,
        "my-p1n-value",
        "755224",
        "GEZDGNBVGY3TQOJQ",
    ] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
        assert!(!disk.contains(secret), "`{secret}` is on the disk");
    }
}

#[tokio::test]
async fn an_enrolment_that_is_to_be_confirmed_is_asked_for_once_it_is() {
    let host = house_with("").start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let fields = [
        ("type", "hotp"),
        ("user", "carol"),
        ("realm", "realm1"),
        ("otpkey", SEED_HEX),
        ("verify_enrollment", "1"),
    ];
    let made = pi.post_as(&admin, "/token/init", &fields).await;
    assert_eq!(made.body["detail"]["rollout_state"], "verify", "{made:?}");
    let serial = made.body["detail"]["serial"].as_str().expect("a serial");
    let plain = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(authentication(&plain), "ACCEPT", "it is asked of nobody yet: {plain:?}");
    let confirm = |otp: String| {
        let (pi, admin, serial) = (pi.clone(), admin.clone(), serial.to_owned());
        async move {
            let fields = [("type", "hotp"), ("serial", serial.as_str()), ("verify", otp.as_str())];
            pi.post_as(&admin, "/token/init", &fields).await
        }
    };
    assert_ne!(confirm("000000".to_owned()).await.status, 200);
    let confirmed = confirm(hotp(SEED, 0)).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let asked = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(authentication(&asked), "CHALLENGE", "{asked:?}");
}

#[tokio::test]
async fn a_recovery_code_answers_a_challenge_once() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let fields = [("type", "tan"), ("user", "carol"), ("realm", "realm1")];
    let made = pi.post_as(&admin, "/token/init", &fields).await;
    assert_eq!(made.status, 200, "{made:?}");
    let otps = made.body["detail"]["otps"].clone();
    let code = match &otps {
        Value::Object(codes) => codes.values().next().cloned(),
        Value::Array(codes) => codes.first().cloned(),
        _ => None,
    };
    let code = code.and_then(|code| code.as_str().map(str::to_owned)).expect("a code");
    for status in [200, 401] {
        let asked = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
        let transaction = asked.body["detail"]["transaction_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let fields = [
            ("username", "carol"),
            ("password", code.as_str()),
            ("transaction_id", transaction.as_str()),
        ];
        let answer = pi.auth(&fields).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
