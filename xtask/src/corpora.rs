//! Corpora: files from elsewhere that the code has to agree with. They are not part of the
//! project; `WARD_CORPORA` says where they are. Without it their tests are skipped, by name.

use crate::outcome;
use crate::process;
use crate::project::{self, Target};
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};

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

/// `cargo xtask corpora NAME`: only the tests of one corpus, then a line for each part of it.
pub fn run(name: Option<&str>) -> Result<bool> {
    let Some(name) = name.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-'))
    else {
        bail!("say which corpus, for example: cargo xtask corpora audit");
    };
    let targets = project::targets()?;
    let corpora = Corpora::from_environment(&targets)?;
    let Some(folder) = corpora.folder() else {
        println!("corpora {name}: skipped ({VARIABLE} is not set)");
        return Ok(true);
    };
    let own = folder.join(name);
    if !own.is_dir() {
        bail!("{VARIABLE} has no folder {name:?}");
    }
    let wanted = programs(&targets, name);
    if wanted.is_empty() {
        bail!("no crate has tests of the corpus {name}");
    }
    let mut arguments = vec!["test", "--no-fail-fast"];
    for target in &wanted {
        arguments.extend(["--package", &target.package, "--test", &target.name]);
    }
    // What the tests say is the result; one at a time, so that no line stands inside another.
    arguments.extend(["--", "--nocapture", "--test-threads=1"]);
    let transcript = process::transcript(project::cargo(&arguments)?.env(VARIABLE, folder))?;
    let counts = outcome::of_cargo_test(&transcript.lines);
    let agreements: Vec<Agreement> = transcript.lines.iter().filter_map(|line| Agreement::of(line)).collect();
    println!();
    agreements.iter().for_each(|agreement| println!("{agreement}"));
    let parts = parts(&own)?;
    let silent = without_agreement(&parts, &agreements);
    // Where no test says how far it agrees with anything, the corpus is held by its tests alone.
    let is_told = agreements.is_empty() || silent.is_empty();
    if !is_told {
        silent.iter().for_each(|part| println!("FAILED: no test says how far it agrees with {name}/{part}"));
    }
    println!("corpora {name}: {counts}");
    Ok(transcript.success && counts.failed == 0 && counts.ran() > 0 && is_told)
}

/// The test programs of one corpus: those named after it, and those of the crate that is.
fn programs<'t>(targets: &'t [Target], name: &str) -> Vec<&'t Target> {
    let (named, krate) = (format!("{PREFIX}{}", name.replace('-', "_")), format!("ward-{name}"));
    let is_of = |target: &&Target| {
        target.kind == "test"
            && (target.name.starts_with(&named)
                || (target.package == krate && target.name.starts_with(PREFIX)))
    };
    targets.iter().filter(is_of).collect()
}

/// How far the code agrees with a corpus: `corpus NAME[, what]: passed/total [those that differ]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Agreement {
    name: String,
    passed: u64,
    total: u64,
    differ: String,
}

impl Agreement {
    /// Reads what a test said. A runner may have written something of its own before it.
    fn of(line: &str) -> Option<Self> {
        let (_, said) = line.split_once("corpus ")?;
        let (name, figures) = said.split_once(": ")?;
        let (figures, differ) = figures.split_once(' ').unwrap_or((figures, ""));
        let (passed, total) = figures.split_once('/')?;
        let (passed, total) = (passed.parse().ok()?, total.parse().ok()?);
        (passed <= total).then(|| Self {
            name: name.to_owned(),
            passed,
            total,
            differ: differ.trim().to_owned(),
        })
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, passed, total, differ } = self;
        write!(f, "{name}: {passed}/{total}")?;
        if differ.is_empty() { Ok(()) } else { write!(f, "\n    differ: {differ}") }
    }
}

/// The folders within the one of a corpus.
fn parts(folder: &Path) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            parts.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    parts.sort();
    Ok(parts)
}

/// Parts of a corpus that no test spoke of.
fn without_agreement<'p>(parts: &'p [String], agreements: &[Agreement]) -> Vec<&'p str> {
    let is_told = |part: &&String| agreements.iter().any(|agreement| agreement.name.contains(part.as_str()));
    parts.iter().filter(|part| !is_told(part)).map(String::as_str).collect()
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
    fn tests_belong_to_a_corpus_by_name_or_by_crate() {
        let target = |package: &str, name: &str| Target {
            package: package.into(),
            name: name.into(),
            kind: "test".into(),
        };
        let targets = [
            target("ward-audit", "corpora_audit"),
            target("ward-forms", "corpora_lint"),
            target("ward-forms", "suite"),
            target("ward-client", "corpora_forms_on_a_device"),
        ];
        let names = |name| programs(&targets, name).iter().map(|target| &*target.name).collect::<Vec<_>>();
        assert_eq!(names("audit"), ["corpora_audit"]);
        assert_eq!(names("forms"), ["corpora_lint", "corpora_forms_on_a_device"]);
        assert!(names("sync").is_empty());
    }

    #[test]
    fn agreement_is_read_from_what_tests_say() {
        let agreement =
            Agreement::of("test x ... corpus fhirpath: 912/935 testA, testB; not run: testC").unwrap();
        assert_eq!(agreement.to_string(), "fhirpath: 912/935\n    differ: testA, testB; not run: testC");
        let all = Agreement::of("corpus smart-forms, checked: 13/13").unwrap();
        assert_eq!(all.to_string(), "smart-forms, checked: 13/13");
        for line in ["corpus x", "corpus x: a/b", "corpus x: 3/2", "12/12 corpus"] {
            assert_eq!(Agreement::of(line), None, "{line}");
        }
        let parts = ["fhirpath".to_owned(), "smart-forms".to_owned(), "pro-ctcae".to_owned()];
        assert_eq!(without_agreement(&parts, &[agreement, all]), ["pro-ctcae"]);
    }

    #[test]
    fn no_corpus_tests_is_said_too() {
        assert_eq!(Corpora::new(&[], None).lines(), ["corpora: there are no corpus tests"]);
    }
}
