//! Refresh tokens as the store knows them: never the token itself.

use super::{Client, Identity, PluginDigest, RefreshTokenId, Timestamp, TokenDigest};

/// A client's right to new tokens without the password. One identity has one for each client id, mobile clients only one in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its id.
    pub id: RefreshTokenId,
    /// How it is found.
    pub digest: TokenDigest,
    /// Whose it is.
    pub identity: Identity,
    /// Which plugin file let its owner in.
    pub plugin: PluginDigest,
    /// Under which login name the backend knows a directory user whom it linked to somebody of its own; `None` for everybody else.
    pub linked_as: Option<String>,
    /// The client's name for itself, 1 to 1024 characters.
    pub client_id: String,
    /// Whether the client is a mobile one.
    pub mobile: bool,
    /// From where the first login came.
    pub client: Client,
    /// What the backend and the dialect wanted kept with the session.
    pub attributes: Vec<(String, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is no longer good; `None` for never.
    pub expires_at: Option<Timestamp>,
}
