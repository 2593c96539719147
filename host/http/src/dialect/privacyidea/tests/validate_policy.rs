//! What policies change of a proof.

use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::FactorOwner;
use serde_json::{Value, json};

use super::device::{OTPS, timed, transaction, verdict, verdicts};
use super::{House, JSON, told};

fn authentication(action: &str) -> Value {
    json!({"scope": "authentication", "action": action})
}

fn authorization(action: &str) -> Value {
    json!({"scope": "authorization", "action": action})
}

#[tokio::test]
async fn nothing_or_the_password_may_stand_before_a_one_time_password() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    let passes = |from: usize| {
        [("", 0), ("p1n", 1), ("c4rol", 2)].map(|(before, offset)| format!("{before}{}", OTPS[from + offset]))
    };
    house.policy("p", authentication("otppin=none")).await;
    let none = verdicts(&house, &passes(0)).await;
    house.policy("p", authentication("otppin=userstore")).await;
    let userstore = verdicts(&house, &passes(3)).await;
    house.policy("p", authentication("otppin=tokenpin")).await;
    let tokenpin = verdicts(&house, &passes(6)).await;
    insta::assert_snapshot!(format!("none\n{none}\nuserstore\n{userstore}\ntokenpin\n{tokenpin}"), @r#"
    none
    755224: true ACCEPT: matching 1 tokens
    p1n287082: false REJECT: wrong otp value
    c4rol359152: false REJECT: wrong otp value
    userstore
    969429: false REJECT: wrong otp pin
    p1n338314: false REJECT: wrong otp pin
    c4rol254676: true ACCEPT: matching 1 tokens
    tokenpin
    287922: false REJECT: wrong otp pin
    p1n162583: true ACCEPT: matching 1 tokens
    c4rol399871: false REJECT: wrong otp pin
    "#);
}

#[tokio::test]
async fn right_pin_alone_begins_a_challenge_where_policies_say_so() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house
        .device(json!({"serial": "U", "user": "carol", "pin": "other", "type": "totp"}))
        .await;
    assert_eq!(
        house.verdict(json!({"user": "carol", "pass": "p1n"})).await,
        "false REJECT: wrong otp value"
    );
    house
        .policy(
            "p",
            authentication("challenge_response=hotp totp, challenge_text=Number?"),
        )
        .await;
    let asked = house.check(json!({"user": "carol", "pass": "p1n"})).await;
    assert_eq!(verdict(&asked), "false CHALLENGE: Number?");
    let detail = asked.json()["detail"].clone();
    assert_eq!(
        detail["multi_challenge"].as_array().map(Vec::len),
        Some(1),
        "the PIN is of one token: {detail}"
    );
    assert_eq!(detail["multi_challenge"][0]["serial"], "T");
    let by_serial = house.check(json!({"serial": "U", "pass": "other"})).await;
    assert_eq!(verdict(&by_serial), "false CHALLENGE: Number?");
    let wrong = house.check(json!({"user": "carol", "pass": "nothing"})).await;
    assert_eq!(verdict(&wrong), "false REJECT: wrong otp pin");
    let answer = json!({"user": "carol", "pass": OTPS[0], "transaction_id": transaction(&asked)});
    assert_eq!(house.verdict(answer).await, "true ACCEPT: Found matching challenge");
}

