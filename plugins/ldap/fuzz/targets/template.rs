//! A template that an operator may write, a newline, and a name that anybody may type.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (template, value) = text.split_once('\n').unwrap_or((text, "a*b"));
    ldap::fuzzing::fill(template, value);
});
