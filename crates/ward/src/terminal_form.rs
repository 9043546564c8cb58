//! A questionnaire in the terminal: one question at a time, back at any time, nothing lost.

use crate::exit::{Failure, Kind};
use std::io::{BufRead, Write};
use ward_forms::{
    AnswerOption, AnswerValue, Answering, Finding, FindingCode, ItemType, Quantity, QuestionStep,
};

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
pub async fn ask(
    answering: &mut Answering,
    input: &mut impl BufRead,
    output: &mut impl Write,
    mut keep: impl AsyncFnMut(&Answering) -> Result<(), Failure>,
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
            Ok(Reply::Answers(values)) => {
                let said = spoken(&step, &values);
                let result = answering.answer_all(&step.path, values);
                if result.is_ok() && !step.options.is_empty() {
                    say(output, &format!("  → {said}\n"))?;
                }
                result
            }
        };
        match result {
            Ok(()) => {
                keep(answering).await?;
                let now = answering.question(&step.path).map(|step| step.findings);
                for finding in now.iter().flatten().filter(|finding| is_for_the_person(finding)) {
                    say(output, &format!("  ! {}\n", finding.message))?;
                }
            }
            Err(error) => {
                say(output, &format!("  {}\n", plain_refusal(&error)))?;
                again = Some(step);
            }
        }
    }
    // What stands after the last question must not vanish without a word.
    for text in answering.closing_notes() {
        say(output, &format!("{text}\n"))?;
    }
    Ok(Ended::Complete)
}

/// Whether a finding is about the answers. What is wrong with an expression of the form, its author has
/// to mend: it would only frighten whoever answers.
fn is_for_the_person(finding: &Finding) -> bool {
    !matches!(finding.code, FindingCode::ExpressionFailed | FindingCode::ConstraintNotChecked)
}

/// Says why answers that are all given are not taken yet, before they are asked again.
///
/// # Errors
/// When the terminal goes away.
pub fn say_again(findings: &[Finding], output: &mut impl Write) -> Result<(), Failure> {
    say(output, "\nThe answers do not fit yet; these questions are asked once more.\n")?;
    findings.iter().try_for_each(|finding| say(output, &format!("  ! {}\n", finding.message)))
}

