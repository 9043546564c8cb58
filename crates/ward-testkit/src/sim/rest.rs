//! The end of a schedule: everything heals, devices meet the server when they themselves want to,
//! and then all must be well.

use super::digest::{Digest, hidden_value};
use super::failure::{Checked, Verdict};
use super::oracle::{AT_SERVER, Confirmed, find};
use super::schedule::Slot;
use super::template::SiteStore;
use super::world::World;
use crate::limits::{AUDIT_EVERY, POLL_MS, REST_MAX_MS, RESTART_EVERY};
use std::collections::BTreeMap;
use ward_client::SyncReport;
use ward_client::export::check_package;
use ward_id::TimestampMs;

impl<S: SiteStore> World<'_, S> {
    /// Heals, waits for rest, and checks everything.
    pub(super) async fn end(&mut self) -> Checked {
        self.heal_server().await;
        let slots: Vec<Slot> = self.machines.keys().copied().collect();
        for slot in &slots {
            if let Some(machine) = self.machine(*slot) {
                machine.fate.heal();
            }
            self.come_round(*slot).await?;
        }
        // It is asked who reads the chart.
        if let Some(client) = self.admin.client.as_mut() {
            let synced = client.sync().await;
            synced.map_err(|error| (Verdict::Broken, format!("the admin cannot sync: {error}")))?;
        }
        self.come_to_rest(&slots).await?;
        self.check_end(&slots).await
    }

    /// Each device syncs at once, for it has its network again; from then on when its own report
    /// says so, and now and then to look for news. Nobody acts.
    async fn come_to_rest(&mut self, slots: &[Slot]) -> Checked {
        let begin = self.truth.now();
        let mut due: BTreeMap<Slot, TimestampMs> = slots.iter().map(|slot| (*slot, begin)).collect();
        let mut quiet: BTreeMap<Slot, u8> = slots.iter().map(|slot| (*slot, 0)).collect();
        let mut last: BTreeMap<Slot, SyncReport> = BTreeMap::new();
        // Two syncs of each without news: what one device said in the first has reached all in the
        // second.
        while quiet.values().any(|syncs| *syncs < 2) {
            let Some((slot, at)) = due.iter().map(|(slot, at)| (*slot, *at)).min_by_key(|(_, at)| *at) else {
                return Ok(());
            };
            if at.since_ms(begin) > REST_MAX_MS {
                return Err((Verdict::Stuck, unrest(&last)));
            }
            self.truth.advance_ms(at.since_ms(self.truth.now()).max(0));
            let report = self.sync(slot).await?;
            self.come_round(slot).await?;
            self.check_machine(slot)?;
            let Some(report) = report else { continue };
            let wait_ms = report.next_attempt_in_ms.unwrap_or(POLL_MS).min(POLL_MS);
            due.insert(slot, self.truth.now().plus_ms(i64::try_from(wait_ms).unwrap_or(0)));
            let news = report.pushed + report.pulled > 0
                || !report.rotated.is_empty()
                || last.get(&slot).is_none_or(|before| before.mlog_size != report.mlog_size);
            let well = report.is_complete() || !self.is_member(slot);
            if news || !well {
                quiet.values_mut().for_each(|syncs| *syncs = 0);
            } else if let Some(syncs) = quiet.get_mut(&slot) {
                *syncs = syncs.saturating_add(1);
            }
            last.insert(slot, report);
        }
        Ok(())
    }

    /// Whether the membership log says, as the admin computes it, that a machine reads the chart.
    pub(super) fn is_member(&self, slot: Slot) -> bool {
        let device = self.machines.get(&slot).map(|machine| machine.device);
        let membership = self.admin.client.as_ref().and_then(|client| client.membership().ok());
        device.zip(membership).is_some_and(|(device, log)| log.is_member(self.chart, device))
    }

    async fn check_end(&mut self, slots: &[Slot]) -> Checked {
        let members: Vec<Slot> = slots.iter().copied().filter(|slot| self.is_member(*slot)).collect();
        self.check_lost(&members)?;
        self.check_alike(&members)?;
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
                if view.place(one.entry).is_some() || find(&view, one.number).is_some() {
                    continue;
                }
                if self.waits_at_home(one) {
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

    /// Whether an entry of a device that is no member waits on that device. A severed device shows
    /// nothing, but still says what it holds.
    fn waits_at_home(&self, one: &Confirmed) -> bool {
        let Some(machine) = self.machines.get(&one.slot) else { return false };
        let Some(client) = &machine.client else { return false };
        let may_not_send = !self.is_member(one.slot) || self.oracle.was_revoked(machine.device);
        let shown = || client.chart(self.chart).is_ok_and(|view| find(&view, one.number).is_some());
        let held = || {
            let delivery = client.delivery(self.chart);
            delivery.is_ok_and(|known| known.entries.iter().any(|entry| entry.entry == one.entry))
        };
        may_not_send && (shown() || held())
    }

    fn check_alike(&mut self, members: &[Slot]) -> Checked {
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
                    if let Some(what) = hidden_value(&view) {
                        return Err((Verdict::SilentWinner, what));
                    }
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
                    if accounting.parked > 0 {
                        let what = format!("{} entries wait for others at rest", accounting.parked);
                        return Err((Verdict::Lost, what));
                    }
                    first = Some((*member, digest));
                }
            }
        }
        Ok(())
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
        if !check.holds() {
            return Err((Verdict::Audit, format!("an inspector finds {:?}", check.faults)));
        }
        self.tally.path("an inspector found no fault");
        Ok(())
    }
}

fn unrest(last: &BTreeMap<Slot, SyncReport>) -> String {
    let mut out = String::from("no rest:");
    for (slot, report) in last {
        let problems: Vec<String> = report
            .problems
            .iter()
            .map(|problem| match problem {
                ward_client::SyncProblem::Failed { what, error } => format!("{what}: {error}"),
                other => other.name().to_owned(),
            })
            .collect();
        out.push_str(&format!(
            " {} (unsent {}, pushed {}, pulled {}, {problems:?});",
            slot.word(),
            report.unsent,
            report.pushed,
            report.pulled
        ));
    }
    out
}
