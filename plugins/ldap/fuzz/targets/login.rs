//! A directory that may send anything: through a login, a look-up and a change of password.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ldap::fuzzing::converse(bytes));
