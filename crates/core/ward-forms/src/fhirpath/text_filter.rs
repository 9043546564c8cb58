//! `member = 'text'` and `member in ('text' | 'other')`, by far the most frequent filters.
//!
//! A score runs `linkId = 'x'` over every item for each of its answers. Where the data are plain such a
//! filter needs no collections.

use super::ast::{Expr, Member, Operation, Operator};
use super::link_id_filter::literal_texts;
use super::navigate;
use super::value::Value;
use crate::limits::BYTES_PER_STEP;

/// The filter, found once when the expression is read.
#[derive(Debug, Clone)]
pub(super) struct TextFilter {
    member: Member,
    /// In order, so that one is found in few comparisons.
    texts: Vec<String>,
    /// Steps that one value takes.
    steps: usize,
}

impl TextFilter {
    pub(super) fn of(criteria: &Expr) -> Option<Self> {
        let Expr::Chain { first, rest } = criteria else { return None };
        let Expr::Member(member) = &**first else { return None };
        let mut texts = match rest.as_slice() {
            [Operation::Binary(Operator::Equal, text @ Expr::Literal(_))]
            | [Operation::Binary(Operator::In, text)] => literal_texts(text)?,
            _ => return None,
        };
        texts.sort_unstable();
        let comparisons = usize::try_from(texts.len().max(1).ilog2()).unwrap_or(0) + 1;
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let steps = comparisons * (1 + longest / BYTES_PER_STEP) + member.name.len() / BYTES_PER_STEP;
        let texts = texts.into_iter().map(str::to_owned).collect();
        Some(Self { member: member.clone(), texts, steps })
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Whether the value meets it; nothing if it takes the whole way to say.
    pub(super) fn holds(&self, value: &Value<'_>) -> Option<bool> {
        let text = navigate::plain_text(value.node()?, &self.member)?;
        Some(self.texts.binary_search_by(|known| known.as_str().cmp(text)).is_ok())
    }
}
