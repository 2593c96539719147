//! What an import did, for people.

use std::fmt::Write as _;

use keyway_core::import::privacyidea::PrivacyideaReport;
use keyway_core::model::BackendName;

use super::super::report::{NAMED, end, table};
use super::wanted;

pub(super) fn text(report: &PrivacyideaReport, backend: &BackendName) -> String {
    let mut text = table(report.dry_run, &report.tallies, &report.skipped);
    // Writing into a string cannot fail.
    for note in report.notes.iter().take(NAMED) {
        let _ = writeln!(text, "note on {} `{}`: {}", note.kind.as_str(), note.id, note.text);
    }
    if let Some(more) = report.notes.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(text, "and {more} more notes; `--json` has them all");
    }
    if !report.wanted.is_empty() {
        let _ = writeln!(
            text,
            "\nwhat the configuration lacks; write it, with the paths and passwords as they are here, and run the import again:\n"
        );
        text.push_str(&wanted::toml(&report.wanted, backend));
        text.push('\n');
    }
    // What is lacking is still to be done.
    text.push_str(match (report.changes(), report.wanted.is_empty()) {
        (false, false) => "nothing was added: all that can be brought in with this configuration is here",
        (changes, _) => end(changes, report.dry_run),
    });
    text
}

#[cfg(test)]
mod tests {
    use keyway_core::import::privacyidea::{ImportNote, Wanted};
    use keyway_core::import::{ImportKind, ImportTally};

    use super::*;

    #[test]
    fn a_report_says_what_is_lacking_and_what_it_comes_to() {
        let tally = |added| ImportTally {
            kind: ImportKind::Factor,
            added,
            present: 0,
            skipped: 0,
        };
        let mut report = PrivacyideaReport {
            dry_run: false,
            tallies: vec![tally(0)],
            skipped: Vec::new(),
            notes: vec![ImportNote {
                kind: ImportKind::Factor,
                id: "T1".to_owned(),
                text: "its limits do not hold here".to_owned(),
            }],
            wanted: Vec::new(),
        };
        let backend = BackendName::parse("realms").unwrap();
        let same = text(&report, &backend);
        assert!(
            same.contains("note on factors `T1`: its limits do not hold here\n"),
            "{same}"
        );
        assert!(
            same.ends_with("nothing to do: all that can be brought in is here"),
            "{same}"
        );
        report.wanted.push(Wanted::File {
            resolver: "passwd1".to_owned(),
            grant: "passwd1".to_owned(),
            path: "/etc/passwd".to_owned(),
        });
        let lacking = text(&report, &backend);
        assert!(lacking.contains("grants.file.passwd1"), "{lacking}");
        assert!(lacking.ends_with("with this configuration is here"), "{lacking}");
        report.tallies.push(tally(1));
        assert!(text(&report, &backend).ends_with("done"));
    }
}
