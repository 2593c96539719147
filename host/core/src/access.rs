//! Access patterns: parsing and evaluation in time linear in the text.

use crate::model::{IdentityId, SessionId};

/// A token's accesses, compiled for evaluation.
#[derive(Debug, Clone)]
pub struct AccessList {}

impl AccessList {
    /// Compiles the patterns. `me` stands for the identity, `my_session` for the session; both are taken literally.
    pub fn new(_patterns: &[String], _identity: IdentityId, _session: SessionId) -> Self {
        todo!()
    }

    /// Whether the required access is granted: no negative pattern matches it and a positive one does.
    pub fn grants(&self, _required: &str) -> bool {
        todo!()
    }
}
