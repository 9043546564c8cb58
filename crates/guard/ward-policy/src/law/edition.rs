//! An official edition of the law, read from elsewhere: its words are no part of Ward.
//!
//! A file is a JSON list of paragraphs, each with its `cite`, its `text` and, if it is known, the
//! `source_date` of the edition.

use super::{Citation, ParagraphHash};
use crate::input_error::InputError;
use crate::limits::MAX_EDITION_BYTES;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// A paragraph in the words of the law.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OfficialParagraph {
    /// As a lawyer writes it.
    pub cite: Box<str>,
    /// Its words.
    pub text: Box<str>,
    /// Which edition it was taken from, as the file says it.
    #[serde(default)]
    pub source_date: Option<Box<str>>,
}

/// Paragraphs of an official edition.
#[derive(Debug, Default)]
pub struct Edition {
    paragraphs: Vec<OfficialParagraph>,
    by_cite: HashMap<Box<str>, usize>,
    by_hash: HashMap<String, usize>,
}

impl Edition {
    /// Adds the paragraphs of one file.
    ///
    /// # Errors
    /// [`InputError`] when it is no such list, or has two texts for one citation.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), InputError> {
        if bytes.len() > MAX_EDITION_BYTES {
            return Err(InputError::TooLarge);
        }
        let rows: Vec<OfficialParagraph> = serde_json::from_slice(bytes).map_err(|error| {
            InputError::Malformed { at: format!("line {}", error.line()), what: error.to_string() }
        })?;
        for row in rows {
            let hash = paragraph_sha256(&row.text);
            let known = self.by_cite.get(&row.cite).and_then(|at| self.paragraphs.get(*at));
            if known.is_some_and(|known| paragraph_sha256(&known.text) != hash) {
                let what = "this edition has two texts of it".to_owned();
                return Err(InputError::Malformed { at: row.cite.into(), what });
            }
            self.by_cite.insert(row.cite.clone(), self.paragraphs.len());
            self.by_hash.insert(hash, self.paragraphs.len());
            self.paragraphs.push(row);
        }
        Ok(())
    }

    /// How many paragraphs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_cite.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_cite.is_empty()
    }

    /// The paragraph of a citation: by its name, otherwise the one that has its hash, for editions name
    /// definitions in ways of their own.
    #[must_use]
    pub fn paragraph(&self, citation: &Citation) -> Option<&OfficialParagraph> {
        let by_hash = match &citation.paragraph {
            ParagraphHash::Sha256(hash) => self.by_hash.get(&**hash),
            ParagraphHash::None(_) => None,
        };
        let at = self.by_cite.get(&citation.cite).or(by_hash)?;
        self.paragraphs.get(*at)
    }
}

/// The SHA-256 of a paragraph in lower-case hexadecimal, its white space folded to single spaces.
#[must_use]
pub fn paragraph_sha256(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ward_id::hex_encode(&Sha256::digest(folded.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count_and_words_do() {
        assert_eq!(paragraph_sha256("a  b\n\tc "), paragraph_sha256("a b c"));
        assert_ne!(paragraph_sha256("a b c"), paragraph_sha256("a b C"));
        assert_eq!(
            paragraph_sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn two_texts_of_one_citation_are_refused() {
        let mut edition = Edition::default();
        edition.add(br#"[{"cite": "a", "text": "b c"}, {"cite": "a", "text": "b  c"}]"#).unwrap();
        assert_eq!(edition.len(), 1);
        assert!(edition.add(br#"[{"cite": "a", "text": "other"}]"#).is_err());
        assert!(edition.add(b"{}").is_err() && edition.add(b"[{}]").is_err());
    }
}