#[tokio::test]
async fn challenge_of_a_tokens_pin_is_answered_by_this_token_alone() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house
        .device(json!({"serial": "U", "user": "carol", "pin": "other", "type": "totp"}))
        .await;
    house.policy("p", authentication("challenge_response=hotp totp")).await;
    let asked = house.check(json!({"serial": "T", "pass": "p1n"})).await;
    assert_eq!(
        asked.json()["detail"]["multi_challenge"].as_array().map(Vec::len),
        Some(1)
    );
    let answer = async |otp: &str| {
        let body = json!({"user": "carol", "pass": otp, "transaction_id": transaction(&asked)});
        house.verdict(body).await
    };
    assert_eq!(
        answer(timed(0)).await,
        "false REJECT: Response did not match the challenge."
    );
    assert_eq!(answer(OTPS[0]).await, "true ACCEPT: Found matching challenge");
    // The name that it was given out under is somebody else's now.
    house.device(json!({"serial": "D", "user": "dave"})).await;
    let factors = &house.state.state.factors;
    let owner = factors.get("D").await.expect("a factor").owner.expect("an owner");
    let owner = FactorOwner {
        login: "carol".to_owned(),
        ..owner
    };
    factors.unassign("T").await.expect("unassigned");
    factors.assign("T", owner).await.expect("assigned");
    factors
        .set_pin("T", Some(Secret::new(b"p1n".to_vec())))
        .await
        .expect("a PIN");
    assert_eq!(
        house.verdict(json!({"serial": "T", "pass": "p1n"})).await,
        "false REJECT: No suitable token found for authentication."
    );
}

#[tokio::test]
async fn unknown_serial_is_answered_as_policies_say() {
    let house = House::new().await;
    let body = json!({"serial": "nosuch", "pass": OTPS[0]});
    house.policy("p", authentication("hide_specific_error_message")).await;
    assert_eq!(
        house.verdict(body.clone()).await,
        "false REJECT: Authentication failed."
    );
    house.policy("q", authorization("no_detail_on_fail")).await;
    assert_eq!(house.check(body.clone()).await.json()["detail"], Value::Null);
    house.policy("r", authorization("authorized=deny_access")).await;
    let denied = house.check(body).await;
    assert!(told(&denied).starts_with("403 303 "), "{denied:?}");
}

#[tokio::test]
async fn challenge_is_answered_in_the_realm_in_which_it_began() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let triggered = house
        .admin(
            "POST",
            "/validate/triggerchallenge",
            json!({"user": "carol", "realm": "Realm1"}),
        )
        .await;
    let answer = async |body: Value| {
        let mut body = body;
        body["transaction_id"] = transaction(&triggered).into();
        house.verdict(body).await
    };
    for user in [
        json!({"user": "carol", "realm": "house"}),
        json!({"user": "carol@house"}),
    ] {
        let mut body = user.clone();
        body["pass"] = OTPS[0].into();
        let verdict = answer(body).await;
        assert_eq!(
            verdict, "false REJECT: No active challenge response token found",
            "{user}"
        );
    }
    let verdict = answer(json!({"user": "carol", "pass": OTPS[0]})).await;
    assert_eq!(verdict, "true ACCEPT: Found matching challenge");
    let asked = house.log_in("carol", "c4rol").await;
    let log_in = async |realm: &str| {
        let body =
            json!({"username": "carol", "realm": realm, "password": OTPS[1], "transaction_id": transaction(&asked)});
        super::device::verdict(&house.ask("POST", "/auth", &[JSON], &body.to_string()).await)
    };
    assert!(log_in("house").await.starts_with("401 4031 "));
    assert_eq!(log_in("REALM1").await, "{..} ACCEPT: -");
}

#[tokio::test]
async fn user_without_a_token_is_let_through_where_policies_say_so() {
    let house = House::new().await;
    let password = json!({"user": "carol", "pass": "c4rol"});
    assert_eq!(
        house.verdict(password.clone()).await,
        "false REJECT: The user has no tokens assigned"
    );
    for before in ["", ", otppin=none", ", otppin=userstore"] {
        house.policy("p", authentication(&format!("passthru{before}"))).await;
        let through = house.check(password.clone()).await;
        assert!(verdict(&through).starts_with("true ACCEPT: "), "{before}: {through:?}");
        assert_eq!(through.json()["detail"]["serial"], Value::Null);
        assert!(
            house
                .verdict(json!({"user": "carol", "pass": "wrong"}))
                .await
                .starts_with("false REJECT: "),
            "{before}"
        );
        assert!(
            house
                .verdict(json!({"user": "carol", "pass": ""}))
                .await
                .starts_with("false REJECT: "),
            "{before}"
        );
        let serial = house.device(json!({"user": "carol"})).await;
        let with_token = house.verdict(password.clone()).await;
        assert!(with_token.starts_with("false "), "{before}: {with_token}");
        house.admin("DELETE", &format!("/token/{serial}"), Value::Null).await;
    }
    // Nobody learns that the password is right.
    house.policy("p", authentication("otppin=userstore")).await;
    assert_eq!(house.verdict(password).await, "false REJECT: wrong otp pin");
}

