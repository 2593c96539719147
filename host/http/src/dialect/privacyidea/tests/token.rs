//! Tokens: made, listed and changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::device::{OTPS, SEED};
use super::{House, told};
use crate::testing::Reply;

/// The serials of a list.
fn serials(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let tokens = body["result"]["value"]["tokens"].as_array();
    let tokens = tokens.unwrap_or_else(|| panic!("{reply:?}"));
    let serial = |token: &Value| token["serial"].as_str().expect("a serial").to_owned();
    tokens.iter().map(serial).collect()
}

#[tokio::test]
async fn owner_gets_what_it_needs_once() {
    let house = House::new().await;
    let body = json!({"type": "HOTP", "otpkey": SEED, "serial": "OATH1", "user": "carol", "realm": "realm1", "pin": "p1n-of-carol"});
    let made = house.admin("POST", "/token/init", body).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let mut detail = made.json()["detail"].clone();
    for field in ["googleurl", "oathurl", "otpkey"] {
        let picture = detail[field]["img"].take();
        let is_picture = |text: &str| text.starts_with("data:image/png;base64,iVBORw0KGgo");
        assert!(picture.as_str().is_some_and(is_picture), "{field}");
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&detail).expect("JSON"), @r#"
    {
      "googleurl": {
        "description": "An address for authenticator apps",
        "img": null,
        "value": "otpauth://hotp/OATH1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=1&digits=6&issuer=privacyIDEA&serial=OATH1"
      },
      "oathurl": {
        "description": "An address for the app OATH Token",
        "img": null,
        "value": "oathtoken:///addToken?name=OATH1&lockdown=true&key=3132333435363738393031323334353637383930"
      },
      "otpkey": {
        "description": "The seed",
        "img": null,
        "value": "seed://3132333435363738393031323334353637383930",
        "value_b32": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
      },
      "rollout_state": "",
      "serial": "OATH1",
      "threadid": 0
    }
    "#);
    // What the list, the audit and later answers say has neither seed nor PIN.
    let base32 = detail["otpkey"]["value_b32"].as_str().expect("a text").to_owned();
    house
        .check(json!({"user": "carol", "pass": format!("p1n-of-carol{}", OTPS[0])}))
        .await;
    for uri in ["/token/", "/audit/"] {
        let shown = house.admin("GET", uri, Value::Null).await;
        for secret in [SEED, base32.as_str(), "p1n-of-carol", OTPS[0]] {
            assert!(!shown.body.contains(secret), "{uri} tells `{secret}`");
        }
    }
}

#[tokio::test]
async fn seed_is_made_as_long_as_its_hash_function_asks() {
    let house = House::new().await;
    let mut seeds = BTreeSet::new();
    for (hash, bytes) in [("sha1", 20), ("sha256", 32), ("SHA512", 64)] {
        let body = json!({"type": "totp", "genkey": "1", "hashlib": hash, "otplen": "8", "timeStep": 60});
        let made = house.admin("POST", "/token/init", body).await.json();
        let uri = made["detail"]["googleurl"]["value"].as_str().expect("a URI").to_owned();
        let hash = hash.to_uppercase();
        assert_eq!(uri.contains(&format!("&algorithm={hash}")), hash != "SHA1", "{uri}");
        assert!(uri.contains("&period=60") && uri.contains("&digits=8"), "{uri}");
        let seed = made["detail"]["otpkey"]["value"].as_str().expect("a seed").to_owned();
        assert_eq!(seed.len(), "seed://".len() + 2 * bytes, "{seed}");
        seeds.insert(seed);
        let serial = made["detail"]["serial"].as_str().expect("a serial").to_owned();
        assert!(serial.starts_with("TOTP") && serial.len() == 12, "{serial}");
        let info = house.shown(&serial).await["info"].clone();
        assert_eq!(
            (&info["hashlib"], &info["timeStep"]),
            (&json!(hash.to_lowercase()), &json!("60"))
        );
    }
    assert_eq!(seeds.len(), 3);
}

