//! One LDAP session over a stream of bytes. One request at a time: each answer must carry its number.

use std::io::{self, Read, Write};

use keyway_sdk::{Fault, log};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapExtendedRequest, LdapFilter, LdapMsg, LdapOp, LdapResult,
    LdapResultCode, LdapSearchRequest, LdapSearchScope,
};

use crate::entry::Entry;
use crate::protocol::{self, Control, Message, ProtocolError};

/// How many bytes are asked for at once.
const CHUNK: usize = 16 * 1024;
/// How many messages that answer no request may come before an answer.
const MAX_NOTICES: usize = 8;
/// How many references to other servers a search may bring.
const MAX_REFERENCES: usize = 64;
/// Characters of a directory's own words that are repeated.
const MAX_WORDS: usize = 200;
/// The operation by which a directory ends a session (RFC 4511, 4.4.1).
const DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";
/// The operation that begins TLS (RFC 4511, 4.14).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// Why a session has no more use. None says anything about a credential.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The connection broke.
    #[error("the connection to the directory broke")]
    Broken(#[source] io::Error),
    /// The directory closed the connection.
    #[error("the directory closed the connection{0}")]
    Closed(&'static str),
    /// The directory said that it ends the session.
    #[error("the directory ended the session: {0}")]
    Disconnected(String),
    /// What it sent is no answer.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// An entry that a search brought cannot be read. What comes behind it can.
    #[error("the directory sent an entry that cannot be read")]
    Unreadable {
        /// The number of the search.
        id: i32,
    },
    /// An entry that a search brought is too large to be read.
    #[error("the directory sent an entry that is larger than {} bytes", protocol::MAX_MESSAGE)]
    TooLarge,
    /// What it sent answers something that was not asked.
    #[error("the directory answered with {0}")]
    Unexpected(&'static str),
    /// More entries or references came than were asked for.
    #[error("the directory sent more {0} than it may")]
    TooMany(&'static str),
    /// It refused to begin TLS.
    #[error("the directory refused StartTLS: {0}")]
    NoTls(String),
}

impl SessionError {
    /// Whether it would be as slow on another connection.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Broken(error) if error.kind() == io::ErrorKind::TimedOut)
    }
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Broken(error) => error.into(),
            error @ SessionError::NoTls(_) => Self::Misconfigured(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

/// The result of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: LdapResultCode,
    /// The directory's own words, cut and without control characters.
    pub(crate) words: String,
    pub(crate) controls: Vec<Control>,
}

impl Answer {
    fn new(result: &LdapResult, controls: Vec<Control>) -> Self {
        Self {
            code: result.code.clone(),
            words: printable(&result.message),
            controls,
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code == LdapResultCode::Success
    }

    /// The same of which nobody can say more than the code: what a directory says of a user may be their name, which is for no log.
    pub(crate) fn without_words(&self) -> Self {
        Self {
            code: self.code.clone(),
            words: String::new(),
            controls: Vec::new(),
        }
    }

    /// The code, its number and the directory's words, for the operator.
    pub(crate) fn describe(&self) -> String {
        describe(&self.code, &self.words)
    }
}

fn describe(code: &LdapResultCode, words: &str) -> String {
    let number = code.clone() as i64;
    match words {
        "" => format!("{code:?} ({number})"),
        words => format!("{code:?} ({number}), `{words}`"),
    }
}

fn printable(text: &str) -> String {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    text.chars()
        .take(MAX_WORDS)
        .map(printable)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// What is searched for.
#[derive(Debug, Clone)]
pub(crate) struct Search<'a> {
    pub(crate) base: &'a str,
    pub(crate) scope: LdapSearchScope,
    pub(crate) filter: Filter<'a>,
    pub(crate) attributes: &'a [String],
    /// How many entries the directory may send.
    pub(crate) limit: u16,
}

/// By what it is searched for.
#[derive(Debug, Clone)]
pub(crate) enum Filter<'a> {
    Text(LdapFilter),
    /// An attribute and its value, which need not be text.
    Bytes(&'a str, &'a [u8]),
}

/// What a search brought.
#[derive(Debug)]
pub(crate) struct Hits {
    pub(crate) entries: Vec<Entry>,
    /// How many entries there are beside those, which cannot be read.
    pub(crate) unreadable: usize,
    /// How often the directory referred to another server.
    pub(crate) references: usize,
    pub(crate) answer: Answer,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session<S> {
    stream: S,
    received: Vec<u8>,
    last_id: i32,
    is_quiet: bool,
}

impl<S: Read + Write> Session<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            received: Vec::new(),
            last_id: 0,
            is_quiet: true,
        }
    }

    /// A simple bind (RFC 4511, 4.2). Neither the name nor the password may be empty: such a bind is anonymous and proves nothing.
    pub(crate) fn bind(&mut self, dn: &str, password: &str) -> Result<Answer, SessionError> {
        if dn.is_empty() || password.is_empty() {
            return Err(SessionError::Unexpected("an anonymous bind, which is none"));
        }
        let request = LdapBindRequest {
            version: 3,
            dn: dn.to_owned(),
            cred: LdapBindCred::Simple(password.to_owned()),
        };
        let id = self.send(LdapOp::BindRequest(request), true)?;
        match self.receive(id)? {
            Message {
                op: LdapOp::BindResponse(response),
                controls,
                ..
            } => Ok(self.done(Answer::new(&response.res, controls))),
            _ => Err(SessionError::Unexpected("something else to a bind")),
        }
    }

    /// An extended operation (RFC 4511, 4.12). With `with_policy`, the directory's password policy may add why it refused.
    pub(crate) fn extended(&mut self, request: LdapExtendedRequest, with_policy: bool) -> Result<Answer, SessionError> {
        let id = self.send(LdapOp::ExtendedRequest(request), with_policy)?;
        match self.receive(id)? {
            Message {
                op: LdapOp::ExtendedResponse(response),
                controls,
                ..
            } => Ok(self.done(Answer::new(&response.res, controls))),
            _ => Err(SessionError::Unexpected("something else to an extended operation")),
        }
    }

    /// Has the directory agree to TLS. It begins with the next byte.
    pub(crate) fn agree_on_tls(&mut self) -> Result<(), SessionError> {
        let request = LdapExtendedRequest {
            name: START_TLS.to_owned(),
            value: None,
        };
        let answer = self.extended(request, false)?;
        if !answer.is_success() {
            return Err(SessionError::NoTls(answer.describe()));
        }
        // What came in clear after the agreement may be anybody's; taken for the first bytes under TLS, it would be believed.
        if !self.received.is_empty() {
            return Err(SessionError::Unexpected("more than its agreement to StartTLS"));
        }
        Ok(())
    }

    /// A search (RFC 4511, 4.5). References to other servers are counted and not followed.
    pub(crate) fn search(&mut self, search: &Search<'_>) -> Result<Hits, SessionError> {
        let id = self.send_search(search)?;
        let (mut entries, mut unreadable, mut references) = (Vec::new(), 0, 0);
        loop {
            let op = match self.receive(id) {
                Ok(message) => message.op,
                Err(SessionError::Unreadable { id: other }) if other == id => {
                    unreadable += 1;
                    if unreadable > usize::from(search.limit) {
                        return Err(SessionError::TooMany("entries"));
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            match op {
                LdapOp::SearchResultEntry(entry) => {
                    if entries.len() == usize::from(search.limit) {
                        return Err(SessionError::TooMany("entries"));
                    }
                    entries.push(Entry::from(entry));
                }
                LdapOp::SearchResultReference(_) => {
                    references += 1;
                    if references > MAX_REFERENCES {
                        return Err(SessionError::TooMany("references to other servers"));
                    }
                }
                LdapOp::SearchResultDone(result) => {
                    let answer = self.done(Answer::new(&result, Vec::new()));
                    return Ok(Hits {
                        entries,
                        unreadable,
                        references,
                        answer,
                    });
                }
                _ => return Err(SessionError::Unexpected("something else to a search")),
            }
        }
    }

    /// Says farewell. Nothing depends on whether it is heard.
    pub(crate) fn unbind(mut self) {
        let _ = self.send(LdapOp::UnbindRequest, false);
    }

    /// The stream, if no request is open on it and no byte of it is left over.
    pub(crate) fn into_quiet_stream(self) -> Option<S> {
        (self.is_quiet && self.received.is_empty()).then_some(self.stream)
    }

    /// Whether every request has its whole answer.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    pub(crate) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    fn send_search(&mut self, search: &Search<'_>) -> Result<i32, SessionError> {
        let (filter, bytes) = match &search.filter {
            Filter::Text(filter) => (filter.clone(), None),
            Filter::Bytes(attribute, value) => (crate::filter::equal(attribute, ""), Some(value)),
        };
        let request = LdapSearchRequest {
            base: search.base.to_owned(),
            scope: search.scope.clone(),
            aliases: LdapDerefAliases::Never,
            sizelimit: i32::from(search.limit),
            timelimit: 0,
            typesonly: false,
            filter,
            attrs: search.attributes.to_vec(),
        };
        let message = self.message(LdapOp::SearchRequest(request));
        let bytes = match bytes {
            Some(value) => protocol::encode_search_for_bytes(message, value)?,
            None => protocol::encode(message)?,
        };
        self.write(&bytes)
    }

    fn send(&mut self, op: LdapOp, with_policy: bool) -> Result<i32, SessionError> {
        let mut message = self.message(op);
        if with_policy {
            message
                .ctrl
                .push(LdapControl::PasswordPolicyRequest { criticality: false });
        }
        let bytes = protocol::encode(message)?;
        self.write(&bytes)
    }

    fn message(&mut self, op: LdapOp) -> LdapMsg {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        LdapMsg::new(self.last_id, op)
    }

    /// Sends a request, whose number this is.
    fn write(&mut self, bytes: &[u8]) -> Result<i32, SessionError> {
        self.is_quiet = false;
        self.stream.write_all(bytes).map_err(SessionError::Broken)?;
        Ok(self.last_id)
    }

    fn done<T>(&mut self, result: T) -> T {
        self.is_quiet = true;
        result
    }

    /// The next message that answers this request.
    fn receive(&mut self, id: i32) -> Result<Message, SessionError> {
        for _ in 0..MAX_NOTICES {
            let message = self.next()?;
            match message {
                Message { id: 0, op, .. } => notice(&op)?,
                message if message.id == id => return Ok(message),
                _ => return Err(SessionError::Unexpected("the number of another request")),
            }
        }
        Err(SessionError::TooMany("notices"))
    }

    fn too_large(&self, error: ProtocolError) -> SessionError {
        match protocol::entry_of(&self.received) {
            Some(id) if error == ProtocolError::Oversized && id == self.last_id => SessionError::TooLarge,
            _ => error.into(),
        }
    }

    fn next(&mut self) -> Result<Message, SessionError> {
        loop {
            if let Some(size) = protocol::size(&self.received).map_err(|error| self.too_large(error))?
                && let Some(bytes) = self.received.get(..size)
            {
                let message = protocol::decode(bytes).map_err(|error| unreadable(bytes, error));
                self.received.drain(..size);
                return message;
            }
            let mut chunk = [0; CHUNK];
            let count = match self.stream.read(&mut chunk) {
                Ok(0) if self.received.is_empty() => return Err(SessionError::Closed("")),
                Ok(0) => return Err(SessionError::Closed(" in the middle of an answer")),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(SessionError::Broken(error)),
            };
            self.received.extend(chunk.get(..count).unwrap_or_default());
        }
    }
}

/// Whether only an entry is to blame, whose owner alone is to suffer for it.
fn unreadable(bytes: &[u8], error: ProtocolError) -> SessionError {
    match (error, protocol::entry_of(bytes)) {
        (ProtocolError::Meaningless(_), Some(id)) => SessionError::Unreadable { id },
        (error, _) => error.into(),
    }
}

/// What a directory says unasked (RFC 4511, 4.4).
fn notice(op: &LdapOp) -> Result<(), SessionError> {
    match op {
        LdapOp::ExtendedResponse(response) if response.name.as_deref() == Some(DISCONNECTION) => {
            let words = printable(&response.res.message);
            Err(SessionError::Disconnected(describe(&response.res.code, &words)))
        }
        LdapOp::ExtendedResponse(_) => {
            log::debug!("a notice of the directory, not known and not heeded");
            Ok(())
        }
        _ => Err(SessionError::Unexpected("something that it was not asked")),
    }
}

#[cfg(test)]
mod tests;
