//! The texts of files that a report points at, read once the findings are known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use ward_policy::folder::is_configuration;
use ward_policy::limits::MAX_SOURCE_FILE_BYTES;
use ward_policy::report::{Checked, SourceFiles};

/// Where the files of each input lie, and those of them that findings name.
#[derive(Default)]
pub struct SourceTexts {
    folders: BTreeMap<String, PathBuf>,
    texts: BTreeMap<(String, String), String>,
}

impl SourceTexts {
    /// Says which inputs came of a path of the command line.
    pub fn belong_to<'n>(&mut self, path: &Path, inputs: impl Iterator<Item = &'n str>) {
        let folder = if path.is_dir() {
            path.to_owned()
        } else if is_configuration(&path.display().to_string()) {
            path.parent().map(Path::to_owned).unwrap_or_default()
        } else {
            // The name of a single file is a path as it is.
            PathBuf::new()
        };
        self.folders.extend(inputs.map(|input| (input.to_owned(), folder.clone())));
    }

    /// Reads the files that findings name. One that can't be read any more is left out.
    pub fn load(&mut self, checked: &[Checked<'_>]) {
        let read = checked.iter().filter_map(|input| Some((input.name, input.result.as_ref().ok()?)));
        let named: BTreeSet<(&str, &str)> = read
            .flat_map(|(name, assessment)| {
                let places = assessment.findings.iter().filter_map(|one| one.resource.place.as_ref());
                places.map(move |place| (name, &*place.file))
            })
            .collect();
        for (input, file) in named {
            let path = self.place(input, file);
            let max_bytes = MAX_SOURCE_FILE_BYTES as u64;
            let Ok(bytes) = crate::commands::read_input_file(&path, max_bytes) else { continue };
            if let Ok(text) = ward_policy::read_text(&bytes) {
                self.texts.insert((input.to_owned(), file.to_owned()), text.into_owned());
            }
        }
    }

    fn place(&self, input: &str, file: &str) -> PathBuf {
        self.folders.get(input).map_or_else(|| PathBuf::from(file), |folder| folder.join(file))
    }
}

impl SourceFiles for SourceTexts {
    fn path(&self, input: &str, file: &str) -> String {
        let path = self.place(input, file).display().to_string();
        path.strip_prefix("./").map(str::to_owned).unwrap_or(path)
    }

    fn text(&self, input: &str, file: &str) -> Option<&str> {
        self.texts.get(&(input.to_owned(), file.to_owned())).map(String::as_str)
    }
}
