//! The folders of a check: which are roots, and where the modules that they call lie.

use super::module_source::{ModuleSource, SourceFile, in_file, is_configuration, read_file, read_module};
use super::syntax::Body;
use super::variable_files::names_of_values;
use crate::graph::Attribute;
use crate::input_error::InputError;
use crate::input_text::read_text;
use crate::json::read_json;
use crate::limits::{MAX_INPUT_BYTES, MAX_SOURCE_FILES};
use std::collections::{BTreeMap, BTreeSet};

/// Where Terraform keeps modules that it fetched.
const FETCHED: &str = ".terraform";

/// Whether a path lies in there.
pub(crate) fn is_fetched(path: &str) -> bool {
    path.split('/').any(|part| part == FETCHED)
}

/// All folders with configuration files, read.
pub(super) struct SourceTree<'a> {
    modules: BTreeMap<String, Result<ModuleSource, InputError>>,
    files: BTreeMap<String, &'a [u8]>,
    /// Files of values, by the nearest folder at or above them that holds configuration.
    values: BTreeMap<String, Vec<ValueFile>>,
    /// Files of values to which no such folder declares a variable: they may be of any.
    values_of_nobody: Vec<ValueFile>,
}

/// A file with values of variables.
pub(super) struct ValueFile {
    pub(super) path: String,
    /// The variables it names; `None` if it is not understood.
    pub(super) names: Option<BTreeSet<Box<str>>>,
}

impl ValueFile {
    /// Reads which variables it names.
    pub(super) fn read(path: &str, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), names: names_of_values(path, bytes) }
    }

    /// Whether it gives values to a module, or may.
    pub(super) fn gives_to(&self, module: &ModuleSource) -> bool {
        self.given_to(module).is_none_or(|given| !given.is_empty())
    }

    /// The variables of a module that it may give values to; `None` if that is not known.
    pub(super) fn given_to<'m>(&self, module: &'m ModuleSource) -> Option<Vec<&'m str>> {
        let names = self.names.as_ref()?;
        Some(module.variables.keys().map(|name| &**name).filter(|name| names.contains(*name)).collect())
    }
}

impl<'a> SourceTree<'a> {
    /// Reads every configuration file.
    pub(super) fn read(files: &[SourceFile<'a>]) -> Result<Self, InputError> {
        let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
        if files.len() > MAX_SOURCE_FILES || bytes > MAX_INPUT_BYTES {
            return Err(InputError::TooLarge);
        }
        let mut folders: BTreeMap<String, Vec<SourceFile<'a>>> = BTreeMap::new();
        let mut by_path = BTreeMap::new();
        for file in files {
            let outside = || InputError::Malformed {
                at: file.path.to_owned(),
                what: "the path leads out of the folder that is checked".to_owned(),
            };
            let path = joined_path("", file.path).ok_or_else(outside)?;
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if is_configuration(name) {
                folders.entry(folder.to_owned()).or_default().push(*file);
            }
            by_path.insert(path, file.bytes);
        }
        let modules: BTreeMap<_, _> =
            folders.into_iter().map(|(folder, files)| (folder, read_folder(&files))).collect();
        let mut tree =
            Self { modules, files: by_path, values: BTreeMap::new(), values_of_nobody: Vec::new() };
        let of_values = tree.files.iter().filter(|(path, _)| is_of_values(path));
        let read: Vec<_> = of_values.map(|(path, bytes)| ValueFile::read(path, bytes)).collect();
        for file in read {
            let owner = owner(&file.path, |folder| tree.modules.contains_key(folder)).map(str::to_owned);
            // A folder above that declares nothing of it is not the one it is for.
            let is_of = |folder: &String| tree.module(folder).is_none_or(|module| file.gives_to(module));
            match owner.filter(is_of) {
                Some(owner) => tree.values.entry(owner).or_default().push(file),
                None => tree.values_of_nobody.push(file),
            }
        }
        Ok(tree)
    }

    /// What a folder declares, if it was read.
    pub(super) fn module(&self, folder: &str) -> Option<&ModuleSource> {
        self.modules.get(folder)?.as_ref().ok()
    }

    /// Why a folder was not read.
    pub(super) fn fault(&self, folder: &str) -> Option<&InputError> {
        self.modules.get(folder)?.as_ref().err()
    }

    /// Whether a folder holds configuration files.
    pub(super) fn has(&self, folder: &str) -> bool {
        self.modules.contains_key(folder)
    }

    pub(super) fn file(&self, path: &str) -> Option<&'a [u8]> {
        self.files.get(path).copied()
    }

