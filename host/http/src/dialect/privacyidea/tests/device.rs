//! Tokens with the seed of the RFCs, and what they show.

use serde_json::{Value, json};

use super::{House, JSON};
use crate::testing::Reply;

/// The seed of RFC 4226, appendix D, as a client writes it.
pub(super) const SEED: &str = "3132333435363738393031323334353637383930";

/// What it shows, by the counter.
pub(super) const OTPS: [&str; 10] = [
    "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
];

/// What it shows at the time of the tests, from eight steps of 30 s before to eight steps after.
const TIMED: [&str; 17] = [
    "337517", "044724", "350818", "310228", "631867", "386385", "853924", "815958", "745690", "119644", "582485",
    "283362", "822761", "898039", "909865", "477664", "526424",
];

/// What it shows so many steps from now.
pub(super) fn timed(step: i32) -> &'static str {
    TIMED[usize::try_from(step + 8).expect("not that long ago")]
}

/// How a proof ended.
pub(super) fn verdict(reply: &Reply) -> String {
    let body = reply.json();
    let result = &body["result"];
    if result["status"] != true {
        return super::told(reply);
    }
    let how = result["authentication"].as_str().unwrap_or("-");
    let value = if result["value"].is_object() {
        "{..}".to_owned()
    } else {
        result["value"].to_string()
    };
    let message = body["detail"]["message"].as_str().unwrap_or("-");
    format!("{value} {how}: {message}")
}

/// What carol is told of these, one after the other.
pub(super) async fn verdicts(house: &House, passes: &[impl AsRef<str>]) -> String {
    let mut lines = Vec::new();
    for pass in passes {
        let pass = pass.as_ref();
        let verdict = house.verdict(json!({"user": "carol", "pass": pass})).await;
        lines.push(format!("{pass}: {verdict}"));
    }
    lines.join("\n")
}

/// The challenge that an answer names.
pub(super) fn transaction(reply: &Reply) -> String {
    let id = reply.json()["detail"]["transaction_id"].as_str().map(str::to_owned);
    id.unwrap_or_else(|| panic!("{reply:?}"))
}

impl House {
    /// What the owner of a session is answered.
    pub(super) async fn by(&self, session: &str, method: &str, uri: &str, body: &Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask(method, uri, &[JSON, ("pi-authorization", session)], &body)
            .await
    }

    /// Gives out a token with the seed of the RFC; its serial.
    pub(super) async fn device(&self, fields: Value) -> String {
        let mut body = json!({"type": "hotp", "otpkey": SEED});
        let more = fields.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        let made = self.admin("POST", "/token/init", body).await;
        let serial = made.json()["detail"]["serial"].as_str().map(str::to_owned);
        serial.unwrap_or_else(|| panic!("{made:?}"))
    }

    /// A token as the list shows it.
    pub(super) async fn shown(&self, serial: &str) -> Value {
        let listed = self
            .admin("GET", &format!("/token/?serial={serial}"), Value::Null)
            .await;
        listed.json()["result"]["value"]["tokens"][0].clone()
    }

    /// Asks whether somebody is who it says.
    pub(super) async fn check(&self, fields: Value) -> Reply {
        self.ask("POST", "/validate/check", &[JSON], &fields.to_string()).await
    }

    /// How such a question ended.
    pub(super) async fn verdict(&self, fields: Value) -> String {
        verdict(&self.check(fields).await)
    }

    /// Writes a policy.
    pub(super) async fn policy(&self, name: &str, fields: Value) {
        let set = self.admin("POST", &format!("/policy/{name}"), fields).await;
        assert_eq!(set.status, 200, "{name}: {set:?}");
    }
}
