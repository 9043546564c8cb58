//! What happens to the server: it ends, its disk fails, an operator starts it on a backup.

use super::failure::{Checked, Verdict};
use super::fault::Fault;
use super::schedule::{DiskTrouble, Slot};
use super::template::SiteStore;
use super::world::{Machine, World};
use crate::limits::{REOPEN_ROUNDS, RESTORE_TAKES_MS};
use ward_id::DeviceId;
use ward_store::StoreError;
use ward_sync::MlogEntry;

fn broken(error: StoreError) -> (Verdict, String) {
    (Verdict::Broken, error.to_string())
}

impl<S: SiteStore> World<'_, S> {
    pub(super) async fn restart_server(&mut self) {
        let store = self.server.store.clone();
        match self.server.move_to(store).await {
            Ok(()) => self.tally.fault(Fault::ServerRestart),
            // Its disk is full: the operator leaves it as it is.
            Err(_) => self.tally.path("server did not start"),
        }
    }

    pub(super) fn trouble_server(&mut self, trouble: DiskTrouble) {
        let (error, fault) = match trouble {
            DiskTrouble::Full => (StoreError::StorageFull, Fault::ServerFull),
            DiskTrouble::ReadOnly => {
                (StoreError::Stopped { why: "the disk cannot be written".to_owned() }, Fault::ServerReadOnly)
            }
        };
        if self.server.store.fail_writes(Some(error)) {
            self.server_in_trouble = true;
            self.tally.fault(fault);
        }
    }

    /// Makes room, and starts a server anew that had ended writing.
    pub(super) async fn heal_server(&mut self) {
        if std::mem::take(&mut self.server_in_trouble) {
            self.server.store.fail_writes(None);
            self.restart_server().await;
        }
    }

    /// Nobody keeps a backup of a server that waits for what it lost.
    pub(super) async fn back_up_server(&mut self) -> Checked {
        if self.waits_after_restore().await? {
            return Ok(());
        }
        self.server_backup = Some(self.server.store.copied().await.map_err(broken)?);
        Ok(())
    }

    /// The operator starts the server on a backup as it is. Where witnesses know more than it holds, it
    /// must not start. Where only entries are missing that no witness had cosigned, it does, and nobody
    /// can know: devices find out by their receipts.
    pub(super) async fn roll_server_back(&mut self) -> Checked {
        let Some(backup) = self.server_backup.clone() else { return Ok(()) };
        // Nobody restores onto a disk that fails.
        self.heal_server().await;
        self.tally.fault(Fault::ServerRollback);
        self.truth.advance_ms(RESTORE_TAKES_MS);
        let copy = backup.copied().await.map_err(broken)?;
        let before = self.server.store.olog_size().await.map_err(broken)?;
        if self.server.move_to(copy).await.is_err() {
            self.tally.path("server refused a backup");
            return Ok(());
        }
        self.server_set_back = true;
        let after = self.server.store.olog_size().await.map_err(broken)?;
        if after == before {
            self.tally.path("server runs on a backup that lacks nothing");
            return Ok(());
        }
        self.tally.path("server started on a backup that lacks what no witness had cosigned");
        self.server_losses += 1;
        self.forgive_what_the_server_lost().await
    }

    /// The operator restores a backup for good, whatever is missing in it.
    pub(super) async fn restore_server(&mut self) -> Checked {
        let Some(backup) = self.server_backup.clone() else { return Ok(()) };
        self.heal_server().await;
        self.tally.fault(Fault::ServerReopen);
        self.truth.advance_ms(RESTORE_TAKES_MS);
        let copy = backup.copied().await.map_err(broken)?;
        self.note_lost_acts(&copy).await?;
        match self.server.restore_to(copy).await {
            Ok(true) => self.tally.path("server was restored and waits for what is missing"),
            Ok(false) => self.tally.path("server was restored and nothing is missing"),
            Err(error) => {
                let what = format!("a restored server does not start: {error}");
                return Err((Verdict::Broken, what));
            }
        }
        self.server_losses += 1;
        self.forgive_what_the_server_lost().await
    }

    /// The entries of the membership log that a backup lacks.
    async fn note_lost_acts(&mut self, backup: &S) -> Checked {
        let from = backup.mlog_size().await.map_err(broken)?;
        let to = self.server.store.mlog_size().await.map_err(broken)?;
        let lost = self.server.store.mlog_entries(from, to.max(from)).await.map_err(broken)?;
        self.lost_acts.extend((from..).zip(lost.into_iter().map(|entry| entry.bytes)));
        Ok(())
    }

    /// Whether the server says that it waits after a restore.
    async fn waits_after_restore(&self) -> Checked<bool> {
        let said = self.says_why_not_ready().await?;
        Ok(said.contains("WARD-5041") || said.contains("WARD-5040"))
    }

    /// What a server that is not ready says; nothing when it is.
    async fn says_why_not_ready(&self) -> Checked<String> {
        let ready = self.server.transport.request("GET", "/readyz", Vec::new(), Vec::new()).await;
        let ready = ready.map_err(|error| (Verdict::Broken, error.to_string()))?;
        Ok(if ready.status == 503 {
            String::from_utf8_lossy(&ready.body).into_owned()
        } else {
            String::new()
        })
    }

    /// An admin lets the log go on, if the server waits for that. At the end of a schedule everybody
    /// meets the server before, until nothing is missing of the membership log.
    pub(super) async fn reopen(&mut self, at_end: bool) -> Checked {
        let rounds = if at_end { REOPEN_ROUNDS } else { 1 };
        for round in 1..=rounds {
            if !self.waits_after_restore().await? {
                return Ok(());
            }
            if self.server_losses == 0 {
                return Err((Verdict::Broken, "the server waits after no restore".to_owned()));
            }
            let slots: Vec<Slot> = if at_end { self.machines.keys().copied().collect() } else { Vec::new() };
            for slot in slots {
                self.sync(slot).await?;
                self.come_round(slot).await?;
            }
            self.admin_reopens(at_end && round * 2 > rounds).await?;
        }
        if at_end && self.waits_after_restore().await? {
            if self.lacks_what_nobody_holds().await? {
                self.is_over = true;
                return Ok(());
            }
            return Err((Verdict::Stuck, "nobody can let the operation log go on".to_owned()));
        }
        Ok(())
    }

    /// Whether no machine can give back the next entry that the server lacks of its membership log, and the
    /// store of a device that had handed it in was set back like the server.
    async fn lacks_what_nobody_holds(&mut self) -> Checked<bool> {
        if !self.says_why_not_ready().await?.contains("WARD-5040") {
            return Ok(false);
        }
        let next = self.server.store.mlog_size().await.map_err(broken)?;
        let Some(lost) = self.lost_acts.get(&next) else { return Ok(false) };
        let signed_by = |device: DeviceId| {
            let entry = MlogEntry::read(lost).ok();
            entry.is_some_and(|entry| entry.signatures().iter().any(|it| it.signer.as_device() == device))
        };
        let mut machines = self.machines.iter();
        let forgot =
            machines.any(|(slot, machine)| self.oracle.was_set_back(*slot) && signed_by(machine.device));
        let can_give_back = |machine: &Machine| {
            let client = machine.client.as_ref();
            client.is_some_and(|client| client.can_give_back(lost).is_ok_and(|can| can))
        };
        let is_gone = forgot && !self.machines.values().chain([&self.admin]).any(can_give_back);
        if is_gone {
            self.tally.path("membership entry lost with its author's store and the server");
        }
        Ok(is_gone)
    }

    /// The admin signs, if the newest head that anybody brought reaches the end; in the end even if not.
    async fn admin_reopens(&mut self, insists: bool) -> Checked {
        let Some(client) = self.admin.client.as_mut() else { return Ok(()) };
        let synced = client.sync().await;
        synced.map_err(|error| (Verdict::Broken, format!("the admin cannot sync: {error}")))?;
        let pending = match client.pending_reopening().await {
            Ok(pending) if pending.reaches_the_end() || insists => pending,
            Ok(_) => {
                self.tally.path("the admin waits for a newer head of the old log");
                return Ok(());
            }
            Err(error) => {
                self.tally.path(format!("nothing to reopen yet: {}", error.code()));
                return Ok(());
            }
        };
        match client.reopen_olog(&pending, "the disk broke").await {
            Ok(_) => self.tally.path("the operation log was opened again"),
            Err(error) => self.tally.path(format!("reopening failed: {}", error.code())),
        }
        Ok(())
    }
}
