//! Lists a page at a time: `page_size`, `start_key`, and `next_start_key` where there is more.

use keyway_core::model::Page;
use serde_json::{Value, json};

use crate::dialect::kazoo::ask::Ask;
use crate::dialect::kazoo::envelope::Answer;
use crate::dialect::kazoo::error::Failure;

/// How many rows there are on a page where the caller does not say.
const USUAL: u32 = 50;

/// How many at the most, also where the caller wants no pages.
const MOST: u32 = 1000;

/// Which page is wanted. The key at which one starts is a number of rows; to clients it is a text that they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialect::kazoo) struct Paging(Page);

impl Paging {
    /// # Errors
    /// [`Failure::Invalid`] for what is no number.
    pub(in crate::dialect::kazoo) fn of(ask: &Ask) -> Result<Self, Failure> {
        let number = |name: &'static str| match ask.query(name) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<u32>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Failure::from((
                    name,
                    "type",
                    json!({ "message": "Value did not match type(s): integer", "target": "integer", "value": text }),
                ))),
            },
        };
        let size = number("page_size")?;
        let whole = ask.query("paginate") == Some("false");
        let limit = size.unwrap_or(if whole { MOST } else { USUAL });
        Ok(Self(Page {
            offset: number("start_key")?.unwrap_or_default(),
            limit: limit.clamp(1, MOST),
        }))
    }

    /// As the core takes it.
    pub(in crate::dialect::kazoo) fn page(self) -> Page {
        self.0
    }

    /// The answer with this page of a whole list.
    pub(in crate::dialect::kazoo) fn page_of<T>(self, all: &[T], body: impl FnMut(&T) -> Value) -> Answer {
        let of = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let rows = all.iter().skip(of(self.0.offset)).take(of(self.0.limit)).map(body);
        self.answer(rows.collect(), u64::try_from(all.len()).unwrap_or(u64::MAX))
    }

    /// The answer with these rows, of so many that there are in all.
    pub(in crate::dialect::kazoo) fn answer(self, rows: Vec<Value>, total: u64) -> Answer {
        let Page { offset, limit } = self.0;
        let size = rows.len();
        let mut answer = Answer::ok(rows).field("page_size", size);
        if offset > 0 {
            answer = answer.field("start_key", offset.to_string());
        }
        let next = offset.saturating_add(limit);
        if u64::from(next) < total {
            answer = answer.field("next_start_key", next.to_string());
        }
        answer
    }
}