fn plain_refusal(error: &ward_forms::AnswerError) -> String {
    match error {
        ward_forms::AnswerError::Refused { findings, .. } => {
            findings.iter().map(|finding: &Finding| finding.message.clone()).collect::<Vec<_>>().join(" ")
        }
        ward_forms::AnswerError::NoRoom { question, .. } => format!(
            "Your answer to “{question}” is too long to be kept together with the others. Please make it, or another one, shorter."
        ),
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
    let keys = OptionKeys::of(&step.options);
    for (key, option) in keys.keys.iter().zip(&step.options) {
        let label = option.label();
        say(output, &if *key == label { format!("   {key}\n") } else { format!("   {key}  {label}\n") })?;
    }
    for finding in step.findings.iter().filter(|finding| is_for_the_person(finding)) {
        say(output, &format!("  ! {}\n", finding.message))?;
    }
    let hint = match step.item_type {
        _ if !step.options.is_empty() && step.repeats => format!("{}s, with commas", keys.kind),
        _ if !step.options.is_empty() => keys.kind.to_owned(),
        ItemType::Boolean => "yes or no".to_owned(),
        ItemType::Integer => "whole number".to_owned(),
        ItemType::Decimal => "number".to_owned(),
        ItemType::Quantity => "number and unit, such as 37.2 Cel".to_owned(),
        ItemType::Date => "year-month-day".to_owned(),
        ItemType::DateTime => "year-month-dayThh:mm:ss+hh:mm".to_owned(),
        ItemType::Time => "hh:mm:ss".to_owned(),
        _ => "text".to_owned(),
    };
    let now = match step.answers.as_slice() {
        [] => String::new(),
        answers if step.is_calculated => {
            format!(", calculated: {}; Enter keeps it", spoken(step, answers))
        }
        answers => format!(", now: {}; Enter keeps it", spoken(step, answers)),
    };
    say(output, &format!("  ({hint}{now}{}) > ", if step.is_owed { "" } else { ", may be skipped" }))
}

/// Answers in the words of the question.
fn spoken(step: &QuestionStep, answers: &[AnswerValue]) -> String {
    let one = |answer: &AnswerValue| {
        let offered = step.options.iter().find(|option| option.value.is_same(answer));
        offered.map_or_else(|| answer_words(answer), AnswerOption::label)
    };
    answers.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn answer_words(answer: &AnswerValue) -> String {
    match answer {
        AnswerValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        AnswerValue::Integer(number) => number.to_string(),
        AnswerValue::Decimal(number) => number.to_string(),
        AnswerValue::String(text)
        | AnswerValue::Uri(text)
        | AnswerValue::Date(text)
        | AnswerValue::DateTime(text)
        | AnswerValue::Time(text) => text.clone(),
        AnswerValue::Quantity(quantity) => {
            let number = quantity.value.as_ref().map(ToString::to_string).unwrap_or_default();
            let unit = quantity.unit.as_deref().or(quantity.code.as_deref()).unwrap_or_default();
            format!("{number} {unit}").trim().to_owned()
        }
        AnswerValue::Coding(coding) => {
            coding.display.clone().or_else(|| coding.code.clone()).unwrap_or_default()
        }
        _ => "an answer that cannot be shown".to_owned(),
    }
}

/// What a person types for each offered answer. A number of the list must never be what another
/// answer is called: on a scale from 0 to 10, "7" is seven and not the seventh.
struct OptionKeys {
    keys: Vec<String>,
    kind: &'static str,
}

/// Letters of a list; `b` and `q` mean back and quit.
const LETTERS: &str = "acdefghijklmnoprstuvwxyz";
/// Longest label or code that is its own key.
const KEY_MAX_CHARS: usize = 4;

impl OptionKeys {
    fn of(options: &[AnswerOption]) -> Self {
        let numbers = || (1..=options.len()).map(|number| number.to_string()).collect();
        let labels = || options.iter().map(AnswerOption::label).collect();
        let codes =
            || options.iter().map(|option| code_of(&option.value).unwrap_or_default().to_owned()).collect();
        let leading = || options.iter().map(|option| leading_number(&option.label())).collect();
        let ways: [(&'static str, &dyn Fn() -> Vec<String>); 4] =
            [("number", &numbers), ("answer", &labels), ("number", &codes), ("number", &leading)];
        for (kind, keys) in ways {
            let keys = keys();
            if are_clear(&keys, options) {
                return Self { keys, kind };
            }
        }
        Self { keys: letters(options.len()), kind: "letter" }
    }
}

/// Whether the keys are short, distinct, and none of them names another answer.
fn are_clear(keys: &[String], options: &[AnswerOption]) -> bool {
    let is_plain = |key: &String| {
        (1..=KEY_MAX_CHARS).contains(&key.chars().count())
            && key.trim() == key
            && !key.contains(',')
            && !matches!(key.to_lowercase().as_str(), "b" | "back" | "q" | "quit")
    };
    keys.iter().all(is_plain)
        && keys.iter().enumerate().all(|(i, key)| {
            let others = || options.iter().enumerate().filter(move |(j, _)| *j != i);
            let names_other =
                others().any(|(_, option)| is_named(option, key) || leading_number(&option.label()) == *key);
            let is_twice =
                keys.iter().enumerate().any(|(j, other)| j != i && other.eq_ignore_ascii_case(key));
            !names_other && !is_twice
        })
}

fn letters(count: usize) -> Vec<String> {
    let single = LETTERS.chars().map(String::from);
    let double =
        LETTERS.chars().flat_map(|first| LETTERS.chars().map(move |second| format!("{first}{second}")));
    single.chain(double).take(count).collect()
}

fn code_of(value: &AnswerValue) -> Option<&str> {
    match value {
        AnswerValue::Coding(coding) => coding.code.as_deref(),
        _ => None,
    }
}

/// The number that a label begins with: `10` of `10 - the worst`.
fn leading_number(label: &str) -> String {
    label.chars().take_while(char::is_ascii_digit).collect()
}

fn is_named(option: &AnswerOption, text: &str) -> bool {
    option.label().eq_ignore_ascii_case(text)
        || code_of(&option.value).is_some_and(|code| code.eq_ignore_ascii_case(text))
}

fn read_reply(step: &QuestionStep, line: &str) -> Result<Reply, &'static str> {
    match line {
        "" if step.answers.is_empty() => return Ok(Reply::Skip),
        "" => return Ok(Reply::Answers(step.answers.clone())),
        "b" | "back" => return Ok(Reply::Back),
        "q" | "quit" => return Ok(Reply::Stop),
        _ => {}
    }
    // A whole line that is one of the answers is that answer, commas and all.
    if let [only] = named(step, line).as_slice() {
        return Ok(Reply::Answers(vec![only.value.clone()]));
    }
    let parts: Vec<&str> = if step.repeats { line.split(',').map(str::trim).collect() } else { vec![line] };
    parts.into_iter().map(|part| read_value(step, part)).collect::<Result<_, _>>().map(Reply::Answers)
}

fn named<'s>(step: &'s QuestionStep, text: &str) -> Vec<&'s AnswerOption> {
    step.options.iter().filter(|option| is_named(option, text)).collect()
}

fn read_value(step: &QuestionStep, text: &str) -> Result<AnswerValue, &'static str> {
    let keys = OptionKeys::of(&step.options);
    let by_key = keys.keys.iter().position(|key| key.eq_ignore_ascii_case(text));
    let by_key = by_key.and_then(|place| step.options.get(place));
    match (named(step, text).as_slice(), by_key) {
        ([named], Some(keyed)) if !named.value.is_same(&keyed.value) => {
            Err("That could mean two of the answers; please type one of them in full.")
        }
        ([named], _) => Ok(named.value.clone()),
        (_, Some(keyed)) => Ok(keyed.value.clone()),
        ([], None) => read_word(step, text),
        _ => Err("Several answers are called that; please use the key before the answer."),
    }
}

