//! How sessions end: by `POST /logout`, in time, with their user and with the domain.

use std::time::Duration;

use serde_json::{Value, json};

use super::{House, Pair, told};

const WHOAMI: &str = "/api/v2/whoami";

#[tokio::test]
async fn logging_out_ends_the_pair_and_no_other() {
    let house = House::new().await;
    let (pair, other) = (house.user().await, house.user().await);
    let mixed = Pair {
        key: other.key.clone(),
        token: pair.token.clone(),
    };
    let out = house.as_pair(&mixed, "POST", "/logout", Value::Null).await;
    assert_eq!(told(&out), "401 \"Invalid credentials.\"");
    let out = house.as_pair(&pair, "POST", "/logout", Value::Null).await;
    assert_eq!(out.json(), json!({"status": "OK", "info": "Successful logout."}));
    let again = house.as_pair(&pair, "POST", "/logout", Value::Null).await;
    assert_eq!(told(&again), "401 \"Invalid credentials.\"");
    let gone = house.as_pair(&pair, "GET", WHOAMI, Value::Null).await;
    assert_eq!(told(&gone), "401 \"Invalid User\"");
    assert_eq!(house.as_pair(&other, "GET", WHOAMI, Value::Null).await.status, 200);
    let nobody = house.ask("POST", "/logout", &[], "").await;
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.json(), json!({"status": 401, "message": "Invalid credentials"}));
    for half in [("x-access-token", other.token.as_str()), ("x-key", &other.key)] {
        let reply = house.ask("POST", "/logout", &[half], "").await;
        assert_eq!(reply.json(), nobody.json(), "{}", half.0);
    }
    assert_eq!(house.as_pair(&other, "GET", WHOAMI, Value::Null).await.status, 200);
}

#[tokio::test]
async fn pair_that_has_expired_is_taken_back_and_no_other() {
    let house = House::new().await;
    let (pair, other) = (house.user().await, house.user().await);
    // The doubles' longest life is a day.
    house.state.clock.advance(Duration::from_hours(24));
    assert_eq!(
        told(&house.as_pair(&pair, "GET", WHOAMI, Value::Null).await),
        "401 \"Token Expired\""
    );
    let mixed = Pair {
        key: other.key.clone(),
        token: pair.token.clone(),
    };
    let out = house.as_pair(&mixed, "POST", "/logout", Value::Null).await;
    assert_eq!(told(&out), "401 \"Invalid credentials.\"");
    let out = house.as_pair(&pair, "POST", "/logout", Value::Null).await;
    assert_eq!(out.json(), json!({"status": "OK", "info": "Successful logout."}));
    house.state.state.tokens.sweep().await.expect("swept");
    let out = house.as_pair(&other, "POST", "/logout", Value::Null).await;
    assert_eq!(
        out.json(),
        json!({"status": "OK", "info": "Successful logout."}),
        "as if it were there"
    );
}

#[tokio::test]
async fn sessions_end_with_their_user_and_with_the_domain() {
    let house = House::new().await;
    let (user, admin) = (house.user().await, house.admin().await);
    let directory = &house.state.state.directory;
    directory.remove_user("100").await.expect("removed");
    assert_eq!(
        told(&house.as_pair(&user, "GET", WHOAMI, Value::Null).await),
        "401 \"Invalid User\""
    );
    let out = house.as_pair(&user, "POST", "/logout", Value::Null).await;
    assert_eq!(told(&out), "401 \"Invalid credentials.\"");
    assert_eq!(house.as_pair(&admin, "GET", WHOAMI, Value::Null).await.status, 200);
    let tree = directory.tenant_tree().await.expect("a tree");
    let (tenant, top) = (
        tree.find("mydomain").expect("a tenant"),
        tree.master().expect("the top"),
    );
    directory.remove_whole_tenant(tenant, top).await.expect("removed");
    assert_eq!(
        told(&house.as_pair(&admin, "GET", WHOAMI, Value::Null).await),
        "401 \"Invalid User\""
    );
    assert_eq!(
        told(&house.log_in("admin@mydomain.com", "4dmin").await),
        "401 \"secret incorrect\""
    );
}
