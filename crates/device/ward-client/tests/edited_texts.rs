//! Texts that several people edit, from the keystroke on one device to the merged text on another,
//! over the real server.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set up its world has failed"
)]

use ward_client::ClientError;
use ward_client::limits::TEXT_IDLE_MS;
use ward_crypto::Role;
use ward_id::ChartId;
use ward_sync::TextId;
use ward_testkit::{Site, TestDevice};
use ward_text::TextRun;
use ward_text::limits::{EDIT_MAX_BYTES, TEXT_RUNS_MAX};

struct Desk {
    site: Site,
    nurse: TestDevice,
    doctor: TestDevice,
    chart: ChartId,
}

/// A nurse and a doctor who read one chart.
async fn desk(seed: u64) -> Desk {
    let mut site = Site::small(seed).await;
    let nurse = site.staff("nurse", Role::Clinician).await;
    let doctor = site.staff("doctor", Role::Investigator).await;
    let patient = site.patient("ada").await;
    let mut desk = Desk { chart: patient.chart(), site, nurse, doctor };
    desk.site.coordinator.sync().await;
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    desk
}

fn text(device: &TestDevice, chart: ChartId, document: TextId) -> String {
    device.client.texts(chart).unwrap()[&document].text()
}

const BASE: &str = "Pain in the left arm.\nNext visit Monday.";

/// A note that the nurse wrote and both have.
async fn shared_note(desk: &mut Desk) -> TextId {
    let note = desk.nurse.client.new_text().unwrap();
    assert_eq!(desk.nurse.client.open_text(desk.chart, note).unwrap(), "");
    desk.nurse.client.write_text(desk.chart, note, BASE).await.unwrap();
    desk.nurse.client.leave_text(desk.chart, note).await.unwrap().unwrap();
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    assert_eq!(text(&desk.doctor, desk.chart, note), BASE);
    note
}

#[tokio::test]
async fn two_who_edited_one_note_offline_see_both_texts_a_mark_and_what_changed_since_signature() {
    let mut desk = desk(11).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    desk.nurse.client.sign_text(chart, note, "seen and agreed").await.unwrap();
    desk.nurse.relay.set_offline(true);
    desk.doctor.relay.set_offline(true);
    for (device, new) in [
        (&mut desk.nurse, "Pain in the upper left arm.\nNext visit Monday."),
        (&mut desk.doctor, "Pain in the left arm and hand.\nNext visit Monday."),
    ] {
        device.client.open_text(chart, note).unwrap();
        device.client.write_text(chart, note, new).await.unwrap();
        device.client.leave_text(chart, note).await.unwrap().unwrap();
        assert_eq!(text(device, chart, note), new);
    }
    for device in [&mut desk.nurse, &mut desk.doctor] {
        device.relay.set_offline(false);
        device.sync().await;
    }
    desk.nurse.sync().await;
    for device in [&desk.nurse, &desk.doctor] {
        let texts = device.client.texts(chart).unwrap();
        let note = &texts[&note];
        assert_eq!(note.text(), "Pain in the upper left arm and hand.\nNext visit Monday.");
        let marks = note.review_marks();
        assert_eq!(marks.iter().map(|mark| (mark.start, mark.end)).collect::<Vec<_>>(), [(0, 36)]);
        let sides = [marks[0].left, marks[0].right].map(|edit| note.author_of(&edit).unwrap().device);
        assert!(sides.contains(&desk.nurse.device()) && sides.contains(&desk.doctor.device()));
        let signatures = note.signatures();
        assert!(signatures[0].changed_since());
        assert_eq!(signatures[0].changes.edits.len(), 2);
        assert_eq!(note.contributors().len(), 2);
        assert_eq!(device.client.chart(chart).unwrap().accounting().in_conflict, 0);
    }
    // The doctor reads both and signs: the mark goes, on every device.
    desk.doctor.client.sign_text(chart, note, "read after the merge").await.unwrap();
    desk.doctor.sync().await;
    desk.nurse.sync().await;
    let texts = desk.nurse.client.texts(chart).unwrap();
    assert!(texts[&note].review_marks().is_empty());
    let changed: Vec<bool> = texts[&note].signatures().iter().map(|signed| signed.changed_since()).collect();
    assert_eq!(changed, [true, false]);
}

