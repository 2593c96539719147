//! Databases of the mock host: closures.

use std::fmt;
use std::rc::Rc;

use super::host::{covers, with};
use crate::Capability;
use crate::database::{DatabaseError, Row};

type Answer = dyn Fn(&str, &[&str]) -> Result<Vec<Row>, DatabaseError>;

/// What answers for a database.
#[derive(Clone)]
pub(crate) struct Answerer(Rc<Answer>);

impl Answerer {
    pub(super) fn new(answer: impl Fn(&str, &[&str]) -> Result<Vec<Row>, DatabaseError> + 'static) -> Self {
        Self(Rc::new(answer))
    }
}

impl fmt::Debug for Answerer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answerer")
    }
}

pub(crate) fn query_database(
    name: &str,
    statement: &str,
    parameters: &[&str],
    most: u32,
) -> Result<Vec<Row>, DatabaseError> {
    let answerer = with(|host| {
        let is_wanted = host.wants(|wanted| matches!(wanted, Capability::Sql(database) if covers(database, name)));
        let answerer = host.databases.get(name).cloned().filter(|_| is_wanted);
        let answerer = answerer.ok_or_else(|| DatabaseError::NotGranted(format!("grants.sql.{name}")))?;
        if host.unavailable {
            return Err(DatabaseError::Unavailable);
        }
        Ok(answerer)
    })?;
    let mut rows = (answerer.0)(statement, parameters)?;
    rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(rows)
}
