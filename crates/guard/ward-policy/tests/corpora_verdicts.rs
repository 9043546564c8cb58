//! How often Ward's verdicts agree with those that other tools expect of their own test cases. The cases
//! are read where `WARD_CORPORA` points and never copied; what is kept here is which rule asks for what a
//! check asks for, and where Ward decides otherwise on purpose (`policies/disputed.yaml`).
#![expect(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "figures and skips must be seen")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use ward_policy::folder::read_folder;
use ward_policy::graph::{Format, Role};
use ward_policy::rules::RuleSet;
use ward_policy::terraform_source::{SourceFile, SourceOptions};
use ward_policy::yaml::{YamlNode, read_yaml};
use ward_policy::{Verdict, assess, builtin_rules};

const MAPPING: &str = include_str!("../testdata/corpora-mapping.txt");
const DISPUTED: &str = include_str!("../../../../policies/disputed.yaml");

/// The least share of verdicts that have to agree once disputed cases are left out, in thousandths.
const PRECISION: usize = 980;
const STRICT_RECALL: usize = 950;
const BLOCKING_RECALL: usize = 990;
/// The largest share of what must pass that may stay open.
const OPEN_OF_FRAGMENTS: usize = 150;
/// The least share of checks about encryption, exposure, logging, backup, keys and authentication that a
/// rule of Ward answers.
const COVERAGE: usize = 700;

/// What a check of another tool is about, and the rule that asks for the same.
struct Check {
    area: &'static str,
    rule: Option<(&'static str, Option<&'static str>)>,
}

fn mapping() -> BTreeMap<&'static str, Check> {
    let lines = MAPPING.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut checks = BTreeMap::new();
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (id, area, rule) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let rule = (rule != "-").then(|| match rule.split_once(" / ") {
            Some((rule, aspect)) => (rule, Some(aspect)),
            None => (rule, None),
        });
        assert!(checks.insert(id, Check { area, rule }).is_none(), "{id} is mapped twice");
    }
    checks
}

/// Cases in which Ward says something else on purpose: check, subject and what Ward says.
fn disputed() -> BTreeSet<(String, String, String)> {
    let documents = read_yaml(DISPUTED).unwrap();
    let text = |node: &YamlNode, name: &str| node.get(name).unwrap().as_text().unwrap().to_owned();
    let mut cases = BTreeSet::new();
    for dispute in documents.first().unwrap().get("disputed").unwrap().as_items().unwrap() {
        assert!(!text(dispute, "because").is_empty());
        for subject in dispute.get("of").unwrap().as_items().unwrap() {
            let subject = subject.as_text().unwrap().to_owned();
            cases.insert((text(dispute, "check"), subject, text(dispute, "ward")));
        }
    }
    cases
}

/// One labelled case with what Ward says.
struct Judged {
    check: String,
    subject: String,
    must_fail: bool,
    found: Verdict,
    /// Whether the rule saw the subject at all: a pass of what nobody looked at is no agreement.
    is_looked_at: bool,
    is_plan: bool,
}

impl Judged {
    /// An error proves nothing, nor does what was not looked at; both block what must pass.
    fn is_open(&self) -> bool {
        matches!(self.found, Verdict::Indeterminate | Verdict::Error) || !self.is_looked_at
    }

    fn is_right(&self) -> bool {
        if self.must_fail { self.found == Verdict::Fail } else { !self.found.blocks() && self.is_looked_at }
    }
}

