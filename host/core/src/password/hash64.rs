//! The base64 of crypt(3): an alphabet that begins with `./0`, and the lowest bits first.

/// The bytes of a text that encodes exactly `length` of them. Bits of the last character that are beyond them mean nothing.
pub(super) fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != encoded_length(length) {
        return None;
    }
    decode_any(text).map(|mut bytes| {
        bytes.truncate(length);
        bytes
    })
}

/// The bytes of a text of any length.
pub(super) fn decode_any(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let value = number(group)?;
        let [low, middle, high, _] = value.to_le_bytes();
        match group.len() {
            4 => bytes.extend([low, middle, high]),
            3 => bytes.extend([low, middle]),
            2 => bytes.push(low),
            _ => return None,
        }
    }
    Some(bytes)
}

/// The number that at most five characters stand for.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let mut value = 0;
    for (index, byte) in (0_u32..5).zip(text) {
        value |= digit(*byte)? << (index * 6);
    }
    (text.len() <= 5).then_some(value)
}

/// The value of one character, below 64.
pub(super) fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'.' => 0,
        b'/' => 1,
        b'0'..=b'9' => byte - b'0' + 2,
        b'A'..=b'Z' => byte - b'A' + 12,
        b'a'..=b'z' => byte - b'a' + 38,
        _ => return None,
    };
    Some(value.into())
}

fn encoded_length(bytes: usize) -> usize {
    (bytes * 8).div_ceil(6)
}
