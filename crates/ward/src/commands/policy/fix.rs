//! `ward policy fix --diff`: what can be mended in the text, as a diff, each fix proven by another check.

use super::folder_files::{FoundFile, read_folder_files};
use super::given_values::GivenValues;
use super::{as_sources, print_json, rules_of};
use crate::cli::PolicyFixArgs;
use crate::exit::Failure;
use crate::limits::POLICY_FIXES_MAX;
use crate::print::Out;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use ward_policy::folder::{FolderInput, read_folder};
use ward_policy::rules::RuleSet;
use ward_policy::{Exit, MendedFile, TextFix, assess, read_text, text_fix_of};

/// A finding, told from others: input, rule, part and address.
type FindingKey = (String, String, String, String);

/// Runs the command.
///
/// # Errors
/// When a folder or rules are not read.
pub fn run(args: &PolicyFixArgs, out: &Out) -> Result<ExitCode, Failure> {
    let rules = rules_of(args.inputs.rules.as_deref(), args.inputs.settings.as_deref())?;
    let (mut diffs, mut mended, mut left, mut exit) = (String::new(), 0, 0, Exit::Pass);
    let values = GivenValues::read(&args.inputs.var_file, &args.inputs.var)?;
    let judge = Judge { rules, values };
    for path in &args.inputs.paths {
        let folder = mend(path, &judge)?;
        diffs.push_str(&folder.diff(path));
        mended += folder.mended;
        left += folder.found.len();
        exit = exit.and(folder.exit);
    }
    if out.is_json() {
        let report = serde_json::json!({"format": 1, "mended": mended, "left": left, "diff": diffs});
        print_json(&report, out)?;
    } else {
        out.verbatim(&diffs);
        out.aside(&format!("{mended} violations mended in this diff, {left} findings left."));
        if mended > 0 {
            out.aside(
                "A change may replace a resource and what it holds: read the plan before it is applied.",
            );
        }
    }
    Ok(ExitCode::from(exit.code()))
}

/// What a folder is judged by, and the values that it is read with.
struct Judge {
    rules: RuleSet,
    values: GivenValues,
}

impl Judge {
    fn read(&self, name: &str, files: &[FoundFile]) -> Vec<FolderInput> {
        self.values.with_options(|options| read_folder(name, &as_sources(files), options)).inputs
    }
}

/// A folder with what was mended in it.
struct MendedFolder {
    files: Vec<FoundFile>,
    changed: BTreeMap<String, MendedFile>,
    /// What blocks still.
    found: BTreeSet<FindingKey>,
    mended: usize,
    /// How a check of it ends as it was, before anything was mended.
    exit: Exit,
}

impl MendedFolder {
    fn diff(&self, folder: &Path) -> String {
        let named = self.changed.iter().map(|(path, file)| (folder.join(path).display().to_string(), file));
        named.map(|(path, file)| file.diff(path.strip_prefix("./").unwrap_or(&path))).collect()
    }

    /// The file with a fix, if it can be mended.
    fn with(&self, fix: &TextFix) -> Option<MendedFile> {
        let before = match self.changed.get(&*fix.file) {
            Some(file) => file.clone(),
            None => {
                let file = self.files.iter().find(|file| *file.path == *fix.file)?;
                MendedFile::new(&read_text(&file.bytes).ok()?)
            }
        };
        before.mended(fix)
    }

    /// Takes a mended file in, and gives back the bytes that were there.
    fn put(&mut self, path: &str, bytes: Vec<u8>) -> Vec<u8> {
        let file = self.files.iter_mut().find(|file| file.path == path);
        file.map(|file| std::mem::replace(&mut file.bytes, bytes)).unwrap_or_default()
    }
}

fn mend(path: &Path, judge: &Judge) -> Result<MendedFolder, Failure> {
    let name = path.display().to_string();
    if !path.is_dir() {
        return Err(Failure::input(
            format!("{name} is no folder"),
            "fixes are made in Terraform configuration, which is read as a folder",
            "give the folder",
        ));
    }
    let files = read_folder_files(path)?;
    let (changed, found) = (BTreeMap::new(), BTreeSet::new());
    let mut folder = MendedFolder { files, changed, found, mended: 0, exit: Exit::Indeterminate };
    let mut now = check(&name, &folder, judge)?;
    folder.exit = now.exit;
    let mut tried: BTreeSet<(FindingKey, Box<str>)> = BTreeSet::new();
    // Lines move with each fix: what is left is found anew every time.
    for _ in 0..POLICY_FIXES_MAX {
        let is_new = |(key, fix): &&(FindingKey, TextFix)| tried.insert((key.clone(), fix.name.clone()));
        let Some((key, fix)) = now.fixes.iter().find(is_new).cloned() else { break };
        let Some(file) = folder.with(&fix) else { continue };
        let before = folder.put(&fix.file, file.text().into_bytes());
        match check(&name, &folder, judge) {
            Ok(found) if found.blocking.is_subset(&now.blocking) && !found.blocking.contains(&key) => {
                folder.mended += now.blocking.len() - found.blocking.len();
                folder.changed.insert(fix.file.to_string(), file);
                now = found;
            }
            // It does not help, or breaks something else: it is as it was.
            _ => {
                folder.put(&fix.file, before);
            }
        }
    }
    folder.found = now.blocking;
    Ok(folder)
}

/// What blocks in a folder, and how some of it can be mended.
struct Found {
    blocking: BTreeSet<FindingKey>,
    fixes: Vec<(FindingKey, TextFix)>,
    exit: Exit,
}

fn check(name: &str, folder: &MendedFolder, judge: &Judge) -> Result<Found, Failure> {
    let (mut blocking, mut fixes, mut exit) = (BTreeSet::new(), Vec::new(), None);
    for FolderInput { name, graph } in judge.read(name, &folder.files) {
        let graph = graph
            .map_err(|error| Failure::input(format!("{name} was not read"), error, "mend the file first"))?;
        // What makes a part of the configuration unread would hide its findings.
        let notes = graph.notes().iter().filter(|note| note.blocks);
        blocking.extend(notes.map(|note| (name.clone(), String::new(), String::new(), note.text.clone())));
        let assessment = assess(&graph, &judge.rules);
        let ended = assessment.exit(false);
        exit = Some(exit.map_or(ended, |exit: Exit| exit.and(ended)));
        for finding in assessment.findings.iter().filter(|one| one.verdict.blocks()) {
            let aspect = finding.cell.aspect.as_deref().unwrap_or_default().to_owned();
            let address = finding.resource.address.to_string();
            let key = (name.clone(), finding.rule.id.to_string(), aspect, address);
            fixes.extend(text_fix_of(finding).map(|fix| (key.clone(), fix)));
            blocking.insert(key);
        }
    }
    // A folder in which nothing is to be checked proves nothing.
    Ok(Found { blocking, fixes, exit: exit.unwrap_or(Exit::Indeterminate) })
}
