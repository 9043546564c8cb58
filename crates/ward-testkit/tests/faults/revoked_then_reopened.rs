//! Rows 14 and 23 together: a device is revoked, and then the server is restored from a backup.
//!
//! What the backup held below a cosigned head can be proved to everybody for ever. What it lacked can be
//! proved to nobody, so it stands for nobody, whoever had proved it before: staff take it over, or it is
//! refused with the device.

use crate::drop_scene::{everything, site_with, synced};
use crate::reopened::{lead, reopen};
use crate::scene::{capture, texts, until_quiet};
use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_store::MemoryStore;
use ward_sync::{Place, QuarantineReason, RevokePolicy, TextId};
use ward_testkit::{Site, TestDevice};

/// A site whose phone was revoked after the backup, restored from that backup; whose log goes on.
struct Scene {
    site: Site,
    phone: TestDevice,
    staff: Vec<TestDevice>,
    chart: ChartId,
}

impl Scene {
    fn everybody(&mut self) -> Vec<&mut TestDevice> {
        self.staff.iter_mut().chain([&mut self.site.coordinator]).collect()
    }

    /// Everybody meets the server twice: what one said in the first meeting has reached all in the second.
    async fn meet(&mut self) {
        for _ in 0..2 {
            for device in self.everybody() {
                synced(device).await;
            }
            for admin in &mut self.site.admins {
                synced(admin).await;
            }
        }
    }

    async fn revoke(&mut self, policy: RevokePolicy) {
        let device = self.phone.device();
        let done = self.site.coordinator.client.revoke(device, policy, "it was lost").await.unwrap();
        assert!(done.is_done());
    }

    async fn restore(&mut self, backup: &MemoryStore) {
        let backup = backup.snapshot().unwrap();
        let back = self.site.server.restored_from(backup).await.unwrap();
        lead(&back, self.staff.iter_mut().chain([&mut self.site.coordinator, &mut self.phone]));
        lead(&back, &mut self.site.admins);
        self.site.server = back;
        self.meet().await;
        reopen(&mut self.site.admins[0]).await;
        until_quiet(&mut self.everybody(), 8).await;
    }

    /// Somebody who was never shown the log that ended.
    async fn hire(&mut self) {
        let name = format!("newcomer {}", self.staff.len());
        let mut newcomer = self.site.device(&name).await;
        newcomer.relay.lead_to(Some(self.site.server.transport.clone()));
        let person = self.site.new_person();
        self.site.enrol_staff_as(&mut newcomer, person, Role::Clinician).await;
        self.site.team_persons.push(person);
        self.site.set_team().await;
        self.staff.push(newcomer);
        for _ in 0..2 {
            self.meet().await;
        }
    }

    /// All charts are the same; gives back where entries stand.
    fn alike(&mut self, entries: &[EntryId]) -> Vec<Option<Place>> {
        let chart = self.chart;
        let everybody = self.everybody();
        let shown: Vec<String> = everybody.iter().map(|device| everything(device, chart)).collect();
        assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "{shown:#?}");
        for device in &everybody {
            assert!(device.client.status().unwrap().stopped_by.is_empty());
        }
        let view = everybody[0].client.chart(chart).unwrap();
        entries.iter().map(|entry| view.place(*entry)).collect()
    }
}

async fn note(device: &mut TestDevice, text: &str) -> EntryId {
    let chart = device.chart();
    device.client.capture(chart, crate::scene::note(text)).await.unwrap()
}

/// The phone wrote one entry before the backup and one after it; everybody proved both.
async fn scene(seed: u64, nurses: usize) -> (Scene, MemoryStore, [EntryId; 2]) {
    let (mut site, mut staff, mut phone) = site_with(seed, nurses).await;
    let chart = phone.chart();
    let kept = note(&mut phone, "before the backup").await;
    for device in staff.iter_mut().chain([&mut phone, &mut site.coordinator]) {
        synced(device).await;
    }
    // A head over it is cosigned when somebody asks for one.
    synced(&mut site.coordinator).await;
    let backup = site.server.store.snapshot().unwrap();
    let lost = note(&mut phone, "after the backup").await;
    synced(&mut phone).await;
    let mut scene = Scene { site, phone, staff, chart };
    scene.meet().await;
    (scene, backup, [kept, lost])
}

