//! The content of a policy in a body, and what is said of one that is refused: always the field alone.

use http::StatusCode;
use keyway_core::directory::{DirectoryError, NewPolicy, PolicyChange};
use keyway_core::port::StoreError;

use crate::dialect::wazo::error::Failure;
use crate::dialect::wazo::fields::Fields;
use crate::dialect::wazo::validation::Problem;
use crate::edge::{Payload, PayloadError};

/// How many accesses a policy may hold.
const MOST_ACCESSES: usize = 1024;

/// A policy to be made.
pub(super) fn new_policy(payload: Result<Payload, PayloadError>) -> Result<NewPolicy, Failure> {
    let mut fields = parse(payload)?;
    let new = NewPolicy {
        name: fields.required_text("name", 1..=80),
        slug: fields.nullable_text("slug", 1..=80),
        description: fields.nullable_text("description", 0..=4096),
        accesses: fields.texts("acl", MOST_ACCESSES).unwrap_or_default(),
        shared: fields.boolean("shared").unwrap_or(false),
    };
    finish(&fields)?;
    Ok(new)
}

/// What replaces a policy's content. A slug in the body is ignored, and so is whether it is shared.
pub(super) fn change(payload: Result<Payload, PayloadError>) -> Result<PolicyChange, Failure> {
    let mut fields = parse(payload)?;
    let change = PolicyChange {
        name: fields.required_text("name", 1..=80),
        description: fields.nullable_text("description", 0..=4096),
        accesses: fields.texts("acl", MOST_ACCESSES).unwrap_or_default(),
    };
    finish(&fields)?;
    Ok(change)
}

/// Why a policy of this name was not made or changed.
pub(super) fn refused(error: DirectoryError, name: &str) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { .. }) => {
            Failure::Service(StatusCode::CONFLICT, format!("Policy \"{name}\" already exists"))
        }
        DirectoryError::Invalid { field, .. } => invalid(match field {
            "policy name" => "name",
            "access" => "acl",
            field => field,
        }),
        error => error.into(),
    }
}

/// Why this access was not added or removed.
pub(super) fn refused_access(error: DirectoryError, access: &str) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { .. }) => {
            Failure::Service(StatusCode::CONFLICT, format!("Policy already associated to {access}"))
        }
        error => refused(error, ""),
    }
}

fn parse(payload: Result<Payload, PayloadError>) -> Result<Fields, Failure> {
    Fields::parse(payload).map_err(|failure| match failure {
        Failure::Body(Problem::NoObject) => invalid("_schema"),
        failure => failure,
    })
}

fn finish(fields: &Fields) -> Result<(), Failure> {
    fields.problems.field().map_or(Ok(()), |field| Err(invalid(field)))
}

fn invalid(field: &str) -> Failure {
    let reason = format!("Invalid value supplied for field: {field}");
    Failure::Service(StatusCode::BAD_REQUEST, reason)
}
