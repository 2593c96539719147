//! What stands behind the import `delegate`: the other backends, who asks whom, and the seal on what a guest carries from one call to the next.

use std::sync::{Arc, Weak};
use std::time::Instant;

use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::model::{BackendName, Timestamp};
use keyway_core::port::{Backend, BackendFault, BackendSlot, Backends as _, Clock, RequestContext, SystemRandom};

use crate::registry::{CHALLENGE_LIFE, Registry};

/// How deeply questions may be nested: a backend asks one that asks one, and so on.
pub(crate) const DEPTH: usize = 4;

/// The attribute of a request that names the backends on whose behalf somebody is asked, the first one first. No guest can set it, and no caller.
const ASKED_BY: &str = "keyway.asked-by";
/// What stands between two names there. No name holds it.
const BETWEEN: char = ',';

/// What backends know of each other.
pub(crate) struct Delegation {
    /// The registry holds the generations that hold this.
    backends: Weak<Registry>,
    seal: MasterKey,
    clock: Arc<dyn Clock>,
}

impl Delegation {
    /// For the backends of this registry. What is sealed under the key can be opened by every host that has it.
    pub(crate) fn new(backends: &Arc<Registry>, key: &Secret<[u8; 32]>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            backends: Arc::downgrade(backends),
            seal: MasterKey::new(*key.expose()),
            clock,
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<BackendSlot> {
        self.backends.upgrade()?.find(name)
    }

    /// Seals the state of a challenge of `asked` for `asker`, who then can neither read nor alter it, nor use another's.
    pub(crate) fn seal(&self, asker: &BackendName, asked: &BackendName, state: &[u8]) -> Vec<u8> {
        let until = self.clock.now().plus(CHALLENGE_LIFE);
        let text = Secret::new([until.0.to_le_bytes().as_slice(), state].concat());
        self.seal.seal(&place(asker, asked), &text, &SystemRandom)
    }

    /// The state, while it is good.
    pub(crate) fn open(&self, asker: &BackendName, asked: &BackendName, sealed: &[u8]) -> Option<Vec<u8>> {
        let text = self.seal.open(&place(asker, asked), sealed)?;
        let (until, state) = text.expose().split_first_chunk::<8>()?;
        (self.clock.now() < Timestamp(i64::from_le_bytes(*until))).then(|| state.to_vec())
    }
}

fn place(asker: &BackendName, asked: &BackendName) -> String {
    format!("delegated challenge/{asker}/{asked}")
}

/// The backends on whose behalf this request asks, the first one first.
pub(crate) fn askers(context: &RequestContext) -> impl Iterator<Item = &str> {
    let named = context.attributes.iter().find(|(name, _)| name == ASKED_BY);
    named.into_iter().flat_map(|(_, names)| names.split(BETWEEN))
}

/// How deeply this request is nested; 0 for one that somebody made who is no backend.
pub(crate) fn depth(context: &RequestContext) -> usize {
    askers(context).count().min(DEPTH)
}

/// The same request on behalf of one more backend.
pub(crate) fn on_behalf_of(context: &RequestContext, asker: &BackendName) -> RequestContext {
    let mut names: Vec<&str> = askers(context).collect();
    names.push(asker.as_str());
    let value = names.join(&BETWEEN.to_string());
    let mut attributes = context.attributes.clone();
    attributes.retain(|(name, _)| name != ASKED_BY);
    attributes.push((ASKED_BY.to_owned(), value));
    RequestContext {
        attributes,
        ..context.clone()
    }
}

/// A question to another backend, as it is put.
pub(crate) struct Question {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) context: RequestContext,
    pub(crate) deadline: Instant,
}

/// Puts a question through the backend's own gate, within what is left of the asker's time.
pub(crate) async fn ask<T, F>(
    slot: &BackendSlot,
    context: RequestContext,
    askers_deadline: Instant,
    question: impl FnOnce(Question) -> F,
) -> Result<T, BackendFault>
where
    F: Future<Output = Result<T, BackendFault>>,
{
    let now = Instant::now();
    let left = askers_deadline.saturating_duration_since(now);
    // The asker needs some of it, to say what it makes of the answer or of there being none.
    let given = (left * 9 / 10).min(slot.deadline);
    let deadline = now + given;
    let pass = slot.gate.enter(deadline).await?;
    let asked = question(Question {
        backend: Arc::clone(&slot.backend),
        context,
        deadline,
    });
    // A backend watches its own deadline, and its fault says more than this one.
    let latest = deadline + left / 20;
    let late = |_| Err(BackendFault::DeadlineExceeded(given));
    let answered = tokio::time::timeout_at(latest.into(), asked).await.unwrap_or_else(late);
    match &answered {
        // Too little time says nothing about the one that was asked.
        Err(BackendFault::DeadlineExceeded(_)) if given < slot.deadline / 2 => drop(pass),
        answered => pass.settle(answered.as_ref().err()),
    }
    answered
}

#[cfg(test)]
mod tests {
    use keyway_core::port::SystemClock;

    use super::*;

    fn name(text: &str) -> BackendName {
        BackendName::parse(text).unwrap()
    }

    fn delegation() -> Arc<Delegation> {
        Delegation::new(&Arc::new(Registry::new()), &Secret::new([7; 32]), Arc::new(SystemClock))
    }

    #[test]
    fn a_request_tells_on_whose_behalf_it_is_made() {
        let context = RequestContext {
            attributes: vec![("wazo.session-type".to_owned(), "mobile".to_owned())],
            ..RequestContext::default()
        };
        assert_eq!(depth(&context), 0);
        let nested = on_behalf_of(&on_behalf_of(&context, &name("a")), &name("b.c"));
        assert_eq!(askers(&nested).collect::<Vec<_>>(), ["a", "b.c"]);
        assert_eq!((depth(&nested), nested.attributes.len()), (2, 2));
    }

    #[test]
    fn the_state_of_a_challenge_is_good_for_whom_it_was_sealed_and_unaltered() {
        let delegation = delegation();
        let (a, b, c) = (name("a"), name("b"), name("c"));
        let sealed = delegation.seal(&a, &b, b"state");
        assert!(!sealed.windows(5).any(|part| part == b"state"));
        assert_eq!(delegation.open(&a, &b, &sealed), Some(b"state".to_vec()));
        assert_eq!(delegation.open(&a, &c, &sealed), None);
        assert_eq!(delegation.open(&c, &b, &sealed), None);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(delegation.open(&a, &b, &altered), None);
        }
        assert_eq!(delegation.open(&a, &b, b""), None);
    }

    #[test]
    fn the_state_of_a_challenge_expires() {
        struct Late(SystemClock);
        impl Clock for Late {
            fn now(&self) -> Timestamp {
                self.0.now().plus(CHALLENGE_LIFE)
            }
        }
        let (a, b) = (name("a"), name("b"));
        let sealed = delegation().seal(&a, &b, b"state");
        let late = Delegation::new(
            &Arc::new(Registry::new()),
            &Secret::new([7; 32]),
            Arc::new(Late(SystemClock)),
        );
        assert_eq!(late.open(&a, &b, &sealed), None);
    }
}
