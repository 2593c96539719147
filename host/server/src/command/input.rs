//! What commands read from standard input.

use std::io::{IsTerminal as _, Read as _};

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

/// What somebody types at a terminal, unseen; standard input where that is no terminal. `what` names it.
///
/// # Errors
/// As for [`read_secret`].
pub(crate) fn ask_secret(what: &str) -> Result<Secret<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return read_secret(what);
    }
    let typed = rpassword::prompt_password(format!("{what}: "));
    let typed = typed.map_err(|error| Failure::failed(format!("cannot read the {what} from the terminal: {error}")))?;
    if typed.is_empty() {
        return Err(Failure::failed(format!("no {what} was typed")));
    }
    Ok(Secret::new(typed))
}
