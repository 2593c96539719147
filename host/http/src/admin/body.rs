//! Request bodies of the admin API.

use std::fmt;

use axum::extract::{FromRequest, Request};
use keyway_core::Secret;
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::AdminError;
use crate::edge::Payload;

/// A JSON body, whatever its content type. Unknown keys are errors: a misspelt one would otherwise be a silent default.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminError> {
        let payload = Payload::from_request(request, state).await?;
        Ok(Self(serde_json::from_slice(&payload).map_err(AdminError::Body)?))
    }
}

/// A password in a body: secret from the moment that it is read, and never part of an error.
#[derive(Debug)]
pub(super) struct Password(pub(super) Secret<Vec<u8>>);

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Any, so that a value of another type comes here and not into an error.
        deserializer.deserialize_any(PasswordVisitor)
    }
}

struct PasswordVisitor;

impl Visitor<'_> for PasswordVisitor {
    type Value = Password;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a password as text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Password, E> {
        Ok(Password(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Password, E> {
        Ok(Password(Secret::new(text.into_bytes())))
    }

    // serde's own wording would repeat the value.
    fn visit_i64<E: Error>(self, _: i64) -> Result<Password, E> {
        Err(E::custom("a password is text, not a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Password, E> {
        Err(E::custom("a password is text, not a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Password, E> {
        Err(E::custom("a password is text, not a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_text_and_shows_in_no_error() {
        let read = serde_json::from_str::<Password>;
        let password = read("\"s3\\u0063re7\"").expect("text");
        assert_eq!(password.0, Secret::from("s3cre7"));
        assert!(!format!("{password:?}").contains("s3cre7"));
        for number in ["4711", "-4711", "4711.5"] {
            let error = read(number).expect_err("a number").to_string();
            assert!(!error.contains("4711"), "{error}");
        }
    }
}
