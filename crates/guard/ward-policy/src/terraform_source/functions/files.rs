//! Functions that read files of the check.

use super::super::evaluator::{Bound, Evaluator, ModuleId, Repetition, Scope};
use super::super::source_tree::joined_path;
use super::super::template_parser::whole_template;
use super::super::value::Value;
use super::{Answer, is_open};
use crate::input_text::read_text;
use crate::limits::MAX_TEXT_BYTES;

/// Calls one of them.
pub(super) fn call(evaluator: &mut Evaluator<'_>, name: &str, values: &[Value], scope: &Scope<'_>) -> Answer {
    match (name, values) {
        ("file", [path]) => match read(evaluator, path) {
            Ok(text) => Answer::Made(Value::text(&text)),
            Err(answer) => answer,
        },
        ("templatefile", [path, variables]) => template_file(evaluator, path, variables, scope),
        _ => Answer::NoSuch,
    }
}

/// The text of a file. One that the caller did not give may be there all the same.
fn read(evaluator: &mut Evaluator<'_>, path: &Value) -> Result<String, Answer> {
    let Some(path) = path.as_text() else {
        return Err(if is_open(path) { Answer::NotKnown } else { Answer::Refused });
    };
    // Terraform runs in the folder of the root; `path.module` leads from the folder of the check.
    let root = evaluator.module(ModuleId(0)).map(|root| root.folder.clone()).unwrap_or_default();
    let from = |folder: &str| evaluator.tree.file(&joined_path(folder, path)?);
    let bytes = from(&root).or_else(|| from("")).ok_or(Answer::NoSuch)?;
    let text = read_text(bytes).map_err(|_| Answer::NoSuch)?;
    evaluator.spend(text.len() / 64);
    if text.len() > MAX_TEXT_BYTES { Err(Answer::NoSuch) } else { Ok(text.into_owned()) }
}

/// A file as a template that sees only the variables it is given.
fn template_file(
    evaluator: &mut Evaluator<'_>,
    path: &Value,
    variables: &Value,
    scope: &Scope<'_>,
) -> Answer {
    let text = match read(evaluator, path) {
        Ok(text) => text,
        Err(answer) => return answer,
    };
    let Some(variables) = variables.entries() else { return Answer::NotKnown };
    let Ok(template) = whole_template(&text) else { return Answer::Refused };
    let mut bound: Vec<(&str, Value)> = Vec::new();
    for (name, value) in variables {
        bound.push((name, value.clone()));
    }
    Answer::Taken(with_names(evaluator, &bound, None, &mut |evaluator, names| {
        let inner = Scope { module: scope.module, repetition: &Repetition::Once, bound: names };
        evaluator.evaluate(&template, &inner)
    }))
}

/// Evaluates with all these names, each bound within the one before.
fn with_names(
    evaluator: &mut Evaluator<'_>,
    names: &[(&str, Value)],
    outer: Option<&Bound<'_>>,
    evaluate: &mut dyn FnMut(&mut Evaluator<'_>, Option<&Bound<'_>>) -> Value,
) -> Value {
    match names.split_first() {
        None => evaluate(evaluator, outer),
        Some(((name, value), rest)) => {
            let bound = Bound { name, value: value.clone(), outer };
            evaluator.deeper(|evaluator| with_names(evaluator, rest, Some(&bound), evaluate))
        }
    }
}
