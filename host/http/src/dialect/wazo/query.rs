//! `?scope=&tenant=`.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use keyway_core::token::CheckRequest;

/// What a check asks for. Of a repeated key the first counts; `scope=` asks for the empty access, which is not the same as none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CheckQuery {
    scope: Option<String>,
    tenant: Option<String>,
}

impl CheckQuery {
    fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "scope" => first(&mut parsed.scope, value),
                "tenant" => first(&mut parsed.tenant, value),
                _ => {}
            }
        }
        parsed
    }

    pub(super) fn request(&self) -> CheckRequest<'_> {
        CheckRequest {
            scope: self.scope.as_deref(),
            tenant: self.tenant.as_deref(),
        }
    }
}

fn first(slot: &mut Option<String>, value: Cow<'_, str>) {
    if slot.is_none() {
        *slot = Some(value.into_owned());
    }
}

impl<S: Sync> FromRequestParts<S> for CheckQuery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.uri.query().map(Self::parse).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_keeps_the_first_of_each_key_and_tells_empty_from_absent() {
        let of = |query| {
            let parsed = CheckQuery::parse(query);
            (parsed.scope, parsed.tenant)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(""), (None, None));
        assert_eq!(of("scope="), (some(""), None));
        assert_eq!(of("scope"), (some(""), None));
        assert_eq!(of("scope=a.b&scope=c&tenant=t"), (some("a.b"), some("t")));
        assert_eq!(of("scope=a.%23+x%C3%A9&other=1"), (some("a.# xé"), None));
        assert_eq!(of("scope=%ff%zz"), (some("\u{fffd}%zz"), None));
    }
}
