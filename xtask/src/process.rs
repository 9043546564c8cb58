//! Running other programs: quietly for their answer, or in the open while reading along.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Command, Stdio};

/// What a program said while everybody could read it, and whether it succeeded.
pub struct Transcript {
    /// The program ended with code 0.
    pub success: bool,
    /// Its standard output and standard error, line by line, without colours.
    pub lines: Vec<String>,
}

/// Runs a program in the open.
pub fn run(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("starting {}", name(command)))?;
    Ok(status.success())
}

/// Runs a program quietly and returns its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting {}", name(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", name(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be run with these arguments and succeeds, quietly.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program in the open and keeps what it said.
pub fn transcript(command: &mut Command) -> Result<Transcript> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", name(command)))?;
    let errors = child.stderr.take();
    let reader =
        std::thread::spawn(move || errors.map_or_else(Vec::new, |pipe| echo(pipe, std::io::stderr())));
    let mut lines = child.stdout.take().map_or_else(Vec::new, |pipe| echo(pipe, std::io::stdout()));
    lines.extend(reader.join().unwrap_or_default());
    Ok(Transcript { success: child.wait()?.success(), lines })
}

/// Text without the escape sequences that colour it on a terminal.
pub fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            for next in characters.by_ref() {
                if next.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(character);
        }
    }
    plain
}

fn echo(pipe: impl Read, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        // A closed terminal must not stop the program that is being read.
        let _ = to.write_all(&bytes).and_then(|()| to.flush());
        lines.push(without_colours(String::from_utf8_lossy(&bytes).trim_end()));
        bytes.clear();
    }
    lines
}

fn name(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let program = command.get_program().to_string_lossy();
    let short = program.rsplit('/').next().unwrap_or(&program).to_owned();
    std::iter::once(short.into()).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_dropped() {
        assert_eq!(without_colours("\u{1b}[32;1m PASS\u{1b}[0m x"), " PASS x");
    }

    #[test]
    fn a_transcript_holds_both_streams_and_the_result() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let transcript = transcript(&mut command).unwrap();
        assert!(!transcript.success);
        assert_eq!(transcript.lines, ["out", "err"]);
    }

    #[test]
    fn a_failed_program_says_why() {
        let error = output(Command::new("sh").args(["-c", "echo because >&2; exit 1"])).unwrap_err();
        assert!(error.to_string().contains("because"), "{error}");
    }
}
