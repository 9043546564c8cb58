//! The values that are given to the variables of the root module.

use super::SourceOptions;
use super::body_parser::read_body;
use super::evaluator::Given;
use super::json_syntax::read_json_values;
use super::module_source::{ModuleSource, in_file};
use super::source_tree::{SourceTree, ValueFile};
use crate::graph::{Note, Place};
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::limits::{MAX_SOURCE_FILE_BYTES, MAX_VALUE_FILES};
use std::collections::{BTreeMap, BTreeSet};

/// The values of variables, in the order in which Terraform lets later ones win.
pub(super) fn given_values(
    tree: &SourceTree<'_>,
    root: &str,
    options: &SourceOptions<'_>,
) -> Result<BTreeMap<Box<str>, Given>, InputError> {
    let mut given = BTreeMap::new();
    let mut own: Vec<(usize, &str, &[u8])> =
        tree.files_in(root).filter_map(|(path, name, bytes)| Some((rank(name)?, path, bytes))).collect();
    own.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    for (_, path, bytes) in own {
        read_values(path, bytes, &mut given)?;
    }
    for file in options.variable_files {
        read_values(file.path, file.bytes, &mut given)?;
    }
    for (name, text) in options.variables {
        given.insert((*name).into(), Given::Text((*text).into()));
    }
    Ok(given)
}

/// A note for each file of values that lies with a root module, gives values to variables of it, and is
/// not read: whoever deploys may give it. Whoever named a file for this root has said which ones count.
pub(super) fn unread_values(
    tree: &SourceTree<'_>,
    root: &str,
    source: &ModuleSource,
    options: &SourceOptions<'_>,
) -> Vec<Note> {
    let mut named = options.variable_files.iter().map(|file| ValueFile::read(file.path, file.bytes));
    if named.any(|file| file.gives_to(source)) {
        return Vec::new();
    }
    let mut notes = Vec::new();
    let is_unread = |file: &&ValueFile| {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        folder != root || rank(name).is_none()
    };
    for (place, file) in tree.values_with(root).filter(is_unread).enumerate() {
        if place >= MAX_VALUE_FILES {
            let text = "more files of values lie here than a check looks at (--var-file says which count)";
            notes.push(Note { blocks: true, text: text.to_owned(), place: None });
            break;
        }
        let path = file.path.as_str();
        let what = match file.given_to(source) {
            None => "is not understood".to_owned(),
            Some(given) => {
                let is_overruled = |name: &str| options.variables.iter().any(|(given, _)| *given == name);
                let given = given.into_iter().filter(|name| !is_overruled(name));
                let given: Vec<&str> = given.take(NAMES_TOLD).collect();
                if given.is_empty() {
                    continue;
                }
                format!("gives values to {}", given.join(", "))
            }
        };
        let text =
            format!("{path} {what}, and was not read: what is deployed with it was not checked (--var-file)");
        notes.push(Note { blocks: true, text, place: Some(Place { file: path.into(), line: 1 }) });
    }
    notes
}

/// The variables that a file of values names; `None` if it is not understood.
pub(super) fn names_of_values(path: &str, bytes: &[u8]) -> Option<BTreeSet<Box<str>>> {
    let mut values = BTreeMap::new();
    read_values(path, bytes, &mut values).ok()?;
    Some(values.into_keys().collect())
}

/// Names of variables that one note tells.
const NAMES_TOLD: usize = 3;

/// In which place Terraform reads a file of variables by itself, if it does.
fn rank(name: &str) -> Option<usize> {
    match name {
        "terraform.tfvars" => Some(0),
        "terraform.tfvars.json" => Some(1),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    }
}

fn read_values(path: &str, bytes: &[u8], given: &mut BTreeMap<Box<str>, Given>) -> Result<(), InputError> {
    let read = || {
        if bytes.len() > MAX_SOURCE_FILE_BYTES {
            return Err(InputError::TooLarge);
        }
        let text = read_text(bytes)?;
        let body = if path.ends_with(".json") { read_json_values(&text)? } else { read_body(&text)? };
        match body.blocks.first() {
            Some(block) => Err(InputError::Malformed {
                at: format!("line {}", block.line),
                what: "a file of variables holds no blocks".to_owned(),
            }),
            None => Ok(body.attributes),
        }
    };
    let values = read().map_err(|error| in_file(path, error))?;
    given.extend(values.into_iter().map(|argument| (argument.name, Given::Written(argument.value))));
    Ok(())
}
