//! What happened, for those who follow it. Never a token: who logged in, until when and to which tenant's concern.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::{Actor, IdentityId, SessionId, Tenant, TenantId, Timestamp};

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Somebody logged in.
    SessionCreated,
    /// A login ended, however it did.
    SessionDeleted,
    /// A login ends by itself before long.
    SessionExpireSoon,
    /// A client was given a refresh token.
    RefreshTokenCreated,
    /// A refresh token is no longer good.
    RefreshTokenDeleted,
    /// There is a new tenant.
    TenantAdded,
    /// A tenant has another name, or something else of it changed.
    TenantUpdated,
    /// A tenant is gone.
    TenantDeleted,
}

/// Something that is to be recorded as having happened.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What kind.
    pub kind: EventKind,
    /// The tenant of which it is the concern: who reads events sees those of a tenant and of all below it.
    pub tenant: Option<TenantId>,
    /// Who logged in, where somebody did.
    pub identity: Option<IdentityId>,
    /// What else there is to say about it, in the words that wazo has for it.
    pub document: Map<String, Value>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place among all events.
    pub cursor: EventCursor,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What.
    pub event: NewEvent,
}

/// A place in the order in which events can be read. Whatever could not be read yet when somebody had come to a place lies behind it, so that
/// who goes on from there misses nothing. Written `EPOCH-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCursor {
    /// Which transaction; 0 in a store that has only one at a time.
    pub epoch: i64,
    /// Which of its events.
    pub id: i64,
}

/// The text is no [`EventCursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is two numbers with a hyphen between them")]
pub struct InvalidEventCursor;

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::SessionCreated,
        Self::SessionDeleted,
        Self::SessionExpireSoon,
        Self::RefreshTokenCreated,
        Self::RefreshTokenDeleted,
        Self::TenantAdded,
        Self::TenantUpdated,
        Self::TenantDeleted,
    ];

    /// Its name, which is wazo's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionCreated => "auth_session_created",
            Self::SessionDeleted => "auth_session_deleted",
            Self::SessionExpireSoon => "auth_session_expire_soon",
            Self::RefreshTokenCreated => "auth_refresh_token_created",
            Self::RefreshTokenDeleted => "auth_refresh_token_deleted",
            Self::TenantAdded => "auth_tenant_added",
            Self::TenantUpdated => "auth_tenant_updated",
            Self::TenantDeleted => "auth_tenant_deleted",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl NewEvent {
    /// A login began, ended or is about to end.
    pub fn session(kind: EventKind, id: SessionId, tenant: TenantId, identity: IdentityId, mobile: bool) -> Self {
        let document = json!({ "uuid": id, "tenant_uuid": tenant, "user_uuid": identity, "mobile": mobile });
        Self::of(kind, Some(tenant), Some(identity), document)
    }

    /// The same event of a session in which somebody acts in the owner's place.
    #[must_use]
    pub fn impersonated(mut self, actor: Option<&Actor>) -> Self {
        if let Some(actor) = actor {
            let impersonator = json!({ "session_uuid": actor.session, "tenant_uuid": actor.tenant, "user_uuid": actor.identity, "login": actor.login });
            self.document.insert("impersonator".to_owned(), impersonator);
        }
        self
    }

    /// A client was given a refresh token, or has lost it.
    pub fn refresh_token(
        kind: EventKind,
        client_id: &str,
        tenant: TenantId,
        identity: IdentityId,
        mobile: bool,
    ) -> Self {
        let document =
            json!({ "client_id": client_id, "tenant_uuid": tenant, "user_uuid": identity, "mobile": mobile });
        Self::of(kind, Some(tenant), Some(identity), document)
    }

    /// There is a new tenant.
    pub fn tenant_added(tenant: &Tenant) -> Self {
        let document = json!({ "uuid": tenant.id, "name": tenant.name, "slug": tenant.slug });
        Self::of(EventKind::TenantAdded, Some(tenant.id), None, document)
    }

    /// A tenant changed.
    pub fn tenant_updated(id: TenantId, name: Option<&str>) -> Self {
        let document = json!({ "uuid": id, "name": name });
        Self::of(EventKind::TenantUpdated, Some(id), None, document)
    }

    /// A tenant is gone. That is its parent's concern: nobody lies above a tenant that is not there.
    pub fn tenant_deleted(id: TenantId, parent: TenantId) -> Self {
        Self::of(EventKind::TenantDeleted, Some(parent), None, json!({ "uuid": id }))
    }

    fn of(kind: EventKind, tenant: Option<TenantId>, identity: Option<IdentityId>, document: Value) -> Self {
        let document = match document {
            Value::Object(document) => document,
            _ => Map::new(),
        };
        Self {
            kind,
            tenant,
            identity,
            document,
        }
    }
}

impl EventCursor {
    /// Before everything that happened.
    pub const START: Self = Self { epoch: 0, id: 0 };
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.id)
    }
}

impl FromStr for EventCursor {
    type Err = InvalidEventCursor;

    fn from_str(text: &str) -> Result<Self, InvalidEventCursor> {
        // `parse` alone would take a sign.
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(InvalidEventCursor)
        };
        let (epoch, id) = text.split_once('-').ok_or(InvalidEventCursor)?;
        Ok(Self {
            epoch: number(epoch)?,
            id: number(id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_two_numbers() {
        let cursor = EventCursor { epoch: 7, id: 42 };
        assert_eq!(cursor.to_string(), "7-42");
        assert_eq!("7-42".parse(), Ok(cursor));
        for text in [
            "",
            "-",
            "7",
            "7-",
            "-42",
            "+7-42",
            "7--42",
            "7-42-1",
            "7-4 2",
            "7-x",
            "99999999999999999999-1",
        ] {
            assert_eq!(text.parse::<EventCursor>(), Err(InvalidEventCursor), "{text}");
        }
        let later = [EventCursor { epoch: 7, id: 43 }, EventCursor { epoch: 8, id: 1 }];
        assert!(later.into_iter().all(|later| later > cursor));
    }

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventKind::parse("auth_session"), None);
    }
}
