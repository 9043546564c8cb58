//! Comparing the law that Ward cites with an official edition.

use super::edition::{Edition, paragraph_sha256};
use super::{Citation, Law, ParagraphHash};
use crate::day::Day;
use crate::limits::REVIEW_INTERVAL_DAYS;

/// How the paragraph of a citation stands to an official edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParagraphState<'l> {
    /// The words are those that were summarised.
    Same,
    /// The words are other ones: the summary has to be read again.
    Changed {
        /// The hash of what the edition says.
        found: String,
    },
    /// The edition does not have it.
    Missing,
    /// Nobody has hashed it, and why.
    NotChecked(&'l str),
}

impl ParagraphState<'_> {
    /// Its word in reports.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed { .. } => "changed",
            Self::Missing => "not in the edition",
            Self::NotChecked(_) => "not checked",
        }
    }
}

/// When a person compared the summary with the official text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// Nobody did.
    Never,
    /// On this day, not too long ago.
    Current(Day),
    /// On this day, which is too long ago.
    Due(Day),
}

impl Review {
    /// Its word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "unverified",
            Self::Current(_) => "verified",
            Self::Due(_) => "review due",
        }
    }
}

/// One citation beside an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCitation<'l> {
    /// The citation.
    pub citation: &'l Citation,
    /// How its paragraph stands.
    pub paragraph: ParagraphState<'l>,
    /// When its summary was compared.
    pub review: Review,
}

/// Every citation beside an edition, in the order of their keys.
#[must_use]
pub fn verify_law<'l>(law: &'l Law, edition: &Edition, today: Day) -> Vec<CheckedCitation<'l>> {
    let check = |citation: &'l Citation| CheckedCitation {
        citation,
        paragraph: paragraph_state(citation, edition),
        review: review(citation, today),
    };
    law.citations().into_iter().map(check).collect()
}

fn paragraph_state<'l>(citation: &'l Citation, edition: &Edition) -> ParagraphState<'l> {
    let expected = match &citation.paragraph {
        ParagraphHash::Sha256(hash) => hash,
        ParagraphHash::None(because) => return ParagraphState::NotChecked(because),
    };
    let Some(official) = edition.paragraph(citation) else { return ParagraphState::Missing };
    let found = paragraph_sha256(&official.text);
    if found == **expected { ParagraphState::Same } else { ParagraphState::Changed { found } }
}

/// A day that lies ahead was not one of comparing: it counts as due.
fn review(citation: &Citation, today: Day) -> Review {
    let Some(day) = citation.verified.as_deref().and_then(Day::parse) else { return Review::Never };
    let passed = today.days_since(day);
    if (0..=REVIEW_INTERVAL_DAYS).contains(&passed) { Review::Current(day) } else { Review::Due(day) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::read_instrument;

    fn law(hash: &str, verified: &str) -> Law {
        let text = format!(
            "version: 1\ninstrument: i\nname: N\ncitations:\n- key: k\n  cite: C 1\n  title: T\n  summary: S\n  \
             strength: required\n  effective: 2020-01-01\n  source: s\n  text_sha256: {hash}\n  verified: {verified}\n"
        );
        Law::new(read_instrument("i.yaml", &text).unwrap(), Vec::new()).unwrap()
    }

    #[test]
    fn changed_words_missing_paragraphs_and_old_reviews_are_told() {
        let today = Day::parse("2026-11-30").unwrap();
        let mut edition = Edition::default();
        edition.add(br#"[{"cite": "C 1", "text": "the words"}]"#).unwrap();
        let same = paragraph_sha256("the  words");
        let one = |hash: &str, verified: &str, edition: &Edition| {
            let law = law(hash, verified);
            let checked = verify_law(&law, edition, today);
            (checked[0].paragraph.word(), checked[0].review.word())
        };
        assert_eq!(one(&same, "false", &edition), ("same", "unverified"));
        assert_eq!(one(&same, "2025-11-30", &edition), ("same", "verified"));
        assert_eq!(one(&same, "2025-11-29", &edition), ("same", "review due"));
        assert_eq!(one(&same, "2026-12-01", &edition), ("same", "review due"));
        assert_eq!(one(&"0".repeat(64), "false", &edition).0, "changed");
        assert_eq!(one(&same, "false", &Edition::default()).0, "not in the edition");
        let none = one("none\n  not_checked_because: no copy", "false", &edition);
        assert_eq!(none.0, "not checked");
    }
}
