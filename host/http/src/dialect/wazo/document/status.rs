//! Whether the server works, and this document where clients of the original look for theirs.

use crate::document::{Answer, Document, Operation};

pub(super) const TAG: &str = "status";

pub(in crate::dialect::wazo) fn head() -> Operation {
    Operation::open(TAG, "checkStatus", "Tells whether logins can work at all")
        .answer(Answer::new(200, "They can."))
        .answer(Answer::new(503, "The store does not answer."))
}

pub(in crate::dialect::wazo) fn document() -> Operation {
    let summary = "This document, where clients of wazo-auth look for its own";
    let answer = Answer::new(200, "The document. JSON is YAML.").text("application/x-yaml");
    Document::tell("getDocumentAsYaml", summary, answer)
}
