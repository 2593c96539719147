//! Events are as the served document tells.

use keyway_core::model::{Actor, Tenant};
use serde_json::json;

use super::*;
use crate::testing::told::Told;

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const OWNER: IdentityId = IdentityId(Uuid::from_u128(2));
const SESSION: SessionId = SessionId(Uuid::from_u128(3));

fn of_session(kind: EventKind) -> NewEvent {
    NewEvent::session(kind, SESSION, TENANT, OWNER, false)
}

/// Somebody who acts in the owner's place.
fn actor() -> Actor {
    Actor {
        session: SessionId(Uuid::from_u128(4)),
        identity: IdentityId(Uuid::from_u128(5)),
        tenant: TenantId(Uuid::from_u128(6)),
        login: "boss".to_owned(),
    }
}

/// One of each kind.
fn every() -> Vec<NewEvent> {
    let tenant = Tenant::new(TENANT, TENANT, "x");
    let of = |kind| match kind {
        EventKind::SessionCreated | EventKind::SessionDeleted | EventKind::SessionExpireSoon => of_session(kind),
        EventKind::RefreshTokenCreated | EventKind::RefreshTokenDeleted => {
            NewEvent::refresh_token(kind, "phone", TENANT, OWNER, true)
        }
        EventKind::TenantAdded => NewEvent::tenant_added(&tenant),
        EventKind::TenantUpdated => NewEvent::tenant_updated(TENANT, None),
        EventKind::TenantDeleted => NewEvent::tenant_deleted(TENANT, TENANT),
    };
    EventKind::ALL.into_iter().map(of).collect()
}

/// What the document tells of the `data` of an event.
fn schema(told: &Told) -> &Value {
    &told.document()["paths"][PATH]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
}

#[tokio::test]
async fn every_event_is_as_the_document_tells() {
    let house = House::new().await;
    let told = Told::by(&house.router).await.expect("a document");
    let token = house.reader().await;
    let mut ear = house.listen(&token, &[]).await;
    let mut happened = every();
    for event in every() {
        if event.document.contains_key("mobile") && event.document.contains_key("uuid") {
            happened.push(event.impersonated(Some(&actor())));
        }
    }
    assert_eq!(happened.len(), EventKind::ALL.len() + 3);
    for event in happened {
        house.test.store.record(event.clone());
        let (_, body) = ear.body().await;
        assert_eq!(body["data"], Value::from(event.document));
        told.check_shape(schema(&told), &body);
    }
}

#[tokio::test]
async fn who_acts_in_anothers_place_is_told_with_the_session() {
    let house = House::new().await;
    let token = house.reader().await;
    let mut ear = house.listen(&token, &[]).await;
    let created = of_session(EventKind::SessionCreated);
    house.test.store.record(created.impersonated(Some(&actor())));
    let (_, body) = ear.body().await;
    insta::assert_json_snapshot!(body["data"], @r#"
    {
      "uuid": "00000000-0000-0000-0000-000000000003",
      "tenant_uuid": "00000000-0000-0000-0000-000000000001",
      "user_uuid": "00000000-0000-0000-0000-000000000002",
      "mobile": false,
      "impersonator": {
        "session_uuid": "00000000-0000-0000-0000-000000000004",
        "tenant_uuid": "00000000-0000-0000-0000-000000000006",
        "user_uuid": "00000000-0000-0000-0000-000000000005",
        "login": "boss"
      }
    }
    "#);
    let reply = ask(&house.router, "GET", "/api/openapi.json", &[], "").await;
    let schemas = &reply.json()["components"]["schemas"];
    let session = &schemas["SessionEvent"];
    let told = json!({
        "needed": session["required"],
        "impersonator": session["properties"]["impersonator"],
        "needed there": schemas["Impersonator"]["required"],
    });
    insta::assert_json_snapshot!(told, @r##"
    {
      "needed": [
        "uuid",
        "tenant_uuid",
        "user_uuid",
        "mobile"
      ],
      "impersonator": {
        "$ref": "#/components/schemas/Impersonator",
        "description": "Who acts in the owner's place; only where somebody does."
      },
      "needed there": [
        "session_uuid",
        "tenant_uuid",
        "user_uuid",
        "login"
      ]
    }
    "##);
}
