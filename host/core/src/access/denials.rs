//! Whether a pattern reaches into what somebody is denied.
//!
//! A pattern is compared with a denial as a pattern: `#` is no text that `!auth.tenants.#` matches, and grants all that it denies. Both become a
//! list of steps, and the two lists are followed side by side over all texts at once, which visits each pair of steps once.

use super::pattern::{Pattern, Piece, Words};

/// How many pairs of steps one question may look at. Whoever writes patterns that need more is told that they reach too far.
const MAX_EFFORT: usize = 1 << 24;

/// As many pairs of steps cost what a look at one does, if room is made for them alone.
const PAIRS_FOR_ONE: usize = 4096;

/// What somebody is denied, and how much may still be compared with it.
#[derive(Debug)]
pub(super) struct Denials {
    denied: Vec<Vec<Step>>,
    effort: usize,
}

/// A step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Take(Bytes),
    /// Goes on at both places.
    Fork(usize, usize),
    Jump(usize),
    End,
}

/// Which bytes a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    One(u8),
    WithinWord,
    Anything,
}

impl Denials {
    pub(super) fn new<'a>(denied: impl Iterator<Item = &'a Pattern>, words: Words<'_>) -> Self {
        Self {
            denied: denied.map(|pattern| steps(pattern, Some(words))).collect(),
            effort: MAX_EFFORT,
        }
    }

    /// Whether the pattern, which is not negative, would grant anything of it to anybody: its `me` and `my_session` are whoever holds it.
    pub(super) fn meet(&mut self, pattern: &str) -> bool {
        let pattern = steps(&Pattern::parse(pattern), None);
        let Self { denied, effort } = self;
        denied.iter().any(|denied| have_a_text(&pattern, denied, effort))
    }
}

impl Bytes {
    fn meet(self, other: Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one == other,
            (Self::One(byte), Self::WithinWord) | (Self::WithinWord, Self::One(byte)) => !matches!(byte, b'.' | b'#'),
            (Self::One(byte), Self::Anything) | (Self::Anything, Self::One(byte)) => byte != b'\n',
            (Self::WithinWord | Self::Anything, Self::WithinWord | Self::Anything) => true,
        }
    }
}

/// Whether there is a text that both match, or it takes too long to say.
fn have_a_text(one: &[Step], other: &[Step], effort: &mut usize) -> bool {
    // What is not looked at costs a little as well.
    let pairs = one.len() * other.len();
    *effort = effort.saturating_sub(pairs / PAIRS_FOR_ONE);
    let mut seen = vec![false; pairs];
    let mut open = vec![(0, 0)];
    while let Some((here, there)) = open.pop() {
        let (Some(step), Some(beside)) = (one.get(here), other.get(there)) else {
            continue;
        };
        match seen.get_mut(here * other.len() + there) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let Some(left) = effort.checked_sub(1) else {
            return true;
        };
        *effort = left;
        match (*step, *beside) {
            (Step::Fork(first, second), _) => open.extend([(first, there), (second, there)]),
            (Step::Jump(place), _) => open.push((place, there)),
            (_, Step::Fork(first, second)) => open.extend([(here, first), (here, second)]),
            (_, Step::Jump(place)) => open.push((here, place)),
            (Step::End, Step::End) => return true,
            (Step::Take(bytes), Step::Take(others)) if bytes.meet(others) => open.push((here + 1, there + 1)),
            (Step::Take(_) | Step::End, Step::Take(_) | Step::End) => {}
        }
    }
    false
}

/// The steps of a pattern. Without words, `me` and `my_session` are any word.
fn steps(pattern: &Pattern, words: Option<Words<'_>>) -> Vec<Step> {
    let mut steps = Vec::new();
    match pattern {
        Pattern::Exact(text) => literal(&mut steps, text),
        Pattern::Prefix(text) => {
            literal(&mut steps, text);
            repeat(&mut steps, Bytes::Anything);
        }
        Pattern::Pieces(pieces) => {
            for piece in pieces {
                add(&mut steps, piece, words);
            }
        }
    }
    steps.push(Step::End);
    steps
}

