//! The places in a text that a pattern's pieces have reached so far.

use super::MAX_REQUIRED_LENGTH;

const WORDS: usize = MAX_REQUIRED_LENGTH / 64 + 1;

/// A set of places, 0 to the text's length, as bits. It lives on the stack: a text is at most [`MAX_REQUIRED_LENGTH`] bytes long.
pub(super) struct Positions<'a> {
    text: &'a [u8],
    bits: [u64; WORDS],
    #[cfg(test)]
    steps: usize,
}

impl<'a> Positions<'a> {
    /// The start of the text.
    pub(super) fn start(text: &'a str) -> Self {
        let mut start = Self {
            text: text.as_bytes(),
            bits: [0; WORDS],
            #[cfg(test)]
            steps: 0,
        };
        start.insert(0);
        start
    }

    /// Keeps the places that lie behind one of these texts.
    pub(super) fn literal(&mut self, alternatives: &[&str]) {
        let before = std::mem::replace(&mut self.bits, [0; WORDS]);
        for (index, mut word) in before.into_iter().enumerate().take(self.text.len() / 64 + 1) {
            while word != 0 {
                let place = index * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                for alternative in alternatives {
                    #[cfg(test)]
                    {
                        self.steps += alternative.len().max(1);
                    }
                    let rest = self.text.get(place..).unwrap_or_default();
                    if rest.starts_with(alternative.as_bytes()) {
                        self.insert(place + alternative.len());
                    }
                }
            }
        }
    }

    /// Adds the places that can be reached over bytes that `passes` lets through.
    pub(super) fn spread(&mut self, passes: impl Fn(u8) -> bool) {
        let mut reached = false;
        #[cfg(test)]
        {
            self.steps += self.text.len() + 1;
        }
        for (place, byte) in self.text.iter().enumerate() {
            reached |= self.contains(place);
            reached &= passes(*byte);
            if reached {
                self.insert(place + 1);
            }
        }
    }

    /// Whether no place is left.
    pub(super) fn is_empty(&self) -> bool {
        self.bits.iter().take(self.text.len() / 64 + 1).all(|word| *word == 0)
    }

    /// Whether the end of the text is among the places.
    pub(super) fn reached_end(&self) -> bool {
        self.contains(self.text.len())
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    fn contains(&self, place: usize) -> bool {
        self.bits
            .get(place / 64)
            .is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    fn insert(&mut self, place: usize) {
        if let Some(word) = self.bits.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }
}
