//! Users who register themselves, where the operator lets them.

use axum::response::Response;
use keyway_core::directory::Registration;

use super::ask::Ask;
use super::document::user as tell;
use super::error::Failure;
use super::fields::Fields;
use super::user::{self, MAX_PASSWORD, Sent, refused, secret};
use super::wire;
use crate::document::{Methods, Routes, post};
use crate::edge::{Payload, PayloadError};

/// The routes, below the API's prefix. Where nobody may register, there is no such page, whatever the method: the word is no user's id.
pub(super) fn routes(open: bool) -> Routes {
    let methods = if open {
        post(tell::register, register)
    } else {
        Methods::none(async || wire::not_found_page())
    };
    Routes::new().route("/users/register", methods)
}

async fn register(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let registered = async {
        let registration = read(payload)?;
        let sent = Sent {
            login: registration.login.clone(),
            email: Some(registration.email.clone()),
            ..Sent::default()
        };
        let added = ask.wazo.directory().register(registration).await;
        let user = added.map_err(|error| refused(error, &sent))?;
        ask.wazo.notices().welcome(&user).await;
        Ok(wire::ok(&user::body(&user)))
    };
    ask.answer(registered.await)
}

fn read(payload: Result<Payload, PayloadError>) -> Result<Registration, Failure> {
    let mut fields = Fields::parse(payload)?;
    let login = fields.nullable_text("username", 1..=256);
    let password = secret(fields.required_text("password", 1..=MAX_PASSWORD));
    let email = fields.required_text("email_address", 1..=254);
    let firstname = fields.nullable_text("firstname", 0..=256);
    let lastname = fields.nullable_text("lastname", 0..=256);
    fields.finish("users")?;
    Ok(Registration {
        login,
        password,
        email,
        firstname,
        lastname,
    })
}
