//! `cargo xtask bench`: the benches of every crate that has some, each printing its figures.

use crate::process;
use crate::project::{self, Target};
use anyhow::{Result, bail};

/// The word that asks for a smoke run.
const QUICK: &str = "--quick";

/// Runs every bench, or those of one crate or with one name; with `--quick` just long enough to
/// show that it works.
pub fn run(words: &[String]) -> Result<bool> {
    let quick = words.iter().any(|word| word == QUICK);
    let name = words.iter().find(|word| *word != QUICK).map(String::as_str);
    let targets = project::targets()?;
    let wanted = chosen(&targets, name);
    if wanted.is_empty() {
        bail!("there is no bench{}", name.map(|name| format!(" {name:?}")).unwrap_or_default());
    }
    let mut all_passed = true;
    for target in wanted {
        println!("\n==> {} / {}", target.package, target.name);
        let mut arguments = vec!["bench", "--package", &target.package, "--bench", &target.name];
        arguments.extend(quick.then_some(["--", QUICK]).into_iter().flatten());
        all_passed &= process::run(&mut project::cargo(&arguments)?)?;
    }
    Ok(all_passed)
}

fn chosen<'a>(targets: &'a [Target], name: Option<&str>) -> Vec<&'a Target> {
    targets
        .iter()
        .filter(|target| target.kind == "bench")
        .filter(|target| name.is_none_or(|name| target.name == name || target.package == name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_is_chosen_by_its_name_or_its_crate() {
        let target = |package: &str, name: &str, kind: &str| Target {
            package: package.into(),
            name: name.into(),
            kind: kind.into(),
        };
        let targets = [target("a", "seal", "bench"), target("b", "ingest", "bench"), target("b", "b", "lib")];
        assert_eq!(chosen(&targets, None).len(), 2);
        assert_eq!(chosen(&targets, Some("seal"))[0].package, "a");
        assert_eq!(chosen(&targets, Some("b"))[0].name, "ingest");
        assert!(chosen(&targets, Some("c")).is_empty());
    }
}
