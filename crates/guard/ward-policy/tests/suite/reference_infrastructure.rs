//! The infrastructure in `deploy` passes, and a copy of it with one property broken fails with the right rule
//! and the right paragraph.

use std::path::{Path, PathBuf};
use ward_policy::folder::{Folder, read_folder};
use ward_policy::rules::RuleSet;
use ward_policy::terraform_source::{SourceFile, SourceOptions};
use ward_policy::{Exit, Verdict, assess, builtin_rules};

const PARTS: [&str; 4] = ["terraform/aws", "terraform/azure", "terraform/gcp", "kubernetes"];

fn deploy() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../deploy"))
}

/// Files below a folder, by their paths.
fn files(part: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, above: &str, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{above}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else {
                files.push((name, std::fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&deploy().join(part), "", &mut found);
    found.sort();
    found
}

fn read(part: &str, files: &[(String, String)]) -> Folder {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|(path, text)| SourceFile { path, bytes: text.as_bytes() }).collect();
    read_folder(part, &sources, &SourceOptions::default())
}

/// How a folder ends, and what blocks: rule, address and paragraphs.
fn found(
    rules: &RuleSet,
    part: &str,
    files: &[(String, String)],
) -> (Exit, Vec<(String, String, Vec<String>)>) {
    let folder = read(part, files);
    assert!(!folder.inputs.is_empty(), "{part}");
    let (mut exit, mut blocking) = (Exit::Pass, Vec::new());
    for input in &folder.inputs {
        let graph = input.graph.as_ref().unwrap_or_else(|error| panic!("{}: {error}", input.name));
        let assessment = assess(graph, rules);
        exit = exit.and(assessment.exit(false));
        for finding in assessment.findings.iter().filter(|one| one.verdict.blocks()) {
            let cites = rules.citations_of(finding.rule, finding.cell);
            blocking.push((
                format!("{} {}", finding.rule.id, finding.verdict),
                finding.resource.address.to_string(),
                cites.iter().map(|(_, citation)| citation.cite.to_string()).collect(),
            ));
        }
    }
    (exit, blocking)
}

#[test]
fn the_reference_infrastructure_passes() {
    let rules = builtin_rules().unwrap();
    for part in PARTS {
        let (exit, blocking) = found(&rules, part, &files(part));
        assert_eq!(exit, Exit::Pass, "{part}: {blocking:?}");
    }
}

/// Folder, file, what is broken, rule, and a paragraph that it would violate.
const BROKEN: [(&str, &str, &str, &str, &str, &str); 19] = [
    (
        "terraform/aws",
        "server.tf",
        "  encrypted         = true\n",
        "  encrypted         = false\n",
        "W-015",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    (
        "terraform/aws",
        "server.tf",
        "    encrypted  = true\n",
        "    encrypted  = false\n",
        "W-015",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    ("terraform/aws", "server.tf", "\"required\"", "\"optional\"", "W-051", "45 CFR 164.312(d)"),
    (
        "terraform/aws",
        "keys.tf",
        "enable_key_rotation     = true",
        "enable_key_rotation     = false",
        "W-031",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    (
        "terraform/aws",
        "keys.tf",
        "deletion_window_in_days = 30",
        "deletion_window_in_days = 7",
        "W-033",
        "45 CFR 164.308(a)(7)(ii)(A)",
    ),
    (
        "terraform/aws",
        "bucket/main.tf",
        "block_public_policy     = true",
        "block_public_policy     = false",
        "W-021",
        "45 CFR 164.312(a)(1)",
    ),
    (
        "terraform/aws",
        "bucket/main.tf",
        "\"aws:SecureTransport\" = \"false\"",
        "\"aws:SecureTransport\" = \"true\"",
        "W-023",
        "45 CFR 164.312(e)(1)",
    ),
    (
        "terraform/aws",
        "bucket/main.tf",
        "status = \"Enabled\"\n  }\n}",
        "status = \"Suspended\"\n  }\n}",
        "W-024",
        "45 CFR 164.312(c)(1)",
    ),
    (
        "terraform/aws",
        "logging.tf",
        "enable_log_file_validation    = true",
        "enable_log_file_validation    = false",
        "W-037",
        "45 CFR 164.312(c)(1)",
    ),
    (
        "terraform/aws",
        "network.tf",
        "8443\n  to_port           = 8443\n  cidr_ipv4         = aws_subnet.edge.cidr_block",
        "22\n  to_port           = 22\n  cidr_ipv4         = \"0.0.0.0/0\"",
        "W-048",
        "45 CFR 164.312(a)(1)",
    ),
    (
        "terraform/azure",
        "main.tf",
        "min_tls_version                   = \"TLS1_2\"",
        "min_tls_version                   = \"TLS1_0\"",
        "W-028",
        "45 CFR 164.312(e)(1)",
    ),
    (
        "terraform/azure",
        "main.tf",
        "purge_protection_enabled      = true",
        "purge_protection_enabled      = false",
        "W-033",
        "45 CFR 164.308(a)(7)(ii)(A)",
    ),
    (
        "terraform/azure",
        "main.tf",
        "  disk_encryption_set_id        = azurerm_disk_encryption_set.data.id\n",
        "",
        "W-017",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    (
        "terraform/gcp",
        "main.tf",
        "public_access_prevention    = \"enforced\"",
        "public_access_prevention    = \"inherited\"",
        "W-021",
        "45 CFR 164.312(a)(1)",
    ),
    (
        "terraform/gcp",
        "main.tf",
        "rotation_period            = \"7776000s\"",
        "rotation_period            = \"77760000s\"",
        "W-031",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    (
        "terraform/gcp",
        "main.tf",
        "  disk_encryption_key {\n    kms_key_self_link = google_kms_crypto_key.data.id\n  }\n",
        "",
        "W-017",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    (
        "kubernetes",
        "server.yaml",
        "  encrypted: \"true\"",
        "  encrypted: \"false\"",
        "W-070",
        "45 CFR 164.312(a)(2)(iv)",
    ),
    ("kubernetes", "server.yaml", "privileged: false", "privileged: true", "W-068", "45 CFR 164.312(a)(1)"),
    (
        "kubernetes",
        "webhook.yaml",
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "W-068",
        "45 CFR 164.312(a)(1)",
    ),
];

#[test]
fn fails_closed_a_broken_copy_of_the_reference_infrastructure_is_refused_with_its_law() {
    let rules = builtin_rules().unwrap();
    let mut wrong = Vec::new();
    for (part, file, from, to, rule, cite) in BROKEN {
        let mut copy = files(part);
        let (_, text) = copy.iter_mut().find(|(path, _)| path == file).unwrap_or_else(|| panic!("{file}"));
        assert!(text.contains(from), "{part}/{file} does not hold {from:?}");
        *text = text.replacen(from, to, 1);
        let (exit, blocking) = found(&rules, part, &copy);
        let expected = format!("{rule} {}", Verdict::Fail);
        let is_told =
            blocking.iter().any(|(id, _, cites)| *id == expected && cites.iter().any(|known| known == cite));
        if exit != Exit::Violation || !is_told {
            wrong.push(format!(
                "{part}/{file} {to:?}: expected {expected} and {cite}, got {exit:?} {blocking:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}
