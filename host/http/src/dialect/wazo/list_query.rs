//! `?limit=&offset=&order=&direction=&search=&recurse=`, which all lists know.

use keyway_core::model::{Direction, Page, Query};

use super::ask::{Ask, Caller};
use super::error::Failure;
use super::validation::Problems;
use super::wire::ApiError;

/// What part of a list the request wants. `orders` names what it can be ordered by, the first of them the default; `filter` reads the list's
/// own filters from the query.
///
/// # Errors
/// 400 with the parameter that is wrong.
pub(super) fn list_query<F, O: Copy>(
    ask: &Ask,
    caller: &Caller,
    orders: &[(&str, O)],
    default: O,
    filter: F,
) -> Result<Query<F, O>, Failure> {
    let mut problems = Problems::default();
    let limit = number(ask, "limit", &mut problems).unwrap_or(Page::ALL.limit);
    let offset = number(ask, "offset", &mut problems).unwrap_or(0);
    let order = match ask.query("order") {
        None => Some(default),
        Some(wanted) => orders.iter().find(|(name, _)| *name == wanted).map(|(_, order)| *order),
    };
    if order.is_none() {
        let names: Vec<_> = orders.iter().map(|(name, _)| *name).collect();
        problems.choice("order", &names);
    }
    let direction = match ask.query("direction") {
        None | Some("asc") => Direction::Ascending,
        Some("desc") => Direction::Descending,
        Some(_) => {
            problems.choice("direction", &["asc", "desc"]);
            Direction::Ascending
        }
    };
    let recurse = boolean(ask, "recurse", &mut problems).unwrap_or(false);
    let search = ask.query("search").map(str::to_owned);
    problems_or(&problems)?;
    Ok(Query {
        scope: caller.list_scope(recurse),
        filter,
        search,
        order: order.unwrap_or(default),
        direction,
        page: Page { offset, limit },
    })
}

/// # Errors
/// 400 if there is any problem.
pub(super) fn problems_or(problems: &Problems) -> Result<(), Failure> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid_list(problems).into())
    }
}

fn number(ask: &Ask, key: &'static str, problems: &mut Problems) -> Option<u32> {
    let text = ask.query(key)?;
    match text.trim().parse::<i64>() {
        Err(_) => problems.kind(key, "integer"),
        Ok(number) if number < 0 => problems.at_least(key, 0),
        // No list is that long.
        Ok(number) => return Some(u32::try_from(number).unwrap_or(u32::MAX)),
    }
    None
}

/// As the original reads a boolean.
pub(super) fn boolean(ask: &Ask, key: &'static str, problems: &mut Problems) -> Option<bool> {
    match ask.query(key)? {
        "true" | "True" | "TRUE" | "1" | "t" | "T" | "yes" | "on" => Some(true),
        "false" | "False" | "FALSE" | "0" | "f" | "F" | "no" | "off" => Some(false),
        _ => {
            problems.kind(key, "boolean");
            None
        }
    }
}
