//! Proofs that other programs ask for.

use std::time::Duration;

use serde_json::{Value, json};

use super::device::{OTPS, timed, transaction, verdict, verdicts};
use super::{House, JSON, told};

fn with_pin(counter: usize) -> String {
    format!("p1n{}", OTPS[counter])
}

#[tokio::test]
async fn pin_and_one_time_password_prove_who_it_is_once() {
    let house = House::new().await;
    let serial = house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    let good = house.check(json!({"user": "carol", "pass": with_pin(0)})).await;
    assert_eq!(good.status, 200);
    assert_eq!(good.headers["cache-control"], "no-store");
    insta::assert_snapshot!(good.json()["detail"], @r#"{"message":"matching 1 tokens","otplen":6,"serial":"T","threadid":0,"type":"hotp"}"#);
    insta::assert_snapshot!(good.json()["result"], @r#"{"authentication":"ACCEPT","status":true,"value":true}"#);
    let lines = verdicts(
        &house,
        &[
            "p1n755224",
            "p1n338314",
            "p1n287082",
            "p1n000000",
            "wrong254676",
            "254676",
            "p1n",
            "",
        ],
    )
    .await;
    insta::assert_snapshot!(lines, @r#"
    p1n755224: false REJECT: wrong otp value. previous otp used again
    p1n338314: true ACCEPT: matching 1 tokens
    p1n287082: false REJECT: wrong otp value. previous otp used again
    p1n000000: false REJECT: wrong otp value
    wrong254676: false REJECT: wrong otp pin
    254676: false REJECT: wrong otp pin
    p1n: false REJECT: wrong otp value
    : false REJECT: wrong otp pin
    "#);
    assert_eq!(
        house.shown(&serial).await["failcount"],
        5,
        "the right PIN alone is no failure"
    );
    assert_eq!(
        verdicts(&house, &["p1n254676"]).await,
        "p1n254676: true ACCEPT: matching 1 tokens"
    );
    assert_eq!(house.shown(&serial).await["failcount"], 0, "success forgets failures");
}

#[tokio::test]
async fn counter_runs_ahead_ten_steps_and_time_one() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "type": "totp", "user": "carol"}))
        .await;
    for (step, good) in [(-2, false), (2, false), (1, true), (1, false), (0, false), (-1, false)] {
        let verdict = house.verdict(json!({"user": "carol", "pass": timed(step)})).await;
        assert_eq!(verdict.starts_with("true"), good, "{step}: {verdict}");
    }
    assert_eq!(house.shown("T").await["failcount"], 3);
    house.state.clock.advance(Duration::from_mins(1));
    let verdict = house.verdict(json!({"user": "carol", "pass": timed(2)})).await;
    assert_eq!(verdict, "true ACCEPT: matching 1 tokens");
}

#[tokio::test]
async fn token_that_failed_too_often_is_locked_until_it_is_reset() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house
        .admin("POST", "/token/set", json!({"serial": "T", "max_failcount": 2}))
        .await;
    let lines = verdicts(&house, &["000000", "000001", "755224"]).await;
    insta::assert_snapshot!(lines, @r#"
    000000: false REJECT: wrong otp value
    000001: false REJECT: wrong otp value
    755224: false REJECT: Failcounter exceeded
    "#);
    let by_serial = house.verdict(json!({"serial": "T", "pass": "755224"})).await;
    assert_eq!(by_serial, "false REJECT: Failcounter exceeded");
    house.admin("POST", "/token/reset", json!({"serial": "T"})).await;
    assert_eq!(
        verdicts(&house, &["755224"]).await,
        "755224: true ACCEPT: matching 1 tokens"
    );
}

#[tokio::test]
async fn token_that_is_not_active_proves_nothing() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    for (act, undo) in [("disable", Some("enable")), ("revoke", None)] {
        house.admin("POST", &format!("/token/{act}/T"), Value::Null).await;
        let by_user = house.verdict(json!({"user": "carol", "pass": OTPS[0]})).await;
        let by_serial = house.verdict(json!({"serial": "T", "pass": OTPS[0]})).await;
        assert_eq!(by_user, "false REJECT: The user has no tokens assigned", "{act}");
        assert_eq!(
            by_serial, "false REJECT: No suitable token found for authentication.",
            "{act}"
        );
        if let Some(undo) = undo {
            house.admin("POST", &format!("/token/{undo}/T"), Value::Null).await;
        }
    }
}

