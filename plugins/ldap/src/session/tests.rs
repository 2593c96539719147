//! Sessions over streams that are no network: what a real one shows too seldom.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use keyway_sdk::net::{NetError, Protection};
use ldap3_proto::proto::{LdapExtendedResponse, LdapSearchResultEntry};

use super::*;
use crate::connection::{Network, Stream};

/// Where a stream's bytes come from and go to.
#[derive(Debug, Clone, Default)]
struct Wire {
    answers: Rc<RefCell<VecDeque<io::Result<Vec<u8>>>>>,
    sent: Rc<RefCell<Vec<u8>>>,
    tls: Rc<RefCell<bool>>,
}

impl Wire {
    fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let wire = Self::default();
        wire.answers.borrow_mut().extend(answers.into_iter().map(Ok));
        wire
    }

    fn session(&self) -> Session<Self> {
        Session::new(self.clone())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let answer = self.answers.borrow_mut().pop_front().unwrap_or(Ok(Vec::new()))?;
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(answer.len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Wire {
    fn start_tls(&mut self) -> Result<(), NetError> {
        *self.tls.borrow_mut() = true;
        Ok(())
    }

    fn keep(self, _state: &str) {}
}

impl Network for Wire {
    type Stream = Self;

    fn protection(&self) -> Result<Protection, NetError> {
        Ok(Protection::StartTls)
    }

    fn connect(&self) -> Result<Self, NetError> {
        Ok(self.clone())
    }

    fn resume(&self, _state: &str) -> Result<Option<Self>, NetError> {
        Ok(None)
    }
}

fn message(id: i32, op: LdapOp) -> Vec<u8> {
    protocol::encode(LdapMsg::new(id, op)).unwrap()
}

fn agreement(code: LdapResultCode) -> Vec<u8> {
    let mut response = LdapExtendedResponse::new_success(Some(START_TLS), None);
    response.res.code = code;
    message(1, LdapOp::ExtendedResponse(response))
}

fn done(id: i32) -> Vec<u8> {
    let result = LdapResult {
        code: LdapResultCode::Success,
        matcheddn: String::new(),
        message: String::new(),
        referral: Vec::new(),
    };
    message(id, LdapOp::SearchResultDone(result))
}

fn anything<'a>() -> Search<'a> {
    Search {
        base: "",
        scope: LdapSearchScope::Base,
        filter: Filter::Text(crate::filter::anything()),
        attributes: &[],
        limit: 1,
    }
}

#[test]
fn tls_begins_when_the_directory_agrees() {
    let wire = Wire::answering([agreement(LdapResultCode::Success)]);
    wire.open().unwrap();
    assert!(*wire.tls.borrow());
}

#[test]
fn tls_does_not_begin_where_the_directory_refuses() {
    let wire = Wire::answering([agreement(LdapResultCode::ProtocolError)]);
    let fault = wire.open().unwrap_err();
    assert!(
        matches!(&fault, Fault::Misconfigured(message) if message.contains("StartTLS")),
        "{fault:?}"
    );
    assert!(!*wire.tls.borrow());
}

#[test]
fn what_is_slipped_in_behind_the_agreement_is_not_taken_for_the_first_bytes_under_tls() {
    let wire = Wire::answering([[agreement(LdapResultCode::Success), done(2)].concat()]);
    let fault = wire.open().unwrap_err();
    assert!(fault.to_string().contains("more than its agreement"), "{fault}");
    assert!(!*wire.tls.borrow());
}

#[test]
fn no_bind_is_anonymous() {
    for (dn, password) in [("", "s3cre7"), ("uid=alice", "")] {
        let wire = Wire::default();
        assert!(wire.session().bind(dn, password).is_err());
        assert!(wire.sent.borrow().is_empty());
    }
}

#[test]
fn bytes_that_are_no_text_are_searched_for_as_they_are() {
    let value = [0xff, 0x00, b'*', b')', 0xc3];
    let wire = Wire::answering([done(1)]);
    let search = Search {
        filter: Filter::Bytes("objectGUID", &value),
        ..anything()
    };
    wire.session().search(&search).unwrap();
    let mut assertion = vec![0xa3, 2 + 10 + 2 + 5, 0x04, 10];
    assertion.extend(b"objectGUID\x04\x05");
    assertion.extend(value);
    let sent = wire.sent.borrow();
    assert!(sent.windows(assertion.len()).any(|part| part == assertion), "{sent:x?}");
    assert_eq!(crate::ber::check(&sent), Ok(()));
}

#[test]
fn an_answer_may_come_byte_by_byte_or_with_the_next_one() {
    let entry = LdapSearchResultEntry {
        dn: "uid=alice".to_owned(),
        attributes: Vec::new(),
    };
    let answer = [message(1, LdapOp::SearchResultEntry(entry)), done(1)].concat();
    let bytes = answer.iter().map(|byte| vec![*byte]);
    for wire in [Wire::answering([answer.clone()]), Wire::answering(bytes)] {
        let mut session = wire.session();
        assert_eq!(session.search(&anything()).unwrap().entries[0].dn, "uid=alice");
        assert!(session.into_quiet_stream().is_some());
    }
}

#[test]
fn a_connection_on_which_something_is_open_is_not_kept() {
    let left_over = Wire::answering([[done(1), done(1)].concat()]);
    let mut session = left_over.session();
    session.search(&anything()).unwrap();
    assert!(
        session.into_quiet_stream().is_none(),
        "an answer to nothing is left over"
    );

    let broken = Wire::default();
    broken
        .answers
        .borrow_mut()
        .push_back(Err(io::ErrorKind::TimedOut.into()));
    let mut session = broken.session();
    assert!(session.search(&anything()).unwrap_err().is_timeout());
    assert!(session.into_quiet_stream().is_none(), "an answer may still come");
}

#[test]
fn a_directorys_words_are_cut_and_printable() {
    assert_eq!(printable("a\nb\u{1b}[0m\t"), "a b [0m");
    assert_eq!(printable(&"x".repeat(1000)).len(), MAX_WORDS);
    assert_eq!(describe(&LdapResultCode::Busy, ""), "Busy (51)");
}
