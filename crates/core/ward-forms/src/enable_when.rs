//! One `enableWhen` condition: what it asks and when it holds.
//!
//! Source: FHIR R4 `Questionnaire.item.enableWhen` and the value set
//! questionnaire-enable-operator.

use crate::answer_value::AnswerValue;
use crate::error::FormError;
use crate::json_fields::{Fields, choice_field, wrong};
use crate::limits::{MAX_CONDITIONS_PER_ITEM, MAX_LINK_ID_BYTES};
use crate::questionnaire::ItemIndex;
use std::cmp::Ordering;

/// How an answer is compared with the condition's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `exists`: whether there is an answer equals the given true or false.
    Exists,
    /// `=`: at least one answer is the same.
    Equal,
    /// `!=`: no answer is the same, so it holds without an answer too.
    NotEqual,
    /// `>`: at least one answer is greater.
    Greater,
    /// `<`: at least one answer is less.
    Less,
    /// `>=`: at least one answer is greater or the same.
    GreaterOrEqual,
    /// `<=`: at least one answer is less or the same.
    LessOrEqual,
}

impl Operator {
    fn read(code: &str) -> Option<Self> {
        Some(match code {
            "exists" => Self::Exists,
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            ">" => Self::Greater,
            "<" => Self::Less,
            ">=" => Self::GreaterOrEqual,
            "<=" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// Whether the operator needs values that have an order.
    #[must_use]
    pub fn needs_order(self) -> bool {
        matches!(self, Self::Greater | Self::Less | Self::GreaterOrEqual | Self::LessOrEqual)
    }
}

/// Whether all conditions of an item must hold, or one is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnableBehavior {
    /// Every condition must hold.
    All,
    /// One condition is enough.
    Any,
}

/// One condition of an item.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The linkId of the question asked about.
    pub question: String,
    /// That question in the form; `None` when the form has no such item.
    pub target: Option<ItemIndex>,
    /// The item under which both lie; `None` when that is the form itself.
    pub(crate) scope: Option<ItemIndex>,
    /// How the answer is compared.
    pub operator: Operator,
    /// The value compared with.
    pub answer: AnswerValue,
}

impl Condition {
    /// Whether the condition holds for these answers; none when the question has
    /// no answer or is switched off.
    #[must_use]
    pub fn holds(&self, answers: &[&AnswerValue]) -> bool {
        let ordered = |accept: fn(Ordering) -> bool| {
            answers.iter().any(|answer| answer.order(&self.answer).is_some_and(accept))
        };
        match self.operator {
            Operator::Exists => self.answer == AnswerValue::Boolean(!answers.is_empty()),
            Operator::Equal => answers.iter().any(|answer| self.is_met_by(answer)),
            Operator::NotEqual => !answers.iter().any(|answer| self.is_met_by(answer)),
            Operator::Greater => ordered(Ordering::is_gt),
            Operator::Less => ordered(Ordering::is_lt),
            Operator::GreaterOrEqual => ordered(Ordering::is_ge),
            Operator::LessOrEqual => ordered(Ordering::is_le),
        }
    }

    /// Equality as conditions mean it: a condition's code without a system asks
    /// for the code alone.
    fn is_met_by(&self, answer: &AnswerValue) -> bool {
        match (answer, &self.answer) {
            (AnswerValue::Coding(given), AnswerValue::Coding(asked))
                if asked.system.is_none() && asked.code.is_some() =>
            {
                given.code == asked.code
            }
            (given, asked) => given.is_same(asked),
        }
    }

    /// Reads the conditions of one item; targets are resolved later.
    pub(crate) fn read_all(fields: &Fields<'_>, at: &str) -> Result<Vec<Self>, FormError> {
        let list = fields.array("enableWhen")?;
        if list.len() > MAX_CONDITIONS_PER_ITEM {
            return Err(FormError::TooMany {
                at: at.to_owned(),
                what: "enableWhen conditions",
                limit: MAX_CONDITIONS_PER_ITEM,
            });
        }
        list.iter().map(|value| Self::read(value, at)).collect()
    }

