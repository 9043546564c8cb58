//! The tally file: what was run over time, for which revision of the code.

use serde_json::{Map, Value, json};
use std::path::Path;
use ward_testkit::sim::{Failure, Tally};

/// Adds one run.
pub fn add(path: &Path, seeds: (u64, u64), tally: &Tally, failures: &[(u64, Failure)]) -> Result<(), String> {
    let mut file = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| format!("{} is no tally", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({"runs": []}),
        Err(error) => return Err(error.to_string()),
    };
    let runs = file.get_mut("runs").and_then(Value::as_array_mut);
    let runs = runs.ok_or_else(|| format!("{} is no tally", path.display()))?;
    runs.push(run(seeds, tally, failures));
    let sum =
        |name: &str| -> u64 { runs.iter().filter_map(|run| run.get(name)).filter_map(Value::as_u64).sum() };
    let names = ["schedules", "whole", "failed", "steps", "entries", "requests"];
    let totals: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), sum(name).into())).collect();
    let file = json!({"totals": totals, "runs": runs});
    let text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
    std::fs::write(path, text + "\n").map_err(|error| error.to_string())
}

fn run(seeds: (u64, u64), tally: &Tally, failures: &[(u64, Failure)]) -> Value {
    json!({
        "revision": std::env::var("WARD_SIM_REVISION").unwrap_or_default(),
        "signatures": if cfg!(ward_stand_in) { "stand-in" } else { "W1" },
        "seeds": format!("{}..{}", seeds.0, seeds.1),
        "schedules": tally.schedules,
        "whole": tally.whole,
        "failed": tally.failed,
        "steps": tally.steps,
        "entries": tally.entries,
        "requests": tally.requests,
        "faults": tally.faults,
        "paths": tally.paths,
        "failures": failures.iter().map(|(seed, failure)| json!({"seed": seed, "what": failure.to_string()})).collect::<Vec<_>>(),
    })
}
