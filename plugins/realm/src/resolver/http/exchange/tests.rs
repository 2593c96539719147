//! Answers as servers send them, in whatever pieces.

use proptest::prelude::*;

use super::*;

/// A stream that answers in pieces of `step` bytes, and keeps what was written.
struct Wire<'a> {
    answer: &'a [u8],
    step: usize,
    sent: Vec<u8>,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(self.answer.len()).min(buffer.len());
        let (now, later) = self.answer.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.answer = later;
        Ok(count)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send(answer: &[u8], step: usize) -> (Result<Answer, ExchangeError>, String) {
    let body = b"{\"a\":1}";
    let request = Request::post("http://idp.example.org/login?x=1")
        .header("connection", "close")
        .header("content-length", body.len())
        .body(())
        .unwrap();
    let mut wire = Wire {
        answer,
        step,
        sent: Vec::new(),
    };
    let answer = exchange(&mut wire, request, body);
    (answer, String::from_utf8(wire.sent).unwrap())
}

#[test]
fn a_request_has_a_line_a_host_and_a_body() {
    let (_, sent) = send(b"HTTP/1.1 204 No Content\r\n\r\n", 1000);
    assert!(sent.starts_with("POST /login?x=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("host: idp.example.org\r\n"), "{sent}");
    assert!(sent.ends_with("\r\n\r\n{\"a\":1}"), "{sent}");
}

#[test]
fn a_body_ends_by_its_length_its_chunks_or_the_stream() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhellomore",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ] {
        for step in [1, 2, 7, 1000] {
            let expected = Answer {
                status: 200,
                body: b"hello".to_vec(),
            };
            assert_eq!(send(answer.as_bytes(), step).0.unwrap(), expected, "{answer} {step}");
        }
    }
}

#[test]
fn of_other_statuses_nothing_more_is_read() {
    for (answer, status) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 500\r\n\r\nno", 401),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n",
            302,
        ),
        ("HTTP/1.1 500 x\r\ntransfer-encoding: chunked\r\n\r\nzz", 500),
    ] {
        let answer = send(answer.as_bytes(), 3).0.unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

#[test]
fn what_is_cut_off_too_long_or_no_http_is_an_error() {
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(70_000));
    let long_body = format!("HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n{}", "a".repeat(70_000));
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(70_000));
    for (answer, expected) in [
        ("", "the connection was closed before the end of the answer"),
        (
            "HTTP/1.1 200 OK\r\n",
            "the connection was closed before the end of the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
            "the connection was closed before the end of the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n",
            "the connection was closed before the end of the answer",
        ),
        (
            "SSH-2.0-OpenSSH\r\n\r\n",
            "the request cannot be sent, or the answer is no HTTP",
        ),
        (long_head.as_str(), "the answer is longer than 65536 bytes"),
        (long_body.as_str(), "the answer is longer than 65536 bytes"),
        (endless.as_str(), "the answer is longer than 65536 bytes"),
    ] {
        let error = send(answer.as_bytes(), 4096).0.unwrap_err();
        assert_eq!(error.to_string(), expected, "{answer:.60}");
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_go_on_for_ever(
        head in "(HTTP/1[.][01] [1-5][0-9][0-9] ?[a-z]{0,4}\r\n)?((content-length|transfer-encoding|connection): ?(chunked|close|[0-9]{1,6})\r\n){0,3}(\r\n)?",
        body in proptest::collection::vec(any::<u8>(), 0..60),
        step in 1_usize..50,
    ) {
        let mut answer = head.into_bytes();
        answer.extend(body);
        let _ = send(&answer, step);
    }
}
