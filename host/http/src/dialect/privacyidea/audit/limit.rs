//! How often somebody may log in, and may fail to: counted in the audit.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use keyway_core::port::AuditCount;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::PROOFS;
use crate::dialect::privacyidea::answer::Authentication;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policy::{AuthorizationRules, Limit};

/// How many users can be judged at a time while their attempts are counted.
const PLACES: usize = 256;

/// Lets one attempt of a user be judged after the other where they are counted, so that many at once are not counted as one.
pub(crate) struct Turns {
    places: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            places: std::iter::repeat_with(Arc::default).take(PLACES).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Turns {
    async fn wait(&self, user: &str, realm: &str) -> Option<OwnedMutexGuard<()>> {
        let hash = self.hasher.hash_one((user, realm));
        let place = usize::try_from(hash % self.places.len().max(1) as u64).ok()?;
        Some(Arc::clone(self.places.get(place)?).lock_owned().await)
    }
}

impl Ask {
    /// Waits for this user's turn and counts what came before; what is over a limit is told in words for the caller.
    ///
    /// # Errors
    /// That the store did not answer: what cannot be counted is not let in.
    pub(in crate::dialect::privacyidea) async fn over_limit(
        &self,
        rules: &AuthorizationRules,
        user: &str,
        realm: &str,
    ) -> Result<Option<String>, Failure> {
        if rules.max_fail.is_none() && rules.max_success.is_none() {
            return Ok(None);
        }
        let turn = self.pi.policies().turns().wait(user, realm).await;
        self.note(|note| note.turn = turn);
        let limits = [
            (&rules.max_fail, Authentication::Reject, "failed logins"),
            (&rules.max_success, Authentication::Accept, "logins"),
        ];
        for (limit, authentication, what) in limits {
            if let Some(Limit { count, within, written }) = limit {
                let counted = AuditCount {
                    actions: PROOFS,
                    user,
                    realm,
                    authentication: authentication.name(),
                    within: *within,
                };
                if self.pi.store().count_audit(&counted).await? >= *count {
                    // It was not judged, so it is no attempt that counts.
                    self.note(|note| {
                        Authentication::Declined
                            .name()
                            .clone_into(&mut note.entry.authentication);
                    });
                    return Ok(Some(format!("Only {count} {what} are allowed ({written})")));
                }
            }
        }
        Ok(None)
    }
}
