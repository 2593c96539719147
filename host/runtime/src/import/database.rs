//! `database`: rows of the databases that the operator granted, by their names.

use std::sync::Arc;

use keyway_core::port::{NamedDatabaseError, NamedRow};

use crate::bindings::keyway::backend::database::{DatabaseError, Host};
use crate::call::CallState;

/// What a row counts for beside its texts.
const ROW_COST: usize = 16;

impl Host for CallState {
    async fn query(
        &mut self,
        name: String,
        statement: String,
        parameters: Vec<String>,
        most: u32,
    ) -> wasmtime::Result<Result<Vec<NamedRow>, DatabaseError>> {
        let bytes: usize = parameters.iter().map(String::len).sum();
        self.meter.charge(name.len() + statement.len() + bytes)?;
        let Some(database) = self.profile.capabilities.database(&name).map(Arc::clone) else {
            return Ok(Err(DatabaseError::NotGranted(format!("grants.sql.{name}"))));
        };
        if !self.meter.take_lookup() {
            return Ok(Err(DatabaseError::LimitReached));
        }
        let rows = match database.query(&statement, &parameters, most).await {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(self.database_failed(&name, error))),
        };
        let texts = rows.iter().flatten();
        let bytes: usize = texts
            .map(|(column, value)| column.len() + value.as_ref().map_or(0, String::len))
            .sum();
        let is_allowed = self.meter.take_fetched(bytes + rows.len() * ROW_COST);
        Ok(is_allowed.then_some(rows).ok_or(DatabaseError::LimitReached))
    }
}

impl CallState {
    /// Says in the log why, and tells the guest what it is.
    fn database_failed(&self, name: &str, error: NamedDatabaseError) -> DatabaseError {
        let (backend, request_id) = (&self.profile.backend, &self.request_id);
        tracing::warn!(%backend, request_id, database = name, %error, "a database did not answer a plugin");
        match error {
            NamedDatabaseError::Unavailable(_) => DatabaseError::Unavailable,
            NamedDatabaseError::Refused { code, .. } => DatabaseError::Refused(code),
            NamedDatabaseError::TooLarge(_) => DatabaseError::LimitReached,
        }
    }
}
