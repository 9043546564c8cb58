//! What must hold of every check, whatever its input is.

use std::sync::OnceLock;
use ward_policy::graph::Graph;
use ward_policy::report::{CheckReport, Checked, NoSourceFiles, Style, exit_of, html, sarif, text};
use ward_policy::rules::RuleSet;
use ward_policy::{Exit, InputError, Verdict, assess, builtin_rules};

/// The rules that come with Ward, read once.
pub(super) fn rules() -> Option<&'static RuleSet> {
    static RULES: OnceLock<Option<RuleSet>> = OnceLock::new();
    RULES.get_or_init(|| builtin_rules().ok()).as_ref()
}

/// The check of an input that was read twice.
pub(super) fn holds(graph: Result<Graph, InputError>, again: Result<Graph, InputError>) {
    assert_eq!(graph.as_ref().err(), again.as_ref().err(), "it is read the same twice");
    let (Some(rules), Ok(graph), Ok(again)) = (rules(), graph, again) else { return };
    let (one, other) = (assess(&graph, rules), assess(&again, rules));
    assert_eq!(one.tally, other.tally, "it is judged the same twice");
    let blocking = one.findings.iter().filter(|finding| finding.verdict.blocks()).count();
    let counted: usize =
        [Verdict::Fail, Verdict::Error, Verdict::Indeterminate].map(|v| one.count(v)).iter().sum();
    assert_eq!(blocking, counted, "every verdict that blocks is a finding");
    let is_noted = graph.notes().iter().any(|note| note.blocks);
    let is_proven = blocking == 0 && !is_noted && one.recognised > 0;
    assert_eq!(one.exit(false) == Exit::Pass, is_proven, "only what is proven passes");
    for finding in &one.findings {
        assert!(!rules.citations_of(finding.rule, finding.cell).is_empty(), "every finding names its law");
    }
    let checked = [Checked { name: "input", result: Ok(one) }];
    let page = text(&checked, rules, false, Style::plain());
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!page.contains(steers), "nothing steers a terminal");
    let web = html(&checked, rules, false, &NoSourceFiles);
    assert!(!web.contains(steers), "nothing turns a line around in a browser");
    assert!(!web.contains("<script") && !web.contains("<img"), "nothing is more than text in a browser");
    let log = sarif(&checked, rules, false, &NoSourceFiles, "0");
    let exit = u64::from(exit_of(&checked, false).code());
    assert_eq!(log.pointer("/runs/0/invocations/0/exitCode").and_then(|code| code.as_u64()), Some(exit));
    let json = serde_json::to_value(CheckReport::new(&checked, rules, false)).unwrap_or_default();
    assert_eq!(json.get("exit").and_then(|code| code.as_u64()), Some(exit), "all reports say the same");
}
