//! From the text of a filter to its tree.

use super::{Node, Piece, Placeholder, Text};
use crate::attribute;

/// How deep filters may stand in each other.
const MAX_DEPTH: usize = 16;
/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 4 * 1024;

/// The words in braces that a template may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    /// Those that stand for text of the configuration, such as the name of an attribute.
    pub(crate) constants: &'a [(&'a str, &'a str)],
    /// Those that stand for a value.
    pub(crate) values: &'a [(&'a str, Placeholder)],
}

pub(super) fn template(text: &str, words: &Words<'_>) -> Result<Node, String> {
    let text = text.trim();
    if text.len() > MAX_TEMPLATE {
        return Err(format!("is longer than {MAX_TEMPLATE} bytes"));
    }
    let enclosed = if text.starts_with('(') {
        text.to_owned()
    } else {
        format!("({text})")
    };
    let mut parser = Parser { rest: &enclosed, words };
    let node = parser.filter(0)?;
    if parser.rest.trim().is_empty() {
        Ok(node)
    } else {
        Err(format!("goes on after its end, with `{}`", parser.rest.trim()))
    }
}

struct Parser<'a> {
    rest: &'a str,
    words: &'a Words<'a>,
}

impl Parser<'_> {
    fn filter(&mut self, depth: usize) -> Result<Node, String> {
        if depth == MAX_DEPTH {
            return Err(format!("has filters in each other more than {MAX_DEPTH} deep"));
        }
        self.expect('(')?;
        let node = match self.rest.trim_start().chars().next() {
            Some('&') => Node::And(self.list('&', depth)?),
            Some('|') => Node::Or(self.list('|', depth)?),
            Some('!') => {
                self.expect('!')?;
                Node::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => return self.item(),
        };
        self.expect(')')?;
        Ok(node)
    }

    fn list(&mut self, operator: char, depth: usize) -> Result<Vec<Node>, String> {
        self.expect(operator)?;
        let mut nodes = Vec::new();
        while self.rest.trim_start().starts_with('(') {
            nodes.push(self.filter(depth + 1)?);
        }
        if nodes.is_empty() {
            return Err(format!("has nothing after `{operator}`"));
        }
        Ok(nodes)
    }

    /// What stands between parentheses and has none in it: `uid={username}`. Reads the closing one too.
    fn item(&mut self) -> Result<Node, String> {
        let (text, rest) = match self.rest.find(['(', ')']).map(|at| self.rest.split_at(at)) {
            Some((text, rest)) if rest.starts_with(')') => (text, rest),
            _ => return Err("has a `(` without its `)`".to_owned()),
        };
        let node = item(text, self.words)?;
        self.rest = rest;
        self.expect(')')?;
        Ok(node)
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.rest.trim_start().strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if self.rest.trim().is_empty() => Err(format!("ends where a `{wanted}` is missing")),
            None => Err(format!("lacks a `{wanted}` before `{}`", self.rest.trim())),
        }
    }
}

fn item(text: &str, words: &Words<'_>) -> Result<Node, String> {
    let (left, right) = text
        .split_once('=')
        .ok_or_else(|| format!("has no `=` in `{}`", text.trim()))?;
    let mut parts = value(right, words)?;
    let single = |mut parts: Vec<Text>| match (parts.pop(), parts.is_empty()) {
        (Some(text), true) => Ok(text),
        _ => Err(format!("has a `*` in `{text}` where none may be; write `\\2a`")),
    };
    let left = left.trim();
    if let Some(left) = left.strip_suffix('~') {
        return Ok(Node::Similar(name(left, words)?, single(parts)?));
    }
    if let Some(left) = left.strip_suffix('>') {
        return Ok(Node::AtLeast(name(left, words)?, single(parts)?));
    }
    if let Some(left) = left.strip_suffix('<') {
        return Ok(Node::AtMost(name(left, words)?, single(parts)?));
    }
    if let Some(left) = left.strip_suffix(':') {
        return extensible(left, single(parts)?, words);
    }
    let attribute = name(left, words)?;
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return Ok(Node::Equal(attribute, last));
    }
    let initial = parts.remove(0);
    let some = |text: Text| (!text.0.is_empty()).then_some(text);
    if parts.iter().any(|text| text.0.is_empty()) {
        return Err(format!("has two `*` side by side in `{text}`"));
    }
    match (some(initial), some(last)) {
        (None, None) if parts.is_empty() => Ok(Node::Present(attribute)),
        (initial, last) => Ok(Node::Substring {
            attribute,
            initial,
            any: parts,
            last,
        }),
    }
}

