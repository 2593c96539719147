//! Tokens for links that are sent by mail: to reset a password, to confirm an address. Whoever holds one has read the user's mail.

use std::time::Duration;

use super::open::{Draft, Standing};
use super::{IssuedToken, TokenError, TokenService};
use crate::model::{BackendName, Client, Email, Identity, LINK_DIALECT, PluginDigest, Refusal, Session, User, UserId};
use crate::port::Refreshing;

/// The attribute of a link's session that holds the id of the address that the link went to.
pub(crate) const LINK_ADDRESS: &str = "link.address";

/// Whether the address that a link went to is confirmed and the user's still. A link that went to none is good without.
pub(crate) fn leads_to(link: &Session, user: &User) -> bool {
    let went_to = link.attributes.iter().find(|(name, _)| name == LINK_ADDRESS);
    went_to.is_none_or(|(_, address)| {
        let is_it = |email: &Email| email.confirmed && email.id.to_string() == *address;
        user.emails.iter().any(is_it)
    })
}

impl TokenService {
    /// Makes a token of these accesses and no others for a directory user, for the link of a mail. It lives for `ttl`, whatever logins may
    /// ask for, and ends with everything else of the user's: with a new password for example. It is no login: no list of a user's sessions
    /// shows it and it counts toward no limit. The list of all sessions does, as nobody's, so that it can be ended.
    ///
    /// # Errors
    /// [`TokenError::Refused`] for a user who is unknown or disabled, [`TokenError::Closed`], [`TokenError::Store`].
    pub async fn mint_link(
        &self,
        user: UserId,
        accesses: Vec<String>,
        ttl: Duration,
        attributes: Vec<(String, String)>,
    ) -> Result<IssuedToken, TokenError> {
        let since = self.store.revocation_mark().await?;
        let user = match self.store.find_user(user).await? {
            None => return Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Some(user) if !user.enabled => return Err(TokenError::Refused(Refusal::Disabled)),
            Some(user) => user,
        };
        let draft = Draft {
            identity: Identity::of_user(&user, BackendName::host()),
            standing: Standing {
                purpose: user.purpose,
                admin: None,
            },
            plugin: PluginDigest::NONE,
            dialect: LINK_DIALECT.to_owned(),
            client: Client::default(),
            attributes,
            mobile: false,
            accesses: accesses.into(),
            ttl,
            not_after: None,
            since,
            is_login: false,
            refresh: Refreshing::No,
            actor: None,
        };
        self.open(draft).await
    }
}
