//! What commands read from standard input.

use std::io::Read as _;

use keyway_core::Secret;

use super::failure::Failure;

/// More than this is no password and no token.
const LONGEST: u64 = 64 * 1024;

/// All of standard input, without the line break at its end. `what` names it in an error.
///
/// # Errors
/// It cannot be read, is empty, too long, or not text.
pub(crate) fn read_secret(what: &str) -> Result<Secret<String>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::failed(format!("cannot read the {what} from standard input: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(Failure::failed(format!(
            "the {what} on standard input is longer than {LONGEST} bytes"
        )));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::failed(format!("the {what} on standard input is not UTF-8 text")))?;
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
    if trimmed.is_empty() {
        return Err(Failure::failed(format!(
            "standard input holds no {what}; pipe it in, `printf %s ... | keyway ...`"
        )));
    }
    Ok(Secret::new(trimmed.to_owned()))
}
