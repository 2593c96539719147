//! The ldap backend against a real directory.

mod directory;