#[tokio::test]
async fn password_is_asked_for_where_policies_want_it_before_the_token() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house.policy("p", authentication("otppin=userstore")).await;
    let asked = house.check(json!({"user": "carol", "pass": "c4rol"})).await;
    assert_eq!(verdict(&asked), "false CHALLENGE: please enter otp:");
    let answer = json!({"user": "carol", "pass": OTPS[0], "transaction_id": transaction(&asked)});
    assert_eq!(house.verdict(answer).await, "true ACCEPT: Found matching challenge");
    let by_serial = house
        .verdict(json!({"serial": "T", "pass": format!("c4rol{}", OTPS[1])}))
        .await;
    assert_eq!(by_serial, "true ACCEPT: matching 1 tokens");
    let triggered = house
        .admin("POST", "/validate/triggerchallenge", json!({"user": "carol"}))
        .await;
    let answer = json!({"user": "carol", "pass": OTPS[2], "transaction_id": transaction(&triggered)});
    assert_eq!(house.verdict(answer).await, "true ACCEPT: Found matching challenge");
    // It began without a password, so it is no login.
    let triggered = house
        .admin("POST", "/validate/triggerchallenge", json!({"user": "carol"}))
        .await;
    let body = json!({"username": "carol", "password": OTPS[3], "transaction_id": transaction(&triggered)});
    let login = house.ask("POST", "/auth", &[JSON], &body.to_string()).await;
    assert!(told(&login).starts_with("401 4031 "), "{login:?}");
}

#[tokio::test]
async fn failures_and_successes_are_limited_whichever_way_they_came() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house.device(json!({"serial": "D", "user": "dave"})).await;
    house.policy("p", authorization("auth_max_fail=2/5m")).await;
    // However the name is written, and through each door.
    assert_eq!(
        house.verdict(json!({"user": "CAROL", "pass": "000000"})).await,
        "false REJECT: wrong otp value"
    );
    assert_eq!(house.log_in("carol@realm1", "wrong").await.status, 401);
    let limited = house.check(json!({"user": "Carol", "pass": OTPS[0]})).await;
    insta::assert_snapshot!(told(&limited), @r#"401 403 "Authentication failure. You exceeded the authentication time limit!""#);
    insta::assert_snapshot!(limited.json()["detail"], @r#"{"message":"Only 2 failed logins are allowed (2/5m)"}"#);
    let by_serial = house.check(json!({"serial": "T", "pass": OTPS[0]})).await;
    assert!(told(&by_serial).starts_with("401 403 "), "{by_serial:?}");
    let login = house.log_in("carol", "c4rol").await;
    assert!(told(&login).starts_with("401 403 "), "{login:?}");
    assert_eq!(
        house.verdict(json!({"user": "dave", "pass": OTPS[0]})).await,
        "true ACCEPT: matching 1 tokens"
    );
    house.admin("DELETE", "/policy/p", Value::Null).await;
    // What was refused by the limit did not count, and used nothing up.
    assert_eq!(
        house.verdict(json!({"user": "carol", "pass": OTPS[0]})).await,
        "true ACCEPT: matching 1 tokens"
    );
    house.policy("p", authorization("auth_max_success=2/1h")).await;
    assert_eq!(
        house.verdict(json!({"user": "carol", "pass": OTPS[1]})).await,
        "true ACCEPT: matching 1 tokens"
    );
    let limited = house.check(json!({"user": "carol", "pass": OTPS[2]})).await;
    insta::assert_snapshot!(limited.json()["detail"], @r#"{"message":"Only 2 logins are allowed (2/1h)"}"#);
}

#[tokio::test]
async fn many_wrong_guesses_at_once_are_no_more_than_are_allowed() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house.policy("p", authorization("auth_max_fail=3/5m")).await;
    let body = json!({"user": "carol", "pass": "000000"}).to_string();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (router, body) = (house.router.clone(), body.clone());
        calls.spawn(async move { crate::testing::ask(&router, "POST", "/validate/check", &[JSON], &body).await });
    }
    let replies = calls.join_all().await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        3,
        "{replies:?}"
    );
}

