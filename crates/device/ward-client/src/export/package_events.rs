//! The audit events of a package against its entries: each entry has one event, and no event tells
//! of anything else.

use super::package_check::PackageFiles;
use serde_json::Value;
use std::collections::BTreeSet;
use ward_id::EntryId;

/// What does not fit. A package of an earlier version has no events.
pub(super) fn event_faults(files: &PackageFiles, entries: &BTreeSet<EntryId>) -> Vec<String> {
    let Some(bytes) = files.get("audit-events.ndjson") else { return Vec::new() };
    let mut told: BTreeSet<EntryId> = BTreeSet::new();
    let mut faults = Vec::new();
    for (place, line) in String::from_utf8_lossy(bytes).lines().enumerate() {
        let event: Option<Value> = serde_json::from_str(line).ok();
        let id = event.as_ref().and_then(|event| event.get("id")?.as_str()?.parse::<EntryId>().ok());
        match id {
            Some(id) if !entries.contains(&id) => {
                faults.push(format!("an audit event tells of entry {id}, which is not in the package"));
            }
            Some(id) if !told.insert(id) => {
                faults.push(format!("two audit events tell of entry {id}"));
            }
            Some(_) => {}
            None => faults.push(format!("audit event {} is none", place + 1)),
        }
    }
    faults.extend(entries.difference(&told).map(|id| format!("no audit event tells of entry {id}")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_has_one_event_and_no_event_is_made_up() {
        let (one, two) = (EntryId::from_bytes([1; 32]), EntryId::from_bytes([2; 32]));
        let faults = |lines: &str, entries: &[EntryId]| {
            let files = PackageFiles::from([("audit-events.ndjson".to_owned(), lines.as_bytes().to_vec())]);
            event_faults(&files, &entries.iter().copied().collect()).len()
        };
        let event = |id: EntryId| format!("{{\"id\":\"{id}\"}}\n");
        assert_eq!(faults(&(event(one) + &event(two)), &[one, two]), 0);
        assert_eq!(faults(&event(one), &[one, two]), 1, "left out");
        assert_eq!(faults(&(event(one) + &event(two)), &[one]), 1, "made up");
        assert_eq!(faults(&(event(one) + &event(one)), &[one]), 1, "twice");
        assert_eq!(faults("rubbish\n", &[]), 1);
        assert_eq!(event_faults(&PackageFiles::new(), &BTreeSet::from([one])), Vec::<String>::new());
    }
}
