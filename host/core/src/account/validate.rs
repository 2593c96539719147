//! What the values of accounts and profiles may look like.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::directory::DirectoryError;
use crate::model::{Account, MAX_ACCOUNT_DOCUMENT, MAX_PHONE_NUMBERS, Profile, phone_key};

/// The longest phone number in characters, with whatever people write between its digits.
const MAX_PHONE_NUMBER: usize = 64;

type Validity = Result<(), DirectoryError>;

pub(super) fn account(account: &Account) -> Validity {
    locale(account.language.as_deref(), account.timezone.as_deref())?;
    phone_numbers(&account.phone_numbers)?;
    document(&account.document)
}

pub(super) fn profile(profile: &Profile) -> Validity {
    locale(profile.language.as_deref(), profile.timezone.as_deref())?;
    document(&profile.document)
}

/// Only what they look like: which time zones there are is the clients' business, and changes from year to year.
fn locale(language: Option<&str>, timezone: Option<&str>) -> Validity {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_language = |text: &str| {
        text.len() <= 35 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.split('-').all(is_part)
    };
    check(
        language.is_none_or(is_language),
        "language",
        "a language tag like `en` or `en-us`, at most 35 characters",
    )?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(legal);
    let is_zone = |text: &str| text.len() <= 64 && text.split('/').all(is_name);
    check(
        timezone.is_none_or(is_zone),
        "timezone",
        "the name of a time zone like `Europe/Berlin`, at most 64 characters",
    )
}

fn phone_numbers(numbers: &[String]) -> Validity {
    check(
        numbers.len() <= MAX_PHONE_NUMBERS,
        "phone_numbers",
        "at most 1000 numbers",
    )?;
    let mut keys = HashSet::new();
    for number in numbers {
        let well_formed = number.chars().count() <= MAX_PHONE_NUMBER && !number.contains(char::is_control);
        let key = phone_key(number).filter(|_| well_formed);
        let Some(key) = key else {
            return Err(DirectoryError::Invalid {
                field: "phone_numbers",
                rule: "each at most 64 characters with a digit among them, none of them a control character",
            });
        };
        check(keys.insert(key), "phone_numbers", "the same number only once")?;
    }
    Ok(())
}

fn document(document: &Map<String, Value>) -> Validity {
    let length = serde_json::to_vec(document).map_or(usize::MAX, |text| text.len());
    check(
        length <= MAX_ACCOUNT_DOCUMENT,
        "document",
        "at most 64 KiB of JSON for all that has no field of its own",
    )
}

fn check(valid: bool, field: &'static str, rule: &'static str) -> Validity {
    if valid {
        Ok(())
    } else {
        Err(DirectoryError::Invalid { field, rule })
    }
}
