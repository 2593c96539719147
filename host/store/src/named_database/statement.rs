//! What a statement must look like to be asked. Each database has more to say about it; this is what they have no say in, `VACUUM INTO` or `ATTACH` of
//! `SQLite`'s and `INTO OUTFILE` of `MySQL`'s for example, which a transaction that only reads lets through.

use keyway_core::port::NamedDatabaseError;

use super::refused;

/// The longest statement, in bytes.
const MAX_STATEMENT: usize = 64 << 10;

/// How a query begins.
const QUERIES: [&str; 3] = ["SELECT", "WITH", "VALUES"];

/// What `MySQL` writes files by.
const FILES: [&str; 2] = ["outfile", "dumpfile"];

/// By what a statement tells `MySQL` that the bound on its time is another one.
const BOUNDS: [&str; 2] = ["max_execution_time", "set_var"];

/// The statement without what surrounds it, if it is one query.
pub(super) fn check(statement: &str) -> Result<&str, NamedDatabaseError> {
    let refuse = |reason: &str| Err(refused("", reason));
    if statement.len() > MAX_STATEMENT {
        return refuse("it is longer than 64 KiB");
    }
    if statement.contains('\0') {
        return refuse("it holds a NUL character");
    }
    let statement = statement.trim();
    let statement = statement.strip_suffix(';').unwrap_or(statement).trim_end();
    let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
    if !QUERIES.iter().any(|query| word.eq_ignore_ascii_case(query)) {
        return refuse("a query begins with `SELECT`, `WITH` or `VALUES`");
    }
    // One in a text would do no harm, and belongs into a parameter.
    if statement.contains(';') {
        return refuse("only one statement is asked at a time; write a `;` in a text as a parameter");
    }
    let lower = statement.to_ascii_lowercase();
    if FILES.iter().any(|word| lower.contains(word)) {
        return refuse("a query writes no files");
    }
    if BOUNDS.iter().any(|word| lower.contains(word)) {
        return refuse("a query does not say how long it may take");
    }
    Ok(statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_query_is_taken_and_nothing_else() {
        for (statement, asked) in [
            ("SELECT 1", "SELECT 1"),
            ("  select a from b where c = $1 ;\n", "select a from b where c = $1"),
            (
                "With x AS (SELECT 1) SELECT * FROM x",
                "With x AS (SELECT 1) SELECT * FROM x",
            ),
            ("VALUES (1)", "VALUES (1)"),
        ] {
            assert_eq!(check(statement), Ok(asked));
        }
        for statement in [
            "",
            ";",
            "INSERT INTO a VALUES (1)",
            "DELETE FROM a",
            "PRAGMA query_only = 0",
            "ATTACH 'x' AS y",
            "VACUUM INTO 'x'",
            "COPY a TO PROGRAM 'x'",
            "SELECTED",
            "-- comment\nDELETE FROM a",
            "(SELECT 1)",
            "SELECT 1; ATTACH 'x' AS y",
            "SELECT 1;;",
            "SELECT 1 INTO OUTFILE '/tmp/x'",
            "SELECT 1 /*!into DumpFile '/tmp/x'*/",
            "SELECT /*+ Max_Execution_Time(0) */ 1",
            "SELECT /*+ SET_VAR(max_execution_time = 0) */ 1",
            "SELECT 'a\0b'",
            &format!("SELECT '{}'", "x".repeat(MAX_STATEMENT)),
        ] {
            assert!(
                matches!(check(statement), Err(NamedDatabaseError::Refused { .. })),
                "{statement}"
            );
        }
    }
}
