//! One pattern.

use super::positions::Positions;

/// What the words of a pattern stand for besides themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    /// `me`
    pub(super) me: &'a str,
    /// `my_session`
    pub(super) my_session: &'a str,
    /// `edit`
    pub(super) edit: &'a str,
}

impl<'a> Words<'a> {
    /// The words of a token.
    pub(super) fn of(me: &'a str, my_session: &'a str) -> Self {
        Self {
            me,
            my_session,
            edit: "update",
        }
    }
}

/// What the words stand for where only the same word or a wildcard may match: no pattern spells these.
pub(super) const SIGNS: Words<'static> = Words {
    me: "\u{1}",
    my_session: "\u{2}",
    edit: "\u{3}",
};

/// The pattern's text with each special word replaced by its sign.
pub(super) fn with_signs(text: &str) -> String {
    let sign = |word| match word {
        "me" => SIGNS.me,
        "my_session" => SIGNS.my_session,
        "edit" => SIGNS.edit,
        plain => plain,
    };
    let words: Vec<_> = text.split('.').map(sign).collect();
    words.join(".")
}

/// A pattern without its `!`. Most are plain texts or a prefix before `#`, which need no set of positions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Exact(Box<str>),
    Prefix(Box<str>),
    Pieces(Box<[Piece]>),
}

/// A part of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Box<str>),
    Me,
    MySession,
    Edit,
    /// `*`: any characters but `.` and `#`.
    WithinWord,
    /// `#`: any characters but a newline.
    Anything,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Self {
        let mut pieces = pieces(text);
        match pieces.as_slice() {
            [] => Self::Exact("".into()),
            [Piece::Literal(_)] | [Piece::Literal(_), Piece::Anything] => {
                let prefix = pieces.len() == 2;
                match pieces.swap_remove(0) {
                    Piece::Literal(text) if prefix => Self::Prefix(text),
                    Piece::Literal(text) => Self::Exact(text),
                    other => Self::Pieces([other].into()),
                }
            }
            [Piece::Anything] => Self::Prefix("".into()),
            _ => Self::Pieces(pieces.into()),
        }
    }

    pub(super) fn matches(&self, text: &str, words: Words<'_>) -> bool {
        match self {
            Self::Exact(literal) => **literal == *text,
            Self::Prefix(prefix) => text
                .strip_prefix(&**prefix)
                .is_some_and(|rest| !rest.as_bytes().contains(&b'\n')),
            Self::Pieces(pieces) => follow(pieces, text, words).reached_end(),
        }
    }

    /// How many bytes a match looked at: what the tests bound in the place of time.
    #[cfg(test)]
    pub(super) fn steps(&self, text: &str, words: Words<'_>) -> usize {
        match self {
            Self::Exact(_) | Self::Prefix(_) => text.len(),
            Self::Pieces(pieces) => follow(pieces, text, words).steps(),
        }
    }
}

/// Walks through the pieces once, with the set of all places in the text where the pieces so far can end: no piece is tried twice, whatever
/// the wildcards around it are, so the work is bounded by the length of the pattern times that of the text.
fn follow<'a>(pieces: &[Piece], text: &'a str, words: Words<'_>) -> Positions<'a> {
    let mut positions = Positions::start(text);
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => positions.literal(&[literal]),
            Piece::Me => positions.literal(&["me", words.me]),
            Piece::MySession => positions.literal(&["my_session", words.my_session]),
            Piece::Edit => positions.literal(&["edit", words.edit]),
            Piece::WithinWord => positions.spread(|byte| !matches!(byte, b'.' | b'#')),
            Piece::Anything => positions.spread(|byte| byte != b'\n'),
        }
        if positions.is_empty() {
            break;
        }
    }
    positions
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    for (index, word) in text.split('.').enumerate() {
        if index > 0 {
            literal.push('.');
        }
        let special = match word {
            "me" => Some(Piece::Me),
            "my_session" => Some(Piece::MySession),
            "edit" => Some(Piece::Edit),
            _ => None,
        };
        if let Some(piece) = special {
            push(&mut pieces, &mut literal, piece);
            continue;
        }
        for character in word.chars() {
            match character {
                '*' => push(&mut pieces, &mut literal, Piece::WithinWord),
                '#' => push(&mut pieces, &mut literal, Piece::Anything),
                plain => literal.push(plain),
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal.into()));
    }
    pieces
}

/// Ends the literal before the piece, and adds the piece unless it is a wildcard that repeats the last one.
fn push(pieces: &mut Vec<Piece>, literal: &mut String, piece: Piece) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal).into()));
    }
    let repeats = matches!(piece, Piece::WithinWord | Piece::Anything) && pieces.last() == Some(&piece);
    if !repeats {
        pieces.push(piece);
    }
}
