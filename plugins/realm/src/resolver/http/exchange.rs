//! One request and its answer, over any stream of bytes. Neither is longer than it may be, and the stream ends with them.

use std::io::{self, Read, Write};

use http::Request;
use keyway_sdk::Fault;
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult};

/// The longest head of an answer, and the longest body, in bytes.
const MOST: usize = 64 << 10;

/// What is written or read at once. A line of the request's head is not longer: a path has at most 8 KiB.
const BUFFER: usize = 16 << 10;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty unless the status is 200 to 299.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer. None of them holds anything of what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error("the connection failed")]
    Connection(#[from] io::Error),
    #[error("the request cannot be sent, or the answer is no HTTP")]
    Protocol,
    #[error("the answer is longer than {MOST} bytes")]
    TooLong,
    #[error("the connection was closed before the end of the answer")]
    Closed,
}

/// What the library says may quote headers, and headers hold secrets.
impl From<ureq_proto::Error> for ExchangeError {
    fn from(_: ureq_proto::Error) -> Self {
        Self::Protocol
    }
}

impl From<ExchangeError> for Fault {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Connection(error) => error.into(),
            error => Self::unavailable(error.to_string()),
        }
    }
}

/// Sends the request, whose `Content-Length` is that of `body`, and reads the answer.
pub(super) fn exchange(
    stream: &mut (impl Read + Write),
    request: Request<()>,
    body: &[u8],
) -> Result<Answer, ExchangeError> {
    let mut buffer = vec![0; BUFFER];
    let mut sending = Call::new(request)?.proceed();
    while !sending.can_proceed() {
        let count = sending.write(&mut buffer)?;
        stream.write_all(part(&buffer, count)?)?;
    }
    let receiving = match sending.proceed()? {
        Some(SendRequestResult::RecvResponse(receiving)) => receiving,
        Some(SendRequestResult::SendBody(mut sending)) => {
            let mut rest = body;
            while !rest.is_empty() {
                let (taken, count) = sending.write(rest, &mut buffer)?;
                stream.write_all(part(&buffer, count)?)?;
                rest = rest.get(taken..).ok_or(ExchangeError::Protocol)?;
            }
            let (_, count) = sending.write(&[], &mut buffer)?;
            stream.write_all(part(&buffer, count)?)?;
            sending.proceed().ok_or(ExchangeError::Protocol)?
        }
        // Nothing asked for a `100 Continue`.
        Some(SendRequestResult::Await100(_)) | None => return Err(ExchangeError::Protocol),
    };
    stream.flush()?;
    receive(stream, receiving, &mut buffer)
}

fn receive(stream: &mut impl Read, mut call: Call<RecvResponse>, buffer: &mut [u8]) -> Result<Answer, ExchangeError> {
    let mut input = Vec::new();
    let status = loop {
        let (taken, response) = call.try_response(&input, false)?;
        input.drain(..taken);
        if let Some(response) = response {
            break response.status();
        }
        if taken == 0 && more(stream, &mut input, buffer)? == 0 {
            return Err(ExchangeError::Closed);
        }
    };
    let body = match call.proceed() {
        Some(RecvResponseResult::RecvBody(call)) if status.is_success() => receive_body(stream, call, input, buffer)?,
        _ => Vec::new(),
    };
    Ok(Answer {
        status: status.as_u16(),
        body,
    })
}

fn receive_body(
    stream: &mut impl Read,
    mut call: Call<RecvBody>,
    mut input: Vec<u8>,
    buffer: &mut [u8],
) -> Result<Vec<u8>, ExchangeError> {
    let ends_with_stream = call.body_mode() == BodyMode::CloseDelimited;
    let mut body = Vec::new();
    loop {
        let (taken, count) = call.read(&input, buffer)?;
        body.extend_from_slice(part(buffer, count)?);
        input.drain(..taken);
        if body.len() > MOST {
            return Err(ExchangeError::TooLong);
        }
        if !ends_with_stream && call.can_proceed() {
            return Ok(body);
        }
        if taken == 0 && count == 0 && more(stream, &mut input, buffer)? == 0 {
            return if ends_with_stream || call.is_ended_chunked() {
                Ok(body)
            } else {
                Err(ExchangeError::Closed)
            };
        }
    }
}

/// Reads some more behind what is there; 0 at the end of the stream.
fn more(stream: &mut impl Read, input: &mut Vec<u8>, buffer: &mut [u8]) -> Result<usize, ExchangeError> {
    if input.len() >= MOST {
        return Err(ExchangeError::TooLong);
    }
    let count = stream.read(buffer)?;
    input.extend_from_slice(part(buffer, count)?);
    Ok(count)
}

fn part(buffer: &[u8], count: usize) -> Result<&[u8], ExchangeError> {
    buffer.get(..count).ok_or(ExchangeError::Protocol)
}

#[cfg(test)]
mod tests;