#[tokio::test]
async fn question_that_cannot_be_asked_says_why() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let mut lines = Vec::new();
    for body in [
        json!({"user": "carol"}),
        json!({"pass": "1"}),
        json!({"user": "", "pass": "1"}),
        json!({"user": 7, "pass": "1"}),
        json!({"user": "carol", "pass": ["1"]}),
        json!({"user": "nobody", "pass": "1"}),
        json!({"user": "carol", "realm": "nosuch", "pass": "1"}),
        json!({"user": "nosuch\\carol", "pass": "1"}),
        json!({"user": "unavailable", "pass": "1"}),
        json!({"user": "carol", "pass": OTPS[0], "otponly": 1}),
        json!({"serial": "nosuch", "pass": OTPS[0]}),
        json!({"serial": "T", "pass": OTPS[0], "type": "totp"}),
        json!({"user": "carol", "serial": "nosuch", "pass": OTPS[0]}),
    ] {
        lines.push(format!("{body}: {}", house.verdict(body.clone()).await));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"user":"carol"}: 400 905 "ERR905: Missing parameter: `pass`"
    {"pass":"1"}: 400 905 "ERR905: Missing parameter: `user`"
    {"user":"","pass":"1"}: 400 905 "ERR905: Missing parameter: `user`"
    {"user":7,"pass":"1"}: 400 905 "ERR905: The parameter `user` is not a text"
    {"user":"carol","pass":["1"]}: 400 905 "ERR905: The parameter `pass` is not a text"
    {"user":"nobody","pass":"1"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"user":"carol","realm":"nosuch","pass":"1"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"user":"nosuch\\carol","pass":"1"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"user":"unavailable","pass":"1"}: 503 -503 "The service is unavailable."
    {"user":"carol","pass":"755224","otponly":1}: 400 905 "ERR905: The parameter `otponly` goes with `serial` alone"
    {"serial":"nosuch","pass":"755224"}: false REJECT: No suitable token found for authentication.
    {"serial":"T","pass":"755224","type":"totp"}: false REJECT: No suitable token found for authentication.
    {"user":"carol","serial":"nosuch","pass":"755224"}: false REJECT: No suitable token found for authentication.
    "#);
    for (body, kind) in [("[]", "application/json"), ("{", "application/json")] {
        let reply = house
            .ask("POST", "/validate/check", &[("content-type", kind)], body)
            .await;
        assert!(told(&reply).starts_with("400 905 "), "{body}: {reply:?}");
    }
}

#[tokio::test]
async fn question_may_be_asked_in_each_way() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let form = format!("user=carol%40realm1&pass={}", OTPS[1]);
    let number =
        json!({"user": "carol", "realm": "REALM1", "pass": 359_152, "serial": "t", "type": "HOTP"}).to_string();
    for reply in [
        house
            .ask("GET", &format!("/validate/check?user=carol&pass={}", OTPS[0]), &[], "")
            .await,
        house.ask("POST", "/validate/check", &[super::FORM], &form).await,
        house.ask("POST", "/validate/check", &[JSON], &number).await,
        house.check(json!({"serial": "T", "pass": OTPS[3]})).await,
        house
            .check(json!({"serial": "T", "pass": OTPS[4], "otponly": "1"}))
            .await,
    ] {
        assert_eq!(verdict(&reply), "true ACCEPT: matching 1 tokens");
    }
}

