//! Equal lists are kept once, however many tokens carry them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{AccessList, Compiled};
use crate::model::{IdentityId, SessionId, Token};

/// Entries of lists that no token carries any more are removed when the map has grown to twice what was alive, and to this at least.
const SMALLEST_PURGE: usize = 256;

/// Keeps equal access lists once: most tokens carry one of a few lists of policies.
#[derive(Debug, Default)]
pub struct AccessShare {
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    known: HashMap<Arc<[String]>, Weak<Compiled>>,
    purge_at: usize,
}

impl AccessShare {
    /// The compiled list of a token, whose own copy of the patterns gives way to the shared one.
    pub fn compile(&self, token: &mut Token, identity: IdentityId, session: SessionId) -> AccessList {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lists
            .known
            .get_key_value(&token.accesses)
            .and_then(|(patterns, compiled)| Some((Arc::clone(patterns), compiled.upgrade()?)));
        let compiled = match known {
            Some((patterns, compiled)) => {
                token.accesses = patterns;
                compiled
            }
            None => lists.add(&token.accesses),
        };
        AccessList::from_compiled(compiled, identity, session)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).known.len()
    }
}

impl Lists {
    fn add(&mut self, patterns: &Arc<[String]>) -> Arc<Compiled> {
        let compiled = Arc::new(Compiled::new(patterns));
        self.known.insert(Arc::clone(patterns), Arc::downgrade(&compiled));
        if self.known.len() >= self.purge_at.max(SMALLEST_PURGE) {
            self.known.retain(|_, compiled| compiled.strong_count() > 0);
            self.purge_at = self.known.len() * 2;
        }
        compiled
    }
}
