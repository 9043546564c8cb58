//! Values of Terraform's variables that were given to `ward policy check`.

use crate::exit::Failure;
use std::path::PathBuf;
use ward_policy::limits::MAX_SOURCE_FILE_BYTES;
use ward_policy::terraform_source::{SourceFile, SourceOptions};

/// Files of values with what they hold, and single values.
pub struct GivenValues {
    files: Vec<(String, Vec<u8>)>,
    variables: Vec<(String, String)>,
}

impl GivenValues {
    /// Reads the files.
    pub fn read(files: &[PathBuf], variables: &[(String, String)]) -> Result<Self, Failure> {
        let read = |path: &PathBuf| {
            let bytes = crate::commands::read_input_file(path, MAX_SOURCE_FILE_BYTES as u64)?;
            Ok((path.display().to_string(), bytes))
        };
        let files = files.iter().map(read).collect::<Result<_, Failure>>()?;
        Ok(Self { files, variables: variables.to_vec() })
    }

    /// Whether there are any.
    pub const fn are_given(&self) -> bool {
        !self.files.is_empty() || !self.variables.is_empty()
    }

    /// Calls a reader with them.
    pub fn with_options<T>(&self, read: impl FnOnce(&SourceOptions<'_>) -> T) -> T {
        let files: Vec<SourceFile<'_>> =
            self.files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        read(&SourceOptions { root: "", variable_files: &files, variables: &variables })
    }
}
