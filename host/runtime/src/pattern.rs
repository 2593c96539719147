//! Patterns, in which `*` stands for any text and case does not count.

/// A pattern: texts with anything between them.
#[derive(Debug)]
pub(crate) struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            pieces: text.split('*').map(str::to_lowercase).collect(),
        }
    }

    /// The longest text that is in whatever fits; `None` where anything may fit.
    pub(crate) fn longest_piece(&self) -> Option<&str> {
        let longest = self.pieces.iter().max_by_key(|piece| piece.len())?;
        (!longest.is_empty()).then_some(longest.as_str())
    }

    /// Whether a text fits. Takes as many steps as the text and the pattern are long together, whatever is in them.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else {
            return false;
        };
        if self.pieces.len() == 1 {
            return text == *first;
        }
        let Some(rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
            return false;
        };
        let between = self.pieces.iter().skip(1).take(self.pieces.len() - 2);
        for piece in between {
            // The first place is as good as any later one.
            let Some((_, after)) = rest.split_once(piece.as_str()) else {
                return false;
            };
            rest = after;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_case_does_not_count() {
        let table: [(&str, &[&str], &[&str]); 8] = [
            ("*", &["", "alice"], &[]),
            ("", &[""], &["a"]),
            ("alice", &["alice", "ALICE"], &["alic", "alice2", "malice"]),
            ("al*", &["al", "Alice"], &["a", "malice"]),
            ("*CE", &["alice", "ce"], &["cea"]),
            ("a*e", &["ae", "alice"], &["a", "e", "alices"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*é**b*c*", &["Ébc", "xéxbxcx"], &["bc", "écb"]),
        ];
        for (pattern, fitting, others) in table {
            let pattern = Pattern::new(pattern);
            assert!(fitting.iter().all(|text| pattern.fits(text)), "{pattern:?}");
            assert!(!others.iter().any(|text| pattern.fits(text)), "{pattern:?}");
        }
    }

    #[test]
    fn what_is_searched_for_is_in_whatever_fits() {
        assert_eq!(Pattern::new("*a*bcd*ef").longest_piece(), Some("bcd"));
        assert_eq!(Pattern::new("**").longest_piece(), None);
    }
}
