//! A login with a digest of login name and password, in one account or in several of one name.

use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::{Credential, DigestAlgorithm, TenantId};
use keyway_core::token::{FactorRule, IssuedToken, LoginOutcome, LoginRequest, TokenError};

use super::ask::Ask;
use super::attempts::Ended;
use super::challenge::Response;
use super::error::Failure;
use super::security::BY_USER;
use crate::dialect::Dialect;

/// A digest, as it came.
pub(super) struct Digest<'a> {
    pub(super) algorithm: DigestAlgorithm,
    pub(super) value: &'a str,
}

/// A login under way.
pub(super) struct Login<'a> {
    pub(super) ask: &'a Ask,
    /// Under which kind an attempt is written.
    pub(super) kind: &'static str,
    pub(super) digest: Digest<'a>,
    pub(super) response: Option<Response>,
}

impl Login<'_> {
    /// Tries the accounts one after the other, until the digest is one of a user of it. One that nobody may log in to is told of if no other lets anybody in.
    ///
    /// # Errors
    /// [`Failure::InvalidCredentials`], [`Failure::Challenged`], or that something did not answer.
    pub(super) async fn run(&self, accounts: &[TenantId]) -> Result<IssuedToken, Failure> {
        let tokens = self.ask.kazoo.tokens();
        if accounts.is_empty() {
            // What a wrong digest costs, so that nobody learns which accounts there are.
            tokens.burn(Some(&(String::new(), self.credential()))).await?;
            return Err(Failure::InvalidCredentials);
        }
        let mut closed = None;
        for account in accounts {
            let ttl = self.ask.kazoo.ttl_of(*account, BY_USER).await?;
            match tokens.login(self.request(*account, ttl)).await {
                Ok(LoginOutcome::Issued(issued)) if issued.live.record.session.identity.tenant != *account => {
                    // Nobody has seen the token. What is allowed and written here is another account's.
                    tokens.revoke(&issued.value).await?;
                    let ended = Ended::Refused("invalid credentials");
                    self.ask.record(self.kind, *account, ended).await;
                }
                Ok(LoginOutcome::Issued(issued)) => {
                    self.ask.record(self.kind, *account, Ended::LetIn(&issued.live)).await;
                    return Ok(issued);
                }
                Ok(LoginOutcome::Challenged(asked)) => {
                    let ended = Ended::Refused("a second factor is asked for");
                    self.ask.record(self.kind, *account, ended).await;
                    return Err(Failure::Challenged(Box::new(asked)));
                }
                Err(error @ TokenError::Closed(_)) => {
                    self.ask
                        .record(self.kind, *account, Ended::Refused(&error.to_string()))
                        .await;
                    closed = closed.or(Some(error));
                }
                Err(TokenError::Refused(_)) => {
                    let ended = Ended::Refused("invalid credentials");
                    self.ask.record(self.kind, *account, ended).await;
                }
                Err(error @ TokenError::Factor(_)) => {
                    // The digest was right, so no other account is meant.
                    let ended = Ended::Refused("the one-time password was not accepted");
                    self.ask.record(self.kind, *account, ended).await;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(closed.map_or(Failure::InvalidCredentials, Failure::Token))
    }

    fn request(&self, account: TenantId, ttl: Duration) -> LoginRequest {
        let kazoo = &self.ask.kazoo;
        let response = self.response.as_ref();
        let transaction = response.and_then(|response| response.transaction.clone());
        let otp = response.map(|response| response.otp.clone());
        // The answer to a challenge says by its transaction who it is; without one it stands beside the digest.
        let (credential, otp) = match (&transaction, otp) {
            (Some(_), Some(otp)) => (Credential::Otp(otp), None),
            (_, otp) => (self.credential(), otp),
        };
        LoginRequest {
            backend: kazoo.settings().backend.clone(),
            credentials: Some((String::new(), credential)),
            tenant: Some(account.to_string()),
            ttl: Some(ttl),
            client: self.ask.client(),
            dialect: Dialect::Kazoo.name(),
            request_id: self.ask.call.id().to_owned(),
            attributes: Vec::new(),
            mobile: false,
            offline: None,
            otp,
            transaction,
            factors: FactorRule::WhereActive,
            limited: true,
        }
    }

    fn credential(&self) -> Credential {
        Credential::Digest {
            algorithm: self.digest.algorithm,
            value: Secret::new(self.digest.value.as_bytes().to_vec()),
        }
    }
}
