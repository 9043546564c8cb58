//! Which values of a medication plan a person has seen on this device. A value that came since then
//! is never replaced in passing: its author's reason is not known to whoever writes next.

use crate::exit::Failure;
use crate::home::Home;
use crate::private_file;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{ChartId, EntryId};

const FILE: &str = "plan-shown.json";

type Shown = BTreeMap<ChartId, BTreeSet<EntryId>>;

/// The entries of a chart's plan that `ward chart` showed here.
pub fn shown_in(home: &Home, chart: ChartId) -> BTreeSet<EntryId> {
    // Without a readable file nothing counts as seen, which is the careful side.
    read(home).remove(&chart).unwrap_or_default()
}

/// Notes what was shown now.
///
/// # Errors
/// When the file cannot be written.
pub fn note(home: &Home, chart: ChartId, entries: BTreeSet<EntryId>) -> Result<(), Failure> {
    let mut all = read(home);
    if all.get(&chart) == Some(&entries) || (entries.is_empty() && !all.contains_key(&chart)) {
        return Ok(());
    }
    all.insert(chart, entries);
    let text =
        serde_json::to_vec(&all).map_err(|error| Failure::fault("What was shown cannot be noted", error))?;
    private_file::write(&home.file(FILE), &text)
}

fn read(home: &Home) -> Shown {
    std::fs::read(home.file(FILE))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_remembered_for_each_chart() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let [one, two] = [1, 2].map(|mark| ChartId::from_bytes([mark; 16]));
        let entry = EntryId::from_bytes([7; 32]);
        assert!(shown_in(&home, one).is_empty());
        note(&home, one, BTreeSet::from([entry])).unwrap();
        note(&home, two, BTreeSet::new()).unwrap();
        assert!(shown_in(&home, one).contains(&entry) && shown_in(&home, two).is_empty());
        std::fs::write(home.file(FILE), "damaged").unwrap();
        assert!(shown_in(&home, one).is_empty(), "then everything is new");
    }
}
