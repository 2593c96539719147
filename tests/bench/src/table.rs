//! The table at the end.

use std::fmt::Write as _;

/// A figure with what it must reach.
struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    bound: Option<Bound>,
}

/// What a figure must reach.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// A figure without a bound: context for the others.
    pub(crate) fn note(&mut self, name: &str, value: f64, unit: &'static str) {
        println!("{name}: {value:.3} {unit}");
        self.rows.push(Row {
            name: name.to_owned(),
            value,
            unit,
            bound: None,
        });
    }

    /// A figure with a bound.
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &'static str, bound: Bound) {
        println!("{name}: {value:.3} {unit}");
        self.rows.push(Row {
            name: name.to_owned(),
            value,
            unit,
            bound: Some(bound),
        });
    }

    /// The table as text.
    pub(crate) fn render(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for Row {
            name,
            value,
            unit,
            bound,
        } in &self.rows
        {
            let judgement = match bound {
                None => String::new(),
                Some(bound) => {
                    let (word, limit) = match bound {
                        Bound::AtLeast(limit) => ("at least", limit),
                        Bound::AtMost(limit) => ("at most", limit),
                    };
                    format!("{word} {limit} {}", if bound.holds(*value) { "met" } else { "NOT MET" })
                }
            };
            let _ = writeln!(text, "{name:width$}  {value:>12.3} {unit:<6} {judgement}");
        }
        text
    }
}

/// The value in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
