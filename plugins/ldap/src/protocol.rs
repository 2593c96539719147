//! Messages and their bytes (RFC 4511): where one ends, what is in it.

use bytes::BytesMut;
use ldap3_lber::common::TagClass;
use ldap3_lber::structure::{PL, StructureTag};
use ldap3_lber::{Parser, write};
use ldap3_proto::proto::{LdapMsg, LdapOp};

use crate::ber::{self, Head};

/// The largest message that is read. An entry with every photograph of its owner is larger; one that was asked for by attribute is not.
pub(crate) const MAX_MESSAGE: usize = 1024 * 1024;
/// More than what [`ber::check`] lets through, so that this limit of the parser is never met.
const PARSER_DEPTH: usize = 32;
/// A SEQUENCE.
const MESSAGE_TAG: u8 = 0x30;
/// An INTEGER.
const NUMBER_TAG: u8 = 0x02;
/// What begins an entry that a search brings, an application tag.
const ENTRY_TAG: u8 = 0x64;
/// Where the filter stands in a search request.
const FILTER_PLACE: usize = 6;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtocolError {
    /// The bytes are not LDAP.
    #[error("the directory's answer is malformed: {0}")]
    Malformed(String),
    /// Well-formed bytes that are not a message with a meaning.
    #[error("the directory's answer is malformed: {0}")]
    Meaningless(String),
    /// The message is too large.
    #[error("the directory's answer is larger than {MAX_MESSAGE} bytes")]
    Oversized,
    /// The message that was to be sent cannot be written.
    #[error("a request cannot be encoded")]
    Unwritable,
}

impl From<&'static str> for ProtocolError {
    fn from(reason: &'static str) -> Self {
        Self::Malformed(reason.to_owned())
    }
}

/// A message from the directory.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: i32,
    pub(crate) op: LdapOp,
    pub(crate) controls: Vec<Control>,
}

/// What a directory adds to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) oid: String,
    pub(crate) value: Option<Vec<u8>>,
}

/// How many bytes the first message takes; `None` while its head is not there in full.
pub(crate) fn size(bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
    // What is not LDAP at all shows in the first byte; it need not be waited for.
    if bytes.first().is_some_and(|first| *first != MESSAGE_TAG) {
        return Err("it does not begin as an LDAP message does".into());
    }
    let Some(head) = Head::read(bytes)? else {
        return Ok(None);
    };
    match head.size.checked_add(head.content) {
        Some(size) if size <= MAX_MESSAGE => Ok(Some(size)),
        _ => Err(ProtocolError::Oversized),
    }
}

/// The number of the search to which this brings an entry, if it does, which only the entry's own content may be wrong with. What has come of the
/// message so far is enough to say so.
pub(crate) fn entry_of(bytes: &[u8]) -> Option<i32> {
    let message = Head::read(bytes).ok()??;
    let inside = bytes.get(message.size..)?;
    let number = Head::read(inside).ok()??;
    let behind = inside.get(number.size..)?;
    let id = behind.get(..number.content).filter(|id| id.len() <= 4)?;
    let is_entry = number.tag == NUMBER_TAG && behind.get(number.content) == Some(&ENTRY_TAG);
    is_entry.then(|| id.iter().fold(0, |sum, byte| (sum << 8) | i32::from(*byte)))
}

/// Reads one whole message.
pub(crate) fn decode(bytes: &[u8]) -> Result<Message, ProtocolError> {
    ber::check(bytes)?;
    let mut tag = parse(bytes)?;
    // The protocol's library forgets the value of a password policy's answer, and refuses a message for the sake of a control that it cannot
    // read. So controls are taken off before it sees them.
    let controls = match &mut tag.payload {
        PL::C(parts) if parts.len() == 3 => parts.pop().map(controls).transpose()?.unwrap_or_default(),
        _ => Vec::new(),
    };
    let message = LdapMsg::try_from(tag)
        .map_err(|error| ProtocolError::Meaningless(error.to_string().trim_end_matches('.').to_lowercase()))?;
    Ok(Message {
        id: message.msgid,
        op: message.op,
        controls,
    })
}

/// Reads one element and all in it.
pub(crate) fn parse(bytes: &[u8]) -> Result<StructureTag, ProtocolError> {
    let (rest, tag) = Parser::new(PARSER_DEPTH)
        .parse(bytes)
        .map_err(|_| ProtocolError::from("it is no BER"))?;
    if rest.is_empty() {
        Ok(tag)
    } else {
        Err("it goes on after its end".into())
    }
}

fn controls(tag: StructureTag) -> Result<Vec<Control>, ProtocolError> {
    let controls = tag
        .match_class(TagClass::Context)
        .and_then(|tag| tag.match_id(0))
        .and_then(StructureTag::expect_constructed)
        .ok_or("its controls are none")?;
    controls.into_iter().map(control).collect()
}

fn control(tag: StructureTag) -> Result<Control, ProtocolError> {
    let mut parts = tag.expect_constructed().ok_or("a control is none")?.into_iter();
    let oid = parts
        .next()
        .and_then(StructureTag::expect_primitive)
        .and_then(|oid| String::from_utf8(oid).ok())
        .ok_or("a control has no name")?;
    // Between the two there may be a boolean, which means nothing in an answer.
    let value = parts
        .last()
        .filter(|tag| tag.id == 4)
        .and_then(StructureTag::expect_primitive);
    Ok(Control { oid, value })
}

/// Writes a message.
pub(crate) fn encode(message: LdapMsg) -> Result<Vec<u8>, ProtocolError> {
    write_tag(message.into())
}

/// Writes a search for an attribute of this very value, which need not be text, as the library's filters must be: Active Directory's ids are
/// bytes. The message's own filter must be an equality.
pub(crate) fn encode_search_for_bytes(message: LdapMsg, value: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut tag = StructureTag::from(message);
    let place = parts(&mut tag)
        .and_then(|parts| parts.get_mut(1))
        .and_then(parts)
        .and_then(|parts| parts.get_mut(FILTER_PLACE))
        .and_then(parts)
        .and_then(|parts| parts.get_mut(1))
        .ok_or(ProtocolError::Unwritable)?;
    place.payload = PL::P(value.to_vec());
    write_tag(tag)
}

fn parts(tag: &mut StructureTag) -> Option<&mut Vec<StructureTag>> {
    match &mut tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn write_tag(tag: StructureTag) -> Result<Vec<u8>, ProtocolError> {
    let mut bytes = BytesMut::new();
    write::encode_into(&mut bytes, tag).map_err(|_| ProtocolError::Unwritable)?;
    Ok(bytes.into())
}
