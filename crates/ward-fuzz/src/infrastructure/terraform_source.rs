//! Terraform source: files with a zero byte between them.

use super::judged::holds;
use crate::Target;
use ward_policy::graph::{Attribute, Graph, Resource};
use ward_policy::limits::{MAX_EVALUATION_STEPS, MAX_TEXT_BYTES};
use ward_policy::terraform_source::{SourceFile, SourceOptions, TerraformSource, read_terraform_source};

pub(crate) const TARGET: Target = Target {
    name: "terraform_source",
    about: "files of a configuration: judged the same twice; what is known stays so whatever else becomes known",
    words: &[
        "resource \"t_r\" \"x\" {\n",
        "module \"m\" {\n  source = \"./m\"\n",
        "variable \"w\" {}\n",
        "locals {\n",
        "dynamic \"b\" {\n for_each = ",
        "content {",
        "for_each = ",
        "count = ",
        "each.value",
        "var.w",
        "local.",
        "t_r.x",
        "[for k, v in ",
        "${",
        "%{ if ",
        "%{ endif }",
        "<<-E\n",
        "try(",
        "lookup(",
        "merge(",
        "jsonencode(",
        "concat(",
        "[*]",
        "...",
        " ? ",
        "\0",
        "\0\0",
        "resource \"aws_db_instance\" \"d\" {\n",
        "resource \"aws_s3_bucket\" \"b\" {\n",
        "resource \"aws_security_group\" \"g\" {\n",
        "data \"aws_iam_policy_document\" \"p\" {\n  statement {\n",
        "provider \"aws\" {\n  region = ",
        "storage_encrypted = ",
        "kms_key_id = aws_kms_key.k.arn\n",
        "ingress {\n",
        "cidr_blocks = [\"0.0.0.0/0\"]\n",
        "tags = {",
        "default = ",
        "lifecycle {\n",
        "sensitive(",
        "source = \"r/r/aws\"\n",
        "{\"Modules\": [{\"Key\": \"m\", \"Dir\": \".terraform/modules/r\"}]}",
        "module.m.",
        "output \"o\" {\n  value = ",
    ],
    run,
};

/// Where the files of an input lie: a module beside the root, values, and a module that was fetched.
const PATHS: [&str; 8] = [
    "main.tf",
    "m/main.tf",
    "more.tf.json",
    "terraform.tfvars",
    "x.auto.tfvars",
    ".terraform/modules/modules.json",
    ".terraform/modules/r/main.tf",
    "y.auto.tfvars.json",
];
/// The variable that is given or not.
const OPEN: &str = "w";
/// What it is given.
const GIVEN: [&str; 4] = ["true", "0", "x", ""];
/// Tells whether the variable is open: it may have a default, or a value from a file.
const PROBE: SourceFile<'_> =
    SourceFile { path: "probe.tf", bytes: b"resource \"t_probe\" \"w\" {\n  v = var.w\n}\n" };
const PROBE_ADDRESS: &str = "t_probe.w";

fn run(input: &[u8]) {
    let mut files: Vec<SourceFile<'_>> = PATHS
        .iter()
        .zip(input.split(|byte| *byte == 0))
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(path, bytes)| SourceFile { path, bytes })
        .collect();
    if let Ok(source) = TerraformSource::read(&files) {
        let (graphs, again) =
            (source.graphs(&SourceOptions::default()), source.graphs(&SourceOptions::default()));
        assert_eq!(graphs.len(), again.len(), "there are as many roots twice");
        for ((root, graph), (other, again)) in graphs.into_iter().zip(again) {
            assert_eq!(root, other, "roots are the same twice");
            holds(input, graph, again);
        }
        if source.declares("", OPEN) {
            files.push(PROBE);
        }
    }
    let Ok(open) = read_terraform_source(&files, &SourceOptions::default()) else { return };
    let again = read_terraform_source(&files, &SourceOptions::default());
    assert!(again.is_ok(), "what was read is read again");
    let Ok(again) = again else { return };
    let all = |graph: &Graph| graph.resources().map(|(_, resource)| resource.clone()).collect::<Vec<_>>();
    assert!(all(&open) == all(&again) && open.notes() == again.notes(), "it is the same twice");
    let longest = input.len().max(MAX_TEXT_BYTES);
    let values: usize = open.resources().map(|(_, resource)| count_values(resource, longest)).sum();
    assert!(values <= MAX_EVALUATION_STEPS, "values are bounded");
    // A check that says it did not look at everything proves nothing.
    if open.notes().iter().any(|note| note.blocks) || !is_open(&open) {
        return;
    }
    for text in GIVEN {
        let variables = [(OPEN, text)];
        let options = SourceOptions { variables: &variables, ..SourceOptions::default() };
        if let Ok(given) = read_terraform_source(&files, &options) {
            refines(&open, &given);
        }
    }
}

