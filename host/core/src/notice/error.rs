//! Why a mail was not written, or a link not followed.

use std::time::Duration;

use crate::directory::DirectoryError;
use crate::model::{EmailId, UserId};
use crate::token::TokenError;

/// Why a mail was not written, or a link not followed.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The directory refused or did not answer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The link's token could not be made or ended.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The address is confirmed.
    #[error("the address `{0}` is confirmed already")]
    AlreadyConfirmed(EmailId),
    /// The user or the address had as many mails as one may have.
    #[error("too many mails to this user or address")]
    TooMany {
        /// When there may be one more.
        retry_after: Duration,
    },
    /// Somebody used this user's link a moment ago, or the address that it went to is not the user's any more.
    #[error("the link is not good any more")]
    Used(UserId),
}