    /// The files of a folder itself, by name.
    pub(super) fn files_in(&self, folder: &str) -> impl Iterator<Item = (&str, &str, &'a [u8])> {
        self.files.iter().filter_map(move |(path, bytes)| {
            let (of, name) = path.rsplit_once('/').unwrap_or(("", path));
            (of == folder).then_some((path.as_str(), name, *bytes))
        })
    }

    /// Files of values that lie with a folder, and those that lie with none.
    pub(super) fn values_with(&self, folder: &str) -> impl Iterator<Item = &ValueFile> {
        self.values.get(folder).into_iter().flatten().chain(&self.values_of_nobody)
    }

    /// The folders to begin with: those that no other calls, and those that say themselves that they are
    /// deployed. What calls itself in a circle has none, and its first folder is taken, so that every
    /// folder is checked.
    pub(super) fn roots(&self) -> Vec<String> {
        let mut roots = self.roots_beside(&BTreeSet::new());
        let known: BTreeSet<String> = roots.iter().cloned().collect();
        let deployed = self.own_folders().filter(|folder| self.is_deployed(folder));
        roots.extend(deployed.filter(|folder| !known.contains(*folder)).cloned());
        roots
    }

    /// The folders to begin with among those that were not reached yet.
    pub(super) fn roots_beside(&self, reached: &BTreeSet<String>) -> Vec<String> {
        let left = || self.own_folders().filter(|folder| !reached.contains(*folder));
        let is_left = |folder: &String| !reached.contains(folder);
        let callers = self.modules.keys().filter(|folder| is_left(folder));
        let called: BTreeSet<String> = callers.flat_map(|folder| self.called_by(folder)).collect();
        let mut roots: Vec<String> = left().filter(|folder| !called.contains(*folder)).cloned().collect();
        let mut reached = reached.clone();
        roots.iter().for_each(|root| self.reach(root, &mut reached));
        for folder in left() {
            if !reached.contains(folder) {
                self.reach(folder, &mut reached);
                roots.push(folder.clone());
            }
        }
        roots
    }

    /// Folders that were not fetched.
    pub(super) fn own_folders(&self) -> impl Iterator<Item = &String> {
        self.modules.keys().filter(|folder| !is_fetched(folder))
    }

    /// Whether a folder is deployed by itself, whoever calls it as a module too: it says where its state
    /// lies, how to reach a provider, or which values it has.
    fn is_deployed(&self, folder: &str) -> bool {
        let own_values = ["terraform.tfvars", "terraform.tfvars.json"];
        self.module(folder).is_some_and(|module| module.is_deployed)
            || self.values.contains_key(folder)
            || own_values
                .iter()
                .any(|name| joined_path(folder, name).is_some_and(|path| self.files.contains_key(&path)))
    }

    fn reach(&self, root: &str, reached: &mut BTreeSet<String>) {
        let mut to_do = vec![root.to_owned()];
        while let Some(folder) = to_do.pop() {
            if reached.insert(folder.clone()) {
                to_do.extend(self.called_by(&folder));
            }
        }
    }

    /// The folders of this check that a folder calls as modules, itself left out.
    fn called_by(&self, folder: &str) -> Vec<String> {
        let Some(module) = self.module(folder) else { return Vec::new() };
        let sources = module.calls.values().filter_map(|call| call.argument("source")?.as_text());
        let local =
            sources.filter(|source| is_local(source)).filter_map(|source| joined_path(folder, source));
        local.filter(|path| path != folder && self.modules.contains_key(path)).collect()
    }
}

fn is_of_values(path: &str) -> bool {
    !is_fetched(path) && (path.ends_with(".tfvars") || path.ends_with(".tfvars.json"))
}

/// The nearest folder at or above a file that holds configuration.
fn owner(path: &str, holds: impl Fn(&str) -> bool) -> Option<&str> {
    let mut at = path;
    while !at.is_empty() {
        at = at.rsplit_once('/').map_or("", |(above, _)| above);
        if holds(at) {
            return Some(at);
        }
    }
    None
}

