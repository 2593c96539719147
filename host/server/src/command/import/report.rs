//! What an import did, for people.

use std::fmt::Write as _;

use keyway_core::import::{ImportReport, ImportTally, Skipped};

/// How many of the rows that were left out are named; `--json` names all.
pub(super) const NAMED: usize = 20;

pub(super) fn text(report: &ImportReport) -> String {
    let mut text = table(report.dry_run, &report.tallies, &report.skipped);
    // Writing into a string cannot fail.
    for tenant in report.renamed.iter().take(NAMED) {
        let verb = if report.dry_run { "would get" } else { "got" };
        let _ = writeln!(
            text,
            "tenant `{}` {verb} another slug: `{}` is taken here",
            tenant.id, tenant.slug
        );
    }
    if report.top_tenant_adopted {
        let verb = if report.dry_run { "would take" } else { "took" };
        let _ = writeln!(text, "the top tenant {verb} the id that it has there");
    }
    text.push_str(end(report.changes(), report.dry_run));
    text
}

/// How many rows went which way, and what was left out.
pub(super) fn table(dry_run: bool, tallies: &[ImportTally], skipped: &[Skipped]) -> String {
    let mut text = String::new();
    let added = if dry_run { "to add" } else { "added" };
    let _ = writeln!(text, "{:16} {added:>8} {:>8} {:>8}", "", "present", "skipped");
    for tally in tallies {
        let (kind, numbers) = (tally.kind.as_str(), [tally.added, tally.present, tally.skipped]);
        let [added, present, skipped] = numbers;
        let _ = writeln!(text, "{kind:16} {added:>8} {present:>8} {skipped:>8}");
    }
    for row in skipped.iter().take(NAMED) {
        let _ = writeln!(text, "skipped {} `{}`: {}", row.kind.as_str(), row.id, row.reason);
    }
    if let Some(more) = skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(text, "and {more} more were skipped; `--json` names them all");
    }
    text
}

/// What it comes to.
pub(super) fn end(changes: bool, dry_run: bool) -> &'static str {
    match (changes, dry_run) {
        (false, _) => "nothing to do: all that can be brought in is here",
        (true, true) => "a dry run: nothing was changed",
        (true, false) => "done",
    }
}

#[cfg(test)]
mod tests {
    use keyway_core::import::ImportKind;

    use super::*;

    #[test]
    fn a_report_counts_names_and_says_what_it_comes_to() {
        let tally = |kind, added| ImportTally {
            kind,
            added,
            present: 2,
            skipped: 1,
        };
        let skipped = |n| Skipped {
            kind: ImportKind::User,
            id: format!("u{n}"),
            reason: "its id is no UUID".to_owned(),
        };
        let mut report = ImportReport {
            dry_run: false,
            top_tenant_adopted: false,
            renamed: Vec::new(),
            tallies: vec![tally(ImportKind::Tenant, 0), tally(ImportKind::User, 0)],
            skipped: (0..22).map(skipped).collect(),
        };
        let same = text(&report);
        assert!(same.contains("users                   0        2        1"), "{same}");
        assert!(same.contains("skipped users `u0`: its id is no UUID"), "{same}");
        assert!(same.contains("and 2 more"), "{same}");
        assert!(
            same.ends_with("nothing to do: all that can be brought in is here"),
            "{same}"
        );
        report.tallies.push(tally(ImportKind::Group, 3));
        assert!(text(&report).ends_with("done"));
        report.dry_run = true;
        assert!(text(&report).ends_with("a dry run: nothing was changed"));
    }
}
