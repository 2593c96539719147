//! A mail, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail as the server got it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom the envelope names as its sender.
    pub from: String,
    /// Whom the envelope names as its recipients.
    pub to: Vec<String>,
    /// Its headers, unfolded, in their order.
    pub headers: Vec<(String, String)>,
    /// Its part of plain text.
    pub text: String,
    /// Its part of HTML.
    pub html: String,
}

impl Mail {
    pub(super) fn parse(from: &str, to: &[String], raw: &str) -> Self {
        let (headers, body) = split(raw);
        let mut mail = Self {
            from: from.to_owned(),
            to: to.to_vec(),
            headers,
            text: String::new(),
            html: String::new(),
        };
        let boundary = mail.header("Content-Type").and_then(boundary_of);
        let boundary = boundary.unwrap_or_else(|| panic!("a mail in parts: {raw}"));
        for part in body.split(&format!("--{boundary}")).skip(1) {
            let (headers, body) = split(part.trim_start_matches("\r\n"));
            let header = |name: &str| find(&headers, name).unwrap_or_default();
            let decoded = decode(body, header("Content-Transfer-Encoding"));
            match header("Content-Type") {
                kind if kind.starts_with("text/plain") => mail.text = decoded,
                kind if kind.starts_with("text/html") => mail.html = decoded,
                _ => {}
            }
        }
        mail
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The link in its text, on a line of its own.
    ///
    /// # Panics
    /// If there is none.
    pub fn link(&self) -> &str {
        let mut lines = self.text.lines().map(str::trim);
        lines
            .find(|line| line.starts_with("http"))
            .unwrap_or_else(|| panic!("no link in {self:?}"))
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.as_str())
}

/// The headers and what follows them.
fn split(raw: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    (head.split("\r\n").filter_map(header).collect(), body)
}

fn boundary_of(content_type: &str) -> Option<String> {
    let (_, rest) = content_type.split_once("boundary=\"")?;
    rest.split('"').next().map(str::to_owned)
}

fn decode(body: &str, encoding: &str) -> String {
    let bytes = match encoding {
        "quoted-printable" => unquote(body),
        "base64" => STANDARD.decode(body.replace("\r\n", "")).expect("Base64"),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
}

/// RFC 2045, section 6.7.
fn unquote(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
