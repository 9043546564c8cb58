//! Lines that the fuzzer prints, read back.

/// How lines begin that say nothing about the target.
const CHATTER: [&str; 12] = [
    "INFO: ",
    "WARNING: ",
    "Running: ",
    "==",
    "NOTE: ",
    "      ",
    "\tNEW_FUNC",
    "MS: ",
    "0x",
    "Base64: ",
    "Dictionary: ",
    "SUMMARY: ",
];

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub enum RunLine {
    /// `#4096 NEW cov: 11 ft: 12 corp: 5/17b ...`: executions, and what was reached so far.
    Status { executions: u64, edges: u64, features: u64 },
    /// Processor time so far.
    CpuSeconds(f64),
    /// The number of all executions, at the end.
    Executions(u64),
    /// The most memory it had, at the end.
    PeakMemoryMb(u64),
    /// The file with an input that failed.
    Artifact(String),
    /// Where a target panicked; the message is the next line.
    Panicked,
    /// The fuzzer's own word for what failed.
    Fault(String),
    /// Anything else of the fuzzer's own, not worth showing.
    Chatter,
    /// What somebody should see.
    Other,
}

impl RunLine {
    /// Reads one line.
    pub fn of(line: &str) -> Self {
        if let Some(seconds) = line.strip_prefix("ward-fuzz: processor seconds ") {
            return seconds.parse().map_or(Self::Other, Self::CpuSeconds);
        }
        if let Some(rest) = line.strip_prefix('#') {
            return status(rest).unwrap_or(Self::Chatter);
        }
        if let Some(rest) = line.strip_prefix("stat::") {
            return stat(rest);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            return Self::Artifact(path.trim().to_owned());
        }
        if line.starts_with("thread ") && line.contains(" panicked at ") {
            return Self::Panicked;
        }
        let fault = line.split_once("ERROR: libFuzzer: ").map(|(_, fault)| fault);
        if let Some(fault) = fault.or_else(|| line.strip_prefix("ward-fuzz: ")) {
            return Self::Fault(fault.trim().to_owned());
        }
        if line.is_empty() || CHATTER.iter().any(|beginning| line.starts_with(beginning)) {
            return Self::Chatter;
        }
        Self::Other
    }
}

fn status(rest: &str) -> Option<RunLine> {
    let mut words = rest.split_whitespace();
    let executions = words.next()?.parse().ok()?;
    let (mut edges, mut features) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "cov:" => edges = words.next()?.parse().ok(),
            "ft:" => features = words.next()?.parse().ok(),
            _ => {}
        }
    }
    Some(RunLine::Status { executions, edges: edges?, features: features? })
}

fn stat(rest: &str) -> RunLine {
    let Some((name, number)) = rest.split_once(':') else { return RunLine::Chatter };
    match (name, number.trim().parse()) {
        ("number_of_executed_units", Ok(number)) => RunLine::Executions(number),
        ("peak_rss_mb", Ok(number)) => RunLine::PeakMemoryMb(number),
        _ => RunLine::Chatter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let status = RunLine::of("#294173\tREDUCE cov: 11 ft: 12 corp: 5/17b lim: 2886 exec/s: 0 rss: 27Mb");
        assert_eq!(status, RunLine::Status { executions: 294_173, edges: 11, features: 12 });
        assert_eq!(RunLine::of("#2\tINITED exec/s: 0 rss: 27Mb"), RunLine::Chatter);
        assert_eq!(RunLine::of("ward-fuzz: processor seconds 12.50"), RunLine::CpuSeconds(12.5));
        assert_eq!(RunLine::of("stat::number_of_executed_units: 7"), RunLine::Executions(7));
        assert_eq!(RunLine::of("stat::peak_rss_mb:              41"), RunLine::PeakMemoryMb(41));
        assert_eq!(RunLine::of("stat::new_units_added: 3"), RunLine::Chatter);
        let written = "artifact_prefix='/a/'; Test unit written to /a/crash-aea2";
        assert_eq!(RunLine::of(written), RunLine::Artifact("/a/crash-aea2".into()));
        assert_eq!(
            RunLine::of("thread '<unnamed>' (28300) panicked at src/main.rs:3:101:"),
            RunLine::Panicked
        );
        let fault = RunLine::of("==12== ERROR: libFuzzer: timeout after 20 seconds");
        assert_eq!(fault, RunLine::Fault("timeout after 20 seconds".into()));
        assert_eq!(RunLine::of("INFO: seed corpus: files: 3"), RunLine::Chatter);
        assert_eq!(RunLine::of("\tNEW_FUNC[1/5]: 0x562711702071"), RunLine::Chatter);
        let fault = RunLine::of("ward-fuzz: the stack is used up");
        assert_eq!(fault, RunLine::Fault("the stack is used up".into()));
        assert_eq!(RunLine::of("what a target prints"), RunLine::Other);
    }
}
