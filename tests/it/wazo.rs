//! The API of xivo-auth and wazo-auth.

mod administer;
mod check_token;
mod confirm;
mod issue_token;
pub(crate) mod mail;
mod read_document;
mod refuse_input;
mod register;
mod reset;
mod revoke_token;
