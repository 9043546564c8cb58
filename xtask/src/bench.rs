//! `cargo xtask bench`: the benches of every crate that has some, each printing its figures.

use crate::project::{self, Target};
use crate::{process, setup};
use anyhow::{Result, bail};
use std::process::Command;

/// The word that asks for a smoke run.
const QUICK: &str = "--quick";
/// The bench that runs under Node, in a workspace of its own.
const WASM: &str = "wasm";
const WASM_MANIFEST: &str = "bench/wasm/Cargo.toml";
const WASM_MODULE: &str = "bench/wasm/target/wasm32-unknown-unknown/release/ward_bench_wasm.wasm";

/// Runs every bench, or those of one crate or with one name; with `--quick` just long enough to
/// show that it works.
pub fn run(words: &[String]) -> Result<bool> {
    let quick = words.iter().any(|word| word == QUICK);
    let name = words.iter().find(|word| *word != QUICK).map(String::as_str);
    if name == Some(WASM) {
        return wasm(quick);
    }
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

/// The core's hot paths as a browser runs them.
fn wasm(quick: bool) -> Result<bool> {
    if !setup::run()? {
        return Ok(false);
    }
    if !setup::is_program("node") {
        bail!("this bench needs Node.js. On Debian: apt-get install nodejs");
    }
    let build =
        ["build", "--release", "--target", "wasm32-unknown-unknown", "--manifest-path", WASM_MANIFEST];
    if !process::run(&mut project::cargo(&build)?)? {
        return Ok(false);
    }
    let root = project::root()?;
    let mut node = Command::new("node");
    node.arg(root.join("bench/wasm/run.mjs")).arg(root.join(WASM_MODULE)).args(quick.then_some(QUICK));
    process::run(&mut node)
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
