//! Databases that the operator named, read only: [`query`] takes the name, and the host knows the address and the password.
//!
//! ```
//! use keyway_sdk::database;
//! # use keyway_sdk::{*, database::Row, testing::{MockHost, verifier}};
//! # #[derive(Deserialize, JsonSchema)]
//! # #[serde(crate = "keyway_sdk::serde")]
//! # struct Staff {}
//! # impl Backend for Staff {
//! #     type Config = Self;
//! #     fn describe() -> Description { description!().wants([Capability::Sql("hr")]) }
//! #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
//! fn verify(&self, _: &Context, login: &Login) -> Result<Outcome, Fault> {
//!     let rows = database::query("hr", "SELECT hash FROM staff WHERE login = $1", &[&login.identifier], 2)?;
//!     let verifier = match rows.as_slice() {
//!         [row] => row.get("hash"),
//!         _ => None,
//!     };
//!     if login.password_matches(verifier)? {
//!         return Ok(Principal::own(&login.identifier).into());
//!     }
//!     Ok(Refusal::WrongCredential.into())
//! }
//! # }
//! # let hash = verifier("s3cre7");
//! # let host = MockHost::new().database("hr", move |_statement, parameters| {
//! #     Ok(if parameters == ["alice"] { vec![Row::from([("hash", Some(hash.as_str()))])] } else { vec![] })
//! # });
//! # assert!(matches!(host.login::<Staff>("alice", "s3cre7"), Ok(Outcome::Verified(_))));
//! # assert_eq!(host.login::<Staff>("bob", "s3cre7"), Ok(Refusal::WrongCredential.into()));
//! ```

use crate::{Fault, host};

/// A row of an answer.
///
/// ```
/// use keyway_sdk::database::Row;
///
/// let row = Row::from([("Login", Some("alice")), ("phone", None)]);
/// assert_eq!((row.get("login"), row.get("phone")), (Some("alice"), None));
/// assert!(row.has("phone") && !row.has("mobile"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(Vec<(String, Option<String>)>);

impl Row {
    /// The value of this column as text; `None` for NULL, and where there is no such column. Where no column has exactly this name, case does not count:
    /// databases differ in how they spell the names that they were given.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.find(column).and_then(|(_, value)| value.as_deref())
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.find(column).is_some()
    }

    fn find(&self, column: &str) -> Option<&(String, Option<String>)> {
        let exact = self.0.iter().find(|(name, _)| name == column);
        exact.or_else(|| self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)))
    }
}

impl From<Vec<(String, Option<String>)>> for Row {
    fn from(columns: Vec<(String, Option<String>)>) -> Self {
        Self(columns)
    }
}

impl<const N: usize> From<[(&str, Option<&str>); N]> for Row {
    fn from(columns: [(&str, Option<&str>); N]) -> Self {
        let owned = columns
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)));
        Self(owned.collect())
    }
}

/// The rows, at most `most` of them. `parameters` are bound in their order, as texts, never pasted: `statement` writes them as the database does, `$1` for
/// PostgreSQL and SQLite, `?` for `MySQL` and SQLite.
///
/// Capability: [`Sql`](crate::Capability::Sql) of this name.
///
/// # Errors
/// [`DatabaseError`]; as a [`Fault`] through `?`.
pub fn query(name: &str, statement: &str, parameters: &[&str], most: u32) -> Result<Vec<Row>, DatabaseError> {
    host::query_database(name, statement, parameters, most)
}

/// Why there are no rows. None of them says anything about a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The operator grants no database of this name; the value is the line to ask for.
    #[error("`{0}` is not granted")]
    NotGranted(String),
    /// The database did not answer in time; the host's log says why.
    #[error("the database does not answer")]
    Unavailable,
    /// The database refused the statement, or it is none that only reads; the value is the database's own code, or empty.
    #[error("the database refuses the statement (code `{0}`)")]
    Refused(String),
    /// The answer is larger than a call may fetch, or this call has used up its look-ups.
    #[error("the answer is too large, or this call has used up its look-ups")]
    LimitReached,
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        let message = error.to_string();
        match error {
            DatabaseError::NotGranted(_) | DatabaseError::Refused(_) => Self::Misconfigured(message),
            DatabaseError::Unavailable => Self::Unavailable(message),
            DatabaseError::LimitReached => Self::Internal(message),
        }
    }
}
