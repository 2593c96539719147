//! SMTP, as a server speaks it (RFC 5321), with STARTTLS and AUTH PLAIN.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

use super::mail::Mail;
use super::{Mood, Protection, Sink};

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

type Stream = BufStream<Box<dyn Duplex>>;

/// How a conversation went on.
enum Turn {
    Ended,
    Upgrade,
}

pub(super) async fn serve(stream: TcpStream, sink: &Sink) -> io::Result<()> {
    if sink.mood() == Mood::Down {
        return Ok(());
    }
    let mut stream: Box<dyn Duplex> = Box::new(stream);
    if sink.protection == Protection::Implicit {
        stream = Box::new(tls(sink).accept(stream).await?);
    }
    let mut stream = BufStream::new(stream);
    say(&mut stream, "220 sink.example.org").await?;
    let is_encrypted = sink.protection == Protection::Implicit;
    match converse(&mut stream, sink, is_encrypted).await? {
        Turn::Ended => Ok(()),
        Turn::Upgrade => {
            let upgraded = tls(sink).accept(stream.into_inner()).await?;
            let upgraded: Box<dyn Duplex> = Box::new(upgraded);
            converse(&mut BufStream::new(upgraded), sink, true).await?;
            Ok(())
        }
    }
}

fn tls(sink: &Sink) -> &tokio_rustls::TlsAcceptor {
    sink.tls.as_ref().expect("a sink with TLS has a certificate")
}

async fn converse(stream: &mut Stream, sink: &Sink, is_encrypted: bool) -> io::Result<Turn> {
    let mut is_known = sink.account.is_none();
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = hear(stream).await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => greet(stream, sink, is_encrypted).await?,
            "STARTTLS" if sink.protection == Protection::StartTls && !is_encrypted => {
                say(stream, "220 go on").await?;
                return Ok(Turn::Upgrade);
            }
            "AUTH" => {
                is_known = knows(sink, rest, is_encrypted);
                let answer = if is_known { "235 welcome" } else { "535 no" };
                say(stream, answer).await?;
            }
            "MAIL" if !is_known => say(stream, "530 who are you").await?,
            "MAIL" => {
                from = address(rest);
                to.clear();
                say(stream, "250 ok").await?;
            }
            "RCPT" if sink.mood() == Mood::Deferring => say(stream, "451 later").await?,
            "RCPT" if sink.mood() == Mood::Refusing => say(stream, "550 never").await?,
            "RCPT" => {
                to.push(address(rest));
                say(stream, "250 ok").await?;
            }
            "DATA" => {
                say(stream, "354 go on").await?;
                let text = hear_data(stream).await?;
                // What the test waits for is there before the client is told so.
                drop(sink.mails.send(Mail::parse(&from, &to, &text)));
                say(stream, "250 taken").await?;
            }
            "NOOP" | "RSET" => say(stream, "250 ok").await?,
            "QUIT" => {
                say(stream, "221 bye").await?;
                return Ok(Turn::Ended);
            }
            _ => say(stream, "502 what").await?,
        }
    }
    Ok(Turn::Ended)
}

async fn greet(stream: &mut Stream, sink: &Sink, is_encrypted: bool) -> io::Result<()> {
    let mut lines = vec!["sink.example.org", "8BITMIME", "SMTPUTF8"];
    if sink.protection == Protection::StartTls && !is_encrypted {
        lines.push("STARTTLS");
    }
    if sink.account.is_some() && is_encrypted {
        lines.push("AUTH PLAIN");
    }
    let last = lines.len() - 1;
    for (number, line) in lines.iter().enumerate() {
        let separator = if number == last { ' ' } else { '-' };
        say(stream, &format!("250{separator}{line}")).await?;
    }
    Ok(())
}

/// `PLAIN` and the Base64 of a NUL, the login, a NUL and the password.
fn knows(sink: &Sink, rest: &str, is_encrypted: bool) -> bool {
    let Some((login, password)) = &sink.account else {
        return true;
    };
    let sent = rest
        .strip_prefix("PLAIN ")
        .and_then(|text| STANDARD.decode(text.trim()).ok());
    is_encrypted && sent == Some(format!("\0{login}\0{password}").into_bytes())
}

/// What stands between the angle brackets of `FROM:<a@example.org> SIZE=1`.
fn address(rest: &str) -> String {
    let inner = rest.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

async fn hear(stream: &mut Stream) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
}

/// The lines up to one with a single dot, a leading dot of the others taken away.
async fn hear_data(stream: &mut Stream) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        if line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn say(stream: &mut Stream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}
