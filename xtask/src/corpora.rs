//! Corpora: files from elsewhere that the code has to agree with. They are not part of the
//! project; `WARD_CORPORA` says where they are. Without it their tests are skipped, by name.

use crate::outcome;
use crate::project::{self, Target};
use crate::{process, setup};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// The environment variable that names the folder of corpora.
pub const VARIABLE: &str = "WARD_CORPORA";
/// What the names of corpus tests begin with.
pub const PREFIX: &str = "corpora_";
/// Which corpus tests there are and whether their files are at hand.
#[derive(Debug)]
pub struct Corpora {
    folder: Option<PathBuf>,
    names: Vec<String>,
}

impl Corpora {
    /// Corpus tests among the targets, with the folder that holds the files.
    pub fn new(targets: &[Target], folder: Option<PathBuf>) -> Self {
        let mut names: Vec<String> = targets
            .iter()
            .filter(|target| target.kind == "test")
            .filter_map(|target| Some(target.name.strip_prefix(PREFIX)?.to_owned()))
            .collect();
        names.sort();
        names.dedup();
        Self { folder, names }
    }

    /// The same, with the folder that the environment names.
    pub fn from_environment(targets: &[Target]) -> Result<Self> {
        let folder = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        // Relative to where the command was given; the tests run elsewhere.
        let folder =
            folder.map(|folder| std::env::current_dir().map(|current| current.join(folder))).transpose()?;
        if let Some(missing) = folder.as_ref().filter(|folder| !folder.is_dir()) {
            bail!("{VARIABLE} names {}, which is not a folder", missing.display());
        }
        Ok(Self::new(targets, folder))
    }

    /// Whether the files are at hand.
    pub fn are_there(&self) -> bool {
        self.folder.is_some()
    }

    /// Where the files are, as an absolute path.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.folder.as_ref()
    }

    /// Leaves corpus tests out, in the language of nextest, which refuses a pattern for
    /// programs that no program matches.
    pub fn exclusion(&self) -> &'static str {
        if self.names.is_empty() {
            "not test(/(^|::)corpora_/)"
        } else {
            "not (binary(/^corpora_/) or test(/(^|::)corpora_/))"
        }
    }

    /// How many corpus programs are not started because their files are not at hand.
    pub fn skipped_count(&self) -> u64 {
        if self.are_there() { 0 } else { self.names.len().try_into().unwrap_or(u64::MAX) }
    }

    /// Says which corpora ran and which were skipped.
    pub fn print(&self) {
        for line in self.lines() {
            println!("{line}");
        }
    }

    fn lines(&self) -> Vec<String> {
        if self.names.is_empty() {
            return vec!["corpora: there are no corpus tests".to_owned()];
        }
        let word = match &self.folder {
            Some(_) => "ran".to_owned(),
            None => format!("skipped ({VARIABLE} is not set)"),
        };
        self.names.iter().map(|name| format!("corpora {name}: {word}")).collect()
    }
}

/// `cargo xtask corpora NAME`: only the tests of one corpus.
pub fn run(name: Option<&str>) -> Result<bool> {
    let Some(name) = name.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-'))
    else {
        bail!("say which corpus, for example: cargo xtask corpora audit");
    };
    let targets = project::targets()?;
    let corpora = Corpora::from_environment(&targets)?;
    let Some(folder) = corpora.folder() else {
        println!("skipped: {VARIABLE} is not set");
        return Ok(true);
    };
    if !folder.join(name).is_dir() {
        bail!("{VARIABLE} has no folder {name:?}");
    }
    let program = format!("{PREFIX}{}", name.replace('-', "_"));
    let wanted: Vec<&Target> =
        targets.iter().filter(|target| target.kind == "test" && target.name.starts_with(&program)).collect();
    if wanted.is_empty() {
        bail!("no crate has a test program named {program}");
    }
    let nextest = setup::has_nextest();
    let mut arguments = if nextest { vec!["nextest", "run"] } else { vec!["test", "--no-fail-fast"] };
    for target in &wanted {
        arguments.extend(["--package", &target.package, "--test", &target.name]);
    }
    if nextest {
        arguments.push("--no-fail-fast");
    }
    let transcript = process::transcript(project::cargo(&arguments)?.env(VARIABLE, folder))?;
    let counts = if nextest {
        outcome::of_nextest(&transcript.lines).unwrap_or_default()
    } else {
        outcome::of_cargo_test(&transcript.lines)
    };
    println!("corpora {name}: {counts}");
    Ok(transcript.success && counts.failed == 0 && counts.ran() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_each_corpus() {
        let target = |name: &str| Target { package: "a".into(), name: name.into(), kind: "test".into() };
        let targets = [target("corpora_forms"), target("corpora_audit"), target("chain")];
        let lines = Corpora::new(&targets, None).lines();
        assert_eq!(
            lines,
            [
                "corpora audit: skipped (WARD_CORPORA is not set)",
                "corpora forms: skipped (WARD_CORPORA is not set)"
            ]
        );
        let with_files = Corpora::new(&targets, Some("x".into()));
        assert_eq!(with_files.lines()[0], "corpora audit: ran");
        assert_eq!((Corpora::new(&targets, None).skipped_count(), with_files.skipped_count()), (2, 0));
    }

    #[test]
    fn no_corpus_tests_is_said_too() {
        assert_eq!(Corpora::new(&[], None).lines(), ["corpora: there are no corpus tests"]);
    }
}
