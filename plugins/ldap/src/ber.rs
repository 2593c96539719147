//! What is well-formed BER, as LDAP uses it (RFC 4511, section 5.1): definite lengths, small tags. The parser behind this module takes a cut-off
//! element for the end of its parent and recurses as deep as the bytes say; so nothing reaches it that was not walked through here first.

/// How deep elements may stand in each other. LDAP's own answers reach six.
const MAX_DEPTH: usize = 12;
/// How many elements one message may have. Each costs more memory than it has bytes.
const MAX_ELEMENTS: usize = 32 * 1024;
/// Octets of a long length. RFC 4511 has no use for more than four.
const MAX_LENGTH_OCTETS: u8 = 4;
/// The tags of the numbers in LDAP, of which none is larger than four bytes (RFC 4511, 4.1.1).
const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;

/// The head of an element: how many bytes it takes, and how many follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tag: u8,
    pub(crate) size: usize,
    pub(crate) content: usize,
}

impl Head {
    /// The head at the start of these bytes; `None` while there are too few of them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, &'static str> {
        let [tag, rest @ ..] = bytes else { return Ok(None) };
        if tag & 0x1f == 0x1f {
            return Err("a tag of more than one byte");
        }
        let [first, rest @ ..] = rest else { return Ok(None) };
        if *first < 0x80 {
            return Ok(Some(Self {
                tag: *tag,
                size: 2,
                content: usize::from(*first),
            }));
        }
        let octets = first & 0x7f;
        if octets == 0 || octets > MAX_LENGTH_OCTETS {
            return Err("a length that is indefinite or of more than four bytes");
        }
        let Some(length) = rest.get(..usize::from(octets)) else {
            return Ok(None);
        };
        let length = length.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Ok(Some(Self {
            tag: *tag,
            size: 2 + usize::from(octets),
            content: usize::try_from(length).map_err(|_| "a length beyond all memory")?,
        }))
    }

    fn is_constructed(self) -> bool {
        self.tag & 0x20 != 0
    }
}

/// Walks through one whole element and all in it, without recursion.
pub(crate) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    // The ends of the elements that are open around the current place, the outermost first.
    let mut open = vec![bytes.len()];
    let mut at = 0;
    let mut elements = 0;
    while let Some(end) = open.last().copied() {
        if at == end {
            open.pop();
            continue;
        }
        elements += 1;
        if elements > MAX_ELEMENTS {
            return Err("too many elements");
        }
        let inside = bytes.get(at..end).ok_or("an element that ends after its parent")?;
        let head = Head::read(inside)?.ok_or("an element that is cut off")?;
        at += head.size;
        let end_of_content = at
            .checked_add(head.content)
            .filter(|&sum| sum <= end)
            .ok_or("an element that ends after its parent")?;
        if matches!(head.tag, INTEGER | ENUMERATED) && !(1..=4).contains(&head.content) {
            return Err("a number that is not of one to four bytes");
        }
        if !head.is_constructed() {
            at = end_of_content;
        } else if open.len() > MAX_DEPTH {
            return Err("elements nested too deeply");
        } else {
            open.push(end_of_content);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_element_passes() {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x30, 0x03, 0x02, 0x01, 0x01],
            &[0x04, 0x81, 0x01, 0xff],
        ] {
            assert_eq!(check(bytes), Ok(()), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_too_long_does_not() {
        for bytes in [
            &[0x30][..],
            &[0x30, 0x01],
            &[0x30, 0x02, 0x04, 0x01],
            &[0x30, 0x03, 0x04, 0x02, 0x00],
            &[0x30, 0x80, 0x00, 0x00],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x1f, 0x01, 0x00],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(check(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn a_number_has_one_to_four_bytes() {
        for tag in [INTEGER, ENUMERATED] {
            for length in 0..10 {
                let mut bytes = vec![0x30, 2 + length, tag, length];
                bytes.extend(vec![0x01; usize::from(length)]);
                assert_eq!(check(&bytes).is_ok(), (1..=4).contains(&length), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nested = |depth: usize| {
            (0..depth).fold(vec![0x30, 0x00], |inner, _| {
                let mut outer = vec![0x30, u8::try_from(inner.len()).unwrap()];
                outer.extend(inner);
                outer
            })
        };
        assert_eq!(check(&nested(MAX_DEPTH - 1)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH)), Err("elements nested too deeply"));

        let mut many = vec![0x30, 0x83, 1, 0, 2];
        many.extend([0x05, 0x00].repeat(MAX_ELEMENTS + 1));
        assert_eq!(check(&many), Err("too many elements"));
    }
}
