//! The shapes of errors.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

/// An error of the token service, of policies, and of some others.
#[derive(ToSchema)]
pub(super) struct TokenServiceError {
    /// One text.
    reason: Vec<String>,
    /// Seconds since 1970: one number.
    timestamp: Vec<f64>,
    /// The status, once more.
    status_code: u16,
}

/// An error of most of the API.
#[derive(ToSchema)]
pub(super) struct ApiError {
    /// What is wrong; of a list's parameters, the problems by parameter.
    #[schema(schema_with = text_or_object)]
    message: Value,
    /// What kind of error it is.
    #[schema(example = "invalid-data")]
    error_id: String,
    /// More about it, by field.
    #[schema(value_type = Object)]
    details: Value,
    /// Seconds since 1970.
    timestamp: f64,
    /// What it is about.
    resource: Option<String>,
}

/// An error of the server itself.
#[derive(ToSchema)]
pub(super) struct Message {
    /// What is wrong.
    message: String,
}

fn text_or_object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Object]))
}