/// The files below a folder, by their paths from there.
fn files_below(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut to_do = vec![root.to_owned()];
    while let Some(folder) = to_do.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                to_do.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// What Ward finds in a folder: rule, part, address without instance, verdict; and the inputs it did not
/// read.
struct Found {
    findings: Vec<(String, Option<String>, String, Verdict)>,
    unread: Vec<String>,
    /// Addresses that stand in a plan.
    planned: BTreeSet<String>,
    /// Rules and their parts, with the address of each resource whose type they know.
    looked_at: BTreeSet<(String, Option<String>, String)>,
}

fn look_through(folder: &Path, rules: &RuleSet) -> Found {
    let files = files_below(folder);
    let sources: Vec<SourceFile<'_>> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    let mut found = Found {
        findings: Vec::new(),
        unread: Vec::new(),
        planned: BTreeSet::new(),
        looked_at: BTreeSet::new(),
    };
    for input in read_folder("", &sources, &SourceOptions::default()).inputs {
        let graph = match input.graph {
            Ok(graph) => graph,
            Err(error) => {
                found.unread.push(format!("{}: {error}", folder.display()));
                continue;
            }
        };
        if graph.format() == Format::TerraformPlan {
            found.planned.extend(graph.resources().map(|(_, one)| without_instance(&one.address)));
        }
        let judged = graph.resources().filter(|(_, one)| matches!(one.role, Role::Managed | Role::Drifted));
        for (_, resource) in judged {
            found.looked_at.extend(rules.of_type(&resource.kind).map(|(rule, cell)| {
                let aspect = cell.aspect.as_deref().map(str::to_owned);
                (rule.id.as_str().to_owned(), aspect, without_instance(&resource.address))
            }));
        }
        found.findings.extend(assess(&graph, rules).findings.iter().map(|finding| {
            let aspect = finding.cell.aspect.as_deref().map(str::to_owned);
            let address = without_instance(&finding.resource.address);
            (finding.rule.id.as_str().to_owned(), aspect, address, finding.verdict)
        }));
    }
    found
}

fn without_instance(address: &str) -> String {
    let address = address.split(" (again").next().unwrap();
    address.split('[').next().unwrap().to_owned()
}

/// The verdict that weighs most, of a rule or a part of it about a resource, or about any.
fn worst(found: &Found, rule: (&str, Option<&str>), address: Option<&str>) -> Verdict {
    let meant = found.findings.iter().filter(|(id, aspect, of, _)| {
        id == rule.0 && aspect.as_deref() == rule.1 && address.is_none_or(|address| address == of)
    });
    meant.map(|(_, _, _, verdict)| *verdict).max().unwrap_or(Verdict::Pass)
}

/// Whether a rule or a part of it looked at a resource, or at any. Of a folder that was not read wholly,
/// nobody knows what else is in it.
fn is_looked_at(found: &Found, rule: (&str, Option<&str>), address: Option<&str>) -> bool {
    let is_meant = |(id, aspect, of): &(String, Option<String>, String)| {
        id == rule.0 && aspect.as_deref() == rule.1 && address.is_none_or(|address| address == of)
    };
    (address.is_some() || found.unread.is_empty()) && found.looked_at.iter().any(is_meant)
}

/// What is labelled: a resource, or a folder as a whole; and whether it must fail.
type Label = (Option<String>, bool);

/// Cases by their check and folder, as the two forms of lists give them.
fn cases(corpus: &str, root: &Path) -> Vec<(String, PathBuf, Vec<Label>)> {
    let list = std::fs::read_to_string(root.join(corpus).join("cases.json")).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let text = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
    let one = |case: &Value| {
        let folder = root.join(text(case, "dir"));
        let subjects = match case.get("expect") {
            Some(expect) => vec![(None, expect == "fail")],
            None => ["pass", "fail"]
                .into_iter()
                .flat_map(|word| {
                    let names = case[word].as_array().unwrap().iter();
                    names.map(move |name| (Some(name.as_str().unwrap().to_owned()), word == "fail"))
                })
                .collect(),
        };
        (text(case, "id"), folder, subjects)
    };
    list.as_array().unwrap().iter().map(one).collect()
}

/// Of so many, so many.
#[derive(Clone, Copy)]
struct Share(usize, usize);

impl Share {
    fn of<T>(all: &[T], is_meant: impl Fn(&T) -> bool) -> Self {
        Self(all.iter().filter(|one| is_meant(one)).count(), all.len())
    }

    fn is_at_least(self, thousandths: usize) -> bool {
        self.1 > 0 && self.0 * 1000 >= self.1 * thousandths
    }

    fn is_at_most(self, thousandths: usize) -> bool {
        self.1 > 0 && self.0 * 1000 <= self.1 * thousandths
    }

