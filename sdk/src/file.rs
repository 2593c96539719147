//! Files that the operator named, as lines of text: [`find_lines`] and [`list_lines`] take the name, and the host reads, indexes and follows the file.
//!
//! ```
//! use keyway_sdk::file;
//! # use keyway_sdk::{*, testing::{MockHost, verifier}};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Flat {}
//! # impl Backend for Flat {
//! #     type Config = Self;
//! #     fn describe() -> Description { description!().wants([Capability::File("people")]) }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! /// A line of the file is `login:verifier`.
//! fn verify(&self, _: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     let lines = file::find_lines("people", ':', 0, &login.identifier)?;
//!     let verifier = lines.first().and_then(|line| line.split(':').nth(1));
//!     if login.password_matches(verifier)? {
//!         return Ok(Principal::own(&login.identifier).into());
//!     }
//!     Ok(Refusal::WrongCredential.into())
//! }
//! # }
//! # let host = MockHost::new().file("people", &format!("# login:verifier\nalice:{}\n", verifier("s3cre7")));
//! # assert!(matches!(host.login::<Flat>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! # assert_eq!(host.login::<Flat>("Alice", "s3cre7"), Ok(Refusal::WrongCredential.into()));
//! ```

use crate::{Fault, host};

/// Some lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// In the file's order, without their ends.
    pub lines: Vec<String>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<u64>,
}

/// The lines whose field number `field`, counted from 0, is exactly `key`, where `separator` parts the fields: at most 8, in the file's order. Empty lines
/// and lines that begin with `#` are not looked at. It costs the same in a large file as in a small one.
///
/// Capability: [`File`](crate::Capability::File) of this name.
///
/// # Errors
/// [`FileError`]; as a [`Fault`] through `?`.
pub fn find_lines(name: &str, separator: char, field: u8, key: &str) -> Result<Vec<String>, FileError> {
    host::find_lines(name, separator, field, key)
}

/// At most `most` lines, and at most 64 KiB of them, from `start` on, which is 0 or a page's `next`. Empty lines, lines that begin with `#`, and those that are
/// longer than a page are left out.
///
/// Capability: [`File`](crate::Capability::File) of this name.
///
/// # Errors
/// As for [`find_lines`].
pub fn list_lines(name: &str, start: u64, most: u32) -> Result<Page, FileError> {
    host::list_lines(name, start, most)
}

/// Why a file was not read. None of them says anything about a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operator grants no file of this name; the value is the line to ask for.
    #[error("`{0}` is not granted")]
    NotGranted(String),
    /// The file cannot be read; the host's log says why.
    #[error("the file cannot be read")]
    Unavailable,
    /// This call has used up its look-ups or bytes.
    #[error("this call has used up its look-ups or bytes of files")]
    LimitReached,
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        let message = error.to_string();
        match error {
            FileError::NotGranted(_) => Self::Misconfigured(message),
            FileError::Unavailable => Self::Unavailable(message),
            FileError::LimitReached => Self::Internal(message),
        }
    }
}
