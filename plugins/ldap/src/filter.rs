//! Search filters (RFC 4515). The operator's template is parsed once, with its placeholders in it; a value then takes the place of a whole
//! placeholder in the tree. It never was part of any text that is parsed, so no value can change what a filter asks.

use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

use crate::attribute;

mod parse;

pub(crate) use parse::Words;

/// What is filled in for one search.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Values<'a> {
    pub(crate) username: &'a str,
    pub(crate) user_dn: &'a str,
}

/// What a value may be filled in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// `{username}`.
    Username,
    /// `{user_dn}`.
    UserDn,
}

/// A filter with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Present(String),
    Equal(String, Text),
    Similar(String, Text),
    AtLeast(String, Text),
    AtMost(String, Text),
    Substring {
        attribute: String,
        initial: Option<Text>,
        any: Vec<Text>,
        last: Option<Text>,
    },
    Extensible {
        attribute: Option<String>,
        rule: Option<String>,
        with_dn: bool,
        value: Text,
    },
}

/// An assertion's value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value(Placeholder),
}

impl Template {
    /// Reads a template. Its outermost parentheses may be missing, as in what wazo stores.
    pub(crate) fn parse(text: &str, words: &Words<'_>) -> Result<Self, String> {
        parse::template(text, words).map(Self)
    }

    /// Whether a value is filled in anywhere.
    pub(crate) fn uses(&self, placeholder: Placeholder) -> bool {
        let mut is_used = false;
        self.0
            .visit(&mut |text| is_used |= text.0.contains(&Piece::Value(placeholder)));
        is_used
    }

    /// The filter for these values.
    pub(crate) fn fill(&self, values: Values<'_>) -> LdapFilter {
        self.0.fill(values)
    }
}

impl Node {
    fn visit(&self, visitor: &mut impl FnMut(&Text)) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|node| node.visit(visitor)),
            Self::Not(node) => node.visit(visitor),
            Self::Present(_) => {}
            Self::Equal(_, value) | Self::Similar(_, value) | Self::AtLeast(_, value) | Self::AtMost(_, value) => {
                visitor(value);
            }
            Self::Substring { initial, any, last, .. } => initial.iter().chain(any).chain(last).for_each(visitor),
            Self::Extensible { value, .. } => visitor(value),
        }
    }

    fn fill(&self, values: Values<'_>) -> LdapFilter {
        let all = |nodes: &[Self]| nodes.iter().map(|node| node.fill(values)).collect();
        match self {
            Self::And(nodes) => LdapFilter::And(all(nodes)),
            Self::Or(nodes) => LdapFilter::Or(all(nodes)),
            Self::Not(node) => LdapFilter::Not(Box::new(node.fill(values))),
            Self::Present(attribute) => LdapFilter::Present(attribute.clone()),
            Self::Equal(attribute, value) => LdapFilter::Equality(attribute.clone(), value.fill(values)),
            Self::Similar(attribute, value) => LdapFilter::Approx(attribute.clone(), value.fill(values)),
            Self::AtLeast(attribute, value) => LdapFilter::GreaterOrEqual(attribute.clone(), value.fill(values)),
            Self::AtMost(attribute, value) => LdapFilter::LessOrEqual(attribute.clone(), value.fill(values)),
            Self::Substring {
                attribute,
                initial,
                any,
                last,
            } => LdapFilter::Substring(
                attribute.clone(),
                LdapSubstringFilter {
                    initial: initial.as_ref().map(|text| text.fill(values)),
                    any: any.iter().map(|text| text.fill(values)).collect(),
                    final_: last.as_ref().map(|text| text.fill(values)),
                },
            ),
            Self::Extensible {
                attribute,
                rule,
                with_dn,
                value,
            } => LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule: rule.clone(),
                type_: attribute.clone(),
                match_value: value.fill(values),
                dn_attributes: *with_dn,
            }),
        }
    }
}

impl Text {
    fn fill(&self, values: Values<'_>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Value(Placeholder::Username) => values.username.to_owned(),
            Piece::Value(Placeholder::UserDn) => values.user_dn.to_owned(),
        };
        self.0.iter().map(piece).collect()
    }
}

/// Everybody whose attribute has this very value.
pub(crate) fn equal(attribute: &str, value: &str) -> LdapFilter {
    debug_assert!(
        attribute::is_valid(attribute),
        "the names of attributes are checked when they are configured"
    );
    LdapFilter::Equality(attribute.to_owned(), value.to_owned())
}

/// Whatever there is.
pub(crate) fn anything() -> LdapFilter {
    LdapFilter::Present("objectClass".to_owned())
}

#[cfg(test)]
mod tests;
