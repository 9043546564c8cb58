//! What must hold of every check, whatever its input is.

use std::sync::OnceLock;
use ward_policy::graph::Graph;
use ward_policy::report::{
    CheckReport, Checked, SourceFiles, Style, exit_of, html, sarif, text, text_with_source,
};
use ward_policy::rules::RuleSet;
use ward_policy::shown_text::steers;
use ward_policy::{Assessment, Exit, InputError, Settings, Verdict, assess, builtin_rules, read_settings};

/// What organisations decided: nothing, little, much. The last byte of an input says which one judges it, so that a
/// blank at its end chooses.
const DECISIONS: [&str; 3] = [
    "version: 1\n",
    "version: 1\ntags: [owner]\nclasses: {phi: [c4]}\nclass_tag: level\nservices: [\"*\"]\n",
    "version: 1\nregions: [eu-central-1, europe-west3, westeurope]\nservices: [\"aws_s3_*\", aws_db_instance, \
     \"AWS::RDS::*\", \"google_*\"]\ntags: [data_class, owner]\nuntagged: phi\nwhole_account: true\nproposed_law: true\n\
     stage: test\n",
];

/// How the value begins that is seen where a rule panicked.
const FAULT: &str = "a fault in Ward";

/// What an organisation decided about the check of this input.
pub(super) fn decisions(input: &[u8]) -> Option<Settings> {
    read_settings("settings", DECISIONS.get(choice(input))?).ok()
}

fn choice(input: &[u8]) -> usize {
    usize::from(input.last().copied().unwrap_or_default()) % DECISIONS.len()
}

/// The rules that come with Ward, read once for each of the organisations.
pub(super) fn rules(input: &[u8]) -> Option<&'static RuleSet> {
    static RULES: [OnceLock<Option<RuleSet>>; DECISIONS.len()] = [const { OnceLock::new() }; DECISIONS.len()];
    let read = || Some(builtin_rules().ok()?.with_settings(decisions(input)?));
    RULES.get(choice(input))?.get_or_init(read).as_ref()
}

/// The check of an input that was read twice.
pub(super) fn holds(input: &[u8], graph: Result<Graph, InputError>, again: Result<Graph, InputError>) {
    let Some(rules) = rules(input) else { return };
    holds_by(rules, input, graph, again);
}

/// As [`holds`], by other rules than those of Ward alone.
pub(super) fn holds_by(
    rules: &RuleSet,
    input: &[u8],
    graph: Result<Graph, InputError>,
    again: Result<Graph, InputError>,
) {
    assert_eq!(graph.as_ref().err(), again.as_ref().err(), "it is read the same twice");
    let (Ok(graph), Ok(again)) = (graph, again) else { return };
    let one = assess(&graph, rules);
    is_proven_or_blocks(&one);
    for finding in &one.findings {
        assert!(!rules.citations_of(finding.rule, finding.cell).is_empty(), "every finding names its law");
    }
    let checked = [Checked { name: "input", result: Ok(one) }];
    let other = [Checked { name: "input", result: Ok(assess(&again, rules)) }];
    let report = |checked: &[Checked<'_>]| {
        serde_json::to_value(CheckReport::new(checked, rules, false)).unwrap_or_default()
    };
    let json = report(&checked);
    assert!(json == report(&other), "it is judged the same twice");
    let source = String::from_utf8_lossy(input);
    let files = OneText(&source);
    let pages = [
        text(&checked, rules, false, Style::plain()),
        text_with_source(&checked, rules, false, Style::plain(), &files),
    ];
    for page in pages {
        assert!(!page.contains(steers_a_page), "nothing steers a terminal");
    }
    let web = html(&checked, rules, false, &files);
    assert!(!web.contains(steers_a_page), "nothing turns a line around in a browser");
    assert!(!web.contains("<script") && !web.contains("<img"), "nothing is more than text in a browser");
    let log = sarif(&checked, rules, false, &files, "0");
    let exit = u64::from(exit_of(&checked, false).code());
    assert_eq!(log.pointer("/runs/0/invocations/0/exitCode").and_then(|code| code.as_u64()), Some(exit));
    assert_eq!(json.get("exit").and_then(|code| code.as_u64()), Some(exit), "all reports say the same");
}

/// Whether verdicts, findings and the end of a check fit together.
pub(super) fn is_proven_or_blocks(one: &Assessment<'_>) {
    let blocking = one.findings.iter().filter(|finding| finding.verdict.blocks()).count();
    let counted: usize =
        [Verdict::Fail, Verdict::Error, Verdict::Indeterminate].map(|v| one.count(v)).iter().sum();
    assert_eq!(blocking, counted, "every verdict that blocks is a finding");
    let is_noted = one.graph.notes().iter().any(|note| note.blocks);
    let is_proven = blocking == 0 && !is_noted && one.recognised > 0;
    assert_eq!(one.exit(false) == Exit::Pass, is_proven, "only what is proven passes");
    let seen = one.findings.iter().flat_map(|finding| &finding.observed);
    for seen in seen {
        assert!(!seen.value.starts_with(FAULT), "a rule panics");
    }
}

/// Lines and columns are what pages are made of.
fn steers_a_page(c: char) -> bool {
    steers(c) && !matches!(c, '\n' | '\t')
}

/// Every file of an input is the whole of it.
struct OneText<'t>(&'t str);

impl SourceFiles for OneText<'_> {
    fn path(&self, _input: &str, file: &str) -> String {
        file.to_owned()
    }

    fn text(&self, _input: &str, _file: &str) -> Option<&str> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_is_one_and_a_blank_at_the_end_chooses() {
        for text in DECISIONS {
            assert!(read_settings("settings", text).is_ok(), "{text}");
        }
        assert_eq!([b"\t", b"\n", b" "].map(|blank| choice(blank)), [0, 1, 2]);
        assert!(rules(b" ").is_some_and(|rules| rules.settings().counts_proposed()));
    }
}
