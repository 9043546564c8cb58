//! The values that are given to the variables of the root module.

use super::SourceOptions;
use super::body_parser::read_body;
use super::evaluator::Given;
use super::json_syntax::read_json_values;
use super::module_source::in_file;
use super::source_tree::{SourceTree, joined_path};
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::limits::MAX_SOURCE_FILE_BYTES;
use std::collections::BTreeMap;

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
    for path in options.variable_files {
        let missing = || {
            in_file(path, InputError::UnknownFormat { what: "the file of variables is not there".to_owned() })
        };
        let bytes = joined_path("", path).and_then(|path| tree.file(&path)).ok_or_else(missing)?;
        read_values(path, bytes, &mut given)?;
    }
    for (name, text) in options.variables {
        given.insert((*name).into(), Given::Text((*text).into()));
    }
    Ok(given)
}

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