    fn read(value: &serde_json::Value, at: &str) -> Result<Self, FormError> {
        let fields = Fields::of(value, at, "enableWhen")?;
        let question = fields
            .bounded("question", MAX_LINK_ID_BYTES)?
            .ok_or_else(|| FormError::MissingField { at: at.to_owned(), field: "enableWhen.question" })?;
        let code = fields
            .string("operator")?
            .ok_or_else(|| FormError::MissingField { at: at.to_owned(), field: "enableWhen.operator" })?;
        let operator = Operator::read(code)
            .ok_or_else(|| wrong(at, "enableWhen.operator", "one of exists, =, !=, >, <, >=, <="))?;
        let (field, value) = choice_field(fields.map(), "answer", at)?
            .ok_or_else(|| FormError::MissingField { at: at.to_owned(), field: "enableWhen.answer[x]" })?;
        let answer = AnswerValue::read(field, field.strip_prefix("answer").unwrap_or(field), value);
        if matches!(answer, AnswerValue::Unreadable { .. }) {
            return Err(wrong(at, field, "a value of its type"));
        }
        if operator == Operator::Exists && !matches!(answer, AnswerValue::Boolean(_)) {
            return Err(wrong(at, "enableWhen.answer[x]", "answerBoolean for the operator exists"));
        }
        Ok(Self { question, target: None, scope: None, operator, answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer_value::Coding;

    fn holds(operator: Operator, asked: AnswerValue, given: &[AnswerValue]) -> bool {
        let condition =
            Condition { question: "q".to_owned(), target: None, scope: None, operator, answer: asked };
        condition.holds(&given.iter().collect::<Vec<_>>())
    }

    #[test]
    fn truth_table_of_the_seven_operators() {
        use AnswerValue::{Boolean, Integer};
        let cases: [(Operator, AnswerValue, &[i32], bool); 20] = [
            (Operator::Exists, Boolean(true), &[], false),
            (Operator::Exists, Boolean(true), &[1], true),
            (Operator::Exists, Boolean(false), &[], true),
            (Operator::Exists, Boolean(false), &[1], false),
            (Operator::Equal, Integer(2), &[], false),
            (Operator::Equal, Integer(2), &[1, 2], true),
            (Operator::Equal, Integer(2), &[1], false),
            (Operator::NotEqual, Integer(2), &[], true),
            (Operator::NotEqual, Integer(2), &[1], true),
            (Operator::NotEqual, Integer(2), &[1, 2], false),
            (Operator::Greater, Integer(2), &[], false),
            (Operator::Greater, Integer(2), &[2], false),
            (Operator::Greater, Integer(2), &[1, 3], true),
            (Operator::Less, Integer(2), &[2], false),
            (Operator::Less, Integer(2), &[1], true),
            (Operator::GreaterOrEqual, Integer(2), &[1], false),
            (Operator::GreaterOrEqual, Integer(2), &[2], true),
            (Operator::LessOrEqual, Integer(2), &[3], false),
            (Operator::LessOrEqual, Integer(2), &[2], true),
            (Operator::LessOrEqual, Integer(2), &[], false),
        ];
        for (operator, asked, given, expected) in cases {
            let given: Vec<_> = given.iter().copied().map(Integer).collect();
            assert_eq!(holds(operator, asked.clone(), &given), expected, "{operator:?} {asked:?} {given:?}");
        }
    }

    #[test]
    fn a_code_without_a_system_asks_for_the_code_alone() {
        let given = [AnswerValue::Coding(Coding::new("s", "1", "Mild"))];
        let asked = |system: Option<&str>| {
            AnswerValue::Coding(Coding {
                system: system.map(str::to_owned),
                code: Some("1".to_owned()),
                ..Coding::default()
            })
        };
        assert!(holds(Operator::Equal, asked(None), &given));
        assert!(holds(Operator::Equal, asked(Some("s")), &given));
        assert!(!holds(Operator::Equal, asked(Some("t")), &given));
    }
}
