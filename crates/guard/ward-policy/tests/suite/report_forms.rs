//! The report for other tools and for a browser: complete, and inert whatever a source is called.

use crate::plans::{created, plan, read};
use std::collections::BTreeSet;
use ward_policy::report::{Checked, NoSourceFiles, SourceFiles, Style, html, sarif, text_with_source};
use ward_policy::terraform_source::{SourceFile, SourceOptions, read_terraform_source};
use ward_policy::{Verdict, assess, builtin_rules, read_input};

/// A name that would break out of every place it is put in.
const HOSTILE: &str =
    "</pre></style><script>alert(1)</script>\\\"'><img src=x onerror=alert(2)>\\u202e\\u001b[2J&amp;";

fn hostile_plan() -> String {
    let bucket = created("aws_s3_bucket.b", &format!(r#"{{"acl": "{HOSTILE}"}}"#), "{}");
    let named = created("aws_efs_file_system.f", r#"{"encrypted": false}"#, "{}")
        .replace("aws_efs_file_system.f", &format!("aws_efs_file_system.f[\\\"{HOSTILE}\\\"]"));
    let unknown = created("aws_odd.x", "{}", "{}").replace("aws_odd", "aws_<b>odd");
    plan("", &[bucket, named, unknown].join(", "), "{}")
}

/// Tags of a page in their order, `/p` for the end of `p`. Text between them must hold no bracket.
fn tags(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag that ends");
        assert!(!text.contains('>') || found.last().is_some_and(|one: &String| one == "style"), "{text}");
        found.push(tag.split_whitespace().next().unwrap().to_owned());
    }
    found
}

#[test]
fn a_page_of_html_is_whole_and_inert_with_hostile_names() {
    let rules = builtin_rules().unwrap();
    let graph = read(&hostile_plan()).unwrap();
    let broken = read_input(b"{\"format_version\": \"<b>9\"}");
    let checked = [
        Checked { name: "pl<script>an", result: Ok(assess(&graph, &rules)) },
        Checked { name: "other", result: Err(broken.unwrap_err()) },
    ];
    let page = html(&checked, &rules, false, &NoSourceFiles);
    let known: BTreeSet<&str> = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "h4", "p",
        "dl", "div", "dt", "dd", "section", "ul", "ol", "li", "strong", "span", "article", "code", "pre",
        "nav", "a",
    ]
    .into();
    let mut open: Vec<String> = Vec::new();
    for tag in tags(&page) {
        match tag.strip_prefix('/') {
            Some(end) => assert_eq!(open.pop().as_deref(), Some(end), "{open:?}"),
            None if matches!(&*tag, "!doctype" | "meta") => {}
            None => {
                assert!(known.contains(&*tag), "{tag}");
                open.push(tag);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!page.contains(['\u{1b}', '\u{202e}']), "nothing steers");
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("pl&lt;script&gt;an"));
    assert!(page.contains("would violate <strong>45 CFR 164.312(a)(2)(iv)") && page.contains("not read"));
    assert!(page.contains("lang=\"en\"") && page.contains("width=device-width"));
    let plain = page.replace("&quot;", "");
    for outside in ["http://", "https://", "src=\"", "url(", "@import"] {
        assert!(!plain.contains(outside), "{outside}");
    }
    // Links lead to a heading of this page.
    let links: Vec<&str> = plain.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() >= 3, "{links:?}");
    for link in links {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads away"));
        assert!(page.contains(&format!("<h3 id=\"{target}\">W-")), "{link}");
    }
    // Each heading that a section names is there, once.
    for at in 1..=page.matches("aria-labelledby").count() {
        assert_eq!(page.matches(&format!("id=\"h{at}\"")).count(), 1);
    }
}

#[test]
fn sarif_says_what_blocks_and_under_which_law() {
    let rules = builtin_rules().unwrap();
    let open = created("aws_ebs_volume.v", "{}", r#"{"encrypted": true}"#);
    let file_system = created("aws_efs_file_system.f", r#"{"encrypted": false}"#, "{}");
    let graph = read(&plan(r#""complete": false,"#, &[open, file_system].join(", "), "{}")).unwrap();
    let checked = [Checked { name: "a plan.json", result: Ok(assess(&graph, &rules)) }];
    let log = sarif(&checked, &rules, false, &NoSourceFiles, "1.2.3");
    let run = &log["runs"][0];
    assert_eq!(
        (log["version"].as_str(), run["tool"]["driver"]["version"].as_str()),
        (Some("2.1.0"), Some("1.2.3"))
    );
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    let ids: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let law: BTreeSet<&str> = run["taxonomies"][0]["taxa"]
        .as_array()
        .unwrap()
        .iter()
        .map(|taxon| taxon["id"].as_str().unwrap())
        .collect();
    for result in results {
        let place = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"].as_str(), Some(ids[place]));
        let kind = result["kind"].as_str().unwrap();
        assert_eq!(kind == "open", result["level"] == "none", "{result}");
        let taxa = result["taxa"].as_array().unwrap();
        assert!(!taxa.is_empty() && taxa.iter().all(|one| law.contains(one["id"].as_str().unwrap())));
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20plan.json");
    }
    let violation = results.iter().find(|one| one["ruleId"] == "W-018").unwrap();
    assert_eq!((violation["kind"].as_str(), violation["level"].as_str()), (Some("fail"), Some("error")));
    assert!(law.contains("45 CFR 164.312(a)(2)(iv)"));
    let invocation = &run["invocations"][0];
    assert_eq!(
        (invocation["exitCode"].as_u64(), invocation["executionSuccessful"].as_bool()),
        (Some(1), Some(false))
    );
    let prints: BTreeSet<&str> =
        results.iter().map(|one| one["partialFingerprints"]["wardFinding/v1"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), results.len(), "each finding is told from the others");
}

/// Files by their paths below a folder called `infra`.
struct Files(&'static str);

impl SourceFiles for Files {
    fn path(&self, input: &str, file: &str) -> String {
        format!("{input}/{file}")
    }

    fn text(&self, _input: &str, file: &str) -> Option<&str> {
        (file == "main.tf").then_some(self.0)
    }
}

#[test]
fn the_lines_that_decided_stand_in_the_report_and_secrets_do_not() {
    let source = "resource \"aws_db_instance\" \"d\" {\n  storage_encrypted = false\n  password = \"pl-canary-9\"\n}\n";
    let files = [SourceFile { path: "main.tf", bytes: source.as_bytes() }];
    let graph = read_terraform_source(&files, &SourceOptions::default()).unwrap();
    let rules = builtin_rules().unwrap();
    let checked = [Checked { name: "infra", result: Ok(assess(&graph, &rules)) }];
    let page = text_with_source(&checked, &rules, false, Style::plain(), &Files(source));
    assert!(page.contains("infra/main.tf:1"), "{page}");
    assert!(page.contains("     1 │ resource \"aws_db_instance\" \"d\" {"), "{page}");
    assert!(page.contains("     2 │   storage_encrypted = false"), "{page}");
    let web = html(&checked, &rules, false, &Files(source));
    assert!(web.contains("storage_encrypted = false") && web.contains("infra/main.tf:1"));
    let log = sarif(&checked, &rules, false, &Files(source), "1").to_string();
    assert!(log.contains("\"uri\":\"infra/main.tf\""));
    for report in [page, web, log] {
        assert!(!report.contains("pl-canary-9"), "{report}");
    }
}

#[test]
fn fails_closed_sarif_of_a_run_that_was_not_proven_is_not_successful() {
    let rules = builtin_rules().unwrap();
    let after = r#"{"throughput_mode": "bursting"}"#;
    let open = created("aws_efs_file_system.f", after, r#"{"encrypted": true}"#);
    let graph = read(&plan("", &open, "{}")).unwrap();
    let mut assessment = assess(&graph, &rules);
    assessment.findings.retain(|one| one.verdict == Verdict::Indeterminate);
    assert!(!assessment.findings.is_empty());
    let checked = [Checked { name: "plan", result: Ok(assessment) }];
    let log = sarif(&checked, &rules, false, &NoSourceFiles, "1.2.3");
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["exitCode"], 2);
    assert_eq!(invocation["executionSuccessful"], false, "{invocation}");
}
