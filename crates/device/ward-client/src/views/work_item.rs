//! Items of the worklist, their names, and how acknowledgements close them.

use super::raised_alert::RaisedAlert;
use super::wording::{one_line, short_id};
use crate::limits::SLUG_MAX_CHARS;
use serde::Serialize;
use std::collections::BTreeMap;
use ward_crypto::sha256;
use ward_id::{ChartId, DeviceId, EntryId, PersonId, TimestampMs, hex_encode};
use ward_sync::limits::ACKNOWLEDGED_ENTRIES_MAX;
use ward_sync::{AlertAcknowledgement, ChartView, Written};

/// Digits of an entry in the name of an item.
const ENTRY_DIGITS: usize = 8;

/// How much an item presses. Later variants press more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Entries that are kept but cannot be used.
    Unusable,
    /// Entries of a lost device that staff may take over.
    ToAdopt,
    /// One planned time was answered more than once.
    Duplicate,
    /// A rule that the study marks as a notice fired.
    Notice,
    /// A part was not answered, so nobody knows whether a rule fires.
    ToAsk,
    /// A rule that the study marks as a concern fired.
    Concern,
    /// Several values hold at once and nobody has chosen.
    Conflict,
    /// A rule that the study marks as urgent fired.
    Urgent,
    /// The participant asks to be called.
    PatientUrgent,
}

/// What was done about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledged {
    /// The entry that says so.
    pub entry: EntryId,
    /// By whom.
    pub person: PersonId,
    /// On which device.
    pub device: DeviceId,
    /// When, by that device's clock.
    pub at: TimestampMs,
    /// What they did, in their words.
    pub action: String,
}

/// Something in a chart that needs somebody's attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkItem {
    /// Its name, the same on every device: `<chart>-<matter>-<entry>`. An acknowledgement names it
    /// together with [`WorkItem::entries`].
    pub id: String,
    /// The chart.
    pub chart: ChartId,
    /// The participant's name, else the short id of the chart.
    pub participant: String,
    /// How much it presses.
    pub urgency: Urgency,
    /// Why, in plain words, on one line.
    pub reason: String,
    /// Of a contradiction, every value with who wrote it, one line each; else empty. None is left out,
    /// however many there are.
    pub values: Vec<String>,
    /// The entries that raised it; at most as many as one acknowledgement may name. Empty if they
    /// cannot be named yet because they wait for others.
    pub entries: Vec<EntryId>,
    /// All entries that raised it, those too that no acknowledgement can name.
    #[serde(skip)]
    pub raised_by: Vec<EntryId>,
    /// Since when it is known here: when the first entry arrived, else when it was written.
    pub since: TimestampMs,
    /// The alerts in it, each with its rule; empty for what no rule raised.
    pub alerts: Vec<RaisedAlert>,
    /// What was done, if somebody acted.
    pub acknowledged: Option<Acknowledged>,
    /// Whether somebody can close it; else it ends when its cause does.
    pub closable: bool,
}

impl WorkItem {
    /// How long nobody has acted, in milliseconds; `None` once somebody has.
    pub fn waiting_ms(&self, now: TimestampMs) -> Option<i64> {
        self.acknowledged.is_none().then(|| now.since_ms(self.since))
    }

    /// What an acknowledgement of this item says.
    pub fn acknowledgement(&self, action: impl Into<String>) -> AlertAcknowledgement {
        AlertAcknowledgement { item: self.id.clone(), entries: self.entries.clone(), action: action.into() }
    }
}

/// What an item tells: its line, and the alerts in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) reason: String,
    pub(super) alerts: Vec<RaisedAlert>,
}

impl From<String> for Told {
    fn from(reason: String) -> Self {
        Self { reason, alerts: Vec::new() }
    }
}

/// One entry that raises a matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raised<D> {
    pub(super) entry: EntryId,
    pub(super) since: TimestampMs,
    pub(super) detail: D,
}

impl Raised<()> {
    pub(super) fn of<P>(written: &Written<'_, P>) -> Self {
        Self { entry: written.id(), since: known_at(written), detail: () }
    }
}

/// When something became known: when it arrived, else when it was written.
pub(super) fn known_at<P>(written: &Written<'_, P>) -> TimestampMs {
    written.arrival.received_at.unwrap_or_else(|| written.captured_at())
}