#[tokio::test]
async fn seed_may_be_typed_with_a_checksum() {
    let house = House::new().await;
    // SHA-1 of the seed begins with the four bytes before it.
    let typed = "pyfb eqrr giztinjw g44dsmbr giztinjw g44dsma";
    let body = json!({"otpkey": typed, "otpkeyformat": "base32check", "serial": "S", "user": "carol"});
    let made = house.admin("POST", "/token/init", body).await;
    let broken = json!({"otpkey": typed.replace("pyfb", "pyfa"), "otpkeyformat": "base32check"});
    let broken = house.admin("POST", "/token/init", broken).await;
    insta::assert_snapshot!(told(&broken), @r#"400 905 "ERR905: The parameter `otpkey` is no seed of this format""#);
    assert_eq!(
        made.json()["detail"]["otpkey"]["value"],
        format!("seed://{SEED}"),
        "{made:?}"
    );
}

#[tokio::test]
async fn recovery_codes_are_told_once_and_good_once() {
    let house = House::new().await;
    let body = json!({"type": "tan", "user": "carol"});
    let made = house.admin("POST", "/token/init", body).await.json();
    let codes = made["detail"]["otps"].as_object().expect("codes").clone();
    let different: BTreeSet<_> = codes.values().map(|code| code.as_str().expect("a code")).collect();
    assert_eq!(different.len(), 10);
    assert_eq!(made["detail"]["otpkey"], Value::Null);
    let listed = house.admin("GET", "/token/", Value::Null).await;
    for code in &different {
        assert!(!listed.body.contains(code));
    }
    for code in different.into_iter().take(2) {
        let used = [(); 2].map(|()| house.verdict(json!({"user": "carol", "pass": code})));
        let [first, second] = used;
        assert_eq!(first.await, "true ACCEPT: matching 1 tokens");
        assert_eq!(second.await, "false REJECT: wrong otp value");
    }
}

#[tokio::test]
async fn token_that_cannot_be_made_says_why() {
    let house = House::new().await;
    house.device(json!({"serial": "TAKEN"})).await;
    let mut lines = Vec::new();
    for body in [
        json!({"type": "sms", "genkey": 1}),
        json!({"type": 7}),
        json!({"type": "hotp", "genkey": 0}),
        json!({"type": "hotp", "otpkey": "zz"}),
        json!({"type": "hotp", "otpkey": "3132"}),
        json!({"type": "hotp", "otpkey": SEED, "otpkeyformat": "qr"}),
        json!({"type": "hotp", "genkey": 1, "hashlib": "md5"}),
        json!({"type": "hotp", "genkey": 1, "otplen": 7}),
        json!({"type": "totp", "genkey": 1, "timeStep": 45}),
        json!({"type": "hotp", "genkey": 1, "2stepinit": 1}),
        json!({"type": "hotp", "genkey": 1, "serial": "a b"}),
        json!({"type": "hotp", "genkey": 1, "serial": "taken"}),
        json!({"type": "hotp", "genkey": 1, "user": "nobody"}),
        json!({"type": "hotp", "genkey": 1, "user": "carol", "realm": "nosuch"}),
        json!({"type": "hotp", "genkey": 1, "pin": "x".repeat(129)}),
    ] {
        let reply = house.admin("POST", "/token/init", body.clone()).await;
        lines.push(format!("{}: {}", shortened(&body), told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"type":"sms","genkey":1}: 400 905 "ERR905: The parameter `type` is not `hotp`, `totp` or `tan`"
    {"type":7}: 400 905 "ERR905: The parameter `type` is not a text"
    {"type":"hotp","genkey":0}: 400 905 "ERR905: Missing parameter: `otpkey`"
    {"type":"hotp","otpkey":"zz"}: 400 905 "ERR905: The parameter `otpkey` is no seed of this format"
    {"type":"hotp","otpkey":"3132"}: 400 905 "ERR905: a seed has 16 to 128 bytes"
    {"type":"hotp","otpkey":"SEED","otpkeyformat":"qr"}: 400 905 "ERR905: The parameter `otpkeyformat` is not `hex` or `base32check`"
    {"type":"hotp","genkey":1,"hashlib":"md5"}: 400 905 "ERR905: The parameter `hashlib` is not `sha1`, `sha256` or `sha512`"
    {"type":"hotp","genkey":1,"otplen":7}: 400 905 "ERR905: one-time passwords have 6 or 8 digits"
    {"type":"totp","genkey":1,"timeStep":45}: 400 905 "ERR905: a time step has 30 or 60 seconds"
    {"type":"hotp","genkey":1,"2stepinit":1}: 400 905 "ERR905: This server does not know `2stepinit`"
    {"type":"hotp","genkey":1,"serial":"a b"}: 400 905 "ERR905: a serial has 1 to 64 characters, of `A-Z`, `a-z`, `0-9`, `_` and `-`"
    {"type":"hotp","genkey":1,"serial":"taken"}: 400 905 "ERR905: the serial `taken` is taken"
    {"type":"hotp","genkey":1,"user":"nobody"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"type":"hotp","genkey":1,"user":"carol","realm":"nosuch"}: 400 904 "ERR904: There is no such user in this realm, or no such realm."
    {"type":"hotp","genkey":1,"pin":"x.."}: 400 905 "ERR905: a PIN has 1 to 128 bytes"
    "#);
}

fn shortened(body: &Value) -> String {
    body.to_string().replace(SEED, "SEED").replace(&"x".repeat(129), "x..")
}

#[tokio::test]
async fn token_that_is_to_be_verified_works_once_its_owner_has_shown_it() {
    let house = House::new().await;
    let serial = house
        .device(json!({"serial": "V", "user": "carol", "verify_enrollment": true}))
        .await;
    assert_eq!(house.shown(&serial).await["rollout_state"], "verify");
    let proof = || house.verdict(json!({"user": "carol", "pass": OTPS[1]}));
    assert_eq!(proof().await, "false REJECT: The user has no tokens assigned");
    let enabled = house.admin("POST", "/token/enable", json!({"serial": serial})).await;
    assert_eq!(enabled.status, 400, "{enabled:?}");
    let carol = house.token("carol", "c4rol").await;
    let dave = house.token("dave", "d4ve").await;
    let verify = async |session: &str, otp: &str| {
        let body = json!({"type": "hotp", "serial": serial, "verify": otp});
        let reply = house.by(session, "POST", "/token/init", &body).await;
        format!("{} {}", told(&reply), reply.json()["detail"]["rollout_state"])
    };
    let lines = [
        verify(&carol, "000000").await,
        verify(&dave, OTPS[0]).await,
        verify(&carol, OTPS[0]).await,
        verify(&carol, OTPS[1]).await,
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    400 905 "ERR905: The one-time password does not show that the token works" null
    404 601 "no factor has the serial `V`" null
    200 true "enrolled"
    400 301 "the factor is active" null
    "#);
    assert_eq!(proof().await, "true ACCEPT: matching 1 tokens");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the table of answers")]
async fn list_is_narrowed_ordered_and_divided_into_pages() {
    let house = House::new().await;
    house
        .device(json!({"serial": "A1", "user": "carol", "description": "blue"}))
        .await;
    house
        .device(json!({"serial": "A2", "type": "totp", "user": "dave", "description": "red"}))
        .await;
    house
        .device(json!({"serial": "B1", "user": "carol", "realm": "house"}))
        .await;
    house.device(json!({"serial": "B2"})).await;
    house.admin("POST", "/token/disable/B2", Value::Null).await;
    let mut lines = Vec::new();
    for query in [
        "",
        "?serial=A*",
        "?serial=a1",
        "?type=totp",
        "?type=TOTP",
        "?type=*",
        "?type=sms",
        "?user=carol&realm=realm1",
        "?user=carol",
        "?user=carol@house",
        "?user=c*",
        "?realm=HOUSE",
        "?tokenrealm=realm1",
        "?assigned=False",
        "?assigned=1",
        "?active=0",
        "?description=*e*",
        "?sortby=serial&sortdir=desc",
        "?sortby=tokentype",
        "?pagesize=3",
        "?pagesize=3&page=2",
        "?pagesize=3&page=9",
    ] {
        let reply = house.admin("GET", &format!("/token/{query}"), Value::Null).await;
        let body = reply.json();
        let value = &body["result"]["value"];
        lines.push(format!(
            "{query}: {} of {}, {} {} {}",
            serials(&reply).join(" "),
            value["count"],
            value["prev"],
            value["current"],
            value["next"],
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    : A1 A2 B1 B2 of 4, null 1 null
    ?serial=A*: A1 A2 of 2, null 1 null
    ?serial=a1: A1 of 1, null 1 null
    ?type=totp: A2 of 1, null 1 null
    ?type=TOTP: A2 of 1, null 1 null
    ?type=*: A1 A2 B1 B2 of 4, null 1 null
    ?type=sms:  of 0, null 1 null
    ?user=carol&realm=realm1: A1 of 1, null 1 null
    ?user=carol: A1 of 1, null 1 null
    ?user=carol@house: B1 of 1, null 1 null
    ?user=c*: A1 B1 of 2, null 1 null
    ?realm=HOUSE: B1 of 1, null 1 null
    ?tokenrealm=realm1: A1 A2 of 2, null 1 null
    ?assigned=False: B2 of 1, null 1 null
    ?assigned=1: A1 A2 B1 of 3, null 1 null
    ?active=0: B2 of 1, null 1 null
    ?description=*e*: A1 A2 of 2, null 1 null
    ?sortby=serial&sortdir=desc: B2 B1 A2 A1 of 4, null 1 null
    ?sortby=tokentype: A1 B1 B2 A2 of 4, null 1 null
    ?pagesize=3: A1 A2 B1 of 4, null 1 2
    ?pagesize=3&page=2: B2 of 4, 1 2 null
    ?pagesize=3&page=9:  of 4, 8 9 null
    "#);
    for query in ["?sortby=seed", "?outform=csv", "?page=x", "?active=maybe"] {
        let reply = house.admin("GET", &format!("/token/{query}"), Value::Null).await;
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn list_shows_a_token_as_clients_know_it() {
    let house = House::new().await;
    house
        .device(json!({"serial": "T1", "type": "totp", "user": "carol", "pin": "p", "description": "d"}))
        .await;
    let mut shown = house.shown("T1").await;
    for unknown in ["id", "user_id"] {
        assert!(!shown[unknown].take().is_null(), "{unknown}");
    }
    insta::assert_snapshot!(shown, @r#"{"active":true,"container_serial":"","count":0,"count_window":1,"description":"d","failcount":0,"id":null,"info":{"creation_date":"2026-01-01T00:00:00.123456Z","hashlib":"sha1","timeShift":"0","timeStep":"30","timeWindow":"30","tokenkind":"software"},"locked":false,"maxfail":10,"otplen":6,"realms":["realm1"],"resolver":"passwd1","revoked":false,"rollout_state":"","serial":"T1","sync_window":1000,"tokengroup":[],"tokentype":"totp","user_editable":false,"user_id":null,"user_realm":"realm1","username":"carol"}"#);
}

#[tokio::test]
async fn administrator_changes_a_token() {
    let house = House::new().await;
    let serial = house
        .device(json!({"serial": "T", "user": "carol", "pin": "old"}))
        .await;
    let field = async |name: &str| house.shown("T").await[name].clone();
    let post = async |uri: &str, body: Value| told(&house.admin("POST", uri, body).await);
    assert_eq!(post("/token/disable", json!({"serial": serial})).await, "200 1");
    assert_eq!(field("active").await, false);
    assert_eq!(post("/token/enable/T", Value::Null).await, "200 1");
    assert_eq!(field("active").await, true);
    let set = json!({"serial": "T", "max_failcount": "3", "count_window": 20, "sync_window": 99, "description": "new", "pin": "new"});
    assert_eq!(post("/token/set", set).await, "200 5");
    let shown = house.shown("T").await;
    let numbers = ["maxfail", "count_window", "sync_window"].map(|name| shown[name].as_u64());
    assert_eq!(numbers, [Some(3), Some(20), Some(99)]);
    assert_eq!(shown["description"], "new");
    let otp = format!("old{}", OTPS[0]);
    assert_eq!(
        house.verdict(json!({"user": "carol", "pass": otp})).await,
        "false REJECT: wrong otp pin"
    );
    assert_eq!(field("failcount").await, 1);
    assert_eq!(post("/token/reset/T", Value::Null).await, "200 1");
    assert_eq!(field("failcount").await, 0);
    assert_eq!(
        post("/token/setpin", json!({"serial": "T", "otppin": "newer"})).await,
        "200 1"
    );
    let otp = format!("newer{}", OTPS[0]);
    assert_eq!(
        house.verdict(json!({"user": "carol", "pass": otp})).await,
        "true ACCEPT: matching 1 tokens"
    );
    assert_eq!(
        post("/token/description/T", json!({"description": "newest"})).await,
        "200 1"
    );
    assert_eq!(field("description").await, "newest");
}

#[tokio::test]
async fn token_that_is_given_up_stays_so_until_it_is_removed() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    let field = async |name: &str| house.shown("T").await[name].clone();
    let post = async |uri: &str, body: Value| told(&house.admin("POST", uri, body).await);
    assert_eq!(post("/token/revoke/T", Value::Null).await, "200 1");
    assert_eq!(
        (field("revoked").await, field("active").await),
        (json!(true), json!(false))
    );
    assert_eq!(
        post("/token/enable/T", Value::Null).await.split(' ').next(),
        Some("400")
    );
    let removed = house.admin("DELETE", "/token/T", Value::Null).await;
    assert_eq!(told(&removed), "200 1");
    assert_eq!(house.shown("T").await, Value::Null);
    let again = house.admin("DELETE", "/token/T", Value::Null).await;
    insta::assert_snapshot!(told(&again), @r#"404 601 "no factor has the serial `T`""#);
}

#[tokio::test]
async fn nothing_is_set_where_something_cannot_be() {
    let house = House::new().await;
    house.device(json!({"serial": "T"})).await;
    let mut lines = Vec::new();
    for body in [
        json!({"serial": "T", "description": "x", "count_window": 101}),
        json!({"serial": "T", "description": "x", "max_failcount": 0}),
        json!({"serial": "T", "description": "x", "max_failcount": -1}),
        json!({"serial": "T", "description": "x", "hashlib": "sha256"}),
        json!({"description": "x"}),
        json!({"serial": "nosuch", "description": "x"}),
    ] {
        let reply = house.admin("POST", "/token/set", body.clone()).await;
        lines.push(format!("{body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"serial":"T","description":"x","count_window":101}: 400 905 "ERR905: the window is at most 100"
    {"serial":"T","description":"x","max_failcount":0}: 400 905 "ERR905: a factor may have 1 to 1000 failures"
    {"serial":"T","description":"x","max_failcount":-1}: 400 905 "ERR905: The parameter `max_failcount` is not a number from 0 on"
    {"serial":"T","description":"x","hashlib":"sha256"}: 400 905 "ERR905: This server does not set `hashlib` of a token"
    {"description":"x"}: 400 905 "ERR905: Missing parameter: `serial`"
    {"serial":"nosuch","description":"x"}: 404 601 "no factor has the serial `nosuch`"
    "#);
    let shown = house.shown("T").await;
    assert_eq!(
        (&shown["description"], &shown["count_window"]),
        (&json!(""), &json!(10))
    );
}

#[tokio::test]
async fn two_one_time_passwords_in_a_row_bring_a_token_back_into_step() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol"})).await;
    house
        .admin("POST", "/token/set", json!({"serial": "T", "count_window": 0}))
        .await;
    let resync = async |one: &str, other: &str| {
        let body = json!({"serial": "T", "otp1": one, "otp2": other});
        told(&house.admin("POST", "/token/resync", body).await)
    };
    assert_eq!(resync(OTPS[5], OTPS[7]).await, "200 false");
    assert_eq!(resync(OTPS[5], OTPS[6]).await, "200 true");
    assert_eq!(resync(OTPS[5], OTPS[6]).await, "200 false", "they are used up");
    let proof = house.verdict(json!({"user": "carol", "pass": OTPS[7]})).await;
    assert_eq!(proof, "true ACCEPT: matching 1 tokens");
    let missing = house
        .admin("POST", "/token/resync", json!({"serial": "T", "otp1": "1"}))
        .await;
    insta::assert_snapshot!(told(&missing), @r#"400 905 "ERR905: Missing parameter: `otp2`""#);
}

#[tokio::test]
async fn administrator_acts_on_all_tokens_of_a_user() {
    let house = House::new().await;
    for (serial, user) in [("C1", "carol"), ("C2", "carol"), ("D1", "dave")] {
        house.device(json!({"serial": serial, "user": user})).await;
    }
    let reply = house
        .admin("POST", "/token/disable", json!({"user": "carol", "realm": "realm1"}))
        .await;
    assert_eq!(told(&reply), "200 2");
    let off = house.admin("GET", "/token/?active=0", Value::Null).await;
    assert_eq!(serials(&off), ["C1", "C2"]);
    let reply = house.admin("POST", "/token/unassign", json!({"user": "carol"})).await;
    assert_eq!(told(&reply), "200 2");
    let drawer = house.admin("GET", "/token/?assigned=0", Value::Null).await;
    assert_eq!(serials(&drawer), ["C1", "C2"]);
    let nobody = house.admin("POST", "/token/disable", json!({"user": "nobody"})).await;
    insta::assert_snapshot!(told(&nobody), @r#"400 904 "ERR904: There is no such user in this realm, or no such realm.""#);
}

#[tokio::test]
async fn token_changes_hands_only_over_the_drawer() {
    let house = House::new().await;
    house.device(json!({"serial": "T", "user": "carol", "pin": "p"})).await;
    let assign = async |user: &str| {
        told(
            &house
                .admin("POST", "/token/assign", json!({"serial": "T", "user": user}))
                .await,
        )
    };
    insta::assert_snapshot!(assign("dave").await, @r#"400 905 "ERR905: the factor belongs to somebody else""#);
    assert_eq!(assign("carol").await, "200 true");
    let unassigned = house.admin("POST", "/token/unassign", json!({"serial": "T"})).await;
    assert_eq!(told(&unassigned), "200 1");
    assert_eq!(assign("dave").await, "200 true");
    assert_eq!(house.shown("T").await["username"], "dave");
    // The PIN went with the owner who knew it.
    let proof = house.verdict(json!({"user": "dave", "pass": OTPS[0]})).await;
    assert_eq!(proof, "true ACCEPT: matching 1 tokens");
    let proof = house.verdict(json!({"user": "carol", "pass": OTPS[1]})).await;
    assert_eq!(proof, "false REJECT: The user has no tokens assigned");
}
