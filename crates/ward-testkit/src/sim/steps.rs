//! Doing one step.

use super::failure::{Checked, Verdict};
use super::fault::Fault;
use super::schedule::{Policy, Slot, Step};
use super::template::SiteStore;
use super::world::{Machine, World};
use ward_client::{ClientError, DeviceState, SyncProblem, SyncReport};
use ward_id::PersonId;
use ward_sync::RevokePolicy;

impl<S: SiteStore> World<'_, S> {
    /// Does a step and looks at the machine that it was about.
    pub(super) async fn step(&mut self, step: Step) -> Checked {
        self.tally.steps += 1;
        match step {
            Step::Wait { ms } => self.truth.advance_ms(i64::try_from(ms).unwrap_or(0)),
            Step::Write(slot, entry) => self.write(slot, entry).await?,
            Step::Sync(slot) => {
                self.sync(slot).await?;
            }
            Step::Restart(slot) => self.restart(slot).await?,
            Step::Offline(slot) => self.with_fate(slot, |machine| machine.fate.set_offline(true)),
            Step::Online(slot) => self.with_fate(slot, |machine| machine.fate.set_offline(false)),
            Step::Net(slot, fault, nth) => self.with_fate(slot, |machine| machine.fate.plan_net(fault, nth)),
            Step::Die(slot, point, nth) => {
                self.with_fate(slot, |machine| machine.fate.plan_death(point, nth))
            }
            Step::DiskFull(slot, nth) => self.with_fate(slot, |machine| machine.fate.plan_disk_full(nth)),
            Step::Backup(slot) => self.back_up(slot).await?,
            Step::Restore(slot) => self.restore(slot).await?,
            Step::Copy(slot) => self.copy(slot).await?,
            Step::Clock(slot, ms) => {
                let day_or_year = if ms.abs() > 90_000_000 { Fault::ClockYear } else { Fault::ClockDay };
                if ms != 0 {
                    self.tally.fault(day_or_year);
                }
                self.with_fate(slot, |machine| machine.clock.set_offset_ms(ms));
            }
            Step::Reboot(slot) => {
                self.tally.fault(Fault::Reboot);
                self.with_fate(slot, |machine| machine.clock.reboot());
                self.restart(slot).await?;
            }
            Step::ServerRestart => self.restart_server().await,
            Step::ServerDisk(trouble) => self.trouble_server(trouble),
            Step::ServerHeals => self.heal_server().await,
            Step::ServerBackup => self.back_up_server().await?,
            Step::ServerRollback => self.roll_server_back().await?,
            Step::ServerReopen => self.restore_server().await?,
            Step::Reopen => self.reopen(false).await?,
            Step::Revoke(slot, policy) => self.revoke(slot, policy).await?,
            Step::Leave(slot) => self.set_team(slot, false).await?,
            Step::Join(slot) => self.set_team(slot, true).await?,
            // Machines that are off were not begun.
            Step::Off(_) => {}
        }
        let Some(slot) = step.slot() else { return Ok(()) };
        self.come_round(slot).await?;
        self.check_machine(slot)
    }

    fn with_fate(&mut self, slot: Slot, change: impl FnOnce(&mut Machine)) {
        if let Some(machine) = self.machine(slot) {
            change(machine);
        }
    }

    /// A device meets the server.
    pub(super) async fn sync(&mut self, slot: Slot) -> Checked<Option<SyncReport>> {
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(None) };
        let Some(client) = machine.client.as_mut() else { return Ok(None) };
        if client.state() == DeviceState::SetBack {
            self.tally.path("set back");
        }
        match client.sync().await {
            Ok(report) => {
                self.count(&report);
                self.say(|| format!("    {} met the server: {}", slot.word(), summary(&report)));
                Ok(Some(report))
            }
            Err(ClientError::Locked) => Ok(None),
            Err(error) => Err((Verdict::Broken, format!("{} cannot sync: {error}", slot.word()))),
        }
    }

    fn count(&mut self, report: &SyncReport) {
        if !report.rotated.is_empty() {
            self.tally.path("epoch made");
        }
        for problem in &report.problems {
            match problem {
                SyncProblem::Failed { what, error } => {
                    self.tally.path(format!("problem: {what}: {}", error.code()));
                }
                other => self.tally.path(format!("problem: {}", other.name())),
            }
        }
    }

    async fn back_up(&mut self, slot: Slot) -> Checked {
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(()) };
        machine.client = None;
        let copy = machine.disk.copied().await.map_err(|error| (Verdict::Broken, error.to_string()))?;
        machine.backup = Some(copy);
        self.restart(slot).await
    }

    /// The store is older now than the mark outside it. What only the lost part of the store held
    /// is gone, and the oracle writes that down.
    async fn restore(&mut self, slot: Slot) -> Checked {
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(()) };
        let Some(backup) = machine.backup.clone() else { return Ok(()) };
        machine.client = None;
        machine.disk.replace(&backup).await.map_err(|error| (Verdict::Broken, error.to_string()))?;
        self.tally.fault(Fault::Restore);
        self.oracle.set_back(slot);
        self.restart(slot).await?;
        self.forgive_what_the_disk_lost(slot).await
    }

    async fn copy(&mut self, slot: Slot) -> Checked {
        if slot == Slot::Second || self.machines.contains_key(&Slot::Second) {
            return Ok(());
        }
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(()) };
        machine.client = None;
        let rows = machine.disk.copied().await.map_err(|error| (Verdict::Broken, error.to_string()))?;
        self.restart(slot).await?;
        let disk = self.disk(Slot::Second, &rows).await?;
        let truth = self.truth.clone();
        let Some(machine) = self.machines.get(&slot) else { return Ok(()) };
        let second = machine.copy(Slot::Second.word(), truth, disk);
        self.oracle.copied(slot, second.device);
        self.machines.insert(Slot::Second, second);
        self.tally.fault(Fault::Copy);
        self.restart(Slot::Second).await
    }

    /// Staff devices are revoked by an admin, a participant's by the coordinator.
    async fn revoke(&mut self, slot: Slot, policy: Policy) -> Checked {
        let Some(device) = self.machines.get(&slot).map(|machine| machine.device) else { return Ok(()) };
        let by_admin = matches!(slot, Slot::Nurse | Slot::Doctor);
        let (policy, fault) = match policy {
            Policy::Salvage => (RevokePolicy::Salvage, Fault::Salvage),
            Policy::Sever => (RevokePolicy::Sever, Fault::Sever),
        };
        let machine =
            if by_admin { Some(&mut self.admin) } else { self.machines.get_mut(&Slot::Coordinator) };
        let Some(client) = machine.and_then(|machine| machine.client.as_mut()) else { return Ok(()) };
        self.oracle.revoked(device, policy);
        match client.revoke(device, policy, "it was left on a train").await {
            Ok(_) => self.tally.fault(fault),
            // The log may hold it all the same.
            Err(error) => self.tally.path(format!("revoke failed: {}", error.code())),
        }
        self.come_round(Slot::Coordinator).await
    }

    async fn set_team(&mut self, slot: Slot, with: bool) -> Checked {
        let Some(person) = self.machines.get(&slot).map(|machine| machine.person) else { return Ok(()) };
        let everybody = &self.template.team_persons;
        let persons: Vec<PersonId> =
            everybody.iter().copied().filter(|known| with || *known != person).collect();
        let team = self.template.team;
        let Some(client) = self.admin.client.as_mut() else { return Ok(()) };
        match client.set_team(team, &persons).await {
            Ok(_) if !with => self.tally.fault(Fault::Leave),
            Ok(_) => {}
            Err(error) => self.tally.path(format!("team failed: {}", error.code())),
        }
        Ok(())
    }
}

/// What a meeting with the server came to.
pub(super) fn summary(report: &SyncReport) -> String {
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| match problem {
            SyncProblem::Failed { what, error } => format!("{what}: {error}"),
            SyncProblem::BadCheckpoint { fault, .. } => format!("bad-checkpoint: {fault}"),
            other => other.name().to_owned(),
        })
        .collect();
    let SyncReport { unsent, pushed, pulled, relayed, .. } = report;
    format!("unsent {unsent}, pushed {pushed}, pulled {pulled}, relayed {relayed}, {problems:?}")
}

impl Step {
    /// The machine that a step is about.
    const fn slot(&self) -> Option<Slot> {
        match self {
            Self::Write(slot, _)
            | Self::Sync(slot)
            | Self::Restart(slot)
            | Self::Backup(slot)
            | Self::Restore(slot)
            | Self::Copy(slot)
            | Self::Reboot(slot) => Some(*slot),
            _ => None,
        }
    }
}
