//! Six words that two people read to each other: 11 bits each, 66 bits in all.

use crate::limits::WORD_COUNT;
use alloc::string::String;
use alloc::vec::Vec;

/// How many words a comparison has.
pub const SIX_WORDS: usize = 6;

const LIST: &str = include_str!("../data/words.txt");

/// Words that cannot be read. The person who typed them must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A word that is not in the list.
    #[error("\u{201c}{0}\u{201d} is not one of Ward's words; check its spelling")]
    Unknown(String),
}

/// The first 66 bits of a digest, as six words.
pub fn six_words(digest: &[u8; 32]) -> [&'static str; SIX_WORDS] {
    let mut words = [""; SIX_WORDS];
    for (i, word) in words.iter_mut().enumerate() {
        let mut index = 0usize;
        for bit in i * 11..i * 11 + 11 {
            let byte = digest.get(bit / 8).copied().unwrap_or(0);
            index = index << 1 | usize::from(byte >> (7 - bit % 8) & 1);
        }
        *word = word_at(index).unwrap_or("");
    }
    words
}

/// The word with this number, if there is one.
pub fn word_at(index: usize) -> Option<&'static str> {
    LIST.lines().nth(index)
}

/// The number of a word; the list is sorted.
///
/// # Errors
/// [`WordsError::Unknown`].
pub fn word_index(word: &str) -> Result<usize, WordsError> {
    let words: Vec<&str> = LIST.lines().collect();
    words.binary_search(&word).map_err(|_| WordsError::Unknown(word.into()))
}

const _: () = assert!(WORD_COUNT == 1 << 11);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_distinct_and_sayable() {
        let words: Vec<&str> = LIST.lines().collect();
        assert_eq!(words.len(), WORD_COUNT);
        assert!(words.windows(2).all(|pair| pair[0] < pair[1]));
        for word in words {
            assert!((3..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn bits_become_words_and_back() {
        let mut digest = [0u8; 32];
        digest[0] = 0xff;
        digest[1] = 0xe0;
        let words = six_words(&digest);
        assert_eq!(word_index(words[0]), Ok(WORD_COUNT - 1));
        assert!(words[1..].iter().all(|word| word_index(word) == Ok(0)));
        assert_eq!(word_index("zzzz"), Err(WordsError::Unknown("zzzz".into())));
    }
}