    fn print(self, corpus: &str, what: &str) {
        let Self(some, all) = self;
        let percent = 100.0 * some as f64 / all.max(1) as f64;
        println!("corpus {corpus}, {what} ({percent:.1} %): {some}/{all}");
    }
}

struct Figures {
    precision: Share,
    strict: Share,
    blocking: Share,
    open: Share,
    open_of_plans: Share,
}

fn figures(judged: &[&Judged]) -> Figures {
    let must_fail: Vec<_> = judged.iter().filter(|one| one.must_fail).collect();
    let must_pass: Vec<_> = judged.iter().filter(|one| !one.must_fail).collect();
    let failing: Vec<_> = judged.iter().filter(|one| one.found == Verdict::Fail).collect();
    let fragments: Vec<_> = must_pass.iter().filter(|one| !one.is_plan).collect();
    let plans: Vec<_> = must_pass.iter().filter(|one| one.is_plan).collect();
    Figures {
        precision: Share::of(&failing, |one| one.must_fail),
        strict: Share::of(&must_fail, |one| one.found == Verdict::Fail),
        blocking: Share::of(&must_fail, |one| matches!(one.found, Verdict::Fail | Verdict::Indeterminate)),
        open: Share::of(&fragments, |one| one.is_open()),
        open_of_plans: Share::of(&plans, |one| one.is_open()),
    }
}

impl Figures {
    fn print(&self, corpus: &str, of: &str) {
        self.precision.print(corpus, &format!("precision {of}"));
        self.strict.print(corpus, &format!("strict recall {of}"));
        self.blocking.print(corpus, &format!("blocking recall {of}"));
        self.open.print(corpus, &format!("indeterminate of what must pass {of}"));
        if self.open_of_plans.1 > 0 {
            self.open_of_plans.print(corpus, &format!("indeterminate of what must pass in plans {of}"));
        }
    }
}

/// The cases of a corpus for which a rule of Ward asks the same, and how many folders crashed or were
/// not read.
fn judge(corpus: &str, root: &Path) -> (Vec<Judged>, usize, Vec<String>) {
    let (rules, mapping) = (builtin_rules().unwrap(), mapping());
    let (mut judged, mut crashes, mut unread) = (Vec::new(), 0, Vec::new());
    for (check, folder, subjects) in cases(corpus, root) {
        let found = match catch_unwind(AssertUnwindSafe(|| look_through(&folder, &rules))) {
            Ok(found) => found,
            Err(_) => {
                crashes += 1;
                continue;
            }
        };
        unread.extend(found.unread.iter().cloned());
        let Some(rule) = mapping.get(&*check).unwrap_or_else(|| panic!("{check} is not mapped")).rule else {
            continue;
        };
        let known = rules.rules().iter().any(|known| {
            let has_part = || known.cells.iter().any(|cell| cell.aspect.as_deref() == rule.1);
            known.id.as_str() == rule.0 && has_part()
        });
        assert!(known, "{check} is mapped to {rule:?}, which is not there");
        for (subject, must_fail) in subjects {
            let found_verdict = worst(&found, rule, subject.as_deref());
            let is_looked_at = is_looked_at(&found, rule, subject.as_deref());
            let is_plan = subject.as_deref().is_some_and(|subject| found.planned.contains(subject));
            let place = folder.file_name().unwrap().to_string_lossy();
            let format = folder.parent().unwrap().file_name().unwrap().to_string_lossy();
            let subject = subject.unwrap_or_else(|| format!("{format}/{place}"));
            judged.push(Judged {
                check: check.clone(),
                subject,
                must_fail,
                found: found_verdict,
                is_looked_at,
                is_plan,
            });
        }
    }
    (judged, crashes, unread)
}

/// How many checks a rule answers: of all, and of those about the six areas.
fn coverage(corpus: &str, root: &Path) -> (Share, Share) {
    let mapping = mapping();
    let ids: BTreeSet<String> = cases(corpus, root).into_iter().map(|(id, _, _)| id).collect();
    let checks: Vec<&Check> = ids.iter().map(|id| mapping.get(&**id).unwrap()).collect();
    let of_areas: Vec<&&Check> = checks.iter().filter(|check| check.area != "other").collect();
    (Share::of(&checks, |check| check.rule.is_some()), Share::of(&of_areas, |check| check.rule.is_some()))
}

