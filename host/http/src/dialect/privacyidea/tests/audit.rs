//! The audit: what is written down, and who may read which of it.

use std::time::Duration;

use keyway_core::port::{AuditEntry, AuditFilter, AuditStore as _, Clock as _};
use serde_json::{Value, json};

use super::device::{OTPS, SEED};
use super::{House, JSON, told};
use crate::PrivacyideaSettings;
use crate::testing::Reply;

/// These columns of the rows, each row in a line.
fn rows(reply: &Reply, columns: &[&str]) -> String {
    let body = reply.json();
    let rows = body["result"]["value"]["auditdata"].as_array();
    let rows = rows.unwrap_or_else(|| panic!("{reply:?}"));
    let line = |row: &Value| {
        let cells = columns.iter().map(|column| row[*column].to_string().replace('"', ""));
        cells.collect::<Vec<_>>().join(" | ")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_proves_and_what_changes_something_is_written_down() {
    let house = House::new().await;
    house.log_in("carol", "wrong").await;
    house.log_in("carol", "c4rol").await;
    house.log_in("nobody@house", "wrong").await;
    house
        .device(json!({"serial": "T", "user": "carol", "pin": "p1n"}))
        .await;
    house
        .check(json!({"user": "carol", "pass": format!("p1n{}", OTPS[0])}))
        .await;
    house.check(json!({"user": "carol", "pass": "p1n000000"})).await;
    house.check(json!({"serial": "T", "pass": "p1n000000"})).await;
    house
        .policy(
            "p",
            json!({"scope": "authorization", "action": "auth_max_fail=0/1m", "realm": "house"}),
        )
        .await;
    house.log_in("carol@house", "c4rol").await;
    let session = house.token("alice", "s3cre7").await;
    house.by(&session, "GET", "/token/", &Value::Null).await;
    house.by(&session, "DELETE", "/token/nosuch", &Value::Null).await;
    let listed = house
        .by(&session, "GET", "/audit/?sortorder=asc&page_size=100", &Value::Null)
        .await;
    let columns = [
        "action",
        "success",
        "authentication",
        "user",
        "realm",
        "administrator",
        "serial",
        "token_type",
        "policies",
        "info",
    ];
    insta::assert_snapshot!(rows(&listed, &columns), @r#"
    POST /auth | 0 | REJECT | carol | realm1 |  |  |  |  | Authentication failed.
    POST /auth | 1 | ACCEPT | carol | realm1 |  |  |  |  | 
    POST /auth | 0 | REJECT | nobody | house |  |  |  |  | Authentication failed.
    POST /auth | 1 | ACCEPT |  |  | alice |  |  |  | 
    POST /token/init | 1 |  | carol | realm1 | alice | T | hotp |  | 
    POST /validate/check | 1 | ACCEPT | carol | realm1 |  | T | hotp |  | 
    POST /validate/check | 0 | REJECT | carol | realm1 |  |  |  |  | 
    POST /validate/check | 0 | REJECT | carol | realm1 |  | T | hotp |  | 
    POST /auth | 1 | ACCEPT |  |  | alice |  |  |  | 
    POST /policy/<policy> | 1 |  |  |  | alice |  |  |  | policy `p`
    POST /auth | 0 | DECLINED | carol | house |  |  |  | p | Authentication failure. You exceeded the authentication time limit!
    POST /auth | 1 | ACCEPT |  |  | alice |  |  |  | 
    DELETE /token/<serial> | 0 |  |  |  | alice |  |  |  | no factor has the serial `nosuch`
    "#);
    for secret in ["wrong\"", "c4rol", "s3cre7", "p1n", OTPS[0], "000000", SEED] {
        assert!(!listed.body.contains(secret), "it tells `{secret}`");
    }
}

#[tokio::test]
async fn audit_is_searched_ordered_and_divided_into_pages() {
    let house = House::new().await;
    for (username, password) in [
        ("carol", "wrong"),
        ("carol", "c4rol"),
        ("dave", "d4ve"),
        ("carol@house", "wrong"),
    ] {
        let body = json!({"username": username, "password": password}).to_string();
        house
            .ask("POST", "/auth", &[JSON, ("user-agent", "PAM/1.0")], &body)
            .await;
    }
    let session = house.token("alice", "s3cre7").await;
    let mut lines = Vec::new();
    for query in [
        "user=carol",
        "user=CAROL",
        "user=c*&realm=realm1",
        "user=*&success=0",
        "success=1&user=*a*",
        "authentication=REJECT",
        "action=*validate*",
        "action=POST+/auth&user=dave",
        "user_agent=pam*&page_size=2",
        "user_agent=pam*&page_size=2&page=2&sortorder=asc",
        "administrator=alice",
        "info=%25",
    ] {
        let reply = house
            .by(&session, "GET", &format!("/audit/?{query}"), &Value::Null)
            .await;
        let value = reply.json()["result"]["value"].clone();
        let rows = rows(&reply, &["user", "realm", "success"]).replace('\n', ", ");
        lines.push(format!(
            "{query}: {rows} of {}, {} {} {}",
            value["count"], value["prev"], value["current"], value["next"]
        ));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    user=carol: carol | house | 0, carol | realm1 | 1, carol | realm1 | 0 of 3, null 1 null
    user=CAROL: carol | house | 0, carol | realm1 | 1, carol | realm1 | 0 of 3, null 1 null
    user=c*&realm=realm1: carol | realm1 | 1, carol | realm1 | 0 of 2, null 1 null
    user=*&success=0: carol | house | 0, carol | realm1 | 0 of 2, null 1 null
    success=1&user=*a*: dave | realm1 | 1, carol | realm1 | 1 of 2, null 1 null
    authentication=REJECT: carol | house | 0, carol | realm1 | 0 of 2, null 1 null
    action=*validate*:  of 0, null 1 null
    action=POST+/auth&user=dave: dave | realm1 | 1 of 1, null 1 null
    user_agent=pam*&page_size=2: carol | house | 0, dave | realm1 | 1 of 4, null 1 2
    user_agent=pam*&page_size=2&page=2&sortorder=asc: dave | realm1 | 1, carol | house | 0 of 4, 1 2 null
    administrator=alice:  |  | 1 of 1, null 1 null
    info=%25:  of 0, null 1 null
    "#);
    for query in ["success=maybe", "timelimit=soon", "page=x", "user=7&page_size=y"] {
        let reply = house
            .by(&session, "GET", &format!("/audit/?{query}"), &Value::Null)
            .await;
        assert!(told(&reply).starts_with("400 905 "), "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn user_sees_what_is_about_itself() {
    let house = House::new().await;
    for username in ["carol", "carol@house", "dave"] {
        house.log_in(username, "wrong").await;
    }
    house.device(json!({"serial": "D", "user": "dave"})).await;
    let carol = house.token("carol", "c4rol").await;
    for (query, is_own) in [
        ("", true),
        ("?user=*&realm=*", true),
        ("?user=dave", false),
        ("?realm=house", false),
        ("?administrator=alice", false),
    ] {
        let reply = house.by(&carol, "GET", &format!("/audit/{query}"), &Value::Null).await;
        let rows = rows(&reply, &["user", "realm"]);
        assert!(rows.lines().all(|row| row == "carol | realm1"), "{query}: {rows}");
        assert_eq!(rows.lines().count() == 2, is_own, "{query}: {rows}");
    }
    house.policy("p", json!({"scope": "user", "action": "disable"})).await;
    let denied = house.by(&carol, "GET", "/audit/", &Value::Null).await;
    insta::assert_snapshot!(told(&denied), @r#"403 303 "No policy of the scope `user` allows the action `auditlog`.""#);
    let nobody = house.ask("GET", "/audit/", &[], "").await;
    assert!(told(&nobody).starts_with("401 4033 "), "{nobody:?}");
}

impl House {
    /// Carol and dave fail, one after the other. From then on dave did so exactly this long ago, and carol longer ago.
    async fn fail_before(&self, span: Duration) {
        for username in ["carol", "dave"] {
            self.log_in(username, "wrong").await;
        }
        let entries = self.audit().await;
        assert!(entries[0].at < entries[1].at, "{entries:?}");
        let behind = entries[1].at.0 - self.state.clock.now().0;
        let behind = Duration::from_micros(u64::try_from(behind).expect("the clock is behind"));
        self.state.clock.advance(behind + span);
    }

    async fn audit(&self) -> Vec<AuditEntry> {
        let listed = self.state.store.list_audit(&AuditFilter::default(), true, 10, 0).await;
        listed.expect("entries").items
    }
}

#[tokio::test]
async fn audit_is_searched_by_how_long_ago_it_was() {
    let house = House::new().await;
    house.fail_before(Duration::from_hours(24)).await;
    for (limit, users) in [
        ("1d", "dave"),
        ("1441m", "dave\ncarol"),
        ("1y", "dave\ncarol"),
        ("23h", ""),
    ] {
        let reply = house
            .admin("GET", &format!("/audit/?success=0&timelimit={limit}"), Value::Null)
            .await;
        assert_eq!(rows(&reply, &["user"]), users, "{limit}");
    }
}

#[tokio::test]
async fn old_entries_go() {
    let house = House::with(PrivacyideaSettings {
        audit_keep: Duration::from_hours(24),
        ..super::settings()
    })
    .await;
    house.fail_before(Duration::from_hours(24)).await;
    let sweeping = tokio::spawn(crate::sweep_audit(house.state.state.clone()));
    let swept = async {
        while house.audit().await.len() > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), swept)
        .await
        .expect("it is swept");
    sweeping.abort();
    assert_eq!(house.audit().await[0].entry.user, "dave");
}