/// `cn:dn:2.4.6.8.10`, in which each part may be missing.
fn extensible(left: &str, value: Text, words: &Words<'_>) -> Result<Node, String> {
    let mut parts = left.split(':');
    let attribute = match parts.next().unwrap_or_default() {
        "" => None,
        text => Some(name(text, words)?),
    };
    let mut parts = parts.peekable();
    let with_dn = parts.next_if(|part| part.eq_ignore_ascii_case("dn")).is_some();
    let rule = parts.next().map(str::to_owned);
    let is_rule = rule.as_deref().is_none_or(attribute::is_rule);
    if !is_rule || parts.next().is_some() || (attribute.is_none() && rule.is_none()) {
        return Err(format!("has `{left}:=`, which names no attribute or no matching rule"));
    }
    Ok(Node::Extensible {
        attribute,
        rule,
        with_dn,
        value,
    })
}

/// The name of an attribute, or a word in braces that stands for one.
fn name(text: &str, words: &Words<'_>) -> Result<String, String> {
    let text = text.trim();
    let word = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let constant = word.and_then(|word| words.constants.iter().find(|(key, _)| *key == word));
    match constant {
        Some((_, name)) => Ok((*name).to_owned()),
        None if attribute::is_valid(text) => Ok(text.to_owned()),
        None => Err(format!("has `{text}` in the place of an attribute's name")),
    }
}

/// A value, cut where it has a `*`.
fn value(text: &str, words: &Words<'_>) -> Result<Vec<Text>, String> {
    let mut parts = Vec::new();
    let mut reading = Reading::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = after;
        match character {
            '*' => parts.push(std::mem::take(&mut reading).end(text)?),
            '\\' => {
                let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let byte = byte.filter(|_| !after.starts_with('+'));
                let byte =
                    byte.ok_or_else(|| format!("has a `\\` in `{text}` without two hexadecimal digits behind it"))?;
                reading.bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            '{' => {
                let (word, behind) = after
                    .split_once('}')
                    .ok_or_else(|| format!("has a `{{` in `{text}` without its `}}`; write `\\7b`"))?;
                reading.word(word, text, words)?;
                rest = behind;
            }
            '\0' => return Err("has a NUL in it".to_owned()),
            other => reading.bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    parts.push(reading.end(text)?);
    Ok(parts)
}

/// What has been read of a value.
#[derive(Default)]
struct Reading {
    text: Text,
    bytes: Vec<u8>,
}

impl Reading {
    fn word(&mut self, word: &str, text: &str, words: &Words<'_>) -> Result<(), String> {
        if let Some((_, constant)) = words.constants.iter().find(|(key, _)| *key == word) {
            self.bytes.extend(constant.bytes());
            return Ok(());
        }
        let Some((_, placeholder)) = words.values.iter().find(|(key, _)| *key == word) else {
            return Err(format!("has an unknown placeholder `{{{word}}}`"));
        };
        self.literal(text)?;
        self.text.0.push(Piece::Value(*placeholder));
        Ok(())
    }

    fn literal(&mut self, text: &str) -> Result<(), String> {
        let bytes = std::mem::take(&mut self.bytes);
        let literal = String::from_utf8(bytes).map_err(|_| format!("has bytes in `{text}` that are no UTF-8"))?;
        if !literal.is_empty() {
            self.text.0.push(Piece::Literal(literal));
        }
        Ok(())
    }

    fn end(mut self, text: &str) -> Result<Text, String> {
        self.literal(text)?;
        Ok(self.text)
    }
}
