//! Refresh tokens: from the token in clear to what this system keeps of one.

use super::{ImportError, ImportKind, Outcome, PAGE, Run, parse};
use crate::Secret;
use crate::model::{BackendName, Client, Identity, PluginDigest, RefreshToken, RefreshTokenId, UserId};
use crate::port::{ForeignRefreshToken, StoreError};
use crate::token::TokenValue;

/// The backend of a refresh token that names none that this system could have.
const BACKEND: &str = "wazo_user";

impl Run<'_> {
    pub(super) async fn refresh_tokens(&mut self, rows: u64) -> Result<(), ImportError> {
        self.progress.begin(ImportKind::RefreshToken, rows);
        let mut after = Secret::new(String::new());
        loop {
            let page = self.foreign.refresh_tokens(&after, PAGE).await;
            let page = page.map_err(ImportError::Foreign)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.value.clone();
            for token in page {
                let became = self.refresh_token(&token).await?;
                let id = format!("{}/{}", token.user, token.client_id);
                self.note(ImportKind::RefreshToken, &id, became);
            }
        }
    }

    async fn refresh_token(&self, foreign: &ForeignRefreshToken) -> Result<Outcome, ImportError> {
        let Some(value) = TokenValue::parse(foreign.value.expose()) else {
            return Ok(Outcome::skipped("it is no UUID"));
        };
        if !(1..=1024).contains(&foreign.client_id.chars().count()) {
            return Ok(Outcome::skipped("its client id is empty or too long"));
        }
        let user = match parse(&foreign.user) {
            Ok(user) if self.users.contains(&user) => UserId(user),
            Ok(_) | Err(_) => return Ok(Outcome::skipped("its user was not brought in")),
        };
        let keys = &self.importer.keys;
        for digest in keys.digests(&value) {
            let known = self.store().find_refresh_token(&digest).await;
            if known.map_err(ImportError::Store)?.is_some() {
                return Ok(Outcome::Present);
            }
        }
        let known = self
            .store()
            .find_refresh_token_of(user.into(), &foreign.client_id)
            .await;
        if known.map_err(ImportError::Store)?.is_some() {
            return Ok(Outcome::Present);
        }
        if self.how.dry_run {
            return Ok(Outcome::Added);
        }
        let Some(user) = self.store().find_user(user).await.map_err(ImportError::Store)? else {
            return Ok(Outcome::skipped("its user is not here"));
        };
        let Some(backend) = backend(foreign.backend.as_deref()) else {
            return Ok(Outcome::skipped("its backend has no name that a backend can have"));
        };
        let now = self.importer.clock.now();
        let mut identity = Identity::of_user(&user, backend);
        if let Some(login) = &foreign.login {
            identity.login.clone_from(login);
        }
        let token = RefreshToken {
            id: RefreshTokenId(self.importer.random.uuid()),
            digest: keys.digest(&value),
            identity,
            // No plugin of this system let its owner in.
            plugin: PluginDigest([0; 32]),
            client_id: foreign.client_id.clone(),
            mobile: foreign.mobile,
            client: Client {
                address: foreign.address.clone(),
                user_agent: foreign.user_agent.clone(),
            },
            attributes: foreign.attributes.clone(),
            created_at: foreign.created_at.unwrap_or(now),
            expires_at: self.how.refresh_ttl.map(|ttl| now.plus(ttl)),
        };
        match self.store().add_refresh_token(&token).await {
            Ok(true) => Ok(Outcome::Added),
            Ok(false) => Ok(Outcome::Present),
            Err(error @ (StoreError::Missing { .. } | StoreError::Inconsistent { .. })) => {
                Ok(Outcome::skipped(error.to_string()))
            }
            Err(error) => Err(ImportError::Store(error)),
        }
    }
}

fn backend(name: Option<&str>) -> Option<BackendName> {
    let named = name.and_then(|name| BackendName::parse(name).ok());
    named.or_else(|| BackendName::parse(BACKEND).ok())
}
