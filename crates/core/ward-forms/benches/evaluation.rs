//! What one answer costs in a large form: how long until everything that depends on it is up to date,
//! and how that compares with evaluating the whole form again.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../../../../bench/made_form.rs"]
mod made_form;
#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use made_form::{LARGE, PUBLISHED, begun, made, mixed, some_answer};
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use stopwatch::{Gates, quick, thread_cpu};
use ward_forms::{Answering, CompiledForm, Questionnaire};

const ANSWERS: usize = 4_000;
const SCRATCHES: usize = 20;
/// How many times as long the whole form takes as what depends on one answer.
const LEAST_RATIO: f64 = 25.0;
const MOST_US: f64 = 1_000.0;
/// Answers to a form in which everything waits for everything, and how long one may take.
const CIRCLE_ANSWERS: usize = 200;
const MOST_CIRCLE_US: f64 = 20_000.0;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let mut gates = Gates::default();
    match published() {
        Some((name, json)) => {
            measure(&format!("the largest published form at hand, {name}"), &json, &mut gates)
        }
        None => {
            println!("WARD_CORPORA is not set: a made form stands for the largest published one");
            measure("a made form of 695 items", &made(PUBLISHED), &mut gates);
        }
    }
    assert_eq!((LARGE.items(), PUBLISHED.items()), (2_691, 695));
    measure("a made form of 2,691 items", &made(LARGE), &mut gates);
    measure_circle(&mut gates);
    gates.exit()
}

/// The large form in one group that an expression over the whole response switches on: everything waits
/// for everything.
fn measure_circle(gates: &mut Gates) {
    let gate = "%resource.descendants().answer.value.ofType(boolean).count() >= 0";
    let extension = format!(
        r#""extension":[{{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression","valueExpression":{{"language":"text/fhirpath","expression":"{gate}"}}}}]"#
    );
    let group = format!(r#""item":[{{"linkId":"all","type":"group","text":"All",{extension},"item":["#);
    let json = made(LARGE).replace("%resource.item", "%resource.item.item");
    let json = json.replacen(r#""item":["#, &group, 1);
    let json = format!("{}]}}]}}", json.strip_suffix("]}").unwrap());
    println!("\nthe same in one group that an expression over the whole response switches on");
    let mut answering = Answering::new(Questionnaire::parse(json.as_bytes()).unwrap());
    let steps: Vec<_> = answering.questions();
    let mut times: Vec<Duration> = Vec::new();
    for (at, step) in steps.iter().enumerate().take(if quick() { 2 } else { CIRCLE_ANSWERS }) {
        let answer = some_answer(step, u64::try_from(at).unwrap());
        let began = thread_cpu();
        let is_taken = answering.answer(&step.path, answer).is_ok();
        times.extend(is_taken.then(|| thread_cpu() - began));
    }
    let p50 = at(&mut times, 0.5);
    println!("  one answer of {}: p50 {p50:.1} µs, most {:.1} µs", times.len(), at(&mut times, 1.0));
    gates.target("one answer, p50", p50, "µs", p50 < MOST_CIRCLE_US, "< 20 ms");
}

/// The form with the most items in the folder of outside forms.
fn published() -> Option<(String, String)> {
    let folder = std::path::PathBuf::from(std::env::var_os("WARD_CORPORA")?).join("forms/smart-forms");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let forms = files.filter_map(|path| {
        let json = std::fs::read_to_string(&path).unwrap();
        let items = Questionnaire::parse(json.as_bytes()).ok()?.items().len();
        Some((items, path.file_name()?.to_string_lossy().into_owned(), json))
    });
    forms.max_by_key(|(items, ..)| *items).map(|(_, name, json)| (name, json))
}

fn measure(name: &str, json: &str, gates: &mut Gates) {
    println!("\n{name}: {} bytes; CPU time of the thread", json.len());
    let before_kib = resident_kib();
    let form = Arc::new(Questionnaire::parse(json.as_bytes()).unwrap());
    let parsed = best(SCRATCHES, || Questionnaire::parse(json.as_bytes()).unwrap());
    let compiled = best(SCRATCHES, || CompiledForm::compile(&form).unwrap());
    let compiled_kib = resident_kib();
    let mut answering = begun(json).unwrap();
    let open_kib = resident_kib();
    let mut answers = times(&mut answering);
    let mut screens = Vec::new();
    let mut scratches = Vec::new();
    for _ in 0..if quick() { 2 } else { SCRATCHES } {
        let began = thread_cpu();
        black_box((answering.next_question(), answering.progress()));
        screens.push(thread_cpu() - began);
        let draft = answering.draft();
        let shared = Arc::clone(&form);
        let began = thread_cpu();
        black_box(Answering::resume(shared, draft));
        scratches.push(thread_cpu() - began);
    }
    println!("  the form parsed: {:.2} ms; compiled: {:.2} ms", parsed / 1e3, compiled / 1e3);
    println!("  expressions that read everything: {}", form.compiled().reads_everything());
    let (p50, p99, most) = (at(&mut answers, 0.5), at(&mut answers, 0.99), at(&mut answers, 1.0));
    println!("  one answer of {}: p50 {p50:.1} µs, p99 {p99:.1} µs, most {most:.1} µs", answers.len());
    println!("  next question and progress: p50 {:.1} µs", at(&mut screens, 0.5));
    let scratch = at(&mut scratches, 0.5);
    println!("  the whole form evaluated again: p50 {scratch:.1} µs");
    println!(
        "  memory: {} KiB before, {} KiB with the form compiled, {} KiB while answered, {} KiB at the most",
        before_kib,
        compiled_kib,
        open_kib,
        status_kib("VmHWM:")
    );
    gates.at_least("the whole form / one answer, both p50", scratch / p50, LEAST_RATIO);
    gates.target("one answer, p99", p99, "µs", p99 < MOST_US, "< 1 ms");
}

/// How long each of many answers takes, given in no order.
fn times(answering: &mut Answering) -> Vec<Duration> {
    let mut times = Vec::new();
    let count = if quick() { 20 } else { ANSWERS };
    let mut steps = answering.questions();
    for n in 0..count {
        // The questions change with the answers; now and then they are asked for again.
        if n % 100 == 99 {
            steps = answering.questions();
        }
        let seed = u64::try_from(n).unwrap();
        let step = &steps[usize::try_from(mixed(seed)).unwrap() % steps.len()];
        let answer = some_answer(step, seed ^ 0xff);
        let began = thread_cpu();
        let is_taken = answering.answer(&step.path, answer).is_ok();
        let took = thread_cpu() - began;
        if is_taken {
            times.push(took);
        }
    }
    assert!(times.len() * 3 > count, "only {} of {count} answers were taken", times.len());
    times
}

fn best<R>(count: usize, mut work: impl FnMut() -> R) -> f64 {
    let count = if quick() { 1 } else { count };
    let one = |()| {
        let began = thread_cpu();
        black_box(work());
        (thread_cpu() - began).as_secs_f64() * 1e6
    };
    std::iter::repeat_n((), count).map(one).fold(f64::INFINITY, f64::min)
}

/// The time below which this share of the times lies, in microseconds.
fn at(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let place = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
    times[place - 1].as_secs_f64() * 1e6
}

fn resident_kib() -> u64 {
    status_kib("VmRSS:")
}

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse().ok()).unwrap_or(0)
}
