//! What was fuzzed so far: runs add up in a file.

use super::job::Outcome;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// One run of one or several processes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Run {
    executions: u64,
    cpu_seconds: f64,
    edges: u64,
    features: u64,
    peak_memory_mb: u64,
    corpus_inputs: u64,
    crashes: u64,
}

impl Run {
    /// The sum of its processes.
    pub fn of(outcomes: &[Outcome], corpus_inputs: u64) -> Self {
        let mut run = Self { corpus_inputs, ..Self::default() };
        for outcome in outcomes {
            run.executions += outcome.executions;
            run.cpu_seconds += outcome.cpu_seconds;
            run.edges = run.edges.max(outcome.edges);
            run.features = run.features.max(outcome.features);
            run.peak_memory_mb = run.peak_memory_mb.max(outcome.peak_memory_mb);
            run.crashes += u64::from(outcome.artifact.is_some());
        }
        run
    }

    /// The figures in words.
    pub fn sentence(&self) -> String {
        let Self { executions, cpu_seconds, edges, features, peak_memory_mb, corpus_inputs, crashes } = self;
        format!(
            "{executions} executions in {:.1} CPU-minutes, {edges} edges, {features} features, \
             {corpus_inputs} inputs, at most {peak_memory_mb} MB, {crashes} failures",
            cpu_seconds / 60.0
        )
    }
}

/// What was run with one version of the code.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Share {
    runs: u64,
    executions: u64,
    cpu_seconds: f64,
    crashes: u64,
}

impl Share {
    fn to_json(self) -> Map<String, Value> {
        let Self { runs, executions, cpu_seconds, crashes } = self;
        let fields = [
            ("runs", json!(runs)),
            ("executions", json!(executions)),
            ("cpu_seconds", json!(cpu_seconds)),
            ("crashes", json!(crashes)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// All runs of one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    target: String,
    by_revision: BTreeMap<String, Share>,
    /// What the newest run reached, beginning with everything that was kept before.
    newest: Run,
}

impl Tally {
    /// Reads the file; none is a tally of nothing.
    pub fn read(file: &Path) -> Result<Self> {
        if !file.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let json: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is no tally", file.display()))?;
        Self::of_json(&json).with_context(|| format!("{} is no tally", file.display()))
    }

    /// Adds a run.
    pub fn add(&mut self, target: &str, revision: &str, run: &Run) {
        self.target = target.to_owned();
        self.newest = *run;
        let share = self.by_revision.entry(revision.to_owned()).or_default();
        share.runs += 1;
        share.executions += run.executions;
        share.cpu_seconds += run.cpu_seconds;
        share.crashes += run.crashes;
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.to_json())? + "\n";
        let beside = file.with_extension("json.new");
        let failed = || format!("writing {}", file.display());
        std::fs::write(&beside, text).with_context(failed)?;
        std::fs::rename(&beside, file).with_context(failed)
    }

    /// The figures in words.
    pub fn sentence(&self) -> String {
        let Share { runs, executions, cpu_seconds, crashes } = self.sum();
        if runs == 0 {
            return "never run here".to_owned();
        }
        let Run { edges, features, corpus_inputs, .. } = self.newest;
        format!(
            "{runs} runs, {executions} executions in {:.1} CPU-minutes, {edges} edges, {features} features, \
             {corpus_inputs} inputs, {crashes} failures, {} revisions",
            cpu_seconds / 60.0,
            self.by_revision.len()
        )
    }

    fn sum(&self) -> Share {
        let mut sum = Share::default();
        for share in self.by_revision.values() {
            sum.runs += share.runs;
            sum.executions += share.executions;
            sum.cpu_seconds += share.cpu_seconds;
            sum.crashes += share.crashes;
        }
        sum
    }

    fn to_json(&self) -> Value {
        let by_revision: Map<String, Value> = self
            .by_revision
            .iter()
            .map(|(name, share)| (name.clone(), Value::Object(share.to_json())))
            .collect();
        let mut json = self.sum().to_json();
        let Run { edges, features, peak_memory_mb, corpus_inputs, .. } = self.newest;
        let coverage = json!({"edges": edges, "features": features, "corpus_inputs": corpus_inputs});
        json.insert("target".to_owned(), json!(self.target));
        json.insert("coverage".to_owned(), coverage);
        json.insert("peak_memory_mb".to_owned(), json!(peak_memory_mb));
        json.insert("by_revision".to_owned(), Value::Object(by_revision));
        Value::Object(json)
    }

    fn of_json(json: &Value) -> Option<Self> {
        let number = |value: &Value, field: &str| value.get(field)?.as_u64();
        let mut tally = Self { target: json.get("target")?.as_str()?.to_owned(), ..Self::default() };
        for (revision, value) in json.get("by_revision")?.as_object()? {
            let share = Share {
                runs: number(value, "runs")?,
                executions: number(value, "executions")?,
                cpu_seconds: value.get("cpu_seconds")?.as_f64()?,
                crashes: number(value, "crashes")?,
            };
            tally.by_revision.insert(revision.clone(), share);
        }
        let coverage = json.get("coverage")?;
        tally.newest.edges = number(coverage, "edges")?;
        tally.newest.features = number(coverage, "features")?;
        tally.newest.corpus_inputs = number(coverage, "corpus_inputs")?;
        tally.newest.peak_memory_mb = number(json, "peak_memory_mb")?;
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(executions: u64, edges: u64, failed: bool) -> Outcome {
        let artifact = failed.then(|| "x".into());
        Outcome { executions, edges, cpu_seconds: 30.0, artifact, ..Outcome::default() }
    }

    #[test]
    fn runs_add_up() {
        let run = Run::of(&[outcome(10, 5, false), outcome(20, 7, true)], 3);
        assert_eq!((run.executions, run.edges, run.crashes, run.cpu_seconds), (30, 7, 1, 60.0));
        let mut tally = Tally::default();
        assert_eq!(tally.sentence(), "never run here");
        tally.add("response", "a1", &run);
        tally.add("response", "a1", &run);
        tally.add("response", "b2", &run);
        assert_eq!(tally.sum(), Share { runs: 3, executions: 90, cpu_seconds: 180.0, crashes: 3 });
        assert!(tally.sentence().starts_with("3 runs, 90 executions in 3.0 CPU-minutes, 7 edges"));
        assert!(tally.sentence().ends_with("3 failures, 2 revisions"));
    }

    #[test]
    fn a_tally_is_read_as_it_was_written() {
        let mut tally = Tally::default();
        tally.add("response", "a1", &Run { executions: 3, cpu_seconds: 1.5, edges: 4, ..Run::default() });
        let mut again = Tally::of_json(&tally.to_json()).unwrap();
        assert_eq!(again.to_json(), tally.to_json());
        again.add("response", "a1", &Run { executions: 4, ..Run::default() });
        assert_eq!(again.to_json()["executions"], 7);
        assert_eq!(Tally::of_json(&json!({"runs": 3})), None);
    }
}
