//! A questionnaire in the terminal: one question at a time, back at any time, nothing lost.

use crate::exit::{Failure, Kind};
use std::io::{BufRead, Write};
use ward_forms::{AnswerValue, Answering, Finding, ItemType, QuestionStep};

/// What a person did at a question.
enum Reply {
    Answers(Vec<AnswerValue>),
    Skip,
    Back,
    Stop,
}

/// How the questions ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// All that is owed has an answer.
    Complete,
    /// The person stopped; the draft is kept.
    Stopped,
}

/// Asks until nothing is owed or the person stops. `keep` is called after every answer, so that
/// a closed terminal loses nothing.
///
/// # Errors
/// When the terminal goes away, or `keep` cannot store the draft.
pub fn ask(
    answering: &mut Answering,
    input: &mut impl BufRead,
    output: &mut impl Write,
    mut keep: impl FnMut(&Answering) -> Result<(), Failure>,
) -> Result<Ended, Failure> {
    say(output, "Answer with a number or a word. Enter alone skips a question that may be skipped.")?;
    say(output, "'b' goes back, 'q' stops and keeps what you entered.\n")?;
    let mut again = None;
    while let Some(step) = again.take().or_else(|| answering.next_question()) {
        show(answering, &step, output)?;
        let Some(line) = read_line(input)? else { return Ok(Ended::Stopped) };
        let result = match read_reply(&step, line.trim()) {
            Err(hint) => {
                say(output, &format!("  {hint}\n"))?;
                again = Some(step);
                continue;
            }
            Ok(Reply::Stop) => return Ok(Ended::Stopped),
            Ok(Reply::Back) => {
                again = answering.back();
                continue;
            }
            Ok(Reply::Skip) => answering.skip(&step.path),
            Ok(Reply::Answers(values)) => answering.answer_all(&step.path, values),
        };
        match result {
            Ok(()) => keep(answering)?,
            Err(error) => {
                say(output, &format!("  {}\n", plain_refusal(&error)))?;
                again = Some(step);
            }
        }
    }
    Ok(Ended::Complete)
}

fn plain_refusal(error: &ward_forms::AnswerError) -> String {
    match error {
        ward_forms::AnswerError::Refused { findings, .. } => {
            findings.iter().map(|finding: &Finding| finding.message.clone()).collect::<Vec<_>>().join(" ")
        }
        ward_forms::AnswerError::AnswerOwed { .. } => "This question needs an answer.".to_owned(),
        other => other.to_string(),
    }
}

fn show(answering: &Answering, step: &QuestionStep, output: &mut impl Write) -> Result<(), Failure> {
    let progress = answering.progress();
    for text in step.headings.iter().chain(&step.notes) {
        say(output, &format!("{text}\n"))?;
    }
    let prefix = step.prefix.as_deref().map(|prefix| format!("{prefix} ")).unwrap_or_default();
    let text = step.text.as_deref().unwrap_or(&step.link_id);
    say(
        output,
        &format!(
            "[{}/{}] {prefix}{text}\n",
            progress.answered + 1,
            progress.asked.max(progress.answered + 1)
        ),
    )?;
    for (number, option) in step.options.iter().enumerate() {
        say(output, &format!("   {}  {}\n", number + 1, option.label()))?;
    }
    let hint = match step.item_type {
        _ if !step.options.is_empty() && step.repeats => "numbers, with commas",
        _ if !step.options.is_empty() => "number",
        ItemType::Boolean => "yes or no",
        ItemType::Integer => "whole number",
        ItemType::Decimal => "number",
        ItemType::Date => "year-month-day",
        ItemType::Time => "hh:mm:ss",
        _ => "text",
    };
    let now = match step.answers.as_slice() {
        [] => String::new(),
        answers => format!(", now {} answered", answers.len()),
    };
    say(output, &format!("  ({hint}{now}{}) > ", if step.is_owed { "" } else { ", may be skipped" }))
}

fn read_reply(step: &QuestionStep, line: &str) -> Result<Reply, &'static str> {
    match line {
        "" if step.answers.is_empty() => return Ok(Reply::Skip),
        "" => return Ok(Reply::Answers(step.answers.clone())),
        "b" | "back" => return Ok(Reply::Back),
        "q" | "quit" => return Ok(Reply::Stop),
        _ => {}
    }
    let parts: Vec<&str> = if step.repeats { line.split(',').map(str::trim).collect() } else { vec![line] };
    parts.into_iter().map(|part| read_value(step, part)).collect::<Result<_, _>>().map(Reply::Answers)
}