async fn revoked_after_the_backup(seed: u64, nurses: usize, policy: RevokePolicy) {
    let (mut scene, backup, entries) = scene(seed, nurses).await;
    scene.revoke(policy).await;
    scene.meet().await;
    let visible = Some(Place::Visible);
    assert_eq!(scene.alike(&entries), [visible, visible], "both were there before the cut-off");
    // A member of staff goes on, and knows both.
    let chart = scene.chart;
    capture(&mut scene.staff[0], chart, &["by a nurse"]).await;
    synced(&mut scene.staff[0]).await;
    scene.meet().await;
    scene.restore(&backup).await;
    scene.hire().await;
    let aside = match policy {
        RevokePolicy::Salvage => QuarantineReason::ToBeAdopted,
        RevokePolicy::Sever => QuarantineReason::Severed,
    };
    assert_eq!(scene.alike(&entries), [visible, Some(Place::Quarantined(aside))]);
    let newcomer = scene.staff.last().unwrap();
    assert_eq!(texts(newcomer, chart), ["before the backup", "by a nurse"]);
    // A restart changes nothing.
    for device in scene.everybody() {
        device.restart().await;
    }
    assert_eq!(scene.alike(&entries), [visible, Some(Place::Quarantined(aside))]);
    if policy == RevokePolicy::Sever {
        return;
    }
    // It waits for staff on every device alike, and whoever looks first takes it over for all.
    scene.staff.last_mut().unwrap().client.adopt(chart, entries[1]).await.unwrap();
    until_quiet(&mut scene.everybody(), 4).await;
    assert_eq!(scene.alike(&entries), [visible, visible]);
}

#[tokio::test]
async fn fault_14_what_a_lost_device_wrote_stands_for_everybody_as_far_as_the_backup_held_it() {
    revoked_after_the_backup(1_461, 1, RevokePolicy::Salvage).await;
}

#[tokio::test]
async fn fault_14_what_a_severed_device_wrote_stands_for_everybody_as_far_as_the_backup_held_it() {
    revoked_after_the_backup(1_462, 4, RevokePolicy::Sever).await;
}

/// Revoked long before the disaster: everything is in the backup, and two more disasters change nothing.
#[tokio::test]
async fn fault_14_a_device_that_was_severed_before_the_backup_keeps_what_it_wrote_for_ever() {
    let (mut scene, _, entries) = scene(1_463, 1).await;
    scene.revoke(RevokePolicy::Sever).await;
    scene.meet().await;
    let chart = scene.chart;
    let visible = Some(Place::Visible);
    for round in 0..3 {
        let backup = scene.site.server.store.snapshot().unwrap();
        capture(&mut scene.staff[0], chart, &[&format!("round {round}")]).await;
        synced(&mut scene.staff[0]).await;
        scene.meet().await;
        scene.restore(&backup).await;
        scene.hire().await;
        assert_eq!(scene.alike(&entries), [visible, visible], "round {round}");
    }
    assert!(scene.site.server.app.olog_origin().ends_with("/4"));
}

/// Words of a device that was severed after the backup lie under words of others.
#[tokio::test]
async fn fault_14_words_on_top_of_words_that_nobody_can_prove_stand_without_them() {
    let (mut scene, backup, _) = scene(1_464, 1).await;
    let chart = scene.chart;
    let document = scene.phone.client.new_text().unwrap();
    write(&mut scene.phone, chart, document, "Pain 9, send more.").await;
    synced(&mut scene.phone).await;
    scene.meet().await;
    scene.revoke(RevokePolicy::Sever).await;
    scene.meet().await;
    write(&mut scene.staff[0], chart, document, "Pain 9, send more. Called at noon.").await;
    synced(&mut scene.staff[0]).await;
    scene.meet().await;
    scene.restore(&backup).await;
    scene.hire().await;
    scene.alike(&[]);
    for device in scene.everybody() {
        assert_eq!(device.client.texts(chart).unwrap()[&document].text(), " Called at noon.");
        assert_eq!(device.client.chart(chart).unwrap().accounting().parked, 0);
    }
}

