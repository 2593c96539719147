//! What somebody may do, with its text: it is read far more often than it changes.

use std::ops::Deref;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Acl;

/// What somebody may do, and how that is written.
#[derive(Debug)]
pub(in crate::dialect::webitel) struct Written {
    acl: Acl,
    text: Box<RawValue>,
}

impl From<Acl> for Written {
    fn from(acl: Acl) -> Self {
        #[expect(clippy::expect_used, reason = "a map of lists with texts for keys is JSON")]
        let text = serde_json::value::to_raw_value(&acl).expect("an access list is JSON");
        Self { acl, text }
    }
}

impl Default for Written {
    /// Nothing.
    fn default() -> Self {
        Acl::default().into()
    }
}

impl Deref for Written {
    type Target = Acl;

    fn deref(&self) -> &Acl {
        &self.acl
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}
