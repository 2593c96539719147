//! Why a policy is none, or cannot be followed.

use keyway_core::port::StoreError;

/// Why a policy is none, or cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    /// It is not written as policies are, or asks for what this server does not do. In words for who wrote it.
    #[error("{0}")]
    Invalid(String),
    /// There is none of this name.
    #[error("the policy with name `{0}` does not exist")]
    Unknown(String),
    /// Policies of the same priority say different things. Nobody but their author can tell which is meant.
    #[error("contradicting values of `{action}` in the policies {}", .policies.join(", "))]
    Contradiction {
        /// Of which action.
        action: &'static str,
        /// The names of the policies.
        policies: Vec<String>,
    },
    /// A condition asks for what is not known of this request.
    #[error("the policy `{policy}` has a condition on `{key}` in the section `{section}`, which is not known here")]
    NotKnown {
        /// The policy.
        policy: String,
        /// Where it was looked for.
        section: &'static str,
        /// What was looked for.
        key: String,
    },
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