async fn write(device: &mut TestDevice, chart: ChartId, document: TextId, new: &str) {
    device.client.open_text(chart, document).unwrap();
    device.client.write_text(chart, document, new).await.unwrap();
    device.client.leave_text(chart, document).await.unwrap().unwrap();
}

/// What the server lost and only the revoked phone still holds: it was received, so the phone had no reason
/// to hand it over, until it hears that the log was opened again.
#[tokio::test]
async fn fault_14_what_only_a_lost_device_still_holds_is_handed_over_after_a_restore() {
    let (mut scene, backup, [kept, seen]) = scene(1_465, 1).await;
    let chart = scene.chart;
    synced(&mut scene.phone).await;
    let alone = note(&mut scene.phone, "seen by nobody").await;
    let report = synced(&mut scene.phone).await;
    assert_eq!((report.pushed > 0, report.unsent), (true, 0), "{report:?}");
    scene.revoke(RevokePolicy::Salvage).await;
    scene.restore(&backup).await;
    assert_eq!(scene.alike(&[alone]), [None]);
    let report = synced(&mut scene.phone).await;
    assert!(report.handed_over > 0, "{report:?}");
    let again = synced(&mut scene.phone).await;
    assert_eq!((again.handed_over, again.unsent), (0, report.unsent), "once");
    synced(&mut scene.staff[0]).await;
    let waiting: Vec<EntryId> =
        scene.staff[0].client.waiting_drops(chart).unwrap().iter().map(|drop| drop.entry.id()).collect();
    assert!(waiting.contains(&alone) && !waiting.contains(&kept), "{waiting:?}");
    scene.staff[0].client.adopt_all(chart, scene.phone.device()).await.unwrap();
    until_quiet(&mut scene.everybody(), 4).await;
    let visible = Some(Place::Visible);
    assert_eq!(scene.alike(&[kept, seen, alone]), [visible; 3]);
}

/// The backup is older than a change of the log key. Its heads bear a key that is not the log's any more, and
/// they prove what they cover all the same.
#[tokio::test]
async fn fault_14_a_backup_from_before_a_change_of_the_log_key_keeps_what_a_lost_device_wrote() {
    let (mut scene, backup, entries) = scene(1_466, 1).await;
    scene.site.change_log_key([88; 32]).await;
    scene.meet().await;
    scene.revoke(RevokePolicy::Sever).await;
    scene.meet().await;
    let chart = scene.chart;
    capture(&mut scene.staff[0], chart, &["by a nurse"]).await;
    synced(&mut scene.staff[0]).await;
    scene.meet().await;
    scene.restore(&backup).await;
    scene.hire().await;
    let aside = Some(Place::Quarantined(QuarantineReason::Severed));
    assert_eq!(scene.alike(&entries), [Some(Place::Visible), aside]);
    assert_eq!(texts(scene.staff.last().unwrap(), chart), ["before the backup", "by a nurse"]);
    // The trail still knows where the first log ended, and what was given back since.
    let trail = scene.staff[0].client.read_trail(chart).await.unwrap();
    assert!(trail.entries.iter().any(|line| line.returned.is_some()), "{trail:?}");
}

/// The disk dies right after the change: no head of the operation log bears the new key.
#[tokio::test]
async fn fault_14_a_log_without_a_head_under_its_new_key_is_opened_again() {
    let (mut scene, backup, entries) = scene(1_467, 1).await;
    scene.revoke(RevokePolicy::Sever).await;
    scene.meet().await;
    scene.site.change_log_key([89; 32]).await;
    scene.restore(&backup).await;
    scene.hire().await;
    let aside = Some(Place::Quarantined(QuarantineReason::Severed));
    assert_eq!(scene.alike(&entries), [Some(Place::Visible), aside]);
}
