//! One operation: what it is called, who may ask for it, what it takes and what it answers.

use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{self, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response};

use super::answer::Named;
use super::{Answer, BEARER, REQUIRED_ACCESS, Shape, TOKEN};

/// One operation.
pub(crate) struct Operation {
    told: OperationBuilder,
    pub(super) parts: Parts,
}

/// What operations refer to by name.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) schemas: Named,
    pub(super) responses: Vec<(&'static str, Response)>,
    pub(super) parameters: Vec<(&'static str, Parameter)>,
}

impl Operation {
    /// An operation that nobody needs a token for.
    pub(crate) fn open(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        let nobody: [SecurityRequirement; 0] = [];
        let told = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(id))
            .summary(Some(summary))
            .securities(Some(nobody));
        Self {
            told,
            parts: Parts::default(),
        }
    }

    /// An operation for callers whose token has this access, in which the names of parameters stand in braces.
    pub(crate) fn guarded(tag: &'static str, id: &'static str, summary: &'static str, access: &'static str) -> Self {
        let mut operation = Self::open(tag, id, summary).proved_by(TOKEN).proved_by(BEARER);
        operation.told = operation
            .told
            .extensions(Some(Extensions::from_iter([(REQUIRED_ACCESS, json!(access))])));
        operation
    }

    /// The same for callers who prove in this way, too, who they are.
    pub(crate) fn proved_by(mut self, scheme: &str) -> Self {
        let nothing: [&str; 0] = [];
        self.told = self.told.security(SecurityRequirement::new(scheme, nothing));
        self
    }

    /// The same for callers who prove nothing, too.
    pub(crate) fn proved_by_nothing(mut self) -> Self {
        self.told = self.told.security(SecurityRequirement::default());
        self
    }

    /// More than the summary says.
    pub(crate) fn detail(mut self, text: &str) -> Self {
        self.told = self.told.description(Some(text));
        self
    }

    /// An optional parameter of the query.
    pub(crate) fn query(mut self, name: &str, schema: impl Into<RefOr<Schema>>, description: &str) -> Self {
        self.told = self
            .told
            .parameter(parameter(ParameterIn::Query, name, schema, description));
        self
    }

    /// A parameter of the query that must be there.
    pub(crate) fn needed_query(mut self, name: &str, schema: impl Into<RefOr<Schema>>, description: &str) -> Self {
        let parameter = parameter(ParameterIn::Query, name, schema, description);
        self.told = self.told.parameter(parameter.required(Required::True));
        self
    }

    /// An optional header.
    pub(crate) fn header(mut self, name: &str, schema: impl Into<RefOr<Schema>>, description: &str) -> Self {
        self.told = self
            .told
            .parameter(parameter(ParameterIn::Header, name, schema, description));
        self
    }

    /// A parameter that several operations have: told once, under this name.
    pub(crate) fn shared_parameter(mut self, name: &'static str, parameter: ParameterBuilder) -> Self {
        self.told = self
            .told
            .parameter_ref(Ref::new(format!("#/components/parameters/{name}")));
        self.parts.parameters.push((name, parameter.build()));
        self
    }

    /// A body that must be there, of this type.
    pub(crate) fn body(mut self, kind: &str, shape: Shape) -> Self {
        let content = ContentBuilder::new().schema(Some(shape.schema)).build();
        let body = RequestBodyBuilder::new().content(kind, content);
        self.told = self
            .told
            .request_body(Some(body.required(Some(Required::True)).build()));
        self.parts.schemas.extend(shape.named);
        self
    }

    /// A body that may be there, of any of these types.
    pub(crate) fn optional_body(mut self, kinds: &[&str], schema: &RefOr<Schema>) -> Self {
        let content = || ContentBuilder::new().schema(Some(schema.clone())).build();
        let body = kinds
            .iter()
            .fold(RequestBodyBuilder::new(), |body, kind| body.content(*kind, content()));
        self.told = self.told.request_body(Some(body.build()));
        self
    }

    /// One answer of the operation.
    pub(crate) fn answer(mut self, mut answer: Answer) -> Self {
        self.parts.schemas.append(&mut answer.named);
        let status = answer.status.to_string();
        self.told = match answer.name {
            Some(name) => {
                self.parts.responses.push((name, answer.into_response()));
                self.told.response(status, Ref::from_response_name(name))
            }
            None => self.told.response(status, answer.into_response()),
        };
        self
    }

    pub(super) fn into_parts(self) -> (path::Operation, Parts) {
        (self.told.build(), self.parts)
    }
}

/// A parameter.
pub(crate) fn parameter(
    place: ParameterIn,
    name: &str,
    schema: impl Into<RefOr<Schema>>,
    description: &str,
) -> ParameterBuilder {
    let required = if place == ParameterIn::Path {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
}

/// The schema of a text.
pub(crate) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The schema of one of these words.
pub(crate) fn word_of<'a>(words: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(words))
}
