//! What the command line asks for.

use std::ops::Range;
use std::path::{Path, PathBuf};
use ward_testkit::sim::{Fault, Rows, Schedule, schedule};

/// What is run.
pub enum Work {
    /// The schedules of these seeds.
    Seeds(Range<u64>),
    /// One schedule.
    One(Box<Schedule>),
}

/// Everything that was asked for.
pub struct Options {
    /// What is run.
    pub work: Work,
    /// The faults that may happen.
    pub faults: Vec<Fault>,
    /// Whether every device keeps its rows in a file. Without this, one schedule in a hundred does.
    pub files: bool,
    /// Where the sums are added up.
    pub tally: Option<PathBuf>,
    /// Time after which no new schedule is begun.
    pub minutes: Option<u64>,
    /// Threads.
    pub threads: usize,
}

impl Options {
    /// Reads the words of the command line.
    pub fn read(words: &[String]) -> Result<Self, String> {
        let mut faults = Fault::ALL.to_vec();
        let (mut seeds, mut one, mut file) = (None, None, None);
        let (mut files, mut tally, mut minutes) = (false, None, None);
        let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--seeds" => seeds = Some(range(value()?)?),
                "--seed" => one = Some(number(value()?)?),
                "--schedule" => file = Some(PathBuf::from(value()?)),
                "--faults" => faults = Fault::list(value()?)?,
                "--files" => files = true,
                "--tally" => tally = Some(PathBuf::from(value()?)),
                "--minutes" => minutes = Some(number(value()?)?),
                "--threads" => threads = usize::try_from(number(value()?)?).unwrap_or(1).max(1),
                other => return Err(format!("{other:?} is no option")),
            }
        }
        let work = match (seeds, one, file) {
            (_, _, Some(path)) => {
                let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
                Work::One(Box::new(text.parse::<Schedule>().map_err(|error| error.to_string())?))
            }
            (_, Some(seed), None) => Work::One(Box::new(schedule(seed, &faults))),
            (Some(seeds), None, None) => Work::Seeds(seeds),
            (None, None, None) => {
                return Err("say what to run: --seeds A..B, --seed S or --schedule FILE".into());
            }
        };
        Ok(Self { work, faults, files, tally, minutes, threads })
    }

    /// Where the devices of one schedule keep their rows.
    pub fn rows(&self, folder: &Path) -> Rows {
        if self.files { Rows::Files(folder.to_path_buf()) } else { Rows::Memory }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("{text:?} is no range A..B"))?;
    Ok(number(from)?..number(to)?)
}
