//! Policies, and what they change at the next request.

use keyway_tests::privacyidea::code_of;
use serde_json::json;

use super::house::{client, house};

#[tokio::test]
async fn a_login_beyond_the_failures_that_are_allowed_is_refused_though_it_is_right() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let policy = json!({"scope": "authorization", "action": "auth_max_fail=2/5m", "realm": "realm1", "active": true});
    let set = pi.post_json_as(&admin, "/policy/limit", &policy).await;
    assert_eq!(set.status, 200, "{set:?}");
    let login = |password: &'static str| {
        let pi = pi.clone();
        async move { pi.auth(&[("username", "carol"), ("password", password)]).await }
    };
    assert_eq!(login("c4rol-pw").await.status, 200);
    for _ in 0..2 {
        assert_eq!(login("wrong").await.status, 401);
    }
    let limited = login("c4rol-pw").await;
    assert_eq!((limited.status, code_of(&limited)), (401, 403), "{limited:?}");
    let other = pi.auth(&[("username", "dave"), ("password", "d4ve-pw")]).await;
    assert_eq!(other.status, 200, "{other:?}");
    let audit = pi.get_as(&admin, "/audit/?user=carol&action=*auth*&success=0").await;
    assert_eq!(audit.status, 200, "{audit:?}");
    assert!(audit.body["result"]["value"]["count"].as_u64() >= Some(2), "{audit:?}");
    assert!(!audit.body.to_string().contains("c4rol-pw"));
}

#[tokio::test]
async fn a_policy_is_in_effect_at_the_next_login_and_gone_when_it_is_removed() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let before = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(before.body["result"]["value"]["logout_time"], 120, "{before:?}");
    for (name, action) in [("a", "logout_time=17"), ("b", "jwt_validity=60")] {
        let set = pi
            .post_json_as(
                &admin,
                &format!("/policy/{name}"),
                &json!({"scope": "webui", "action": action}),
            )
            .await;
        assert_eq!(set.status, 200, "{set:?}");
    }
    let during = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(during.body["result"]["value"]["logout_time"], 17, "{during:?}");
    let disabled = json!({"scope": "webui", "action": "login_mode=disable", "realm": "realm1"});
    pi.post_json_as(&admin, "/policy/c", &disabled).await;
    let refused = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!((refused.status, code_of(&refused)), (403, 303), "{refused:?}");
    assert_eq!(pi.delete_as(&admin, "/policy/c").await.status, 200);
    assert_eq!(
        pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await.status,
        200
    );
}

#[tokio::test]
async fn the_first_policy_of_a_scope_denies_what_it_does_not_allow() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let carol = pi.token("carol", "c4rol-pw").await;
    let all = pi.get_as(&carol, "/auth/rights").await;
    assert!(all.body["result"]["value"]["hotp"].is_string(), "{all:?}");
    let policy = json!({"scope": "user", "action": "enrollTOTP, disable"});
    assert_eq!(pi.post_json_as(&admin, "/policy/few", &policy).await.status, 200);
    let few = pi.get_as(&carol, "/auth/rights").await;
    assert_eq!(
        few.body["result"]["value"]
            .as_object()
            .map(|types| types.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["totp".to_owned()]),
        "{few:?}"
    );
    let denied = pi
        .post_as(&carol, "/token/init", &[("type", "hotp"), ("genkey", "1")])
        .await;
    assert_eq!((denied.status, code_of(&denied)), (403, 303), "{denied:?}");
    let allowed = pi
        .post_as(&carol, "/token/init", &[("type", "totp"), ("genkey", "1")])
        .await;
    assert_eq!(allowed.status, 200, "{allowed:?}");
}