#[tokio::test]
async fn nobody_learns_why_where_policies_hide_it() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house.policy("p", authentication("hide_specific_error_message")).await;
    house.policy("q", authorization("auth_max_fail=3/5m")).await;
    for body in [
        json!({"user": "carol", "pass": "p1n000000"}),
        json!({"user": "carol", "pass": "wrong"}),
        json!({"user": "nobody", "pass": "p1n000000"}),
        json!({"user": "carol", "realm": "nosuch", "pass": "p1n000000"}),
        json!({"user": "carol", "pass": "1", "transaction_id": "00000000000000000000"}),
    ] {
        assert_eq!(
            house.verdict(body.clone()).await,
            "false REJECT: Authentication failed.",
            "{body}"
        );
    }
    let limited = house.check(json!({"user": "carol", "pass": "p1n"})).await;
    insta::assert_snapshot!(told(&limited), @r#"401 403 "Authentication failed.""#);
    for (username, realm) in [("carol", "realm1"), ("nobody", "realm1"), ("dave", "nosuch")] {
        let body = json!({"username": username, "realm": realm, "password": "wrong"}).to_string();
        let login = house.ask("POST", "/auth", &[JSON], &body).await;
        assert_eq!(
            told(&login),
            r#"401 403 "Authentication failed.""#,
            "{username} {realm}"
        );
    }
}

#[tokio::test]
async fn another_realm_may_be_looked_in() {
    let house = House::new().await;
    house
        .device(json!({"serial": "R", "user": "carol", "realm": "realm1"}))
        .await;
    house
        .device(json!({"serial": "H", "user": "carol", "realm": "house"}))
        .await;
    house
        .policy(
            "p",
            json!({"scope": "authentication", "action": "set_realm=House", "realm": "realm1"}),
        )
        .await;
    let proved = house.check(json!({"user": "carol", "pass": OTPS[0]})).await;
    assert_eq!(proved.json()["detail"]["serial"], "H", "{proved:?}");
    house.admin("DELETE", "/token/H", Value::Null).await;
    let login = house.log_in("carol@realm1", "c4rol").await;
    assert_eq!(login.json()["result"]["value"]["realm"], "house", "{login:?}");
}

