//! A walk through a form: random answers, changes, removals, instances that come and go. After each
//! step the state that was kept up to date must be the one that is evaluated from scratch.

use std::sync::Arc;
use ward_forms::{
    AnswerError, AnswerValue, Answering, Finding, FindingCode, ItemPath, ItemType, Quantity, QuestionStep,
    Questionnaire, Surroundings, validate_in,
};

/// When the answers of a walk are written.
pub const NOW: &str = "2026-03-01T09:30:00+01:00";

/// Seeded dice (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count.max(1)).unwrap()).unwrap()
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// Walks so many steps and finishes. Returns how many answers were taken.
pub fn walk(form: &Arc<Questionnaire>, surroundings: &Surroundings, seed: u64, steps: usize) -> usize {
    let mut dice = Dice(seed);
    let mut answering = Answering::new_in(Arc::clone(form), surroundings.clone());
    let mut taken = 0;
    for step in 0..steps {
        let questions = answering.questions();
        taken += usize::from(act(&mut answering, &questions, &mut dice));
        let place = answering.compare_with_scratch();
        assert_eq!(place, Ok(()), "seed {seed}, step {step}");
    }
    finish(form, surroundings, &answering, seed);
    complete(&mut answering, &mut dice, seed);
    finish(form, surroundings, &answering, seed);
    taken
}

/// Most questions that are asked until nothing is left to ask.
const MOST_ASKED: usize = 2_000;
/// Tries to find an answer that an owed question takes.
const TRIES: usize = 20;

/// Whoever answers or skips all that is asked is done: what is on and was answered is in the response.
fn complete(answering: &mut Answering, dice: &mut Dice, seed: u64) {
    for _ in 0..MOST_ASKED {
        let Some(step) = answering.next_question() else { break };
        if answering.skip(&step.path).is_ok() {
            continue;
        }
        let mut answer = || answering.answer(&step.path, value_for(&step, dice));
        // The dice may know no answer that fits.
        if !(0..TRIES).any(|_| answer().is_ok()) {
            return;
        }
    }
    assert_eq!(answering.next_question(), None, "seed {seed}");
    let done = match answering.finish(Some(NOW)) {
        Ok(done) => done,
        // Answers at random break rules, and such questions can be asked again.
        Err(findings) if findings.iter().all(|found| found.code == FindingCode::ConstraintBroken) => {
            assert!(answering.ask_again(&findings), "seed {seed}: {findings:?}");
            return;
        }
        Err(findings) => panic!("seed {seed}: {findings:?}\n{}", answering.questionnaire().as_value()),
    };
    // Where items wait for one another, an answer that is left out can change what the others say.
    let compiled = answering.questionnaire().compiled();
    if compiled.reads_everything() > 0 || compiled.loop_of_expressions().is_some() {
        return;
    }
    let given: usize = answering.questions().iter().map(|step| step.answers.len()).sum();
    let kept = done.to_json();
    let kept = String::from_utf8(kept).unwrap().matches("\"value").count();
    assert!(kept >= given, "seed {seed}: {kept} of {given} answers are left");
}

/// What is given away passes its own validation, and a draft that was put away gives the same.
fn finish(form: &Arc<Questionnaire>, surroundings: &Surroundings, answering: &Answering, seed: u64) {
    let done = answering.finish(Some(NOW));
    let resumed = Answering::resume_in(Arc::clone(form), answering.draft(), surroundings.clone());
    assert_eq!(done, resumed.finish(Some(NOW)), "seed {seed}");
    if let Ok(done) = done {
        let findings = validate_in(form, &done, surroundings);
        assert!(!findings.iter().any(Finding::is_error), "seed {seed}: {findings:?}");
    }
}

fn act(answering: &mut Answering, questions: &[QuestionStep], dice: &mut Dice) -> bool {
    match dice.below(24) {
        0 => drop(answering.back()),
        1 | 2 => drop(dice.pick(questions).map(|step| answering.clear(&step.path))),
        3 => drop(dice.pick(questions).map(|step| answering.skip(&step.path))),
        4 | 5 | 10 | 11 => {
            if let Some(path) = some_group(answering, dice) {
                drop(answering.add_instance(&path));
            }
        }
        6 | 9 => {
            if let Some(path) = some_group(answering, dice) {
                drop(answering.remove_instance(&path));
            }
        }
        // What is not asked is refused without a trace.
        7 => {
            let items = answering.items();
            if let Some(item) = dice.pick(&items).filter(|item| !item.is_on) {
                let refused = answering.answer(&item.path, AnswerValue::Integer(1));
                assert!(matches!(
                    refused,
                    Err(AnswerError::SwitchedOff { .. } | AnswerError::NotAnswerable { .. })
                ));
            }
        }
        8 => {
            return dice.pick(questions).filter(|step| step.repeats).is_some_and(|step| {
                let values = vec![value_for(step, dice), value_for(step, dice)];
                answering.answer_all(&step.path, values).is_ok()
            });
        }
        _ => {
            return dice
                .pick(questions)
                .is_some_and(|step| answering.answer(&step.path, value_for(step, dice)).is_ok());
        }
    }
    false
}

fn some_group(answering: &Answering, dice: &mut Dice) -> Option<ItemPath> {
    let form = answering.questionnaire();
    let is_group = |link_id: &str| {
        form.item(link_id).is_some_and(|item| item.item_type == ItemType::Group && item.repeats)
    };
    let groups: Vec<ItemPath> =
        answering.items().into_iter().filter(|item| is_group(&item.link_id)).map(|item| item.path).collect();
    dice.pick(&groups).cloned()
}

/// An answer that the question most likely takes.
pub fn value_for(step: &QuestionStep, dice: &mut Dice) -> AnswerValue {
    if let Some(option) = dice.pick(&step.options) {
        return option.value.clone();
    }
    let number = i32::try_from(dice.below(120)).unwrap();
    match step.item_type {
        ItemType::Boolean => AnswerValue::Boolean(number % 2 == 0),
        ItemType::Integer => AnswerValue::Integer(number),
        ItemType::Decimal => AnswerValue::decimal(f64::from(number) / 4.0).unwrap(),
        ItemType::Date => {
            AnswerValue::Date(format!("{}-0{}-1{}", 1930 + number / 2, 1 + number % 9, number % 10))
        }
        ItemType::DateTime => AnswerValue::DateTime(format!("2026-02-1{}T10:00:00Z", number % 10)),
        ItemType::Time => AnswerValue::Time(format!("1{}:00:00", number % 10)),
        ItemType::Url => AnswerValue::Uri(format!("https://example.org/{number}")),
        ItemType::Quantity => AnswerValue::Quantity(Quantity {
            value: Some(number.into()),
            unit: Some("kg".to_owned()),
            ..Quantity::default()
        }),
        ItemType::Choice | ItemType::OpenChoice if number % 2 == 0 => {
            AnswerValue::Coding(ward_forms::Coding::new("https://example.org", "a", "A"))
        }
        _ => AnswerValue::text(format!("words {}", number % 4)),
    }
}
