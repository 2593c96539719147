//! Tokens as callers present them: one core stands under all dialects, so each takes the genuine tokens of all.
//!
//! A token's form says whose it is, and only that one's key is asked whether it is genuine. Whether it is still good, the core says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyway_core::port::StoreError;
use keyway_core::token::{TokenError, TokenValue};
use serde::Deserialize;

use crate::AppState;
use crate::dialect::kazoo::{self, SigningError};

/// Why a text is no token of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// It is none by its form.
    #[error("the token is malformed")]
    Malformed,
    /// It is signed in a way that is not allowed.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// We did not sign it.
    #[error("the token is not genuine")]
    Signature,
    /// What stands behind it is none of ours.
    #[error("the token leads to nobody")]
    Identity,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
}

/// Why there is no token of the core behind a text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unpresentable {
    /// It is no token of any dialect.
    #[error(transparent)]
    None(Unreadable),
    /// The key that could tell cannot be read.
    #[error(transparent)]
    Key(#[from] SigningError),
}

impl From<Unpresentable> for TokenError {
    fn from(error: Unpresentable) -> Self {
        match error {
            Unpresentable::None(_) => Self::NotFound,
            Unpresentable::Key(SigningError::Store(error)) => Self::Store(error),
            Unpresentable::Key(error @ (SigningError::Sealed | SigningError::Rsa(_) | SigningError::Cut)) => {
                Self::Store(StoreError::Inconsistent {
                    what: error.to_string(),
                })
            }
        }
    }
}

/// Whose a JSON Web Token is.
enum Form {
    Kazoo,
    Privacyidea,
    Webitel,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Marks {
    /// Where privacyIDEA's have the token of the core.
    nonce: Option<serde::de::IgnoredAny>,
    /// Where Webitel's have it.
    s: Option<serde::de::IgnoredAny>,
}

/// The token of the core behind a text, whichever dialect made it.
///
/// # Errors
/// [`Unpresentable`].
pub(crate) async fn token_of(state: &AppState, text: &str) -> Result<TokenValue, Unpresentable> {
    if let Some(token) = TokenValue::parse(text) {
        return Ok(token);
    }
    match form_of(text).map_err(Unpresentable::None)? {
        Form::Kazoo => kazoo::token_of(state, text).await.map_err(|error| match error {
            kazoo::ReadError::Unreadable(reason) => Unpresentable::None(reason),
            kazoo::ReadError::Key(error) => error.into(),
        }),
        Form::Privacyidea => {
            let read = state.privacyidea_keys.token_of(text, state.clock.now());
            read.map_err(Unpresentable::None)
        }
        Form::Webitel => {
            let read = state.webitel.token_of(text, state.clock.now());
            read.map_err(Unpresentable::None)
        }
    }
}

fn form_of(text: &str) -> Result<Form, Unreadable> {
    let (header, rest) = text.split_once('.').ok_or(Unreadable::Malformed)?;
    let (claims, _) = rest.split_once('.').ok_or(Unreadable::Malformed)?;
    let header: Header = decode(header)?;
    match header.alg.as_str() {
        "RS256" => Ok(Form::Kazoo),
        "HS256" => match decode::<Marks>(claims)? {
            Marks { nonce: Some(_), .. } => Ok(Form::Privacyidea),
            Marks { s: Some(_), .. } => Ok(Form::Webitel),
            Marks { nonce: None, s: None } => Err(Unreadable::Malformed),
        },
        _ => Err(Unreadable::Algorithm),
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Unreadable> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Unreadable::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Unreadable::Malformed)
}
