//! The real host's databases.

use crate::database::{DatabaseError, Row};
use crate::wit::authenticator::keyway::backend::database;

pub(crate) fn query_database(
    name: &str,
    statement: &str,
    parameters: &[&str],
    most: u32,
) -> Result<Vec<Row>, DatabaseError> {
    let parameters: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    let rows = database::query(name, statement, &parameters, most)?;
    Ok(rows.into_iter().map(Row::from).collect())
}

impl From<database::DatabaseError> for DatabaseError {
    fn from(error: database::DatabaseError) -> Self {
        match error {
            database::DatabaseError::NotGranted(grant) => Self::NotGranted(grant),
            database::DatabaseError::Unavailable => Self::Unavailable,
            database::DatabaseError::Refused(code) => Self::Refused(code),
            database::DatabaseError::LimitReached => Self::LimitReached,
        }
    }
}
