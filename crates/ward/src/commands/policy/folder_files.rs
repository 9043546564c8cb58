//! The files of a folder that `ward policy check` looks through.

use crate::exit::Failure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use ward_policy::folder::{is_configuration, is_looked_at, is_plain_text};
use ward_policy::limits::{MAX_INPUT_BYTES, MAX_SOURCE_FILES};

/// Folders in which nothing of the infrastructure stands: history, and packages of other programs.
const PASSED_BY: [&str; 2] = [".git", "node_modules"];
/// Where Terraform keeps what it fetched: modules are read, programs are not.
const FETCHED: &str = ".terraform";
/// What is read of it.
const FETCHED_MODULES: &str = "modules";
/// Largest file that is taken along for functions of Terraform that read files, or as plain text.
const MAX_OTHER_FILE_BYTES: u64 = 1024 * 1024;

/// A file with its path below the folder, `/` between names.
pub struct FoundFile {
    /// Its path.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Every file of a folder that may say something about infrastructure, in the order of their paths.
/// Where Terraform configuration lies, other small files come along: functions may read them.
pub fn read_folder_files(folder: &Path) -> Result<Vec<FoundFile>, Failure> {
    let found = list(folder)?;
    let is_terraform = found.iter().any(|(path, _)| is_configuration(path));
    let mut files = Vec::new();
    let mut bytes_left = MAX_INPUT_BYTES as u64;
    for (path, place) in found {
        let size = std::fs::metadata(&place).map_err(|error| unreadable(&place, error))?.len();
        let comes_along = (is_terraform || is_plain_text(&path)) && size <= MAX_OTHER_FILE_BYTES;
        if !is_looked_at(&path) && !comes_along {
            continue;
        }
        let bytes = crate::commands::read_input_file(&place, bytes_left)?;
        bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
        files.push(FoundFile { path, bytes });
        if files.len() > MAX_SOURCE_FILES {
            return Err(Failure::input(
                format!("{} has too many files", folder.display()),
                format!("at most {MAX_SOURCE_FILES} are looked through at once"),
                "give folders further down",
            ));
        }
    }
    Ok(files)
}

/// Paths below the folder, as text and as they are. Links to folders are followed, each folder once: what
/// lies behind a link is deployed as well.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut to_do = vec![(String::new(), folder.to_owned())];
    while let Some((above, place)) = to_do.pop() {
        let real = place.canonicalize().map_err(|error| unreadable(&place, error))?;
        if !seen.insert(real) {
            continue;
        }
        for entry in std::fs::read_dir(&place).map_err(|error| unreadable(&place, error))? {
            let entry = entry.map_err(|error| unreadable(&place, error))?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                Failure::input(
                    format!("a name in {} is not text", place.display()),
                    format!("{name:?}"),
                    "rename the file",
                )
            })?;
            let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
            let kind = std::fs::metadata(entry.path());
            match kind {
                Ok(kind) if kind.is_dir() => {
                    if is_walked(&above, name) {
                        to_do.push((path, entry.path()));
                    }
                }
                Ok(kind) if kind.is_file() => found.push((path, entry.path())),
                // Pipes and devices hold no code.
                Ok(_) => {}
                // A link that leads nowhere matters where code was expected.
                Err(error) if is_looked_at(&path) => return Err(unreadable(&entry.path(), error)),
                Err(_) => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_walked(above: &str, name: &str) -> bool {
    let holder = above.rsplit('/').next().unwrap_or_default();
    !PASSED_BY.contains(&name) && (holder != FETCHED || name == FETCHED_MODULES)
}

fn unreadable(place: &Path, error: std::io::Error) -> Failure {
    Failure::input(format!("{} cannot be read", place.display()), error, "check the name and the rights")
}