#[tokio::test]
async fn a_burst_survives_a_crash_and_is_handed_over_after_two_seconds_of_silence() {
    let mut desk = desk(12).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let client = &mut desk.nurse.client;
    client.open_text(chart, note).unwrap();
    let typed = format!("{BASE} Bring the diary.");
    client.write_text(chart, note, &typed).await.unwrap();
    assert!(client.hand_over_idle_texts().await.unwrap().is_empty(), "they may go on typing");
    assert_eq!(text(&desk.nurse, chart, note), BASE);

    desk.nurse.restart().await;
    let client = &mut desk.nurse.client;
    assert_eq!(client.unfinished_texts(), [(chart, note)]);
    assert_eq!(client.open_text(chart, note).unwrap(), typed);
    // They go on where they were, and pause.
    let typed = format!("{typed} And the pills.");
    client.write_text(chart, note, &typed).await.unwrap();
    assert!(client.hand_over_idle_texts().await.unwrap().is_empty());
    desk.site.clock.advance_ms(TEXT_IDLE_MS as i64 - 1);
    assert!(client.hand_over_idle_texts().await.unwrap().is_empty());
    desk.site.clock.advance_ms(1);
    assert_eq!(client.hand_over_idle_texts().await.unwrap().len(), 1);
    assert!(client.unfinished_texts().is_empty());
    assert_eq!(text(&desk.nurse, chart, note), typed);
    // One burst, one entry: nothing is left to be handed over twice.
    assert_eq!(desk.nurse.client.leave_text(chart, note).await.unwrap(), None);
    desk.nurse.restart().await;
    assert!(desk.nurse.client.unfinished_texts().is_empty());
    assert_eq!(desk.nurse.client.texts(chart).unwrap()[&note].bursts().len(), 2);
}

#[tokio::test]
async fn what_arrives_while_a_person_types_does_not_move_their_words() {
    let mut desk = desk(13).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    desk.nurse.client.open_text(chart, note).unwrap();
    let at = "Pain in the left arm".chars().count() as u32;
    let step = |text| [TextRun::Insert { at, text }];
    desk.nurse.client.edit_text(chart, note, &step(" at night")).await.unwrap();
    // The doctor rewrites the beginning, and it arrives before the nurse pauses.
    desk.doctor.client.write_text(chart, note, &format!("Seen today. {BASE}")).await.unwrap();
    desk.doctor.client.leave_text(chart, note).await.unwrap();
    desk.doctor.sync().await;
    desk.nurse.sync().await;
    let seen = desk.nurse.client.open_text(chart, note).unwrap();
    assert!(seen.starts_with("Pain in the left arm at night."), "{seen}");
    desk.nurse.client.edit_text(chart, note, &step(" often")).await.unwrap();
    desk.nurse.client.leave_text(chart, note).await.unwrap();
    let merged = "Seen today. Pain in the left arm often at night.\nNext visit Monday.";
    assert_eq!(text(&desk.nurse, chart, note), merged);
    assert_eq!(desk.nurse.client.open_text(chart, note).unwrap(), merged);
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    assert_eq!(text(&desk.doctor, chart, note), merged);
}

#[tokio::test]
async fn full_bursts_are_handed_over_and_a_long_paste_becomes_several() {
    let mut desk = desk(14).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let client = &mut desk.nurse.client;
    client.open_text(chart, note).unwrap();
    let runs: Vec<TextRun<'_>> =
        (0..TEXT_RUNS_MAX as u32).map(|run| TextRun::Insert { at: run % 2 * 20, text: "x" }).collect();
    assert_eq!(client.edit_text(chart, note, &runs[1..]).await.unwrap(), None);
    assert!(client.edit_text(chart, note, &runs[..1]).await.unwrap().is_some(), "64 runs are a burst");
    assert!(client.unfinished_texts().is_empty());
    let outside = [TextRun::Delete { at: 0, count: 10_000 }];
    assert!(matches!(client.edit_text(chart, note, &outside).await, Err(ClientError::NotAllowed(_))));
    let long = "\u{fc}".repeat(EDIT_MAX_BYTES);
    client.write_text(chart, note, &long).await.unwrap();
    client.leave_text(chart, note).await.unwrap();
    assert_eq!(text(&desk.nurse, chart, note), long);
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    assert_eq!(text(&desk.doctor, chart, note), long);
    let too_long = "x".repeat(1_000_001);
    assert!(matches!(
        desk.nurse.client.write_text(chart, note, &too_long).await,
        Err(ClientError::NotAllowed(_))
    ));
}