#[tokio::test]
async fn answer_tells_of_the_user_what_policies_allow_and_never_a_verifier() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house
        .policy("p", authorization("add_user_in_response, add_resolver_in_response"))
        .await;
    let proved = house.check(json!({"user": "carol", "pass": OTPS[0]})).await;
    insta::assert_snapshot!(proved.json()["detail"], @r#"{"message":"matching 1 tokens","otplen":6,"serial":"T","threadid":0,"type":"hotp","user":{"givenname":"C.","username":"carol"},"user-realm":"realm1","user-resolver":"passwd1"}"#);
    assert!(!proved.body.contains("$6$"), "{proved:?}");
    house
        .policy("q", authorization("no_detail_on_success, no_detail_on_fail"))
        .await;
    for pass in [OTPS[1], "000000"] {
        let reply = house.check(json!({"user": "carol", "pass": pass})).await;
        assert_eq!(reply.json()["detail"], Value::Null, "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_is_let_in_where_policies_deny_it() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house
        .policy(
            "p",
            json!({"scope": "authorization", "action": "authorized=deny_access", "realm": "realm1"}),
        )
        .await;
    for body in [
        json!({"user": "carol", "pass": OTPS[0]}),
        json!({"serial": "T", "pass": OTPS[0]}),
    ] {
        let denied = house.check(body).await;
        assert!(told(&denied).starts_with("403 303 "), "{denied:?}");
    }
    let login = house.log_in("dave", "d4ve").await;
    assert!(told(&login).starts_with("403 303 "), "{login:?}");
    assert_eq!(house.log_in("carol@house", "c4rol").await.status, 200);
}

#[tokio::test]
async fn login_is_by_token_where_policies_say_so() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house
        .policy(
            "p",
            json!({"scope": "webui", "action": "login_mode=privacyIDEA", "realm": "realm1"}),
        )
        .await;
    house.policy("q", authentication("challenge_response=hotp totp")).await;
    let login = async |username: &str, password: &str| verdict(&house.log_in(username, password).await);
    let mut lines = Vec::new();
    for (username, password) in [
        ("carol", "p1n755224"),
        ("carol", "p1n755224"),
        ("carol", "c4rol"),
        ("carol", "c4rol287082"),
        ("dave", "d4ve"),
        ("alice", "s3cre7"),
    ] {
        lines.push(format!("{username} {password}: {}", login(username, password).await));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    carol p1n755224: {..} ACCEPT: -
    carol p1n755224: 401 4031 "Authentication failed."
    carol c4rol: 401 4031 "Authentication failed."
    carol c4rol287082: 401 4031 "Authentication failed."
    dave d4ve: 401 4031 "Authentication failed."
    alice s3cre7: {..} ACCEPT: -
    "#);
    let asked = house.log_in("carol", "p1n").await;
    assert_eq!(verdict(&asked), "false CHALLENGE: please enter otp:");
    let answer = json!({"username": "carol", "password": OTPS[2], "transaction_id": transaction(&asked)}).to_string();
    let reply = house.ask("POST", "/auth", &[JSON], &answer).await;
    assert_eq!(verdict(&reply), "{..} ACCEPT: -");
    // The password is not enough either where it is what stands before the one-time password.
    house.policy("q", authentication("otppin=userstore")).await;
    for (username, password) in [("dave", "d4ve"), ("zoë >?~", "öä +%20")] {
        // Not for whom the backend knows by the password alone either.
        let reply = house.log_in(username, password).await;
        assert!(told(&reply).starts_with("401 4031 "), "{username}: {reply:?}");
    }
    house.policy("q", authentication("passthru")).await;
    assert_eq!(login("dave", "d4ve").await, "{..} ACCEPT: -");
}

#[tokio::test]
async fn session_lasts_and_interface_rests_as_long_as_policies_say() {
    let house = House::new().await;
    house
        .policy(
            "p",
            json!({"scope": "webui", "action": "jwt_validity=60, logout_time=17", "user": "carol"}),
        )
        .await;
    let carol = house.log_in("carol", "c4rol").await.json()["result"]["value"].clone();
    let dave = house.log_in("dave", "d4ve").await.json()["result"]["value"].clone();
    assert_eq!((&carol["logout_time"], &dave["logout_time"]), (&json!(17), &json!(120)));
    let lives = async |value: &Value| {
        let session = value["token"].as_str().expect("a token").to_owned();
        house
            .by(&session, "GET", "/auth/rights", &Value::Null)
            .await
            .status
            .as_u16()
    };
    house.state.clock.advance(Duration::from_secs(59));
    assert_eq!((lives(&carol).await, lives(&dave).await), (200, 200));
    house.state.clock.advance(Duration::from_secs(1));
    assert_eq!((lives(&carol).await, lives(&dave).await), (401, 200));
}
