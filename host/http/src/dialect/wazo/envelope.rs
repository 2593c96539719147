//! Events in the form in which wazo's services send and expect them.

use keyway_core::model::{Event, EventKind, IdentityId};
use serde_json::{Map, Value};

use super::wire::naive;
use crate::WazoSettings;

/// The longest routing key that AMQP can carry, in bytes.
const MAX_ROUTING_KEY: usize = 255;

/// An event, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Where a topic exchange sends it: words with dots between them, at most 255 bytes.
    pub routing_key: String,
    /// Where a headers exchange sends it: texts, and `true`.
    pub headers: Vec<(String, Value)>,
    /// The body, an object: what happened is its `data`; the headers are repeated in it.
    pub body: Value,
}

impl Envelope {
    /// Puts an event into its envelope.
    pub fn of(event: &Event, settings: &WazoSettings) -> Self {
        let headers = headers(event, settings);
        let mut body = Map::new();
        body.insert("name".to_owned(), event.event.kind.as_str().into());
        body.insert("origin_uuid".to_owned(), settings.xivo_uuid.clone().into());
        body.insert("timestamp".to_owned(), naive(event.at, &settings.time_zone).into());
        body.insert("data".to_owned(), event.event.document.clone().into());
        for (name, value) in &headers {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Self {
            routing_key: routing_key(event),
            headers,
            body: body.into(),
        }
    }
}

fn headers(event: &Event, settings: &WazoSettings) -> Vec<(String, Value)> {
    let name = event.event.kind.as_str();
    let mut headers = vec![("name".to_owned(), Value::from(name))];
    if let Some(origin) = &settings.xivo_uuid {
        headers.push(("origin_uuid".to_owned(), origin.clone().into()));
    }
    if let Some(tenant) = tenant(event) {
        headers.push(("tenant_uuid".to_owned(), tenant.into()));
    }
    if let Some(IdentityId(identity)) = event.event.identity {
        headers.push((format!("user_uuid:{identity}"), true.into()));
    }
    headers.push(("required_access".to_owned(), format!("event.{name}").into()));
    headers
}

/// The tenant that it is about. One that is gone is its parent's concern, and is still what the event is about.
fn tenant(event: &Event) -> Option<String> {
    match event.event.kind {
        EventKind::TenantAdded | EventKind::TenantUpdated | EventKind::TenantDeleted => Some(word(event, "uuid")),
        EventKind::SessionCreated
        | EventKind::SessionDeleted
        | EventKind::SessionExpireSoon
        | EventKind::RefreshTokenCreated
        | EventKind::RefreshTokenDeleted => event.event.tenant.map(|tenant| tenant.to_string()),
    }
}

fn routing_key(event: &Event) -> String {
    let word = |name| word(event, name);
    let mut key = match event.event.kind {
        EventKind::SessionCreated => format!("auth.sessions.{}.created", word("uuid")),
        EventKind::SessionDeleted => format!("auth.sessions.{}.deleted", word("uuid")),
        EventKind::SessionExpireSoon => {
            format!("auth.users.{}.sessions.{}.expire_soon", word("user_uuid"), word("uuid"))
        }
        EventKind::RefreshTokenCreated => {
            format!("auth.users.{}.tokens.{}.created", word("user_uuid"), word("client_id"))
        }
        EventKind::RefreshTokenDeleted => {
            format!("auth.users.{}.tokens.{}.deleted", word("user_uuid"), word("client_id"))
        }
        EventKind::TenantAdded => format!("auth.tenants.{}.created", word("uuid")),
        EventKind::TenantUpdated => format!("auth.tenants.{}.updated", word("uuid")),
        EventKind::TenantDeleted => format!("auth.tenants.{}.deleted", word("uuid")),
    };
    key.truncate(key.floor_char_boundary(MAX_ROUTING_KEY));
    key
}

/// A value of the document as a part of a routing key, which is one word of it: clients choose their own ids.
fn word(event: &Event, name: &str) -> String {
    let value = event.event.document.get(name).and_then(Value::as_str);
    let word = value.unwrap_or_default().replace('.', "_");
    // A long one would cut off the end, which is what tells events apart.
    word.get(..word.floor_char_boundary(150)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use keyway_core::model::{EventCursor, NewEvent, SessionId, TenantId, Timestamp};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::from_u128(1));
    const USER: IdentityId = IdentityId(Uuid::from_u128(2));
    const SESSION: SessionId = SessionId(Uuid::from_u128(3));

    fn envelope(event: NewEvent) -> Envelope {
        let event = Event {
            cursor: EventCursor { epoch: 0, id: 1 },
            at: Timestamp(1_700_000_000_123_456),
            event,
        };
        let settings = WazoSettings {
            xivo_uuid: Some("00000000-0000-4000-8000-000000000009".to_owned()),
            ..WazoSettings::default()
        };
        Envelope::of(&event, &settings)
    }

    #[test]
    fn a_session_has_its_body_headers_and_routing_key() {
        let envelope = envelope(NewEvent::session(
            EventKind::SessionCreated,
            SESSION,
            TENANT,
            USER,
            true,
        ));
        assert_eq!(
            envelope.routing_key,
            "auth.sessions.00000000-0000-0000-0000-000000000003.created"
        );
        let headers = json!({
            "name": "auth_session_created",
            "origin_uuid": "00000000-0000-4000-8000-000000000009",
            "tenant_uuid": TENANT,
            "user_uuid:00000000-0000-0000-0000-000000000002": true,
            "required_access": "event.auth_session_created",
        });
        assert_eq!(Value::Object(envelope.headers.into_iter().collect()), headers);
        let mut body = json!({
            "timestamp": "2023-11-14T22:13:20.123456",
            "data": { "uuid": SESSION, "tenant_uuid": TENANT, "user_uuid": USER, "mobile": true },
        });
        let fields = headers.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(fields);
        assert_eq!(envelope.body, body);
    }

    #[test]
    fn each_kind_has_its_routing_key() {
        let key = |event| envelope(event).routing_key;
        let (user, session) = (USER.to_string(), SESSION.to_string());
        let of_session = |kind| key(NewEvent::session(kind, SESSION, TENANT, USER, false));
        assert_eq!(
            of_session(EventKind::SessionDeleted),
            format!("auth.sessions.{session}.deleted")
        );
        assert_eq!(
            of_session(EventKind::SessionExpireSoon),
            format!("auth.users.{user}.sessions.{session}.expire_soon")
        );
        let of_client = |kind, client: &str| key(NewEvent::refresh_token(kind, client, TENANT, USER, false));
        assert_eq!(
            of_client(EventKind::RefreshTokenCreated, "a.phone"),
            format!("auth.users.{user}.tokens.a_phone.created"),
            "a client's id is one word"
        );
        let long = of_client(EventKind::RefreshTokenDeleted, &"é".repeat(1024));
        assert!(long.len() <= MAX_ROUTING_KEY && long.ends_with(".deleted"), "{long}");
        let tenant = keyway_core::model::Tenant::new(TENANT, TENANT, "x");
        assert_eq!(
            key(NewEvent::tenant_added(&tenant)),
            format!("auth.tenants.{TENANT}.created")
        );
        assert_eq!(
            key(NewEvent::tenant_updated(TENANT, None)),
            format!("auth.tenants.{TENANT}.updated")
        );
    }

    #[test]
    fn a_tenant_that_is_gone_is_what_its_event_is_about() {
        let gone = TenantId(Uuid::from_u128(7));
        let envelope = envelope(NewEvent::tenant_deleted(gone, TENANT));
        assert_eq!(envelope.routing_key, format!("auth.tenants.{gone}.deleted"));
        assert_eq!(envelope.body["tenant_uuid"], gone.to_string());
        assert_eq!(envelope.body["data"], json!({ "uuid": gone }));
    }
}
