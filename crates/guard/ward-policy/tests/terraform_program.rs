//! Source beside the plan that Terraform itself makes of it: what Ward says is known is what Terraform
//! plans, and what only the deployment tells is not known. Providers are not needed.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "skips and figures must be seen")]

use std::path::{Path, PathBuf};
use std::process::Command;
use ward_policy::graph::{Attribute, Block, Graph};
use ward_policy::read_terraform;
use ward_policy::terraform_source::{SourceFile, SourceOptions, read_terraform_source};

const FILES: [&str; 6] = ["main.tf", "edges.tf", "parts.tf", "terraform.tfvars", "note.tpl", "inner/main.tf"];

/// Instances in the plan, and values of them that Ward does not evaluate though Terraform knows them.
const INSTANCES: usize = 360;
const NOT_EVALUATED: usize = 31;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform_program")
}

fn terraform(arguments: &[&str], work: &Path) -> Option<String> {
    let mut command = Command::new("terraform");
    let run = command.args(arguments).current_dir(work).env("CHECKPOINT_DISABLE", "1").output().ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "terraform {arguments:?}: {said}");
    Some(String::from_utf8(run.stdout).unwrap())
}

/// The plan of the folder; none if there is no Terraform.
fn plan() -> Option<String> {
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: there is no terraform program to compare with");
        return None;
    }
    let work = std::env::temp_dir().join(format!("ward-terraform-{}", std::process::id()));
    for file in FILES {
        let target = work.join(file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(folder().join(file), target).unwrap();
    }
    terraform(&["init", "-backend=false", "-input=false"], &work)?;
    terraform(&["plan", "-input=false", "-refresh=false", "-out=plan"], &work)?;
    let json = terraform(&["show", "-json", "plan"], &work);
    std::fs::remove_dir_all(&work).unwrap();
    json
}

/// Puts values side by side; counts those that only Terraform knows.
fn compare(
    at: &str,
    planned: &Attribute,
    found: &Attribute,
    not_evaluated: &mut usize,
    wrong: &mut Vec<String>,
) {
    match (planned, found) {
        (Attribute::Unknown(_), Attribute::Unknown(_))
        | (Attribute::Sensitive(_), Attribute::Sensitive(_)) => {}
        // A text of JSON in which a name is not known keeps its shape.
        (Attribute::Unknown(_), Attribute::Block(_)) if at.contains("encoded") => {}
        (_, Attribute::Unknown(unknown)) => {
            *not_evaluated += 1;
            println!("not evaluated: {at}: {}", unknown.expression());
        }
        (Attribute::List(planned_items), Attribute::List(items)) if planned_items.len() == items.len() => {
            for (place, (one, other)) in planned_items.iter().zip(items).enumerate() {
                compare(&format!("{at}[{place}]"), one, other, not_evaluated, wrong);
            }
        }
        (Attribute::Block(planned_block), Attribute::Block(block)) => {
            compare_blocks(at, planned_block, block, not_evaluated, wrong);
        }
        _ if planned == found => {}
        _ => wrong.push(format!("{at}: Terraform plans {}, Ward says {}", planned.shown(), found.shown())),
    }
}

fn compare_blocks(
    at: &str,
    planned: &Block,
    found: &Block,
    not_evaluated: &mut usize,
    wrong: &mut Vec<String>,
) {
    let names = |block: &Block| block.entries().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    for name in names(planned).iter().chain(&names(found)) {
        match (planned.get(name), found.get(name)) {
            (Some(one), Some(other)) => compare(&format!("{at}.{name}"), one, other, not_evaluated, wrong),
            // Null and not there is one thing in a plan.
            (Some(Attribute::Null), None) | (None, Some(Attribute::Null)) => {}
            (one, other) => wrong.push(format!("{at}.{name}: Terraform plans {one:?}, Ward says {other:?}")),
        }
    }
}

#[test]
fn source_says_what_terraform_plans() {
    let Some(json) = plan() else { return };
    let planned = read_terraform(&json).unwrap();
    let files: Vec<_> =
        FILES.iter().map(|name| (*name, std::fs::read(folder().join(name)).unwrap())).collect();
    let files: Vec<_> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    let found = read_terraform_source(&files, &SourceOptions::default()).unwrap();
    let addresses = |graph: &Graph| {
        let mut all: Vec<_> = graph.resources().map(|(_, resource)| resource.address.to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(addresses(&planned), addresses(&found));
    let (mut not_evaluated, mut wrong) = (0, Vec::new());
    for (_, resource) in planned.resources() {
        let (_, own) = found.at(&resource.address).expect("the addresses are the same");
        match (resource.attributes.get("input"), own.attributes.get("input")) {
            (Some(one), Some(other)) => {
                compare(&resource.address, one, other, &mut not_evaluated, &mut wrong)
            }
            (None, None) => {}
            (one, other) => wrong.push(format!("{}: {one:?}, {other:?}", resource.address)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} instances, {not_evaluated} values not evaluated", planned.len());
    assert_eq!((planned.len(), not_evaluated), (INSTANCES, NOT_EVALUATED));
}
