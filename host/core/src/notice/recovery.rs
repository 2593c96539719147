//! Mails with a link by which somebody who has forgotten a password logs in.

use std::sync::Arc;
use std::time::Duration;

use super::{Link, NoticeError, NoticeService, Whose, address_for};
use crate::Secret;
use crate::model::{TenantId, TenantScope, User};
use crate::port::{Letter, Topic};
use crate::token::{ResetId, TokenValue};

/// Who has forgotten a password, and where the link is to lead.
#[derive(Debug, Clone)]
pub struct RecoveryRequest {
    /// The accounts among whose users somebody is looked for, the first one first.
    pub tenants: Vec<TenantId>,
    /// The login.
    pub login: String,
    /// Where the link leads: a URL that the caller has found to be allowed. `recovery` and the id are added to its query.
    pub ui_url: String,
    /// The access of the link, by which [`TokenService::login_by_link`](crate::token::TokenService::login_by_link) knows it.
    pub access: String,
    /// How long the link is good.
    pub lifetime: Duration,
}

impl NoticeService {
    /// Sends a link by which a user logs in without the password, if there is such a user who may. All of it happens after the return, which therefore takes
    /// the same time and says the same for everyone. To be called within a tokio runtime.
    pub fn request_recovery(self: &Arc<Self>, request: RecoveryRequest) {
        self.later(move |service| async move { service.write_recovery(&request).await });
    }

    async fn write_recovery(&self, request: &RecoveryRequest) -> Result<(), NoticeError> {
        let Some(mailer) = self.mailer() else {
            return Ok(());
        };
        let Some(user) = self.find_in(&request.tenants, &request.login).await? else {
            return Ok(());
        };
        let Some(email) = address_for(&user, &Whose::Login(request.login.clone())) else {
            tracing::info!(user = %user.id, "no mail is sent: the user has no confirmed address");
            return Ok(());
        };
        if !user.enabled || !self.directory.has_own_password(user.id).await? {
            tracing::info!(user = %user.id, "no mail is sent: the user cannot log in with a password of this host");
            return Ok(());
        }
        self.admit(user.id, &email.address)?;
        let account = self.directory.get_tenant(user.tenant, TenantScope::All).await?.name;
        let link = Link {
            topic: Topic::Recovery,
            access: request.access.clone(),
            lifetime: request.lifetime,
        };
        let fill = |letter: Letter, token: &TokenValue| {
            let id = ResetId {
                tenant: user.tenant,
                token: token.clone(),
            };
            let id = id.reveal();
            Letter {
                account,
                link: Some(with_query(&request.ui_url, &id)),
                token: id,
                ..letter
            }
        };
        self.post(mailer, &user, email, link, fill).await
    }

    /// The first who has this login in one of these accounts.
    async fn find_in(&self, tenants: &[TenantId], login: &str) -> Result<Option<User>, NoticeError> {
        for tenant in tenants {
            let found = self.directory.find_by_login(login, Some(&tenant.to_string())).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The URL with `recovery=ID` at the end of its query, which stands before a fragment.
fn with_query(url: &str, id: &Secret<String>) -> Secret<String> {
    let (page, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let sign = match page.find('?') {
        None => "?",
        Some(_) if page.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    Secret::new(format!("{page}{sign}recovery={}{fragment}", id.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stands_at_the_end_of_the_query_and_before_the_fragment() {
        let id = Secret::new("1f".to_owned());
        for (url, link) in [
            ("https://a.example/", "https://a.example/?recovery=1f"),
            ("https://a.example", "https://a.example?recovery=1f"),
            ("https://a.example/?", "https://a.example/?recovery=1f"),
            ("https://a.example/?x=1", "https://a.example/?x=1&recovery=1f"),
            ("https://a.example/?x=1&", "https://a.example/?x=1&recovery=1f"),
            ("https://a.example/#/apps?x", "https://a.example/?recovery=1f#/apps?x"),
            ("https://a.example/?x=1#y", "https://a.example/?x=1&recovery=1f#y"),
        ] {
            assert_eq!(with_query(url, &id).expose(), link);
        }
    }
}