fn add(steps: &mut Vec<Step>, piece: &Piece, words: Option<Words<'_>>) {
    match (piece, words) {
        (Piece::Literal(text), _) => literal(steps, text),
        (Piece::Me, Some(words)) => either(steps, "me", words.me),
        (Piece::MySession, Some(words)) => either(steps, "my_session", words.my_session),
        (Piece::Edit, Some(words)) => either(steps, "edit", words.edit),
        (Piece::Edit, None) => either(steps, "edit", "update"),
        (Piece::Me | Piece::MySession, None) | (Piece::WithinWord, _) => repeat(steps, Bytes::WithinWord),
        (Piece::Anything, _) => repeat(steps, Bytes::Anything),
    }
}

fn literal(steps: &mut Vec<Step>, text: &str) {
    steps.extend(text.bytes().map(|byte| Step::Take(Bytes::One(byte))));
}

fn either(steps: &mut Vec<Step>, first: &str, second: &str) {
    let start = steps.len();
    let other = start + 1 + first.len() + 1;
    steps.push(Step::Fork(start + 1, other));
    literal(steps, first);
    steps.push(Step::Jump(other + second.len()));
    literal(steps, second);
}

fn repeat(steps: &mut Vec<Step>, bytes: Bytes) {
    let start = steps.len();
    steps.extend([Step::Fork(start + 1, start + 3), Step::Take(bytes), Step::Jump(start)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: Words<'static> = Words {
        me: "123",
        my_session: "s-1",
        edit: "update",
    };

    fn meet(denial: &str, pattern: &str) -> bool {
        Denials::new([Pattern::parse(denial)].iter(), WORDS).meet(pattern)
    }

    #[test]
    fn a_wildcard_meets_all_that_it_covers() {
        for (denial, pattern) in [
            ("a.b.#", "#"),
            ("a.b.#", "a.#"),
            ("a.b", "a.*"),
            ("a.*.c", "a.b.*"),
            ("*.b", "a.#"),
            ("a.update", "a.edit"),
            ("a.edit", "a.update"),
            ("a.me.c", "a.123.c"),
            ("a.777.c", "a.me.c"),
            ("a.my_session", "a.s-1"),
            ("", "#"),
            ("#", "a"),
        ] {
            assert!(meet(denial, pattern), "{denial} and {pattern}");
        }
        for (denial, pattern) in [
            ("a.b.#", "a.c.#"),
            ("a.b", "a"),
            ("a.*", "a.b.c"),
            ("a.edit", "a.read"),
            ("a.me.c", "a.777.c"),
            ("a.#.c", "a.#.d"),
            ("", "a"),
        ] {
            assert!(!meet(denial, pattern), "{denial} and {pattern}");
        }
    }

    #[test]
    fn patterns_that_take_too_long_reach_too_far() {
        let (many, other) = ("*a".repeat(512), "*b".repeat(512));
        let many = Pattern::parse(&many);
        let mut denials = Denials::new(std::iter::repeat_n(&many, 64), WORDS);
        assert!(denials.meet(&other));
        assert_eq!(denials.effort, 0);
    }

    proptest! {
        #[test]
        fn two_patterns_of_one_text_meet(
            denial in "[ab.*#]{0,6}", pattern in "[ab.*#]{0,6}", text in "[ab.]{0,6}"
        ) {
            let matches = |pattern: &str| Pattern::parse(pattern).matches(&text, WORDS);
            if matches(&denial) && matches(&pattern) {
                prop_assert!(meet(&denial, &pattern));
            }
        }

        #[test]
        fn what_is_no_pattern_meets_what_matches_it(denial in "[ab.*#]{0,6}", text in "[ab.]{0,6}") {
            prop_assert_eq!(meet(&denial, &text), Pattern::parse(&denial).matches(&text, WORDS));
        }
    }
}
