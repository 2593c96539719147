//! Realms and privacyIDEA's API: logins of a realm's users, checks of their rights, what more resolvers cost, and a look-up in a large flat file.

mod lookup;
mod native;
mod service;

use crate::table::Table;

/// `s3cre7`, as sha512crypt with its usual 5,000 rounds.
const SHA512CRYPT: &str =
    "$6$saltsaltsalt$XcizBz3Cbo5pnqB3CbZ.XPTTQdjuQH.2Mdaw57HMPvsYrcOCQFgk6AYO/jYvbnGuaZzqOLQMYHbp8pIOn5.CX/";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    service::measure(table)?;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    tokio.block_on(lookup::measure(table))
}
