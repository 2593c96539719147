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

/// A place, held. Whoever comes next gets it when this one is dropped.
pub(super) struct Turn {
    place: usize,
    _held: OwnedMutexGuard<()>,
}

impl Turns {
    fn place(&self, user: &str, realm: &str) -> usize {
        let hash = self.hasher.hash_one((user, realm));
        usize::try_from(hash % self.places.len().max(1) as u64).unwrap_or_default()
    }

    async fn wait(&self, place: usize) -> Option<Turn> {
        let held = Arc::clone(self.places.get(place)?).lock_owned().await;
        Some(Turn { place, _held: held })
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
        self.take_turn(user, realm).await;
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

    /// Waits for this user's turn, unless this request has it already: nobody comes after itself. The turn of another user is given up before. The entry is
    /// about the last one alone, and who waits with a turn in hand may wait for somebody that waits for it.
    async fn take_turn(&self, user: &str, realm: &str) {
        let turns = self.pi.policies().turns();
        let place = turns.place(user, realm);
        let mut is_mine = false;
        self.note(|note| {
            is_mine = note.turn.as_ref().is_some_and(|turn| turn.place == place);
            if !is_mine {
                note.turn = None;
            }
        });
        if !is_mine {
            let turn = turns.wait(place).await;
            self.note(|note| note.turn = turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::extract::{FromRequest as _, Request};
    use tokio::time::timeout;

    use super::*;
    use crate::testing::TestState;

    /// A clock that stands still jumps there as soon as nobody has anything to do but to wait.
    const NEVER: Duration = Duration::from_hours(24);

    async fn ask(state: &TestState) -> Ask {
        let request = Request::post("/auth").body(Body::empty()).unwrap();
        let Ok(ask) = Ask::from_request(request, &state.state).await;
        ask
    }

    /// Whether its turn came.
    async fn is_counted(ask: &Ask, user: &str) -> bool {
        let rules = AuthorizationRules {
            max_fail: Limit::parse("5/10m"),
            ..AuthorizationRules::default()
        };
        let counted = timeout(NEVER, ask.over_limit(&rules, user, "realm1")).await;
        counted.is_ok_and(|over| over.unwrap().is_none())
    }

    /// Users at places of their own.
    fn two_users(state: &TestState) -> [String; 2] {
        let turns = state.state.privacyidea_policies.turns();
        let place = |user: &str| turns.place(user, "realm1");
        let first = "carol".to_owned();
        let mut others = (0..).map(|number| format!("dave{number}"));
        let second = others.find(|user| place(user) != place(&first)).unwrap();
        [first, second]
    }

    #[tokio::test]
    async fn a_request_does_not_wait_for_itself() {
        let state = TestState::new().await;
        let [carol, dave] = two_users(&state);
        let (first, second) = (ask(&state).await, ask(&state).await);
        tokio::time::pause();
        for user in [&carol, &carol, &dave, &dave, &carol] {
            assert!(is_counted(&first, user).await, "{user}");
        }
        assert!(
            !is_counted(&second, &carol).await,
            "it is counted before the first has ended"
        );
        drop(first);
        assert!(is_counted(&second, &carol).await, "nobody is before it");
    }

    #[tokio::test]
    async fn requests_about_each_others_users_do_not_wait_for_each_other() {
        let state = TestState::new().await;
        let [carol, dave] = two_users(&state);
        let (first, second) = (ask(&state).await, ask(&state).await);
        tokio::time::pause();
        assert!(is_counted(&first, &carol).await && is_counted(&second, &dave).await);
        let crossed = async { tokio::join!(is_counted(&first, &dave), is_counted(&second, &carol)) };
        assert_eq!(crossed.await, (true, true));
    }
}
