//! How every bench measures and judges; shared by path, because a core crate can depend on no
//! crate above it.
//!
//! Work on one thread is measured in CPU time of that thread, best of ten rounds, with everything
//! that is compared taking turns inside one round. A gate is a ratio of two such figures, so a busy
//! or slow machine moves both sides.
#![allow(dead_code, reason = "each bench uses its part")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

/// Rounds of which the best one counts.
const ROUNDS: usize = 10;

/// Whether the bench shall only show that it runs (`--quick`).
pub fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// CPU time of this thread.
pub fn thread_cpu() -> Duration {
    cpu_of(rustix::time::ClockId::ThreadCPUTime)
}

/// CPU time of all threads of this process.
pub fn process_cpu() -> Duration {
    cpu_of(rustix::time::ClockId::ProcessCPUTime)
}

fn cpu_of(clock: rustix::time::ClockId) -> Duration {
    let now = rustix::time::clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// One thing to measure: called with a count, it does its work so many times.
pub struct Course<'a> {
    name: &'static str,
    count: usize,
    work: Box<dyn FnMut(usize) + 'a>,
    best_us: f64,
}

impl<'a> Course<'a> {
    /// Work that `work` does `count` times a round.
    pub fn new(name: &'static str, count: usize, work: impl FnMut(usize) + 'a) -> Self {
        Self { name, count, work: Box::new(work), best_us: f64::INFINITY }
    }

    /// Work that is called once for each time.
    pub fn each<R>(name: &'static str, count: usize, mut work: impl FnMut() -> R + 'a) -> Self {
        Self::new(name, count, move |count| {
            for _ in 0..count {
                black_box(work());
            }
        })
    }
}

/// Best CPU times in microseconds for one piece of work, by name.
pub struct Times(Vec<(&'static str, f64)>);

impl Times {
    /// The time of one.
    pub fn us(&self, name: &str) -> f64 {
        self.0.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, us)| *us)
    }

    /// Prints all.
    pub fn print(&self) {
        for (name, us) in &self.0 {
            println!("  {name:<58} {us:>9.2} µs  {:>10.0} /s", 1e6 / us);
        }
    }
}

/// Runs everything in turns, ten times, and keeps the best of each.
pub fn race(mut courses: Vec<Course<'_>>) -> Times {
    let rounds = if quick() { 2 } else { ROUNDS };
    for _ in 0..rounds {
        for course in &mut courses {
            let count = if quick() { course.count.div_ceil(16) } else { course.count };
            let began = thread_cpu();
            (course.work)(count);
            let us = (thread_cpu() - began).as_secs_f64() * 1e6 / count as f64;
            course.best_us = course.best_us.min(us);
        }
    }
    Times(courses.into_iter().map(|course| (course.name, course.best_us)).collect())
}

/// The gates and targets of a bench.
#[derive(Default)]
pub struct Gates {
    failed: usize,
}

impl Gates {
    /// A ratio that must not be above `most`. It fails the bench.
    pub fn at_most(&mut self, what: &str, is: f64, most: f64) {
        self.judge(what, is, most, is <= most, "at most");
    }

    /// A ratio that must not be below `least`. It fails the bench.
    pub fn at_least(&mut self, what: &str, is: f64, least: f64) {
        self.judge(what, is, least, is >= least, "at least");
    }

    fn judge(&mut self, what: &str, is: f64, bound: f64, holds: bool, side: &str) {
        println!("  GATE {:<6} {what}: {is:.2} ({side} {bound})", if holds { "holds" } else { "FAILS" });
        // Too little work for a figure: a quick run only shows that everything runs.
        self.failed += usize::from(!holds && !quick());
    }

    /// An absolute figure with its target: reported, because it depends on the machine.
    pub fn target(&self, what: &str, is: f64, unit: &str, holds: bool, target: &str) {
        println!("  {} {what}: {is:.1} {unit} (target {target})", if holds { "met   " } else { "MISSED" });
    }

    /// How the process ends.
    pub fn exit(&self) -> ExitCode {
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Says on which machine the figures that follow were measured.
pub fn print_machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split(':').nth(1)).map_or("unknown", str::trim).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    println!(
        "machine: {} (family {} model {}), {cores} cores, load {load}{}",
        field("model name"),
        field("cpu family"),
        field("model"),
        if quick() { "; --quick: figures mean nothing" } else { "" }
    );
}