/// Reads one answer from a file: an option by its label or code, else what the type takes. Numbers
/// of the list are for people at a terminal only.
///
/// # Errors
/// What would be taken, as a sentence.
pub fn read_word(step: &QuestionStep, text: &str) -> Result<AnswerValue, &'static str> {
    if !step.options.is_empty() {
        match named(step, text).as_slice() {
            [option] => return Ok(option.value.clone()),
            [] => {}
            _ => return Err("Several of the answers offered are called that."),
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
        ItemType::Quantity => {
            read_quantity(text).ok_or("Please give a number and its unit, such as 37.2 Cel.")
        }
        ItemType::Date => Ok(AnswerValue::Date(text.to_owned())),
        ItemType::DateTime => Ok(AnswerValue::DateTime(text.to_owned())),
        ItemType::Time => Ok(AnswerValue::Time(text.to_owned())),
        ItemType::Url => Ok(AnswerValue::Uri(text.to_owned())),
        _ => Ok(AnswerValue::text(text)),
    }
}

/// `37.2 Cel`: a number, and after a space the unit. Whether the form offers that unit is checked
/// with the answer.
fn read_quantity(text: &str) -> Option<AnswerValue> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let Some(AnswerValue::Decimal(value)) = number.parse().ok().and_then(AnswerValue::decimal) else {
        return None;
    };
    let unit = Some(unit.trim().to_owned()).filter(|unit| !unit.is_empty());
    Some(AnswerValue::Quantity(Quantity { value: Some(value), unit, ..Quantity::default() }))
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
    // Forms come from elsewhere.
    output
        .write_all(crate::print::shown(text).as_bytes())
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

    fn now<R>(work: impl Future<Output = R>) -> R {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    fn run(typed: &str) -> (Ended, String, usize, Answering) {
        run_form(FORM, typed)
    }

    fn run_form(form: &[u8], typed: &str) -> (Ended, String, usize, Answering) {
        let mut answering = Answering::new(Questionnaire::parse(form).unwrap());
        let (mut output, mut kept) = (Vec::new(), 0);
        let keep = async |_: &Answering| {
            kept += 1;
            Ok(())
        };
        let ended = now(ask(&mut answering, &mut typed.as_bytes(), &mut output, keep));
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
    fn an_answer_for_which_there_is_no_room_is_asked_again() {
        let mut answering = Answering::new(Questionnaire::parse(FORM).unwrap());
        answering.keep_within(ward_forms::AnswerRoom { response_bytes: 400, draft_bytes: 400 });
        let typed = format!("no\n{}\nfine\n", "a".repeat(300));
        let (mut output, mut kept) = (Vec::new(), Vec::new());
        let keep = async |answering: &Answering| {
            kept.push(answering.draft().to_json().len());
            Ok(())
        };
        let ended = now(ask(&mut answering, &mut typed.as_bytes(), &mut output, keep));
        assert_eq!(ended.unwrap(), Ended::Complete);
        let shown = String::from_utf8(output).unwrap();
        assert!(shown.contains("Your answer to “Anything else?” is too long to be kept"), "{shown}");
        assert_eq!(shown.matches("Anything else?\n").count(), 2, "{shown}");
        assert!(kept.iter().all(|bytes| *bytes <= 400), "{kept:?}");
        let json = String::from_utf8(answering.finish(None).unwrap().to_json()).unwrap();
        assert!(json.contains("fine") && !json.contains("aaa"), "{json}");
    }

    #[test]
    fn going_back_and_stopping_loses_nothing() {
        let (ended, shown, _, answering) = run("yes\n8\nb\nb\nno\nq\n");
        assert_eq!(ended, Ended::Stopped);
        assert_eq!(shown.matches("Did you sleep?").count(), 2);
        assert!(answering.finish(None).is_ok(), "the skipped question owes nothing");
        assert_eq!(run("yes\n").0, Ended::Stopped, "a closed terminal stops");
    }

    #[test]
    fn what_is_calculated_and_rules_that_are_broken_are_said() {
        let calculated = |text: &str| {
            format!(
                r#"[{{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
                "valueExpression":{{"language":"text/fhirpath","expression":"{text}"}}}}]"#
            )
        };
        let rule = r#"[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-constraint","extension":[
            {"url":"human","valueString":"At most 9 hours, please."},{"url":"expression","valueString":"answer.value < 10"}]}]"#;
        let of_a = "%resource.item.where(linkId='a').answer.value";
        let form = format!(
            r#"{{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","item":[
            {{"linkId":"a","type":"integer","text":"How many hours?","extension":{rule}}},
            {{"linkId":"b","type":"integer","text":"Twice that?","extension":{}}},
            {{"linkId":"c","type":"integer","text":"Sum:","readOnly":true,"extension":{}}}]}}"#,
            calculated(&format!("{of_a} * 2")),
            calculated(&format!("{of_a} * 3"))
        );
        let (ended, shown, _, answering) = run_form(form.as_bytes(), "12\nb\n8\n\n");
        assert_eq!(ended, Ended::Complete);
        assert_eq!(shown.matches("At most 9 hours, please.").count(), 2, "{shown}");
        assert!(shown.contains("calculated: 16; Enter keeps it") && shown.contains("Sum: 24"), "{shown}");
        assert!(answering.finish(None).is_ok());
    }

    fn scale(options: &str) -> Vec<u8> {
        format!(
            r#"{{"resourceType":"Questionnaire","url":"u","version":"1","status":"active",
            "item":[{{"linkId":"s","type":"choice","text":"How bad?","required":true,"answerOption":[{options}]}}]}}"#
        )
        .into_bytes()
    }

    fn recorded(form: &[u8], typed: &str) -> AnswerValue {
        let (ended, shown, _, answering) = run_form(form, typed);
        assert_eq!(ended, Ended::Complete, "{shown}");
        answering.draft().items()[0].answers()[0].value().unwrap().clone()
    }

    #[test]
    fn on_a_scale_the_number_typed_is_the_number_recorded() {
        let integers: Vec<String> = (0..=10).map(|n| format!(r#"{{"valueInteger":{n}}}"#)).collect();
        let integers = scale(&integers.join(","));
        for n in 0..=10 {
            assert_eq!(recorded(&integers, &format!("{n}\n")), AnswerValue::Integer(n));
        }
        // Codes are digits and the words are others: the digit is the code.
        let words = ["None", "Mild", "Severe"].iter().enumerate();
        let coded: Vec<String> = words
            .map(|(n, word)| format!(r#"{{"valueCoding":{{"system":"s","code":"{n}","display":"{word}"}}}}"#))
            .collect();
        let coded = scale(&coded.join(","));
        for (typed, code) in [("0", "0"), ("1", "1"), ("2", "2"), ("severe", "2")] {
            let AnswerValue::Coding(coding) = recorded(&coded, &format!("{typed}\n")) else {
                panic!("{typed}")
            };
            assert_eq!(coding.code.as_deref(), Some(code), "{typed}");
        }
        // The number stands within the words only.
        let labelled: Vec<String> =
            (0..=3).map(|n| format!(r#"{{"valueString":"{n} - step {n}"}}"#)).collect();
        let labelled = scale(&labelled.join(","));
        assert_eq!(recorded(&labelled, "2\n"), AnswerValue::text("2 - step 2"));
        assert_eq!(run_form(&labelled, "4\n").0, Ended::Stopped, "the fourth is not 4");
    }

    #[test]
    fn words_are_numbered_and_echoed_and_shown_again() {
        let form = br#"{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","item":[
            {"linkId":"s","type":"choice","text":"How often?","required":true,"answerOption":[
              {"valueString":"Never"},{"valueString":"Often"}]},
            {"linkId":"b","type":"boolean","text":"Better?"}]}"#;
        let (ended, shown, ..) = run_form(form, "2\nb\n\n\n");
        assert_eq!(ended, Ended::Complete, "{shown}");
        assert!(shown.contains("   2  Often") && shown.contains("→ Often"), "{shown}");
        assert!(shown.contains("now: Often; Enter keeps it"), "{shown}");
    }

    #[test]
    fn letters_leave_out_back_and_quit() {
        let options: Vec<String> = ["1 or 2", "2 or 3", "1 or 3"]
            .iter()
            .map(|text| format!(r#"{{"valueString":"{text}"}}"#))
            .collect();
        let form = scale(&options.join(","));
        assert_eq!(recorded(&form, "c\n"), AnswerValue::text("2 or 3"));
        assert!(letters(200).iter().all(|key| key != "b" && key != "q"));
    }

    #[test]
    fn a_quantity_is_a_number_and_a_unit() {
        let form = br#"{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","item":[
            {"linkId":"t","type":"quantity","text":"Temperature?","required":true}]}"#;
        let AnswerValue::Quantity(quantity) = recorded(form, "warm\n37.2 Cel\n") else { panic!() };
        assert_eq!(quantity.unit.as_deref(), Some("Cel"));
        assert_eq!(quantity.value.unwrap().as_f64(), Some(37.2));
    }

    #[test]
    fn a_form_does_not_steer_the_terminal() {
        let form = scale("{\"valueString\":\"\\u001b[2JNone\"}");
        let (_, shown, ..) = run_form(&form, "q\n");
        assert!(!shown.contains('\u{1b}') && shown.contains("None"), "{shown:?}");
    }
}