fn read_value(step: &QuestionStep, text: &str) -> Result<AnswerValue, &'static str> {
    let by_number =
        text.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|n| step.options.get(n));
    match by_number {
        Some(option) => Ok(option.value.clone()),
        None => read_word(step, text),
    }
}

/// Reads one answer from a file: an option by its label or code, else what the type takes. Numbers
/// of the list are for people at a terminal only.
///
/// # Errors
/// What would be taken, as a sentence.
pub fn read_word(step: &QuestionStep, text: &str) -> Result<AnswerValue, &'static str> {
    if !step.options.is_empty() {
        let is_code = |value: &AnswerValue| match value {
            AnswerValue::Coding(coding) => coding.code.as_deref() == Some(text),
            _ => false,
        };
        let named = step
            .options
            .iter()
            .find(|option| option.label().eq_ignore_ascii_case(text) || is_code(&option.value));
        if let Some(option) = named {
            return Ok(option.value.clone());
        }
        if step.item_type != ItemType::OpenChoice {
            return Err("Please choose one of the answers offered.");
        }
    }
    match step.item_type {
        ItemType::Boolean => match text.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(AnswerValue::Boolean(true)),
            "n" | "no" | "false" => Ok(AnswerValue::Boolean(false)),
            _ => Err("Please answer yes or no."),
        },
        ItemType::Integer => {
            text.parse().map(AnswerValue::Integer).map_err(|_| "Please give a whole number.")
        }
        ItemType::Decimal => {
            text.parse().ok().and_then(AnswerValue::decimal).ok_or("Please give a number, such as 36.6.")
        }
        ItemType::Date => Ok(AnswerValue::Date(text.to_owned())),
        ItemType::DateTime => Ok(AnswerValue::DateTime(text.to_owned())),
        ItemType::Time => Ok(AnswerValue::Time(text.to_owned())),
        ItemType::Url => Ok(AnswerValue::Uri(text.to_owned())),
        _ => Ok(AnswerValue::text(text)),
    }
}

fn read_line(input: &mut impl BufRead) -> Result<Option<String>, Failure> {
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line)),
        Err(error) => Err(Failure::new(
            Kind::Input,
            "The terminal cannot be read",
            error,
            "your answers so far are kept; start `ward answer` again to go on",
        )),
    }
}

fn say(output: &mut impl Write, text: &str) -> Result<(), Failure> {
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| Failure::fault("The terminal cannot be written to", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_forms::Questionnaire;

    const FORM: &[u8] =
        br#"{"resourceType":"Questionnaire","url":"https://example.org/f","version":"1","status":"active",
        "item":[{"linkId":"a","type":"boolean","text":"Did you sleep?","required":true},
                {"linkId":"b","type":"integer","text":"How many hours?","required":true,
                 "enableWhen":[{"question":"a","operator":"=","answerBoolean":true}]},
                {"linkId":"c","type":"string","text":"Anything else?"}]}"#;

    fn run(typed: &str) -> (Ended, String, usize, Answering) {
        let mut answering = Answering::new(Questionnaire::parse(FORM).unwrap());
        let (mut output, mut kept) = (Vec::new(), 0);
        let ended = ask(&mut answering, &mut typed.as_bytes(), &mut output, |_| {
            kept += 1;
            Ok(())
        });
        (ended.unwrap(), String::from_utf8(output).unwrap(), kept, answering)
    }

    #[test]
    fn questions_are_asked_skipped_and_kept() {
        let (ended, shown, kept, answering) = run("perhaps\nyes\neight\n8\n\n");
        assert_eq!(ended, Ended::Complete);
        assert!(shown.contains("Please answer yes or no.") && shown.contains("Please give a whole number."));
        assert_eq!(kept, 3);
        assert!(answering.finish(None).is_ok());
    }

    #[test]
    fn going_back_and_stopping_loses_nothing() {
        let (ended, shown, _, answering) = run("yes\n8\nb\nb\nno\nq\n");
        assert_eq!(ended, Ended::Stopped);
        assert_eq!(shown.matches("Did you sleep?").count(), 2);
        assert!(answering.finish(None).is_ok(), "the skipped question owes nothing");
        assert_eq!(run("yes\n").0, Ended::Stopped, "a closed terminal stops");
    }
}
