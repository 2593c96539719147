//! A file's text as lines, and the order of them by one of their fields.

use std::sync::{Arc, Mutex, PoisonError};

use keyway_core::Secret;
use tokio::sync::{OnceCell, OwnedMutexGuard};

/// The most bytes of lines in a page.
const PAGE_BYTES: usize = 64 << 10;

/// The most fields that there are orders by at once. A guest chooses them; the one that was asked for first makes room.
const INDEXES: usize = 4;

/// A field of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// What parts the fields.
    pub(crate) separator: char,
    /// Which of them, counted from 0.
    pub(crate) number: u8,
}

impl Field {
    fn of(self, line: &str) -> Option<&str> {
        line.split(self.separator).nth(usize::from(self.number))
    }
}

/// Some lines of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) lines: Vec<String>,
    pub(crate) next: Option<u64>,
}

/// A file's text. It may hold hashes of passwords, and is zeroed when it goes.
pub(crate) struct Content {
    text: Secret<Vec<u8>>,
    /// Where each line begins and ends, without those that are empty or begin with `#`.
    lines: Vec<(u32, u32)>,
    indexes: Mutex<Vec<(Field, Arc<Index>)>>,
    /// Held while a thread puts the lines in an order, whether or not somebody waits for it.
    sorting: Arc<tokio::sync::Mutex<()>>,
}

/// The numbers of the lines that have the field, in its order, then in the file's.
pub(super) type Index = OnceCell<Vec<u32>>;

impl Content {
    /// Takes in UTF-8 of less than 4 GiB, and puts it in the order of these fields.
    pub(super) fn new(text: Secret<Vec<u8>>, fields: &[Field]) -> Self {
        let mut lines = Vec::new();
        let mut begin = 0_u32;
        for line in text.expose().split(|byte| *byte == b'\n') {
            let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
            let kept = u32::from(line.last() == Some(&b'\r'));
            let end = begin.saturating_add(length).saturating_sub(kept);
            if end > begin && line.first() != Some(&b'#') {
                lines.push((begin, end));
            }
            begin = begin.saturating_add(length).saturating_add(1);
        }
        lines.shrink_to_fit();
        let mut content = Self {
            text,
            lines,
            indexes: Mutex::default(),
            sorting: Arc::default(),
        };
        let made = fields.iter().map(|field| {
            let index = OnceCell::new_with(Some(content.sorted(*field)));
            (*field, Arc::new(index))
        });
        content.indexes = Mutex::new(made.collect());
        content
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// The fields that there is an order by.
    pub(super) fn indexed(&self) -> Vec<Field> {
        let indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.iter().map(|(field, _)| *field).collect()
    }

    /// Lines whose field is `key`, in the file's order; `None` while there is no order by the field.
    pub(super) fn find(&self, field: Field, key: &str, most: usize) -> Option<Vec<String>> {
        let index = self.known(field)?;
        let sorted = index.get()?;
        let begin = sorted.partition_point(|line| self.field(*line, field) < Some(key));
        let found = sorted.get(begin..).unwrap_or_default().iter();
        let fitting = found.take_while(|line| self.field(**line, field) == Some(key));
        let lines = fitting.take(most).map(|line| self.line(*line).to_owned());
        Some(lines.collect())
    }

    /// Puts the lines in the order of a field, on a thread that may block, by one at a time.
    pub(super) async fn index(self: &Arc<Self>, field: Field) {
        let index = self.known(field).unwrap_or_else(|| self.add(field));
        let sort = async {
            let content = Arc::clone(self);
            // A guest may name ever other fields, and each order takes its time and its memory.
            let turn = self.sorting().await;
            let sorted = tokio::task::spawn_blocking(move || {
                let sorted = content.sorted(field);
                drop(turn);
                sorted
            });
            let sorted = sorted.await;
            // One that panicked has said so itself; nothing is found then.
            sorted.unwrap_or_default()
        };
        index.get_or_init(|| sort).await;
    }

    /// Waits for the turn to put the lines in an order.
    pub(super) async fn sorting(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.sorting).lock_owned().await
    }

    /// Lines from the one with this number on.
    pub(super) fn page(&self, start: u64, most: u32) -> Page {
        let mut page = Page {
            lines: Vec::new(),
            next: None,
        };
        let mut left = PAGE_BYTES;
        let begin = usize::try_from(start).unwrap_or(usize::MAX);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        for number in begin..self.lines.len() {
            let line = u32::try_from(number).map_or("", |number| self.line(number));
            // One that no page has room for is in none.
            if line.len() > PAGE_BYTES {
                continue;
            }
            if page.lines.len() == most || line.len() > left {
                page.next = u64::try_from(number).ok();
                break;
            }
            left -= line.len();
            page.lines.push(line.to_owned());
        }
        page
    }

    pub(super) fn known(&self, field: Field) -> Option<Arc<Index>> {
        let indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = indexes.iter().find(|(known, _)| *known == field);
        found.map(|(_, index)| Arc::clone(index))
    }

    fn add(&self, field: Field) -> Arc<Index> {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, index)) = indexes.iter().find(|(known, _)| *known == field) {
            return Arc::clone(index);
        }
        if indexes.len() >= INDEXES {
            indexes.remove(0);
        }
        let index = Arc::new(Index::new());
        indexes.push((field, Arc::clone(&index)));
        index
    }

    fn sorted(&self, field: Field) -> Vec<u32> {
        let numbers = 0..u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        let mut keyed: Vec<(&str, u32)> = numbers
            .filter_map(|number| Some((self.field(number, field)?, number)))
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, number)| number).collect()
    }

    fn field(&self, number: u32, field: Field) -> Option<&str> {
        field.of(self.line(number))
    }

    fn line(&self, number: u32) -> &str {
        let place = usize::try_from(number).ok().and_then(|number| self.lines.get(number));
        let bytes = place.and_then(|(begin, end)| {
            let range = usize::try_from(*begin).ok()?..usize::try_from(*end).ok()?;
            self.text.expose().get(range)
        });
        // The whole is UTF-8, and no character goes over a line's end.
        bytes
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}
