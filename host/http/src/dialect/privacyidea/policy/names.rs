//! Lists of names in policies: realms, resolvers, users, administrators, programs.

use regex::Regex;

use super::PolicyError;

/// The longest pattern, compiled: nobody's policy takes the server's memory.
const MAX_PATTERN: usize = 64 * 1024;

/// A list such as `alice, adm.*` or `*, -mallory`. Empty, it fits everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// As it was written.
    written: Vec<String>,
    wanted: Vec<Wanted>,
    excluded: Vec<String>,
    folds_case: bool,
}

#[derive(Debug, Clone)]
enum Wanted {
    Any,
    Pattern { text: String, whole: Regex },
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.folds_case == other.folds_case
    }
}

impl Names {
    /// Reads a list. `folds_case` says that case does not count.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`], with `field` in it.
    pub(crate) fn parse(field: &str, written: Vec<String>, folds_case: bool) -> Result<Self, PolicyError> {
        let mut names = Self {
            folds_case,
            ..Self::default()
        };
        for name in &written {
            if let Some(excluded) = name.strip_prefix(['-', '!']) {
                names.excluded.push(names.fold(excluded));
            } else if name == "*" {
                names.wanted.push(Wanted::Any);
            } else {
                let text = names.fold(name);
                let whole =
                    whole(&text).map_err(|_| PolicyError::Invalid(format!("`{field}`: `{name}` is no pattern")))?;
                names.wanted.push(Wanted::Pattern { text, whole });
            }
        }
        if names.wanted.is_empty() && !names.excluded.is_empty() {
            return Err(PolicyError::Invalid(format!(
                "`{field}` only excludes, so it fits nothing: write `*` before what it excludes"
            )));
        }
        names.written = written;
        Ok(names)
    }

    /// As it was written.
    pub(crate) fn written(&self) -> &[String] {
        &self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Whether the list is empty, or this name is on it and not excluded.
    pub(crate) fn fits(&self, name: &str) -> bool {
        if self.is_empty() {
            return true;
        }
        let name = self.fold(name);
        let wanted = self.wanted.iter().any(|wanted| match wanted {
            Wanted::Any => true,
            Wanted::Pattern { text, whole } => *text == name || whole.is_match(&name),
        });
        wanted && !self.excluded.contains(&name)
    }

    fn fold(&self, name: &str) -> String {
        if self.folds_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    }
}

/// A pattern that fits whole texts.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    // A pattern that only works out together with what is put around it is none.
    Regex::new(pattern)?;
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(MAX_PATTERN)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Names {
        let list = list.iter().map(|name| (*name).to_owned()).collect();
        Names::parse("user", list, false).expect("a list")
    }

    #[test]
    fn a_list_fits_what_it_names() {
        let table = [
            (&[][..], "anybody", true),
            (&["*"], "anybody", true),
            (&["alice", "bob"], "bob", true),
            (&["alice"], "Alice", false),
            (&["alice"], "alice2", false),
            (&["adm.*"], "admin", true),
            (&["adm.*"], "xadmin", false),
            (&["a|b"], "ab", false),
            (&["*", "-bob"], "bob", false),
            (&["*", "!bob"], "bob", false),
            (&["-bob", "*"], "alice", true),
            (&["bob", "-bob"], "bob", false),
            (&["bob"], "", false),
        ];
        for (list, name, fits) in table {
            assert_eq!(names(list).fits(name), fits, "{list:?} {name}");
        }
    }

    #[test]
    fn case_counts_only_where_it_is_said_to() {
        let names = Names::parse("realm", vec!["Realm1".to_owned(), "-X".to_owned()], true).expect("a list");
        assert!(names.fits("REALM1"));
        assert!(!names.fits("x"));
    }

    #[test]
    fn what_can_never_fit_is_no_list() {
        let refused = |name: &str| {
            let refused = Names::parse("user", vec![name.to_owned()], false).expect_err("no list");
            refused.to_string()
        };
        insta::assert_snapshot!(refused("-bob"), @"`user` only excludes, so it fits nothing: write `*` before what it excludes");
        insta::assert_snapshot!(refused("a("), @"`user`: `a(` is no pattern");
        insta::assert_snapshot!(refused("a)(b"), @"`user`: `a)(b` is no pattern");
    }
}