fn measure(corpus: &str) {
    let Some(root) = std::env::var_os("WARD_CORPORA").filter(|value| !value.is_empty()) else {
        println!("skipped: WARD_CORPORA is not set, so there are no labelled cases to judge");
        return;
    };
    let root = PathBuf::from(root).join("policy");
    let (judged, crashes, unread) = judge(corpus, &root);
    let all: Vec<&Judged> = judged.iter().collect();
    let disputed = disputed();
    let is_disputed = |one: &Judged| {
        disputed.contains(&(one.check.clone(), one.subject.clone(), one.found.word().to_owned()))
    };
    let agreed: Vec<&Judged> = judged.iter().filter(|one| !is_disputed(one)).collect();
    for one in &agreed {
        if !one.is_right() {
            let word = if one.must_fail { "must fail" } else { "must pass" };
            let found = if one.is_looked_at { one.found.word() } else { "not looked at" };
            println!("{} {} {word}: {found}", one.check, one.subject);
        }
    }
    let labelled = figures(&all);
    labelled.print(corpus, "as labelled");
    let figures = figures(&agreed);
    figures.print(corpus, "without disputed cases");
    println!("corpus {corpus}, cases that are not disputed: {}/{}", agreed.len(), all.len());
    let (of_all, of_areas) = coverage(corpus, &root);
    of_all.print(corpus, "checks that a rule answers");
    of_areas.print(corpus, "checks of the six areas that a rule answers");
    let folders = cases(corpus, &root).len();
    println!("corpus {corpus}, folders without a crash: {}/{folders}", folders - crashes);
    Share::of(&judged, |one| one.is_looked_at).print(corpus, "cases that a rule looked at");
    println!("corpus {corpus}, inputs that were not read: {}", unread.len());
    unread.iter().for_each(|one| println!("not read: {one}"));
    assert_eq!(crashes, 0);
    assert!(figures.precision.is_at_least(PRECISION), "precision of {corpus}");
    assert!(figures.strict.is_at_least(STRICT_RECALL), "strict recall of {corpus}");
    assert!(figures.blocking.is_at_least(BLOCKING_RECALL), "blocking recall of {corpus}");
    // What stays open is nobody's opinion: all that must pass counts.
    assert!(labelled.open.is_at_most(OPEN_OF_FRAGMENTS), "indeterminate of {corpus}");
    assert_eq!(labelled.open_of_plans.1, 0, "plans are labelled now: bound what may stay open in them");
    assert!(of_areas.is_at_least(COVERAGE), "coverage of {corpus}");
}

#[test]
fn corpora_verdicts_about_labelled_resources() {
    measure("checkov");
}

#[test]
fn corpora_verdicts_about_labelled_files() {
    measure("trivy-checks");
}

#[test]
fn corpora_disputes_are_of_cases_that_are_there_and_that_ward_judges_so() {
    let Some(root) = std::env::var_os("WARD_CORPORA").filter(|value| !value.is_empty()) else {
        println!("skipped: WARD_CORPORA is not set, so there are no labelled cases to judge");
        return;
    };
    let root = PathBuf::from(root).join("policy");
    let disputed = disputed();
    let mut known = BTreeSet::new();
    for corpus in ["checkov", "trivy-checks"] {
        let (judged, _, _) = judge(corpus, &root);
        for one in judged {
            let is_of = |(check, subject, _): &(String, String, String)| {
                *check == one.check && *subject == one.subject
            };
            let agrees = one.is_right() && disputed.iter().any(is_of);
            assert!(!agrees, "{} {} agrees", one.check, one.subject);
            known.insert((one.check, one.subject, one.found.word().to_owned()));
        }
    }
    let stale: Vec<_> = disputed.into_iter().filter(|case| !known.contains(case)).collect();
    assert!(stale.is_empty(), "{stale:?}");
}
