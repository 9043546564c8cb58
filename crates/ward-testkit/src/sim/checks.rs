//! What must hold when a site has come to rest.

use super::digest::Digest;
use super::failure::{Checked, Verdict};
use super::oracle::{AT_SERVER, Confirmed, Oracle};
use super::schedule::Slot;
use super::second_rule::{hidden_value, wrong_set};
use super::template::SiteStore;
use super::texts::check_words;
use super::world::World;
use crate::limits::{AUDIT_EVERY, RESTART_EVERY};
use std::collections::{BTreeMap, BTreeSet};
use ward_client::export::check_package;
use ward_id::EntryId;
use ward_sync::{ChartView, Decoded, DeliveryState, Place, SignedEntry};

impl<S: SiteStore> World<'_, S> {
    pub(super) async fn check_end(&mut self, slots: &[Slot]) -> Checked {
        let members: Vec<Slot> = slots.iter().copied().filter(|slot| self.is_member(*slot)).collect();
        let at_server = self.entries_at_server().await?;
        self.forgive_what_is_out_of_reach(&at_server);
        self.check_lost(&members)?;
        self.check_alike(&members, &at_server)?;
        self.check_attachments(&members).await?;
        self.check_server().await?;
        if self.seed.is_multiple_of(RESTART_EVERY) {
            self.check_restarted(&members).await?;
        }
        if self.seed.is_multiple_of(AUDIT_EVERY) {
            self.check_audit(&members).await?;
        }
        Ok(())
    }

    /// Every entry that was confirmed stands somewhere on every member's chart. Those of a device
    /// that may not send any more stand on that device.
    fn check_lost(&mut self, members: &[Slot]) -> Checked {
        for one in self.oracle.confirmed.iter_mut().filter(|one| one.forgiven == Some(AT_SERVER)) {
            one.forgiven = None;
        }
        for member in members {
            let Some(client) = self.machines.get(member).and_then(|machine| machine.client.as_ref()) else {
                continue;
            };
            let view = client.chart(self.chart).map_err(|error| (Verdict::Broken, error.to_string()))?;
            for one in self.oracle.confirmed.iter().filter(|one| one.forgiven.is_none()) {
                if one.find(&view).is_some() || self.waits_at_home(one) {
                    continue;
                }
                let what = format!(
                    "entry {} of {} is not on the chart of {}",
                    one.number,
                    one.slot.word(),
                    member.word()
                );
                return Err((Verdict::Lost, what));
            }
        }
        Ok(())
    }

    /// Whether an entry of a device that may not send waits on that device, or in the drop box if staff
    /// did not take over everything. A severed device shows nothing, but still says what it holds.
    fn waits_at_home(&self, one: &Confirmed) -> bool {
        let Some(machine) = self.machines.get(&one.slot) else { return false };
        let Some(client) = &machine.client else { return false };
        let may_not_send = !self.is_member(one.slot) || self.oracle.was_revoked(machine.device);
        let delivery = client.delivery(self.chart).ok();
        let known = delivery.iter().flat_map(|known| &known.entries).find(|known| known.entry == one.entry);
        let handed_over = known.is_some_and(|known| known.state == DeliveryState::HandedOver);
        // Who came into the team after a device was revoked is not known to it, and opens nothing of it: the
        // coordinator is there all the time.
        let is_taken = self.adopts_all()
            && self.is_member(Slot::Coordinator)
            && !self.oracle.was_severed(machine.device);
        if handed_over && is_taken && !self.oracle.was_declined(one.entry) {
            return false;
        }
        let shown = || client.chart(self.chart).is_ok_and(|view| one.find(&view).is_some());
        may_not_send && (known.is_some() || shown())
    }

    /// What staff took over counts on every chart on which their entry about it does.
    fn check_adopted(view: &ChartView<'_>, oracle: &Oracle, in_vain: bool) -> Checked {
        for one in oracle.confirmed.iter().filter(|one| one.forgiven.is_none()) {
            let Some((inner, carrier)) = one.inner.zip(one.find(view)) else { continue };
            let place = view.place(inner);
            let counts = match place {
                None | Some(Place::Quarantined(_)) => false,
                Some(Place::Parked) => in_vain,
                Some(_) => true,
            };
            if view.place(carrier) == Some(Place::Visible) && !counts {
                let what = format!("{inner} was taken over by {carrier} and stands at {place:?}");
                return Err((Verdict::Lost, what));
            }
        }
        Ok(())
    }

    fn check_alike(&mut self, members: &[Slot], at_server: &BTreeSet<EntryId>) -> Checked {
        let mut first: Option<(Slot, Digest)> = None;
        for member in members {
            let Some(client) = self.machines.get(member).and_then(|machine| machine.client.as_ref()) else {
                continue;
            };
            let view = client.chart(self.chart).map_err(|error| (Verdict::Broken, error.to_string()))?;
            let digest = Digest::of(&view);
            match &first {
                Some((other, known)) => {
                    if let Some(what) = known.difference(&digest) {
                        let what = format!("{} and {}: {what}", other.word(), member.word());
                        return Err((Verdict::Diverged, what));
                    }
                }
                None => {
                    if let Some(what) = hidden_value(&view).or_else(|| wrong_set(&view)) {
                        return Err((Verdict::SilentWinner, what));
                    }
                    let in_vain = self.waits_in_vain(&view, at_server);
                    check_words(&view, &self.oracle, in_vain)?;
                    Self::check_adopted(&view, &self.oracle, in_vain)?;
                    let accounting = view.accounting();
                    for (name, count) in [
                        ("in conflict", accounting.in_conflict),
                        ("superseded", accounting.superseded),
                        ("quarantined", accounting.quarantined),
                        ("parked", accounting.parked),
                    ] {
                        if count > 0 {
                            self.tally.path(format!("at the end: {name}"));
                        }
                    }
                    if accounting.parked > 0 && !in_vain {
                        let what = format!("{} entries wait for others at rest", accounting.parked);
                        return Err((Verdict::Lost, what));
                    }
                    first = Some((*member, digest));
                }
            }
        }
        Ok(())
    }

    /// Whether all that waits on a chart waits for what nobody can give any more: it went with the server,
    /// and only who was revoked, or left, has it.
    fn waits_in_vain(&self, view: &ChartView<'_>, at_server: &BTreeSet<EntryId>) -> bool {
        let mut waiting: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
        for item in view.timeline().iter().filter(|item| item.place == Place::Parked) {
            waiting.insert(item.entry.id(), causes(item.entry));
        }
        let mut gone: BTreeSet<EntryId> = waiting
            .values()
            .flatten()
            .copied()
            .filter(|cause| view.place(*cause).is_none())
            .filter(|cause| !at_server.contains(cause) && self.is_out_of_reach(*cause))
            .collect();
        // What waits for one that waits in vain does so too.
        loop {
            let before = waiting.len();
            let also: Vec<EntryId> = waiting
                .iter()
                .filter(|(_, causes)| causes.iter().any(|cause| gone.contains(cause)))
                .map(|(entry, _)| *entry)
                .collect();
            also.iter().for_each(|entry| _ = waiting.remove(entry));
            gone.extend(also);
            if waiting.len() == before {
                return self.server_losses > 0 && waiting.is_empty();
            }
        }
    }

    fn is_out_of_reach(&self, entry: EntryId) -> bool {
        let holds = |slot: &Slot| {
            let client = self.machines.get(slot).and_then(|machine| machine.client.as_ref());
            let view = client.and_then(|client| client.chart(self.chart).ok());
            view.is_some_and(|view| view.place(entry).is_some())
                || self
                    .oracle
                    .confirmed
                    .iter()
                    .any(|one| (one.slot, one.entry) == (*slot, entry) && one.forgiven.is_none())
        };
        let (giving, removed): (Vec<Slot>, Vec<Slot>) =
            self.machines.keys().copied().partition(|slot| self.gives_back(*slot));
        !giving.iter().any(holds) && removed.iter().any(holds)
    }

    /// What the server lost after its author's store was set back too is owed by nobody if only who was
    /// revoked since, or left, has it.
    fn forgive_what_is_out_of_reach(&mut self, at_server: &BTreeSet<EntryId>) {
        let owed = |one: &&Confirmed| one.forgiven == Some(AT_SERVER) && !at_server.contains(&one.entry);
        let owed = self.oracle.confirmed.iter().filter(owed).map(|one| one.entry);
        let gone: Vec<EntryId> = owed.filter(|entry| self.is_out_of_reach(*entry)).collect();
        for entry in gone {
            let same = self.oracle.confirmed.iter_mut().filter(|one| one.entry == entry);
            same.for_each(|one| one.forgiven = Some("only who was removed has it"));
            self.tally.path("entry lost with a server that was set back");
        }
    }

    /// Every machine shows after a restart what it showed before.
    async fn check_restarted(&mut self, members: &[Slot]) -> Checked {
        for member in members {
            let before = self.digest_of(*member);
            self.restart(*member).await?;
            let after = self.digest_of(*member);
            if let (Some(before), Some(after)) = (before, after)
                && let Some(what) = before.difference(&after)
            {
                return Err((Verdict::Broken, format!("{} after a restart: {what}", member.word())));
            }
        }
        Ok(())
    }

    fn digest_of(&self, slot: Slot) -> Option<Digest> {
        let client = self.machines.get(&slot)?.client.as_ref()?;
        client.chart(self.chart).ok().map(|view| Digest::of(&view))
    }

    async fn check_server(&self) -> Checked {
        let report = self.server.store.integrity_check().await;
        let report = report.map_err(|error| (Verdict::Audit, error.to_string()))?;
        match report.findings.first() {
            Some(finding) => Err((Verdict::Audit, format!("the server's store: {finding}"))),
            None => Ok(()),
        }
    }

    /// A member of staff exports the chart, and an inspector checks the package.
    async fn check_audit(&mut self, members: &[Slot]) -> Checked {
        let staff = members
            .iter()
            .copied()
            .find(|slot| matches!(slot, Slot::Coordinator | Slot::Doctor | Slot::Nurse));
        let chart = self.chart;
        let Some(client) =
            staff.and_then(|slot| self.machines.get_mut(&slot)).and_then(|machine| machine.client.as_mut())
        else {
            return Ok(());
        };
        let broken =
            |error: ward_client::ClientError| (Verdict::Audit, format!("no package is made: {error}"));
        // The first export leaves a receipt of access, which the second one holds.
        client.export_audit(chart).await.map_err(broken)?;
        client.sync().await.map_err(broken)?;
        let files = client.export_audit(chart).await.map_err(broken)?.into_iter().collect();
        let check = check_package(&files, Some(self.template.root));
        let (holes, faults): (Vec<_>, Vec<_>) =
            check.faults.iter().partition(|fault| self.is_about_a_lost_entry(fault));
        if !faults.is_empty() {
            return Err((Verdict::Audit, format!("an inspector finds {faults:?}")));
        }
        self.tally.path(if holes.is_empty() {
            "an inspector found no fault"
        } else {
            "an inspector found what went with a store that was set back"
        });
        Ok(())
    }

    /// Whether a fault says that a chain has a hole where a store went with what stood there, or that others
    /// name such an entry, or one that only who was removed has.
    fn is_about_a_lost_entry(&self, fault: &str) -> bool {
        let gone = |one: &&Confirmed| one.forgiven.is_some() || self.is_out_of_reach(one.entry);
        let mut lost = self.oracle.confirmed.iter().filter(gone);
        lost.any(|one| {
            let device = self.machines.get(&one.slot).map(|machine| machine.device.to_string());
            let is_hole = device
                .is_some_and(|device| fault.contains(&format!("the chain of device {device} ")))
                && fault.contains("misses something before place");
            is_hole || fault.contains(&format!("entry {} is missing", one.entry))
        })
    }
}

/// The entries that must be known before one is shown.
fn causes(entry: &SignedEntry) -> Vec<EntryId> {
    let body = entry.body();
    let named = match body.decode_payload() {
        Decoded::Known(payload) => payload.names().to_vec(),
        _ => Vec::new(),
    };
    let chained = entry.frame().prev.into_iter().chain(body.amends);
    chained.chain(body.deps.iter().copied()).chain(named).collect()
}
