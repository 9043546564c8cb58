//! The 15 scales: facts of the scoring manual.

use serde::Serialize;

/// Questions of the questionnaire.
pub const ITEMS: u8 = 30;

/// The first of the two questions about global health, which have seven answers.
const FIRST_GLOBAL: u8 = 29;

/// The highest answer of a question, from 1; `None` for a number that no question has.
#[must_use]
pub fn highest_answer(item: u8) -> Option<u8> {
    match item {
        1..FIRST_GLOBAL => Some(4),
        FIRST_GLOBAL..=ITEMS => Some(7),
        _ => None,
    }
}

/// What a scale is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleKind {
    /// How well somebody can do things.
    Functional,
    /// How much a symptom or a difficulty is felt.
    Symptom,
    /// Health and quality of life as a whole.
    Global,
}

/// Which end of a score is the worse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// A higher score is worse.
    HigherIsWorse,
    /// A lower score is worse.
    LowerIsWorse,
}

impl ScaleKind {
    /// Which end of its scores is the worse one.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Symptom => Direction::HigherIsWorse,
            Self::Functional | Self::Global => Direction::LowerIsWorse,
        }
    }
}

/// One scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Scale {
    /// The code of the scoring manual; a 2 says that the scale was revised.
    pub code: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it is about.
    pub kind: ScaleKind,
    /// The numbers of its questions.
    pub items: &'static [u8],
    /// Whether it is one of the 13 scales of the summary score.
    pub in_summary: bool,
}

const fn scale(
    code: &'static str,
    label: &'static str,
    kind: ScaleKind,
    items: &'static [u8],
    in_summary: bool,
) -> Scale {
    Scale { code, label, kind, items, in_summary }
}

/// Every scale.
pub const SCALES: [Scale; 15] = [
    scale("QL2", "global health", ScaleKind::Global, &[29, 30], false),
    scale("PF2", "physical functioning", ScaleKind::Functional, &[1, 2, 3, 4, 5], true),
    scale("RF2", "role functioning", ScaleKind::Functional, &[6, 7], true),
    scale("EF", "emotional functioning", ScaleKind::Functional, &[21, 22, 23, 24], true),
    scale("CF", "cognitive functioning", ScaleKind::Functional, &[20, 25], true),
    scale("SF", "social functioning", ScaleKind::Functional, &[26, 27], true),
    scale("FA", "fatigue", ScaleKind::Symptom, &[10, 12, 18], true),
    scale("NV", "nausea and vomiting", ScaleKind::Symptom, &[14, 15], true),
    scale("PA", "pain", ScaleKind::Symptom, &[9, 19], true),
    scale("DY", "dyspnoea", ScaleKind::Symptom, &[8], true),
    scale("SL", "insomnia", ScaleKind::Symptom, &[11], true),
    scale("AP", "appetite loss", ScaleKind::Symptom, &[13], true),
    scale("CO", "constipation", ScaleKind::Symptom, &[16], true),
    scale("DI", "diarrhoea", ScaleKind::Symptom, &[17], true),
    scale("FI", "financial difficulties", ScaleKind::Symptom, &[28], false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_belongs_to_one_scale() {
        let mut all: Vec<u8> = SCALES.iter().flat_map(|scale| scale.items).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (1..=ITEMS).collect::<Vec<_>>());
        assert_eq!(SCALES.iter().filter(|scale| scale.in_summary).count(), 13);
    }

    #[test]
    fn all_questions_of_a_scale_have_the_same_answers() {
        for scale in SCALES {
            let highest: Vec<_> = scale.items.iter().map(|item| highest_answer(*item)).collect();
            let expected = Some(if scale.kind == ScaleKind::Global { 7 } else { 4 });
            assert!(highest.iter().all(|one| *one == expected), "{}", scale.code);
        }
        assert_eq!((highest_answer(0), highest_answer(31)), (None, None));
    }
}