fn read_folder(files: &[SourceFile<'_>]) -> Result<ModuleSource, InputError> {
    let bodies = files.iter().map(|file| Ok((file.path, read_file(file)?)));
    read_module(bodies.collect::<Result<Vec<(&str, Body)>, InputError>>()?)
}

/// Whether the source of a module is a folder beside the caller.
pub(super) fn is_local(source: &str) -> bool {
    source == "." || source == ".." || source.starts_with("./") || source.starts_with("../")
}

/// A path seen from a folder, without `.` and `..`. `None` if it leads out of the check.
pub(super) fn joined_path(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Where fetched modules lie, by the names of the calls that lead to them: `network.subnets`.
pub(super) fn read_fetched(
    tree: &SourceTree<'_>,
    root: &str,
) -> Result<BTreeMap<String, String>, InputError> {
    let Some(path) = joined_path(root, ".terraform/modules/modules.json") else { return Ok(BTreeMap::new()) };
    let Some(bytes) = tree.file(&path) else { return Ok(BTreeMap::new()) };
    let list = read_text(bytes).and_then(|text| read_json(&text)).map_err(|error| in_file(&path, error))?;
    let mut fetched = BTreeMap::new();
    let Attribute::Block(list) = list else { return Ok(fetched) };
    let Some(Attribute::List(entries)) = list.get("Modules") else { return Ok(fetched) };
    for entry in entries {
        let Attribute::Block(entry) = entry else { continue };
        if let (Some(Attribute::Text(key)), Some(Attribute::Text(folder))) =
            (entry.get("Key"), entry.get("Dir"))
            && let Some(folder) = joined_path(root, folder)
        {
            fetched.insert(key.to_string(), folder);
        }
    }
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> =
            files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
        SourceTree::read(&files).unwrap().roots()
    }

    #[test]
    fn fails_closed_a_folder_that_is_called_and_deployed_by_itself_is_a_root() {
        let call = "module \"m\" {\n  source = \"../..\"\n}\n";
        let of =
            |own: &[(&str, &str)]| roots(&[&[("main.tf", ""), ("examples/all/main.tf", call)], own].concat());
        assert_eq!(of(&[]), ["examples/all"]);
        assert_eq!(of(&[("terraform.tfvars", "")]), ["examples/all", ""]);
        let variable = ("own.tf", "variable \"on\" {}\n");
        for path in ["prod.auto.tfvars", "prod.tfvars", "env/prod.tfvars"] {
            assert_eq!(of(&[variable, (path, "on = false")]), ["examples/all", ""], "{path}");
            // It is for somebody else.
            assert_eq!(of(&[variable, (path, "off = false")]), ["examples/all"], "{path}");
        }
        for own in [
            "terraform {\n  backend \"s3\" {}\n}\n",
            "terraform {\n  cloud {}\n}\n",
            "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n",
            "provider \"azurerm\" {\n  features {}\n}\n",
        ] {
            assert_eq!(of(&[("own.tf", own)]), ["examples/all", ""], "{own}");
        }
        // What only says that a provider is handed down.
        assert_eq!(of(&[("own.tf", "provider \"aws\" {\n  alias = \"west\"\n}\n")]), ["examples/all"]);
        assert_eq!(of(&[("own.tf", "terraform {\n  required_version = \"1\"\n}\n")]), ["examples/all"]);
        let json = "{\"terraform\": {\"backend\": {\"s3\": {}}}}";
        assert_eq!(of(&[("own.tf.json", json)]), ["examples/all", ""]);
    }

    const CALL: &str = "module \"m\" {\n  source = \"../b\"\n}\n";

    #[test]
    fn paths_are_joined_and_stay_inside() {
        assert_eq!(joined_path("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(joined_path("a", "..").as_deref(), Some(""));
        assert_eq!(joined_path("a", "../../b"), None);
        assert!(SourceTree::read(&[SourceFile { path: "../a.tf", bytes: b"" }]).is_err());
    }

    #[test]
    fn roots_are_what_nobody_calls() {
        assert_eq!(roots(&[("a/main.tf", CALL), ("b/main.tf", ""), ("c/main.tf", "")]), ["a", "c"]);
        assert_eq!(roots(&[("a/x.md", ""), ("main.tf", ""), (".terraform/modules/m/main.tf", "")]), [""]);
        // A name that only ends like that is no folder of what was fetched.
        assert_eq!(roots(&[("main.tf", ""), ("prod.terraform/main.tf", "")]), ["", "prod.terraform"]);
    }

    #[test]
    fn fails_closed_folders_that_call_one_another_in_a_circle_are_checked() {
        let back = "module \"m\" {\n  source = \"../a\"\n}\n";
        assert_eq!(roots(&[("a/main.tf", CALL), ("b/main.tf", back)]), ["a"]);
    }

    #[test]
    fn fails_closed_a_folder_that_is_not_read_is_a_root() {
        assert_eq!(roots(&[("a/main.tf", "resource {"), ("b/main.tf", "")]), ["a", "b"]);
    }
}
