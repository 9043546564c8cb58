//! The rule about a participant's own wish to be called.

use super::alert::{Compared, Trigger};
use super::evaluate::CALL_ME_LINK_ID;
use super::history::Answered;
use super::reading::ItemReading;
use super::run::{Gap, Run};
use crate::answer_value::AnswerValue;
use crate::score::UsedAnswer;

pub(super) fn wish(run: &mut Run<'_>, answered: &[Answered<'_>], link_id: &str, answers: &[String]) {
    for report in answered.iter().filter(|report| run.rule.is_about(&report.occasion.instrument)) {
        let (mut triggers, mut what, mut gap) = (Vec::new(), None, None::<Gap>);
        for version in &report.versions {
            let items = version.content.as_deref().map_or(&*version.bare, |content| &*content.items);
            if let Err(why) = &version.content {
                run.was_asked = true;
                let why = format!("the answers cannot be judged: {why}");
                gap.get_or_insert_default().note(version, why, false);
            }
            for item in items.iter().filter(|item| item.link_id() == link_id) {
                run.was_asked = true;
                let Wishes { yes, not_known } = wishes(item, answers);
                if let Some(why) = not_known {
                    gap.get_or_insert_default().note(version, format!("{}: {why}", item.words()), true);
                }
                if yes.is_empty() {
                    continue;
                }
                let said = what.get_or_insert_with(|| urgent_words(&item.words(), link_id)).clone();
                triggers.push(Trigger {
                    version: Some(version.id.clone()),
                    what: said,
                    value: None,
                    incomplete: None,
                    used: yes,
                    compared: Compared::Wish,
                });
            }
        }
        match (what, gap) {
            (Some(what), _) => run.raise(report.occasion, link_id, report.versions.len(), triggers, what),
            (None, Some(gap)) => {
                let about = if gap.is_to_ask { link_id } else { "" };
                run.not_judged(report.occasion, about, gap);
            }
            (None, None) => {}
        }
    }
}

/// What the answers to a question say about a wish.
struct Wishes {
    /// Those that mean yes.
    yes: Vec<UsedAnswer>,
    /// Why one of the others may mean yes too.
    not_known: Option<&'static str>,
}

/// Yes is `true`, or a code that the rule names. A code where the rule names none, and words of one's
/// own, may mean anything: somebody must read them.
fn wishes(item: &ItemReading, answers: &[String]) -> Wishes {
    let mut out = Wishes { yes: Vec::new(), not_known: None };
    for (value, _) in &item.values {
        let is_yes = match value {
            AnswerValue::Boolean(yes) => Ok(*yes),
            AnswerValue::Coding(coding) => match &coding.code {
                Some(_) if answers.is_empty() => Err("the rule does not say which answers mean yes"),
                Some(code) => Ok(answers.contains(code)),
                None => Err("answered in words of their own"),
            },
            AnswerValue::String(text) if text.trim().is_empty() => Ok(false),
            AnswerValue::String(_) => Err("answered in words of their own"),
            _ => Err("the answer is neither yes nor no"),
        };
        match is_yes {
            Ok(true) => out.yes.push(UsedAnswer {
                path: item.path.clone(),
                answer: value.write().1,
                counted_as: 1.into(),
            }),
            Ok(false) => {}
            Err(why) => out.not_known = Some(why),
        }
    }
    out
}

fn urgent_words(question: &str, link_id: &str) -> String {
    if link_id == CALL_ME_LINK_ID {
        "asks to be called".to_owned()
    } else {
        format!("says that it is urgent ({question})")
    }
}
