//! Rules of access evaluation. The vectors were observed on wazo-auth; the oracle is the `regex` crate, which is linear too, but knows nothing
//! of this code.

use proptest::prelude::*;
use regex::Regex;
use serde::Deserialize;
use uuid::Uuid;

use super::pattern::{Pattern, Words};
use super::*;
use crate::model::{KeyId, Timestamp, Token, TokenDigest};

#[derive(Deserialize)]
struct Vectors {
    auth_id: String,
    session_id: String,
    #[serde(rename = "vectors")]
    rows: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    acl: Vec<String>,
    access: String,
    granted: bool,
}

fn strings(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|text| (*text).to_owned()).collect()
}

fn grants(patterns: &[&str], required: &str) -> bool {
    let words = Words::of("123", "session-uuid");
    Compiled::new(&strings(patterns)).grants(required, words)
}

#[test]
fn every_vector_of_wazo_holds() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../tests/vectors/wazo-acl.json")).unwrap();
    let words = Words::of(&vectors.auth_id, &vectors.session_id);
    assert!(vectors.rows.len() >= 80, "the table is whole");
    for Vector { acl, access, granted } in &vectors.rows {
        let answer = Compiled::new(acl).grants(access, words);
        assert_eq!(answer, *granted, "{acl:?} for {access:?}");
    }
}

#[test]
fn a_trailing_newline_is_not_tolerated() {
    assert!(grants(&["a.b"], "a.b"));
    assert!(!grants(&["a.b"], "a.b\n"));
    assert!(!grants(&["a.#"], "a.b\n"));
}

#[test]
fn an_identity_is_taken_literally() {
    let list = Compiled::new(&strings(&["a.me.b"]));
    let words = Words::of(".*", "#");
    assert!(list.grants("a..*.b", words));
    assert!(!list.grants("a.zzz.b", words));
}

#[test]
fn a_list_knows_its_identity_and_its_session() {
    let (me, session) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let patterns = strings(&["users.me.read", "sessions.my_session.delete"]);
    let list = AccessList::new(&patterns, IdentityId(me), SessionId(session));
    assert!(list.grants(&format!("users.{me}.read")));
    assert!(list.grants(&format!("sessions.{session}.delete")));
    assert!(!list.grants(&format!("users.{session}.read")));
    assert!(!list.grants(&format!("sessions.{me}.delete")));
}

#[test]
fn a_caller_may_add_what_it_has_and_what_denies() {
    let list = AccessList::new(&strings(&["a.*"]), IdentityId(Uuid::nil()), SessionId(Uuid::nil()));
    assert!(list.may_add("a.*"));
    assert!(list.may_add("!x"));
    assert!(!list.may_add("a.#"));
    assert!(list.may_remove("!a.b"));
    assert!(!list.may_remove("!x"));
    assert!(!list.may_remove("!!a.b"));
}

#[test]
fn a_pattern_that_is_too_long_grants_nothing_and_denies_everything() {
    let long = format!("{}#", "a".repeat(MAX_PATTERN_LENGTH));
    let negative = format!("!{long}");
    assert!(!grants(&[&long], &long));
    assert!(grants(&["#", &long], "b"));
    assert!(!grants(&["#", &negative], "b"));
    let longest = format!("{}#", "a".repeat(MAX_PATTERN_LENGTH - 1));
    assert!(grants(&[&longest], &longest));
}

#[test]
fn an_access_that_is_too_long_is_denied() {
    assert!(grants(&["#", "*.*"], &"a".repeat(MAX_REQUIRED_LENGTH)));
    assert!(grants(&["*"], &"a".repeat(MAX_REQUIRED_LENGTH)));
    assert!(!grants(&["#"], &"a".repeat(MAX_REQUIRED_LENGTH + 1)));
}

/// `#.` ten times over, against 82 characters, takes a backtracking matcher half a minute.
#[test]
fn catastrophic_patterns_take_few_steps() {
    let words = Words::of("me", "my_session");
    for wildcard in ["#.", "*.", "#", "*#", "me.#", "#edit."] {
        for count in [10, 100] {
            let text = format!("{}x", wildcard.repeat(count));
            let pattern = Pattern::parse(&text);
            for required in [format!("{}y", "a.".repeat(41)), "a.".repeat(1000), ".".repeat(2000)] {
                let steps = pattern.steps(&required, words);
                let bound = (text.len() + 20) * (required.len() + 1) * 2;
                assert!(steps <= bound, "`{text}`: {steps} steps, bound {bound}");
            }
        }
    }
}

#[test]
fn equal_lists_are_kept_once_and_forgotten_with_their_last_token() {
    let share = AccessShare::default();
    let token = |patterns: &[&str]| Token {
        digest: TokenDigest {
            key: KeyId(1),
            hash: [0; 32],
        },
        session: SessionId(Uuid::nil()),
        issued_at: Timestamp(0),
        expires_at: Timestamp(1),
        accesses: strings(patterns).into(),
    };
    let compile = |token: &mut Token, id| share.compile(token, IdentityId(Uuid::from_u128(id)), token.session);
    let (mut first, mut second) = (token(&["users.me.#"]), token(&["users.me.#"]));
    let (one, two) = (compile(&mut first, 1), compile(&mut second, 2));
    assert!(Arc::ptr_eq(&first.accesses, &second.accesses));
    assert!(Arc::ptr_eq(&one.compiled, &two.compiled));
    assert!(one.grants(&format!("users.{}.x", Uuid::from_u128(1))));
    assert!(!two.grants(&format!("users.{}.x", Uuid::from_u128(1))));

    for n in 0..10_000 {
        compile(&mut token(&[&format!("list.{n}")]), 1);
    }
    assert!(share.len() < 1000, "{} lists of dead tokens are kept", share.len());
    let mut third = token(&["users.me.#"]);
    assert!(Arc::ptr_eq(&compile(&mut third, 3).compiled, &one.compiled));
}

