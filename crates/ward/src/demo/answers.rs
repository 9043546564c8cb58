//! How a synthetic participant fills in any questionnaire, given how bad the day is.

use super::story::Dice;
use ward_forms::{AnswerValue, Answering, ItemType, QuestionStep, Questionnaire, QuestionnaireResponse};

/// Most questions answered in one form, in case a form never ends.
const QUESTIONS_MAX: usize = 5_000;

/// A completed response, or why the form could not be completed.
///
/// # Errors
/// The findings, as sentences.
pub fn fill_in(
    form: &Questionnaire,
    dice: &mut Dice,
    burden: u8,
    urgent: bool,
    note: Option<&str>,
    authored: &str,
) -> Result<QuestionnaireResponse, String> {
    let mut answering = Answering::new(form.clone());
    for _ in 0..QUESTIONS_MAX {
        let Some(step) = answering.next_question() else { break };
        let value = choose(&step, dice, burden, urgent, note);
        let done = match value {
            Some(value) => answering.answer(&step.path, value),
            None => answering.skip(&step.path),
        };
        done.map_err(|error| format!("{}: {error}", step.link_id))?;
    }
    answering.finish(Some(authored)).map_err(|findings| {
        findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
    })
}

fn choose(
    step: &QuestionStep,
    dice: &mut Dice,
    burden: u8,
    urgent: bool,
    note: Option<&str>,
) -> Option<AnswerValue> {
    if !step.options.is_empty() {
        // Around the burden of the day; the last options of a list may be "not applicable".
        let scored = step.options.iter().filter(|option| option.weight.is_some()).count();
        let choices = if scored > 0 { scored } else { step.options.len() } as u64;
        let spread = dice.below(3);
        let wanted =
            u64::from(burden).saturating_add(spread).saturating_sub(1).min(choices.saturating_sub(1));
        return step.options.get(wanted as usize).map(|option| option.value.clone());
    }
    match step.item_type {
        ItemType::Boolean if step.link_id == "call-me" => Some(AnswerValue::Boolean(urgent)),
        ItemType::Boolean => Some(AnswerValue::Boolean(dice.chance(50))),
        ItemType::Integer => i32::try_from(dice.below(10)).ok().map(AnswerValue::Integer),
        ItemType::Decimal => AnswerValue::decimal(36.0 + dice.below(30) as f64 / 10.0),
        ItemType::Date => Some(AnswerValue::Date("2026-01-01".to_owned())),
        ItemType::DateTime => Some(AnswerValue::DateTime("2026-01-01T08:00:00Z".to_owned())),
        ItemType::Time => Some(AnswerValue::Time("08:00:00".to_owned())),
        _ if step.is_owed => Some(AnswerValue::text(note.unwrap_or("as usual"))),
        _ => note.map(AnswerValue::text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diary_is_completed_on_every_kind_of_day() {
        let text = include_bytes!("../../../../testdata/instruments/ward-symptom-diary.json");
        let form = Questionnaire::parse(text).unwrap();
        for seed in 0..50 {
            let mut dice = Dice::new(seed);
            let done =
                fill_in(&form, &mut dice, (seed % 5) as u8, seed % 3 == 0, None, "2026-01-02T08:00:00Z");
            assert!(done.is_ok(), "{done:?}");
        }
    }
}
