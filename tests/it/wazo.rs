//! The token API of xivo-auth and wazo-auth.

mod check_token;
mod issue_token;
mod refuse_input;
mod revoke_token;