/// A burst that names an own entry which nobody else will ever see: after a restored backup that
/// entry is written again, and the burst follows it.
#[tokio::test]
async fn a_burst_follows_an_entry_that_is_written_again_after_a_restored_backup() {
    let mut desk = desk(15).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    desk.nurse.relay.set_offline(true);
    let client = &mut desk.nurse.client;
    client.open_text(chart, note).unwrap();
    client.write_text(chart, note, &format!("{BASE} One.")).await.unwrap();
    client.leave_text(chart, note).await.unwrap().unwrap();
    client.open_text(chart, note).unwrap();
    client.write_text(chart, note, &format!("{BASE} One. Two.")).await.unwrap();
    let backup = desk.nurse.rows.snapshot();
    desk.nurse
        .client
        .capture(chart, ward_sync::Note { text: "lost".into(), supersedes: vec![] })
        .await
        .unwrap();
    desk.nurse.restart_with(&backup).await;
    desk.nurse.relay.set_offline(false);
    desk.nurse.client.sync().await.unwrap();
    desk.nurse.sync().await;
    assert_eq!(desk.nurse.client.open_text(chart, note).unwrap(), format!("{BASE} One. Two."));
    assert_eq!(desk.nurse.client.hand_over_idle_texts().await.unwrap().len(), 1);
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    assert_eq!(text(&desk.doctor, chart, note), format!("{BASE} One. Two."));
}

/// A backup from the middle of a burst that was handed over afterwards: the words stand once.
#[tokio::test]
async fn a_burst_from_a_backup_is_not_handed_over_twice() {
    let mut desk = desk(16).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let client = &mut desk.nurse.client;
    client.open_text(chart, note).unwrap();
    client.write_text(chart, note, &format!("{BASE} One.")).await.unwrap();
    let backup = desk.nurse.rows.snapshot();
    let client = &mut desk.nurse.client;
    client.write_text(chart, note, &format!("{BASE} One. Two.")).await.unwrap();
    client.leave_text(chart, note).await.unwrap().unwrap();
    desk.nurse.sync().await;
    desk.nurse.restart_with(&backup).await;
    desk.nurse.client.sync().await.unwrap();
    desk.nurse.sync().await;
    assert!(desk.nurse.client.hand_over_idle_texts().await.unwrap().is_empty());
    assert!(desk.nurse.client.unfinished_texts().is_empty());
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    for device in [&desk.nurse, &desk.doctor] {
        assert_eq!(text(device, chart, note), format!("{BASE} One. Two."));
    }
}

/// The store takes nothing at the moment at which a burst is full.
#[tokio::test]
async fn a_field_and_what_is_kept_of_it_stay_one_when_the_store_is_full() {
    let mut desk = desk(31).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    desk.nurse.client.open_text(chart, note).unwrap();
    let letter = |_| TextRun::Insert { at: 0, text: "a" };
    let runs: Vec<TextRun<'_>> = (1..TEXT_RUNS_MAX).map(letter).collect();
    desk.nurse.client.edit_text(chart, note, &runs).await.unwrap();
    desk.nurse.rows.full_at_commit(1);
    let field = format!("{}{BASE}", "a".repeat(TEXT_RUNS_MAX));
    let full = desk.nurse.client.write_text(chart, note, &format!("b{}", &field[1..])).await;
    assert!(full.is_err(), "the person is told");
    desk.nurse.rows.heal();
    // They type on. What the field says is what is written, no letter twice.
    let field = format!("b{} And the hand.", &field[1..]);
    desk.nurse.client.write_text(chart, note, &field).await.unwrap();
    desk.nurse.client.leave_text(chart, note).await.unwrap();
    assert_eq!(text(&desk.nurse, chart, note), field);
    desk.nurse.sync().await;
    desk.doctor.sync().await;
    assert_eq!(text(&desk.doctor, chart, note), field);
}

