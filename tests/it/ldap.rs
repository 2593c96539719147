//! The ldap backend against a real directory, and against what is none.

mod change_password;
mod corp;
mod directory;
mod fail;
mod groups;
mod keep_secrets;
mod link;
mod log_in;
mod protect;
mod refuse_input;
mod renew;
mod service;
mod tenant;
mod walk;
