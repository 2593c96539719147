//! What an operation takes or answers: shapes, and answers that have them.

use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::text;

/// Schemas by their names.
pub(super) type Named = Vec<(String, RefOr<Schema>)>;

/// A schema, and those that it refers to.
pub(crate) struct Shape {
    pub(super) schema: RefOr<Schema>,
    pub(super) named: Named,
}

impl Shape {
    /// This type's, by its name.
    pub(crate) fn of<T: ToSchema>() -> Self {
        let name = T::name().into_owned();
        let mut named = vec![(name.clone(), T::schema())];
        T::schemas(&mut named);
        Self {
            schema: Ref::from_schema_name(name).into(),
            named,
        }
    }

    /// This one, which has no name.
    pub(crate) fn just(schema: impl Into<RefOr<Schema>>) -> Self {
        Self {
            schema: schema.into(),
            named: Vec::new(),
        }
    }

    /// Any object.
    pub(crate) fn anything() -> Self {
        Self {
            schema: ObjectBuilder::new().schema_type(Type::Object).into(),
            named: Vec::new(),
        }
    }

    /// A list of these.
    pub(crate) fn list_of<T: ToSchema>() -> Self {
        let Self { schema, named } = Self::of::<T>();
        Self {
            schema: ArrayBuilder::new().items(schema).into(),
            named,
        }
    }

    /// One of these.
    pub(crate) fn any_of(shapes: impl IntoIterator<Item = Self>) -> Self {
        let mut any = AnyOfBuilder::new();
        let mut all = Vec::new();
        for Self { schema, named } in shapes {
            any = any.item(schema);
            all.extend(named);
        }
        Self {
            schema: any.into(),
            named: all,
        }
    }

    /// The same with another schema around it.
    pub(crate) fn within(self, around: impl FnOnce(RefOr<Schema>) -> Schema) -> Self {
        Self {
            schema: around(self.schema).into(),
            named: self.named,
        }
    }
}

/// One answer of an operation.
pub(crate) struct Answer {
    pub(super) status: u16,
    /// Under which name the document holds it, if several operations have it.
    pub(super) name: Option<&'static str>,
    pub(super) named: Named,
    response: ResponseBuilder,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn new(status: u16, description: &str) -> Self {
        Self {
            status,
            name: None,
            named: Vec::new(),
            response: ResponseBuilder::new().description(description),
        }
    }

    /// The same for several operations: told once, under this name.
    pub(crate) fn shared(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same with a JSON body.
    pub(crate) fn json(mut self, shape: Shape) -> Self {
        let content = ContentBuilder::new().schema(Some(shape.schema)).build();
        self.response = self.response.content("application/json", content);
        self.named.extend(shape.named);
        self
    }

    /// The same with a body that is text of this type.
    pub(crate) fn text(mut self, kind: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(text().build())).build();
        self.response = self.response.content(kind, content);
        self
    }

    /// The same with server-sent events, each with `data` of this shape.
    pub(crate) fn events(mut self, shape: Shape) -> Self {
        let content = ContentBuilder::new().schema(Some(shape.schema)).build();
        self.response = self.response.content("text/event-stream", content);
        self.named.extend(shape.named);
        self
    }

    /// The same with a page.
    pub(crate) fn html(self) -> Self {
        self.text("text/html")
    }

    /// The same with this header.
    pub(crate) fn header(mut self, name: &str, description: &str) -> Self {
        let header = HeaderBuilder::new().schema(Some(text())).description(Some(description));
        self.response = self.response.header(name, header.build());
        self
    }

    pub(super) fn into_response(self) -> Response {
        self.response.build()
    }
}
