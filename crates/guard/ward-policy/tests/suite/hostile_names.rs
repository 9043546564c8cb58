//! Names, titles, paths and values that try to steer whoever reads about them, in every form of output.

use crate::admission::{answered_by, creation};
use serde_json::{Value, json};
use ward_policy::admission::OpenFindings;
use ward_policy::report::{Checked, SourceFiles, Style, html, rule_text, sarif, text, text_with_source};
use ward_policy::rules::RuleSet;
use ward_policy::shown_text::steers;
use ward_policy::{MendedFile, OwnRules, TextFix, assess, read_input, read_named_input};

/// Colours, a screen that is wiped, a line of its own, a line turned around.
const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\r\nPASS  (all)\u{202e}\u{2066}\u{2028}\u{7f}";

/// The same as YAML and JSON write it in double quotes.
fn quoted() -> String {
    let escaped = |c: char| if steers(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    format!("\"{}\"", HOSTILE.chars().map(escaped).collect::<String>())
}

fn hostile_rules() -> RuleSet {
    let mut own = OwnRules::default();
    let text = format!(
        "version: 1\narea: {0}\ntitle: {0}\nrules:\n- id: X-001\n  title: {0}\n  severity: critical\n  \
         requirements: [encryption-at-rest]\n  note: {0}\n  consequence: {0}\n  not_covered: [{{where: {0}, because: {0}}}]\n  \
         cells:\n  - types: [Pod]\n    aspect: {0}\n    expected: {0}\n    fix: {0}\n    check: {{path: spec.hostname, equals: true}}\n",
        quoted()
    );
    own.add("own.yaml", &text).unwrap();
    own.with_builtin().unwrap()
}

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": HOSTILE, "namespace": HOSTILE},
        "spec": {"hostname": HOSTILE, HOSTILE: HOSTILE, "containers": [{"name": HOSTILE, "image": HOSTILE}]}})
}

/// A folder with files of hostile names that hold hostile lines.
struct Hostile;

impl SourceFiles for Hostile {
    fn path(&self, _: &str, _: &str) -> String {
        HOSTILE.to_owned()
    }

    fn text(&self, _: &str, _: &str) -> Option<&str> {
        Some(HOSTILE)
    }
}

/// Nothing steers, and no line begins with words that somebody else wrote.
fn is_inert(page: &str) -> bool {
    let is_forged = |line: &str| line.starts_with("PASS  (all)");
    !page.contains(|c| steers(c) && c != '\n') && !page.lines().any(is_forged)
}

#[test]
fn a_report_shows_them_and_obeys_none() {
    let rules = hostile_rules();
    let graph = read_named_input(HOSTILE, pod().to_string().as_bytes()).unwrap();
    let broken = read_input(format!("{{{}: 1, {}: 2}}", quoted(), quoted()).as_bytes());
    let checked = [
        Checked { name: HOSTILE, result: Ok(assess(&graph, &rules)) },
        Checked { name: HOSTILE, result: Err(broken.unwrap_err()) },
    ];
    for page in [
        text(&checked, &rules, false, Style::plain()),
        text_with_source(&checked, &rules, false, Style::plain(), &Hostile),
    ] {
        assert!(page.contains("X-001") && page.contains("PASS  (all)"), "it is shown");
        assert!(is_inert(&page), "{page:?}");
    }
    let coloured = text(&checked, &rules, false, Style::coloured(80));
    let bare = coloured.split("\u{1b}[").map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    assert!(is_inert(&bare.collect::<String>()), "only its own colours");
    let page = html(&checked, &rules, false, &Hostile);
    assert!(!page.contains(|c| steers(c) && !matches!(c, '\n' | '\t')));
    let log = sarif(&checked, &rules, false, &Hostile, "1").to_string();
    assert!(serde_json::from_str::<Value>(&log).is_ok() && !log.contains('\u{1b}'));
}

#[test]
fn a_rule_is_explained_without_obeying_its_title() {
    let rules = hostile_rules();
    let page = rule_text(&rules, rules.rule("X-001").unwrap(), None, Style::plain());
    assert!(page.contains("X-001 critical x") && is_inert(&page), "{page:?}");
}

#[test]
fn an_answer_to_a_cluster_is_one_line_that_steers_nothing() {
    let rules = hostile_rules();
    for open in [OpenFindings::Refuse, OpenFindings::Warn] {
        let answer = answered_by(&rules, &creation(&pod()), open);
        assert_eq!(answer["allowed"], json!(false));
        let mut texts = vec![answer["status"]["message"].as_str().unwrap()];
        assert!(texts[0].contains("X-001") && texts[0].contains("PASS"), "{}", texts[0]);
        texts.extend(answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str));
        texts.extend(answer["auditAnnotations"].as_object().unwrap().values().filter_map(Value::as_str));
        for text in texts {
            assert!(!text.contains(steers), "{text:?}");
        }
    }
    let mut nothing = creation(&pod());
    nothing["operation"] = json!(HOSTILE);
    let answer = answered_by(&rules, &nothing, OpenFindings::Warn);
    assert!(!answer["status"]["message"].as_str().unwrap().contains(steers), "{answer}");
}

#[test]
fn the_head_of_a_diff_is_two_lines_whatever_the_file_is_called() {
    let file = MendedFile::new("resource \"a\" \"b\" {\n}\n");
    let fix = TextFix { file: HOSTILE.into(), line: 1, name: "on".into(), value: "true".into() };
    let diff = file.mended(&fix).unwrap().diff(HOSTILE);
    let lines: Vec<&str> = diff.lines().collect();
    assert!(lines[0].starts_with("--- \"a/x\\033[2J") && lines[1].starts_with("+++ \"b/x\\033[2J"), "{diff}");
    assert!(lines[2].starts_with("@@ ") && is_inert(&diff), "{diff:?}");
}
