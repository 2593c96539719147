//! Whether the directory can be reached and lets the plugin do its work.

use keyway_sdk::Fault;
use ldap3_proto::proto::LdapSearchScope;

use crate::connection::Network;
use crate::directory::Directory;
use crate::filter;
use crate::session::{Filter, Search};
use crate::verdict::refused_operation;

/// No attribute at all (RFC 4511, 4.5.1.8).
pub(crate) const NOTHING: &str = "1.1";

impl<N: Network> Directory<'_, N> {
    /// Connects, binds as the service and looks for the users' base. Without a service account it asks what anybody may ask, the root entry; that a
    /// directory answers at all is enough then, for it need not tell strangers anything.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let account = self.account()?;
        let (mut session, base) = match &account {
            Some(account) => (
                self.bind_service(account, Fault::Misconfigured)?,
                self.settings.user_base_dn.as_str(),
            ),
            None => (self.network.open()?, ""),
        };
        let hits = session.search(&Search {
            base,
            scope: LdapSearchScope::Base,
            filter: Filter::Text(filter::anything()),
            attributes: &[NOTHING.to_owned()],
            limit: 1,
        })?;
        session.unbind();
        if account.is_some() && !hits.answer.is_success() {
            return Err(refused_operation(
                "the service account a look at `user_base_dn`",
                &hits.answer,
            ));
        }
        Ok(())
    }
}