#[test]
fn a_ceiling_keeps_what_it_covers_and_adds_what_it_denies() {
    let kept = |claimed: &[&str], ceiling: &[&str]| within_ceiling(&strings(claimed), &strings(ceiling));
    assert_eq!(kept(&["a.b", "a.*", "b", "#"], &["a.*"]), strings(&["a.b", "a.*"]));
    assert_eq!(kept(&["a.#"], &["a.*"]), strings(&[]));
    assert_eq!(kept(&["!x"], &["a.*"]), strings(&["!x"]));
    assert_eq!(kept(&["a.b"], &["#", "!a.c"]), strings(&["a.b", "!a.c"]));
    assert_eq!(kept(&["a.c"], &["#", "!a.c"]), strings(&[]));
    assert_eq!(kept(&["a.b"], &[]), strings(&[]));
    // Its text is below the ceiling, and what it stands for is not.
    assert_eq!(kept(&["edit"], &["e*"]), strings(&[]));
    assert_eq!(kept(&["a.me"], &["a.m*"]), strings(&[]));
    assert_eq!(kept(&["a.edit", "a.me"], &["a.*"]), strings(&["a.edit", "a.me"]));
    assert_eq!(
        kept(&["a.edit", "a.me"], &["a.edit", "a.me"]),
        strings(&["a.edit", "a.me"])
    );
    assert_eq!(kept(&[], &["#", "!a.c"]), strings(&[]));
}

/// The same pattern as a regular expression.
fn oracle(pattern: &str, me: &str, session: &str) -> Regex {
    let word = |word: &str| match word {
        "me" => format!("(?:me|{})", regex::escape(me)),
        "my_session" => format!("(?:my_session|{})", regex::escape(session)),
        "edit" => "(?:edit|update)".to_owned(),
        plain => plain
            .chars()
            .map(|c| match c {
                '*' => r"[^.#]*".to_owned(),
                '#' => r"[^\n]*".to_owned(),
                c => regex::escape(&c.to_string()),
            })
            .collect(),
    };
    let words: Vec<_> = pattern.split('.').map(word).collect();
    Regex::new(&format!(r"\A(?:{})\z", words.join(r"\."))).unwrap()
}

fn oracle_grants(patterns: &[String], required: &str) -> bool {
    let matches = |pattern: &str| oracle(pattern, "m.e", "ses").is_match(required);
    let denied = patterns.iter().filter_map(|text| text.strip_prefix('!')).any(matches);
    !denied
        && patterns
            .iter()
            .filter(|text| !text.starts_with('!'))
            .any(|text| matches(text))
}

/// Few different parts, so that patterns and texts often meet.
fn text(parts: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(parts), 0..most).prop_map(|parts| parts.concat())
}

const PATTERN: &[&str] = &[".", ".", "*", "#", "a", "b", "me", "my_session", "edit", "é", "!", "\n"];
const REQUIRED: &[&str] = &[
    ".", ".", "a", "b", "me", "m.e", "ses", "edit", "update", "é", "*", "#", "!", "\n",
];

/// With beginnings of the special words and of what they stand for.
const CLAIMED: &[&str] = &[".", ".", "*", "#", "a", "me", "m", "edit", "e", "u", "1", "!"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn evaluation_agrees_with_the_oracle(
        patterns in prop::collection::vec(text(PATTERN, 9), 0..4),
        required in text(REQUIRED, 12),
    ) {
        let words = Words::of("m.e", "ses");
        let answer = Compiled::new(&patterns).grants(&required, words);
        prop_assert_eq!(answer, oracle_grants(&patterns, &required));
    }

    #[test]
    fn a_pattern_agrees_with_the_oracle_on_texts_made_from_it(
        parts in prop::collection::vec(prop::sample::select(PATTERN), 0..10),
        choices in prop::collection::vec(text(REQUIRED, 3), 10),
    ) {
        let pattern = parts.concat();
        let required: String = parts
            .iter()
            .zip(&choices)
            .map(|(part, choice)| match *part {
                "*" | "#" => choice.as_str(),
                "me" if choice.len() % 2 == 0 => "m.e",
                "edit" if choice.len() % 2 == 0 => "update",
                other => other,
            })
            .collect();
        let words = Words::of("m.e", "ses");
        let answer = Pattern::parse(&pattern).matches(&required, words);
        prop_assert_eq!(answer, oracle(&pattern, "m.e", "ses").is_match(&required), "{} for {}", pattern, required);
    }

    #[test]
    fn nothing_below_a_ceiling_reaches_over_it(
        claimed in prop::collection::vec(text(CLAIMED, 6), 0..4),
        ceiling in prop::collection::vec(text(CLAIMED, 6), 0..4),
        required in text(&[".", "a", "b", "me", "123", "edit", "update", "*"], 6),
    ) {
        let words = Words::of("123", "ses");
        let kept = Compiled::new(&within_ceiling(&claimed, &ceiling)).grants(&required, words);
        if kept {
            prop_assert!(Compiled::new(&ceiling).grants(&required, words));
        }
    }
}
