//! The rules that a command judges by: those of Ward, and those of a folder beside them.

use super::folder_files::read_folder_files;
use crate::exit::Failure;
use std::path::Path;
use ward_policy::rules::RuleSet;
use ward_policy::{OwnRules, builtin_rules, read_text};

/// The rules of Ward, with those of a folder if one is given.
///
/// # Errors
/// A file of the folder that has a fault, with its line.
pub fn rules_with(dir: Option<&Path>) -> Result<RuleSet, Failure> {
    match dir {
        Some(dir) => read_own_rules(dir)?.with_builtin().map_err(|error| unread(&error)),
        None => {
            builtin_rules().map_err(|error| Failure::fault("the rules of this Ward were not read", error))
        }
    }
}

/// The rules and fixtures of a folder.
///
/// # Errors
/// As [`rules_with`]; also when nothing is there.
pub fn read_own_rules(dir: &Path) -> Result<OwnRules, Failure> {
    let mut own = OwnRules::default();
    let mut count = 0;
    for file in read_folder_files(dir)? {
        if !(file.path.ends_with(".yaml") || file.path.ends_with(".yml")) {
            continue;
        }
        let name = dir.join(&file.path).display().to_string();
        let text = read_text(&file.bytes).map_err(|error| unread(&format!("{name}: {error}")))?;
        own.add(&name, &text).map_err(|error| unread(&error))?;
        count += 1;
    }
    if count == 0 {
        return Err(unread(&format!("{} holds no file of rules", dir.display())));
    }
    Ok(own)
}

/// Rules that are not there.
pub fn unread(why: &dyn std::fmt::Display) -> Failure {
    Failure::input("the rules were not read", why, "mend the file; docs/policy/writing-rules.md says how")
}
