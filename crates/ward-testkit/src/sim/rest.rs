//! The end of a schedule: everything heals, devices meet the server when they themselves want to,
//! and then all must be well.

use super::failure::{Checked, Verdict};
use super::schedule::Slot;
use super::steps::summary;
use super::template::SiteStore;
use super::world::World;
use crate::limits::{ADOPT_ALL_EVERY, POLL_MS, REST_MAX_MS};
use std::collections::BTreeMap;
use ward_api::ErrorCode;
use ward_client::limits::{DROP_REPEAT_DOUBLINGS, DROP_REPEAT_MS};
use ward_client::{SyncProblem, SyncReport};
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
        if self.server_set_back && self.oracle.any_revoked() {
            // What was handed over to a server that was set back unseen is handed over again, more and more seldom.
            self.truth.advance_ms(DROP_REPEAT_MS << DROP_REPEAT_DOUBLINGS);
        }
        // It is asked who reads the chart.
        if let Some(client) = self.admin.client.as_mut() {
            let synced = client.sync().await;
            synced.map_err(|error| (Verdict::Broken, format!("the admin cannot sync: {error}")))?;
        }
        self.reopen(true).await?;
        self.come_to_rest(&slots).await?;
        if !self.is_over && self.adopts_all() && self.adopt_what_waits().await? {
            self.come_to_rest(&slots).await?;
        }
        if !self.is_over {
            return self.check_end(&slots).await;
        }
        // What each device confirmed it still holds, though no server goes on with it.
        slots.iter().try_for_each(|slot| self.check_machine(*slot))
    }

    /// Whether staff take over at the end what waits for them.
    pub(super) const fn adopts_all(&self) -> bool {
        self.seed.is_multiple_of(ADOPT_ALL_EVERY)
    }

    /// Every member of staff takes over what waits on their device. Whether there was anything.
    async fn adopt_what_waits(&mut self) -> Checked<bool> {
        let before = self.oracle.confirmed.len();
        for slot in [Slot::Coordinator, Slot::Nurse, Slot::Doctor] {
            if self.is_member(slot) {
                self.sync(slot).await?;
                let number = self.oracle.next_mark();
                self.adopt(slot, number).await?;
                self.sync(slot).await?;
                self.come_round(slot).await?;
            }
        }
        Ok(self.oracle.confirmed.len() > before)
    }

    /// Each device syncs at once, for it has its network again; from then on when its own report
    /// says so, and now and then to look for news. Nobody acts, but an admin for whom a server waits.
    async fn come_to_rest(&mut self, slots: &[Slot]) -> Checked {
        let begin = self.truth.now();
        let mut due: BTreeMap<Slot, TimestampMs> = slots.iter().map(|slot| (*slot, begin)).collect();
        let mut quiet: BTreeMap<Slot, u8> = slots.iter().map(|slot| (*slot, 0)).collect();
        let mut last: BTreeMap<Slot, SyncReport> = BTreeMap::new();
        // Two syncs of each without news: what one device said in the first has reached all in the
        // second.
        while !self.is_over && quiet.values().any(|syncs| *syncs < 2) {
            let Some((slot, at)) = due.iter().map(|(slot, at)| (*slot, *at)).min_by_key(|(_, at)| *at) else {
                return Ok(());
            };
            if at.since_ms(begin) > REST_MAX_MS {
                return Err((Verdict::Stuck, unrest(&last)));
            }
            self.truth.advance_ms(at.since_ms(self.truth.now()).max(0));
            let report = self.sync(slot).await?;
            self.come_round(slot).await?;
            let Some(report) = report else { continue };
            if report.problems.iter().any(awaits_an_admin) {
                self.reopen(true).await?;
                quiet.values_mut().for_each(|syncs| *syncs = 0);
            }
            let wait_ms = report.next_attempt_in_ms.unwrap_or(POLL_MS).min(POLL_MS);
            due.insert(slot, self.truth.now().plus_ms(i64::try_from(wait_ms).unwrap_or(0)));
            let news = report.pushed + report.pulled > 0
                || !report.rotated.is_empty()
                || last.get(&slot).is_none_or(|before| before.mlog_size != report.mlog_size);
            let well = report.is_complete() || !self.is_member(slot);
            if news {
                self.check_machine(slot)?;
            }
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
}

/// Whether a problem says that the server was restored and waits.
fn awaits_an_admin(problem: &SyncProblem) -> bool {
    matches!(problem, SyncProblem::Failed { error, .. }
        if error.is(ErrorCode::AwaitsReopening) || error.is(ErrorCode::MlogRecovering))
}

fn unrest(last: &BTreeMap<Slot, SyncReport>) -> String {
    let mut out = String::from("no rest:");
    for (slot, report) in last {
        out.push_str(&format!(" {} ({});", slot.word(), summary(report)));
    }
    out
}
