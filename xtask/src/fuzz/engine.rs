//! The program in which libFuzzer calls the targets: its build and how it is started.

use crate::limits::{FUZZ_INPUT_MAX_BYTES, FUZZ_INPUT_MAX_SECONDS, FUZZ_MEMORY_MAX_MB, FUZZ_STACK_KB};
use crate::{process, project, setup};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

const MANIFEST: &str = "fuzz/Cargo.toml";
const BUILD_FOLDER: &str = "fuzz/target";
const PROGRAM: &str = "ward-fuzz-engine";

/// Has the compiler count which code runs and tell what is compared with what: the part of a sanitizer
/// that any stable compiler has. It finds no fault of memory; the crates forbid `unsafe`.
const COVERAGE_FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Names the target for the program.
const TARGET: &str = "WARD_FUZZ_TARGET";
/// Gives it a time of its own: processor seconds.
const CPU_SECONDS: &str = "WARD_FUZZ_CPU_SECONDS";

/// The program.
pub struct Engine {
    program: PathBuf,
}

impl Engine {
    /// Builds it, quietly if it is there already.
    pub fn build() -> Result<Self> {
        if !cfg!(unix) {
            bail!(
                "fuzzing needs a Unix: the fuzzer is ended by a signal and given a small stack by its shell"
            );
        }
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        if !process::works(Command::new(&compiler).arg("--version")) {
            bail!(
                "fuzzing needs a C++ compiler, since libFuzzer is written in it. On Debian: apt-get install g++"
            );
        }
        let host = host()?;
        // With a named target the flags are for this program alone, not for what builds it.
        let mut cargo = project::cargo(&["build", "--release", "--manifest-path", MANIFEST])?;
        cargo.args(["--target", &host, "--target-dir", BUILD_FOLDER]);
        cargo.env("RUSTFLAGS", COVERAGE_FLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
        // However the rest is built at the moment, this program is built in one way, so once.
        cargo.env_remove("CARGO_INCREMENTAL");
        if !process::run(&mut cargo)? {
            bail!("the fuzzer does not build; what the compiler said stands above");
        }
        let program = project::root()?.join(BUILD_FOLDER).join(host).join("release").join(PROGRAM);
        Ok(Self { program })
    }

    /// Starts it for one target, with a small stack and behind everything else that the machine does.
    pub fn command(&self, target: &str) -> Command {
        let nice = if setup::is_program("nice") { "nice -n 10 " } else { "" };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -s {FUZZ_STACK_KB} && exec {nice}\"$0\" \"$@\"")]);
        command.arg(&self.program).env(TARGET, target).env("RUST_BACKTRACE", "0");
        command
            .arg(format!("-timeout={FUZZ_INPUT_MAX_SECONDS}"))
            // An input that is slow is either within the limit or a failure.
            .arg(format!("-report_slow_units={FUZZ_INPUT_MAX_SECONDS}"))
            .arg(format!("-rss_limit_mb={FUZZ_MEMORY_MAX_MB}"))
            .arg("-print_final_stats=1");
        command
    }

    /// The same, for so many seconds of processor time.
    pub fn command_for(&self, target: &str, cpu_seconds: f64) -> Command {
        let mut command = self.command(target);
        command.env(CPU_SECONDS, cpu_seconds.to_string()).arg(format!("-max_len={FUZZ_INPUT_MAX_BYTES}"));
        command
    }
}

/// The target that this compiler builds for by itself.
fn host() -> Result<String> {
    let answer = process::output(Command::new("rustc").arg("-vV"))?;
    let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which machine it builds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_names_its_host() {
        assert!(host().unwrap().contains('-'));
    }

    #[test]
    fn limits_stand_in_the_command() {
        let engine = Engine { program: "x".into() };
        let command = engine.command_for("response", 30.0);
        let arguments: Vec<String> =
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        assert!(arguments[1].contains(&format!("ulimit -s {FUZZ_STACK_KB}")), "{arguments:?}");
        assert!(arguments.contains(&format!("-rss_limit_mb={FUZZ_MEMORY_MAX_MB}")), "{arguments:?}");
        let time = command.get_envs().find(|(name, _)| *name == CPU_SECONDS);
        assert_eq!(time.and_then(|(_, value)| value), Some("30".as_ref()));
    }
}