/// Whether the variable may be anything.
fn is_open(graph: &Graph) -> bool {
    let value = graph.at(PROBE_ADDRESS).and_then(|(_, probe)| probe.attributes.get("v"));
    matches!(value, Some(Attribute::Unknown(unknown)) if unknown.branches.is_empty())
}

fn count_values(resource: &Resource, longest: usize) -> usize {
    fn count(value: &Attribute, longest: usize) -> usize {
        match value {
            Attribute::List(items) => 1 + items.iter().map(|item| count(item, longest)).sum::<usize>(),
            Attribute::Block(block) => {
                1 + block.entries().map(|(_, value)| count(value, longest)).sum::<usize>()
            }
            Attribute::Text(text) => {
                assert!(text.len() <= longest, "texts are bounded");
                1
            }
            _ => 1,
        }
    }
    resource.attributes.entries().map(|(_, value)| count(value, longest)).sum()
}

/// What was certain while a variable was not given holds when it is.
fn refines(open: &Graph, given: &Graph) {
    if given.notes().iter().any(|note| note.blocks) {
        return;
    }
    for (_, resource) in open.resources().filter(|(_, resource)| !resource.may_be_absent) {
        let Some((_, own)) = given.at(&resource.address) else {
            // Terraform refuses the block then, and nobody knows its instances.
            let is_refused = given.resources().any(|(_, one)| one.may_be_absent && one.name == resource.name);
            assert!(is_refused, "{} is certain, and gone when a variable is given", resource.address);
            continue;
        };
        for (name, value) in resource.attributes.entries() {
            match own.attributes.get(name) {
                Some(other) => same_where_known(&format!("{}.{name}", resource.address), value, other),
                // Blocks that are not known may be none.
                None => assert!(
                    matches!(value, Attribute::Unknown(_)),
                    "{}.{name} is certain, and not set when a variable is given",
                    resource.address
                ),
            }
        }
    }
    let is_open = open.resources().chain(given.resources()).any(|(_, resource)| resource.may_be_absent);
    let is_new = |resource: &Resource| open.at(&resource.address).is_none();
    assert!(
        is_open || !given.resources().any(|(_, resource)| is_new(resource)),
        "a resource comes when a variable is given, and none was open"
    );
}

fn same_where_known(at: &str, open: &Attribute, given: &Attribute) {
    match (open, given) {
        // Terraform refuses what it is then, or it hangs on something else too.
        (_, Attribute::Unknown(_) | Attribute::Sensitive(_)) | (Attribute::Sensitive(_), _) => {}
        (Attribute::Unknown(unknown), _) => {
            let is_branch =
                |branch: &Attribute| matches!(branch, Attribute::Unknown(_)) || loosely_equal(branch, given);
            assert!(
                unknown.branches.is_empty() || unknown.branches.iter().any(is_branch),
                "{at} is none of the values it could take"
            );
        }
        (Attribute::List(items), _) if items.iter().any(|item| matches!(item, Attribute::Unknown(_))) => {}
        (Attribute::List(items), Attribute::List(others)) => {
            assert_eq!(
                items.len(),
                others.len(),
                "{at} is a list of another length when a variable is given"
            );
            items.iter().zip(others).for_each(|(one, other)| same_where_known(at, one, other));
        }
        (Attribute::Block(block), Attribute::Block(other)) => {
            for (name, value) in block.entries() {
                match other.get(name) {
                    Some(other) => same_where_known(at, value, other),
                    None => assert!(
                        matches!(value, Attribute::Unknown(_)),
                        "{at}.{name} is gone when a variable is given"
                    ),
                }
            }
        }
        // A JSON text that is known now had only its shape before.
        (Attribute::List(_) | Attribute::Block(_), Attribute::Text(_)) => {}
        _ => assert!(loosely_equal(open, given), "{at} is another value when a variable is given"),
    }
}

/// Whether two plain values say the same; beside a text, a number is one.
fn loosely_equal(one: &Attribute, other: &Attribute) -> bool {
    let text = |value: &Attribute| match value {
        Attribute::Text(text) => text.to_string(),
        Attribute::Bool(flag) => flag.to_string(),
        Attribute::Number(number) => number.to_string(),
        _ => String::new(),
    };
    one == other || (one != &Attribute::Null && other != &Attribute::Null && text(one) == text(other))
}
