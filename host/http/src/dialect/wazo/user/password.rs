//! A user's password, changed by whoever knows it.

use axum::response::Response;
use keyway_core::Secret;
use keyway_core::model::UserId;

use super::{Sent, refused};
use crate::dialect::wazo::ask::Ask;
use crate::dialect::wazo::fields::Fields;
use crate::dialect::wazo::ids::Ids;
use crate::dialect::wazo::wire;
use crate::edge::{Payload, PayloadError};

/// How long a password may be: in characters here, in bytes at the core.
pub(in crate::dialect::wazo) const MAX_PASSWORD: usize = 1024;

pub(super) async fn change(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let changed = async {
        let caller = ask.authorize(&format!("auth.users.{id}.password.update")).await?;
        let mut fields = Fields::parse(payload)?;
        let old = secret(fields.required_text("old_password", 1..=MAX_PASSWORD));
        let new = secret(fields.required_text("new_password", 1..=MAX_PASSWORD));
        fields.finish("users")?;
        let directory = ask.wazo.directory();
        let changed = directory.change_password(UserId(id), &old, &new, caller.scope());
        changed.await.map_err(|error| refused(error, &Sent::default()))?;
        Ok(wire::no_content())
    };
    ask.answer(changed.await)
}

pub(in crate::dialect::wazo) fn secret(text: String) -> Secret<Vec<u8>> {
    Secret::new(text.into_bytes())
}
