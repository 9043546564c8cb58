//! `cargo xtask setup`: what the machine lacks, added where that is possible.
//!
//! Silent and quick when nothing is missing, since `demo`, `test` and `ci` call it each time.

use crate::limits::RUSTC_MIN;
use crate::process;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const C_PACKAGES: [(&str, &str); 3] =
    [("gcc", "gcc libc6-dev"), ("make", "make"), ("pkg-config", "pkg-config")];

/// Checks the machine; `false` if something is missing that only a person can add.
pub fn run() -> Result<bool> {
    let rustc = process::output(Command::new("rustc").arg("--version"))
        .context("asking for the compiler's version")?;
    if let Some(found) = too_old(&rustc) {
        let (major, minor) = RUSTC_MIN;
        println!("Ward needs Rust {major}.{minor} or newer; this machine has {found}. Run:");
        println!("  rustup update stable");
        return Ok(false);
    }
    if !has_c_compiler() && !install_c_compiler()? {
        return Ok(false);
    }
    if !has_wasm_target() && !install_wasm_target()? {
        return Ok(false);
    }
    Ok(true)
}

/// Whether nextest is there; without it `cargo test` runs the same tests.
pub fn has_nextest() -> bool {
    is_program("cargo-nextest")
}

/// The version in `rustc --version` if it is older than the workspace needs.
fn too_old(answer: &str) -> Option<&str> {
    let version = answer.split_whitespace().nth(1).unwrap_or(answer);
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (found < RUSTC_MIN).then_some(version)
}

fn has_c_compiler() -> bool {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    process::works(Command::new(compiler).arg("--version"))
}

fn install_c_compiler() -> Result<bool> {
    let packages: Vec<&str> =
        C_PACKAGES.iter().filter(|(program, _)| !is_program(program)).map(|(_, names)| *names).collect();
    let packages = if packages.is_empty() { "gcc".to_owned() } else { packages.join(" ") };
    if !is_program("apt-get") {
        println!(
            "Ward needs a C compiler (`cc`, or the one that CC names). On Debian: apt-get install {packages}"
        );
        return Ok(false);
    }
    let install = format!("apt-get update -q && apt-get install -y -q --no-install-recommends {packages}");
    if !is_root() {
        println!("Ward needs a C compiler. Run:\n  sudo sh -c '{install}'");
        return Ok(false);
    }
    println!("adding a C compiler: {packages}");
    if !process::run(Command::new("sh").args(["-c", &install]))? {
        bail!("apt-get could not add {packages}; run `{install}` and read what it says");
    }
    Ok(has_c_compiler())
}

fn has_wasm_target() -> bool {
    process::output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))
        .is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn install_wasm_target() -> Result<bool> {
    if !is_program("rustup") {
        println!("Ward needs the Rust target {WASM_TARGET}. With Debian's own Rust, run:");
        println!("  sudo apt-get install libstd-rust-dev-wasm32");
        return Ok(false);
    }
    println!("adding the Rust target {WASM_TARGET}");
    if process::run(Command::new("rustup").args(["target", "add", WASM_TARGET]))? && has_wasm_target() {
        return Ok(true);
    }
    println!("Ward could not add it (is there a network?). Run:\n  rustup target add {WASM_TARGET}");
    Ok(false)
}

/// Whether a program lies on the search path.
pub fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_compilers_are_named() {
        assert_eq!(too_old("rustc 1.94.2 (aaaa 2026-03-01)"), Some("1.94.2"));
        assert_eq!(too_old("rustc 1.95.0 (aaaa 2026-04-14)"), None);
        assert_eq!(too_old("rustc 1.100.0-nightly (aaaa)"), None);
        assert_eq!(too_old("rustc 2.0.0"), None);
        assert_eq!(too_old("nonsense"), Some("nonsense"));
    }

    #[test]
    fn programs_are_looked_up() {
        assert!(is_program("sh"));
        assert!(!is_program("a-program-that-nobody-has"));
    }
}