/// A pasted text is handed over in pieces, and the store is full behind the first of them.
#[tokio::test]
async fn a_pasted_text_is_not_doubled_when_the_store_is_full_between_its_pieces() {
    let mut desk = desk(32).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let pasted: String = ('a'..='z').cycle().take(3 * EDIT_MAX_BYTES).collect();
    for commit in 1..=3 {
        desk.nurse.client.open_text(chart, note).unwrap();
        desk.nurse.rows.full_at_commit(commit);
        let refused = desk.nurse.client.write_text(chart, note, &pasted).await;
        assert!(refused.is_err(), "at commit {commit}");
        desk.nurse.rows.heal();
        desk.nurse.client.write_text(chart, note, &pasted).await.unwrap();
        desk.nurse.client.leave_text(chart, note).await.unwrap();
        assert!(text(&desk.nurse, chart, note) == pasted, "at commit {commit}");
        desk.nurse.client.write_text(chart, note, BASE).await.unwrap();
        desk.nurse.client.leave_text(chart, note).await.unwrap();
        assert_eq!(text(&desk.nurse, chart, note), BASE);
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_handed_over_keeps_no_other_one_back() {
    let mut desk = desk(33).await;
    let other = desk.site.patient("bob").await.chart();
    desk.site.coordinator.sync().await;
    desk.nurse.sync().await;
    let (left, stays) = (desk.chart.min(other), desk.chart.max(other));
    let mut notes = Vec::new();
    for chart in [left, stays] {
        let note = desk.nurse.client.new_text().unwrap();
        desk.nurse.client.open_text(chart, note).unwrap();
        desk.nurse.client.write_text(chart, note, BASE).await.unwrap();
        notes.push(note);
    }
    let person = desk.nurse.person();
    desk.doctor.sync().await;
    desk.doctor.client.space_member(left, person, false).await.unwrap();
    desk.nurse.client.sync().await.unwrap();
    desk.site.clock.advance_ms(TEXT_IDLE_MS as i64);
    let idle = desk.nurse.client.hand_over_idle_texts().await;
    assert!(matches!(idle, Err(ClientError::UnknownChart(chart)) if chart == left), "{idle:?}");
    assert_eq!(desk.nurse.client.unfinished_texts(), [(left, notes[0])], "what was typed there still waits");
    assert_eq!(text(&desk.nurse, stays, notes[1]), BASE);
}

/// A copy of the store, on which the same person typed other words in the version in which they wrote
/// here.
#[tokio::test]
async fn words_typed_on_a_copy_in_the_same_version_are_not_taken_for_those_that_stand() {
    let mut desk = desk(34).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let mut copy = desk.nurse.cloned().await;
    desk.nurse.client.write_text(chart, note, &format!("{BASE} On the phone.")).await.unwrap();
    desk.nurse.client.leave_text(chart, note).await.unwrap().unwrap();
    desk.nurse.sync().await;
    copy.client.write_text(chart, note, &format!("On the copy. {BASE}")).await.unwrap();
    copy.restart().await;
    copy.client.sync().await.unwrap();
    let seen = copy.client.open_text(chart, note).unwrap();
    assert_eq!(seen, format!("On the copy. {BASE}"), "the person still has their words before them");
    copy.client.leave_text(chart, note).await.unwrap().unwrap();
    for _ in 0..3 {
        copy.client.sync().await.unwrap();
    }
    desk.doctor.client.sync().await.unwrap();
    let both = format!("On the copy. {BASE} On the phone.");
    assert_eq!(text(&copy, chart, note), both);
    assert_eq!(text(&desk.doctor, chart, note), both);
}

/// The burst was handed over, and the store is set back to a time before that; or a copy of that time goes
/// on typing.
#[tokio::test]
async fn words_that_stand_are_not_written_again_by_a_store_that_was_set_back_or_copied() {
    let mut desk = desk(35).await;
    let chart = desk.chart;
    let note = shared_note(&mut desk).await;
    let first = format!("{BASE} Bring the diary.");
    desk.nurse.client.write_text(chart, note, &first).await.unwrap();
    let backup = desk.nurse.rows.snapshot();
    let mut copy = desk.nurse.cloned().await;
    desk.nurse.client.leave_text(chart, note).await.unwrap().unwrap();
    desk.nurse.sync().await;

    let more = format!("{first} And the pills.");
    assert_eq!(copy.client.open_text(chart, note).unwrap(), first);
    copy.client.write_text(chart, note, &more).await.unwrap();
    copy.client.sync().await.unwrap();
    copy.client.leave_text(chart, note).await.unwrap().unwrap();
    assert_eq!(text(&copy, chart, note), more, "only the rest was written");

    desk.nurse.restart_with(&backup).await;
    assert_eq!(desk.nurse.client.open_text(chart, note).unwrap(), first);
    let early = desk.nurse.client.write_text(chart, note, &more).await;
    assert_eq!(early, Err(ClientError::StoreSetBack), "nobody knows yet what stands");
    desk.nurse.client.sync().await.unwrap();
    assert_eq!(desk.nurse.client.open_text(chart, note).unwrap(), first);
    desk.nurse.client.write_text(chart, note, &more).await.unwrap();
    desk.nurse.client.leave_text(chart, note).await.unwrap().unwrap();
    assert_eq!(text(&desk.nurse, chart, note), more);
}