/// A matter's own name as part of an item's name: lower-case letters, digits and hyphens. A name
/// that loses something by that gets digits of its hash, so that two names stay two.
pub(super) fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let out: String = name.chars().map(plain).take(SLUG_MAX_CHARS).collect();
    if out == name {
        return out;
    }
    let digits: String = hex_encode(&sha256(name.as_bytes())).chars().take(ENTRY_DIGITS).collect();
    format!("{out}-{digits}")
}

/// The worklist of one chart while it is made.
pub(super) struct Desk<'a> {
    chart: ChartId,
    participant: &'a str,
    acknowledgements: Vec<Written<'a, AlertAcknowledgement>>,
    /// The acknowledgements that name an entry, by their places.
    by_entry: BTreeMap<EntryId, Vec<usize>>,
    pub(super) items: Vec<WorkItem>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(chart: ChartId, participant: &'a str, view: &ChartView<'a>) -> Self {
        let mut acknowledgements: Vec<Written<'a, AlertAcknowledgement>> =
            view.acknowledgements().iter().flat_map(|thread| thread.current.iter().copied()).collect();
        acknowledgements.sort_by_key(Written::order);
        let mut by_entry: BTreeMap<EntryId, Vec<usize>> = BTreeMap::new();
        for (place, written) in acknowledgements.iter().enumerate() {
            for entry in &written.value.entries {
                by_entry.entry(*entry).or_default().push(place);
            }
        }
        Self { chart, participant, acknowledgements, by_entry, items: Vec::new() }
    }

    /// A matter that each further entry raises again: what nobody acknowledged is one item, however
    /// often it was reported; what somebody acknowledged stays with what they did about it. The first
    /// matter is its own; an acknowledgement of one of the others closes it as well.
    pub(super) fn recurring<D, T: Into<Told>>(
        &mut self,
        urgency: Urgency,
        matters: &[impl AsRef<str>],
        raised: Vec<Raised<D>>,
        tell: impl Fn(&[Raised<D>]) -> T,
    ) {
        let Some(matter) = matters.first().map(AsRef::as_ref) else { return };
        let mut open = Vec::new();
        let mut closed: BTreeMap<EntryId, (Written<'a, AlertAcknowledgement>, Vec<Raised<D>>)> =
            BTreeMap::new();
        for one in raised {
            let by = matters.iter().find_map(|matter| self.acknowledgement_of(matter.as_ref(), &[one.entry]));
            match by {
                Some(by) => closed.entry(by.id()).or_insert_with(|| (by, Vec::new())).1.push(one),
                None => open.push(one),
            }
        }
        for (by, part) in closed.into_values() {
            self.push(urgency, matter, &part, tell(&part).into(), Some(&by));
        }
        for part in open.chunks(ACKNOWLEDGED_ENTRIES_MAX) {
            self.push(urgency, matter, part, tell(part).into(), None);
        }
    }

    /// A matter that all its entries make up together; one acknowledgement must name them all. The first
    /// matter is its own, as in [`Desk::recurring`].
    pub(super) fn standing<D>(
        &mut self,
        urgency: Urgency,
        matters: &[impl AsRef<str>],
        raised: &[Raised<D>],
        told: impl Into<Told>,
    ) {
        let named: Vec<EntryId> = raised.iter().take(ACKNOWLEDGED_ENTRIES_MAX).map(|one| one.entry).collect();
        let Some(matter) = matters.first().map(AsRef::as_ref) else { return };
        let by = matters.iter().find_map(|matter| self.acknowledgement_of(matter.as_ref(), &named));
        self.push(urgency, matter, raised, told.into(), by.as_ref());
    }

    /// Values that contradict each other: as [`Desk::standing`], with all of them.
    pub(super) fn contradiction<D>(
        &mut self,
        matter: &str,
        raised: &[Raised<D>],
        reason: String,
        values: Vec<String>,
    ) {
        let before = self.items.len();
        self.standing(Urgency::Conflict, &[matter], raised, reason);
        for item in self.items.iter_mut().skip(before) {
            item.values.clone_from(&values);
        }
    }

    /// A matter whose entries an acknowledgement cannot name: it ends when its cause does.
    pub(super) fn unanswerable<D>(
        &mut self,
        urgency: Urgency,
        matter: &str,
        raised: &[Raised<D>],
        reason: String,
    ) {
        let before = self.items.len();
        self.push(urgency, matter, raised, reason.into(), None);
        for item in self.items.iter_mut().skip(before) {
            item.entries.clear();
            item.closable = false;
        }
    }

    /// Whether somebody said what was done about one of these matters.
    pub(super) fn is_acknowledged<D>(&self, matters: &[impl AsRef<str>], raised: &Raised<D>) -> bool {
        let by = |matter: &str| self.acknowledgement_of(matter, &[raised.entry]).is_some();
        matters.iter().any(|matter| by(matter.as_ref()))
    }

    fn push<D>(
        &mut self,
        urgency: Urgency,
        matter: &str,
        raised: &[Raised<D>],
        told: Told,
        by: Option<&Written<'a, AlertAcknowledgement>>,
    ) {
        let (Some(first), Some(since)) = (raised.first(), raised.iter().map(|one| one.since).min()) else {
            return;
        };
        let id = by.map_or_else(
            || format!("{}{}", self.prefix(matter), name_of(first.entry, raised)),
            |written| written.value.item.clone(),
        );
        self.items.push(WorkItem {
            id,
            chart: self.chart,
            participant: self.participant.to_owned(),
            urgency,
            reason: one_line(&told.reason),
            values: Vec::new(),
            alerts: told.alerts,
            entries: raised.iter().take(ACKNOWLEDGED_ENTRIES_MAX).map(|one| one.entry).collect(),
            raised_by: raised.iter().map(|one| one.entry).collect(),
            since,
            closable: true,
            acknowledged: by.map(|written| Acknowledged {
                entry: written.id(),
                person: written.author.person,
                device: written.author.device,
                at: written.captured_at(),
                action: written.value.action.clone(),
            }),
        });
    }

    fn prefix(&self, matter: &str) -> String {
        format!("{}-{matter}-", short_id(&self.chart))
    }

    /// The first acknowledgement of this matter that names all these entries. An entry is named by
    /// its whole hash, so nobody can make another entry that an old acknowledgement closes.
    fn acknowledgement_of(
        &self,
        matter: &str,
        entries: &[EntryId],
    ) -> Option<Written<'a, AlertAcknowledgement>> {
        let prefix = self.prefix(matter);
        let of_matter = |item: &str| {
            item.strip_prefix(prefix.as_str()).is_some_and(|rest| {
                rest.len() == ENTRY_DIGITS && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        let fits = |written: &&Written<'a, AlertAcknowledgement>| {
            of_matter(&written.value.item)
                && entries.iter().all(|entry| written.value.entries.contains(entry))
        };
        let places = entries.first().and_then(|first| self.by_entry.get(first))?;
        places.iter().filter_map(|place| self.acknowledgements.get(*place)).find(fits).copied()
    }
}

/// The end of an item's id. It stands for all its entries: whoever closes an item by an id closes what
/// they saw, and nothing that came since.
fn name_of<D>(first: EntryId, raised: &[Raised<D>]) -> String {
    if raised.len() == 1 {
        return short_id(&first);
    }
    let all: Vec<u8> = raised.iter().flat_map(|one| *one.entry.as_bytes()).collect();
    short_id(&EntryId::from_bytes(ward_crypto::sha256(&all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matters_keep_their_names_apart() {
        assert_eq!(slug("mouth-sores"), "mouth-sores");
        assert_ne!(slug("Pain"), slug("pain"));
        assert_ne!(slug("a b"), slug("a/b"));
        let long = "x".repeat(SLUG_MAX_CHARS + 1);
        assert_ne!(slug(&long), slug(&"x".repeat(SLUG_MAX_CHARS)));
        assert!(slug(&long).len() <= SLUG_MAX_CHARS + 1 + ENTRY_DIGITS);
        assert!(
            slug("Übel\n\u{1b}").bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit())
        );
    }

    #[test]
    fn urgency_is_ordered() {
        use Urgency::*;
        let falling = [PatientUrgent, Urgent, Conflict, Concern, ToAsk, Notice, Duplicate, ToAdopt, Unusable];
        assert!(falling.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