#[tokio::test]
async fn token_of_nobody_is_asked_by_its_serial() {
    let house = House::new().await;
    house.device(json!({"serial": "N", "pin": "p1n"})).await;
    for (body, expected) in [
        (json!({"serial": "N", "pass": OTPS[0]}), "false REJECT: wrong otp pin"),
        (
            json!({"serial": "N", "pass": with_pin(0)}),
            "true ACCEPT: matching 1 tokens",
        ),
        (
            json!({"serial": "N", "pass": OTPS[1], "otponly": 1}),
            "true ACCEPT: matching 1 tokens",
        ),
        (json!({"serial": "N", "pass": "p1n"}), "false REJECT: wrong otp value"),
    ] {
        assert_eq!(house.verdict(body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn status_alone_says_it_to_who_looks_at_nothing_else() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    for (pass, status) in [(OTPS[0], 204), (OTPS[0], 400)] {
        let body = json!({"user": "carol", "pass": pass}).to_string();
        let reply = house.ask("POST", "/validate/radiuscheck", &[JSON], &body).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, ""));
    }
    let missing = house
        .ask("POST", "/validate/radiuscheck", &[JSON], r#"{"user": "carol"}"#)
        .await;
    assert_eq!((missing.status.as_u16(), missing.body.as_str()), (400, ""));
    let denied = json!({"scope": "authorization", "action": "authorized=deny_access"});
    house.policy("p", denied).await;
    let reply = house
        .ask("GET", "/validate/radiuscheck?user=carol&pass=1", &[], "")
        .await;
    assert!(told(&reply).starts_with("403 303 "), "{reply:?}");
}

#[tokio::test]
async fn who_wants_headers_alone_is_told_nothing_of_a_proof() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    for route in ["check", "radiuscheck", "triggerchallenge"] {
        let uri = format!("/validate/{route}?user=carol&pass={}", OTPS[0]);
        let reply = house.ask("HEAD", &uri, &[], "").await;
        assert_eq!(reply.status, 405, "{route}");
        assert_eq!(reply.header("allow"), Some("GET,POST"), "{route}");
    }
    let used = house.verdict(json!({"user": "carol", "pass": OTPS[0]})).await;
    assert_eq!(used, "true ACCEPT: matching 1 tokens");
}

#[tokio::test]
async fn challenge_is_begun_by_an_administrator_and_answered_by_its_user() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house
        .device(json!({"serial": "U", "user": "carol", "type": "totp"}))
        .await;
    house.device(json!({"serial": "D", "user": "dave", "pin": "p1n"})).await;
    let trigger = async |body: Value| house.admin("POST", "/validate/triggerchallenge", body).await;
    let triggered = trigger(json!({"user": "carol"})).await;
    assert_eq!(triggered.json()["result"]["value"], 2);
    let mut detail = triggered.json()["detail"].clone();
    let transaction = transaction(&triggered);
    assert!(
        transaction.len() == 20 && transaction.bytes().all(|byte| byte.is_ascii_digit()),
        "{transaction}"
    );
    detail = serde_json::from_str(&detail.to_string().replace(&transaction, "ID")).expect("JSON");
    insta::assert_snapshot!(detail, @r#"{"attributes":null,"client_mode":"interactive","image":null,"link":null,"message":"please enter otp:","messages":["please enter otp:","please enter otp:"],"multi_challenge":[{"attributes":null,"client_mode":"interactive","image":null,"link":null,"message":"please enter otp:","serial":"T","transaction_id":"ID","type":"hotp"},{"attributes":null,"client_mode":"interactive","image":null,"link":null,"message":"please enter otp:","serial":"U","transaction_id":"ID","type":"totp"}],"preferred_client_mode":"interactive","serial":"T","threadid":0,"transaction_id":"ID","transaction_ids":["ID","ID"],"type":"hotp"}"#);
    let poll = async |transaction: &str| {
        let reply = house
            .ask("GET", &format!("/validate/polltransaction/{transaction}"), &[], "")
            .await
            .json();
        format!("{} {}", reply["result"]["value"], reply["detail"]["challenge_status"])
    };
    assert_eq!(poll(&transaction).await, "false \"pending\"");
    let answer = async |user: &str, otp: &str| {
        house
            .verdict(json!({"user": user, "pass": otp, "transaction_id": transaction}))
            .await
    };
    let mut lines = Vec::new();
    // The challenge is carol's, and asks for what the token shows and nothing before it.
    for (user, otp) in [
        ("dave", OTPS[0]),
        ("carol", "000000"),
        ("carol", "p1n755224"),
        ("carol", ""),
        ("carol", OTPS[0]),
        ("carol", OTPS[1]),
    ] {
        lines.push(format!("{user} {otp}: {}", answer(user, otp).await));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    dave 755224: false REJECT: No active challenge response token found
    carol 000000: false REJECT: Response did not match the challenge.
    carol p1n755224: false REJECT: Response did not match the challenge.
    carol : false REJECT: wrong otp value
    carol 755224: true ACCEPT: Found matching challenge
    carol 287082: false REJECT: No active challenge response token found
    "#);
    assert_eq!(poll(&transaction).await, "true \"accept\"");
    assert_eq!(poll("00000000000000000000").await, "false \"pending\"");
}

#[tokio::test]
async fn challenge_is_begun_for_somebody_who_can_answer_it() {
    let house = House::new().await;
    house.device(json!({"serial": "D", "user": "dave", "pin": "p1n"})).await;
    let trigger = async |body: Value| house.admin("POST", "/validate/triggerchallenge", body).await;
    let nothing = trigger(json!({"user": "alice", "realm": "realm1"})).await;
    assert_eq!(verdict(&nothing), "0 -: -");
    let by_serial = trigger(json!({"serial": "D"})).await;
    assert_eq!(by_serial.json()["detail"]["multi_challenge"][0]["serial"], "D");
    let mut lines = Vec::new();
    for body in [json!({}), json!({"user": "nobody"}), json!({"serial": "nosuch"})] {
        lines.push(format!("{body}: {}", told(&trigger(body.clone()).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {}: 400 905 "ERR905: Missing parameter: `user`"
    {"user":"nobody"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"serial":"nosuch"}: 404 601 "no factor has the serial `nosuch`"
    "#);
}

#[tokio::test]
async fn challenge_may_be_answered_for_two_minutes() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    for (seconds, expected) in [
        (119, "true ACCEPT: Found matching challenge"),
        (120, "false REJECT: No active challenge response token found"),
    ] {
        let triggered = house
            .admin("POST", "/validate/triggerchallenge", json!({"user": "carol"}))
            .await;
        house.state.clock.advance(Duration::from_secs(seconds));
        let counter = usize::try_from(seconds - 119).expect("small");
        let body = json!({"user": "carol", "pass": OTPS[counter], "state": transaction(&triggered)});
        assert_eq!(house.verdict(body).await, expected, "{seconds}");
    }
}

#[tokio::test]
async fn challenge_is_begun_by_nobody_else() {
    let house = House::new().await;
    let carol = house.token("carol", "c4rol").await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    for method in ["GET", "POST"] {
        let uri = "/validate/triggerchallenge?user=carol";
        let nobody = house.ask(method, uri, &[], "").await;
        assert!(told(&nobody).starts_with("401 4033 "), "{nobody:?}");
        let user = house.by(&carol, method, uri, &Value::Null).await;
        assert!(told(&user).starts_with("401 4306 "), "{user:?}");
    }
}

#[tokio::test]
async fn of_many_uses_of_one_otp_at_the_same_time_one_succeeds() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house
        .policy(
            "p",
            json!({"scope": "webui", "action": "login_mode=privacyIDEA", "realm": "realm1"}),
        )
        .await;
    for (counter, path) in [(0, "/validate/check"), (1, "/auth")] {
        let body =
            json!({"user": "carol", "pass": OTPS[counter], "username": "carol", "password": OTPS[counter]}).to_string();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (router, body) = (house.router.clone(), body.clone());
            calls.spawn(async move { crate::testing::ask(&router, "POST", path, &[JSON], &body).await });
        }
        let replies = calls.join_all().await;
        let accepted = replies
            .iter()
            .filter(|reply| reply.json()["result"]["authentication"] == "ACCEPT");
        assert_eq!(accepted.count(), 1, "{path}: {replies:?}");
        house.admin("POST", "/token/reset/T", Value::Null).await;
    }
}
