//! What a request says of a user.

use keyway_core::directory::{AddUser, method_for};
use keyway_core::model::{AuthenticationMethod, Purpose, TenantId, UserId};
use keyway_core::port::{Uniqueness, UserChange};

use super::password::{MAX_PASSWORD, secret};
use crate::dialect::wazo::error::Failure;
use crate::dialect::wazo::fields::Fields;
use crate::edge::{Payload, PayloadError};

/// A user to be made in this tenant.
pub(super) fn new_user(tenant: TenantId, payload: Result<Payload, PayloadError>) -> Result<AddUser, Failure> {
    let mut fields = Fields::parse(payload)?;
    let id = fields.uuid("uuid").map(UserId);
    let password = fields.nullable_text("password", 1..=MAX_PASSWORD).map(secret);
    let email = fields.nullable_text("email_address", 1..=254);
    let change = common(&mut fields);
    fields.finish("users")?;
    Ok(AddUser {
        id,
        password,
        email,
        login: change.login,
        firstname: change.firstname,
        lastname: change.lastname,
        purpose: change.purpose.unwrap_or_default(),
        authentication_method: change.authentication_method,
        disabled: change.enabled == Some(false),
        tenant: Some(tenant.to_string()),
        unique: Uniqueness::Everywhere,
        ..AddUser::default()
    })
}

/// What is to take the place of what a user is: a field that is absent counts as one that was never set.
pub(super) fn change(payload: Result<Payload, PayloadError>) -> Result<UserChange, Failure> {
    let mut fields = Fields::parse(payload)?;
    let change = common(&mut fields);
    fields.finish("users")?;
    Ok(change)
}

fn common(fields: &mut Fields) -> UserChange {
    let purpose = fields.choice("purpose", &Purpose::ALL.map(|purpose| (purpose.as_str(), purpose)));
    let purpose = purpose.unwrap_or_default();
    let methods = AuthenticationMethod::ALL.map(|method| (method.as_str(), method));
    UserChange {
        login: fields.nullable_text("username", 1..=256),
        firstname: fields.nullable_text("firstname", 0..=256),
        lastname: fields.nullable_text("lastname", 0..=256),
        purpose: Some(purpose),
        authentication_method: fields
            .choice("authentication_method", &methods)
            .or_else(|| Some(method_for(purpose))),
        enabled: Some(fields.boolean("enabled").unwrap_or(true)),
    }
}
