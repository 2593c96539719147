//! A mark in the store that an import came to its end: what is missing here from then on was removed here.

use serde::{Deserialize, Serialize};

use super::{ImportError, Run};
use crate::model::Timestamp;
use crate::port::{SettingKind, StoreError, StoredSetting};

#[derive(Serialize, Deserialize)]
struct Mark {
    /// Microseconds since 1970.
    began_at: i64,
}

impl Run<'_> {
    /// When the last import began that came to its end.
    pub(super) async fn find_earlier(&self) -> Result<Option<Timestamp>, ImportError> {
        let stored = self.store().find_setting(self.top.1, SettingKind::Import).await;
        let Some(stored) = stored.map_err(ImportError::Store)? else {
            return Ok(None);
        };
        let mark: Mark = serde_json::from_str(&stored.document).map_err(|_| unreadable())?;
        Ok(Some(Timestamp(mark.began_at)))
    }

    /// Says that this import came to its end. One that found nothing to do has nothing to say.
    pub(super) async fn end(&self, began: Timestamp) -> Result<(), ImportError> {
        if self.how.dry_run || self.earlier.is_some() && !self.report.changes() {
            return Ok(());
        }
        let mark = Mark { began_at: began.0 };
        let stored = StoredSetting {
            document: serde_json::to_string(&mark).map_err(|_| unreadable())?,
            sealed: None,
        };
        let put = self.store().put_setting(self.top.1, SettingKind::Import, &stored);
        put.await.map_err(ImportError::Store)
    }
}

fn unreadable() -> ImportError {
    ImportError::Store(StoreError::Inconsistent {
        what: "the mark of an earlier import is no mark".to_owned(),
    })
}
