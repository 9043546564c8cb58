//! Losses that are planted: what the simulator looks for must be found when it is there.

use super::digest::Digest;
use super::failure::Verdict;
use super::schedule::{Entry, Schedule, Slot, Step};
use super::second_rule::{hidden_in, hidden_value, shown};
use super::template::Template;
use super::world::{Rows, World};
use ward_id::EntryId;
use ward_store::MemoryStore;
use ward_sync::{Note, Place};

type SimWorld<'a> = World<'a, MemoryStore>;

async fn world(template: &Template) -> SimWorld<'_> {
    let schedule = Schedule { seed: 1, steps: Vec::new() };
    World::new(template, &schedule, Rows::Memory).await.unwrap()
}

async fn steps(world: &mut SimWorld<'_>, text: &str) {
    let schedule: Schedule = format!("ward schedule 1\nseed 1\n{text}").parse().unwrap();
    for step in schedule.steps {
        world.step(step).await.unwrap();
    }
}

fn all(world: &SimWorld<'_>) -> Vec<Slot> {
    world.machines.keys().copied().collect()
}

fn verdict(done: Result<(), (Verdict, String)>) -> Option<Verdict> {
    done.err().map(|(verdict, _)| verdict)
}

/// A disk that says that it keeps what it does not keep.
async fn a_confirmed_entry_that_its_device_forgets(template: &Template) {
    let mut world = world(template).await;
    let before = world.machine(Slot::Phone).unwrap().disk.copied().await.unwrap();
    steps(&mut world, "write phone note").await;
    assert_eq!(verdict(world.check_machine(Slot::Phone)), None);
    world.machine(Slot::Phone).unwrap().disk.replace(&before).await.unwrap();
    world.restart(Slot::Phone).await.unwrap();
    assert_eq!(verdict(world.check_machine(Slot::Phone)), Some(Verdict::Lost));
}

/// A server that loses what it acknowledged, and with it the only other copy.
async fn an_acknowledged_entry_that_the_server_forgets(template: &Template) {
    let mut world = world(template).await;
    let device = world.machine(Slot::Phone).unwrap().disk.copied().await.unwrap();
    let server = world.server.store.snapshot().unwrap();
    steps(&mut world, "write phone note\nsync phone").await;
    world.server.move_to(server).await.unwrap();
    world.machine(Slot::Phone).unwrap().disk.replace(&device).await.unwrap();
    world.restart(Slot::Phone).await.unwrap();
    assert_eq!(verdict(world.end().await), Some(Verdict::Lost));
}

/// A server that lost something though no operator restored it.
async fn a_server_that_waits_without_a_restore(template: &Template) {
    let mut world = world(template).await;
    let server = world.server.store.snapshot().unwrap();
    steps(&mut world, "write phone note\nsync phone").await;
    world.server.move_to(server).await.unwrap();
    assert_eq!(verdict(world.end().await), Some(Verdict::Broken));
}

/// A member to whom an entry is never shown.
async fn an_entry_that_one_member_does_not_see(template: &Template) {
    let mut world = world(template).await;
    let chart = world.chart;
    let client = world.machine(Slot::Phone).unwrap().client.as_mut().unwrap();
    let note = Note { text: "nobody counts this one".to_owned(), supersedes: Vec::new() };
    client.capture(chart, note).await.unwrap();
    steps(&mut world, "sync phone\nsync doctor").await;
    let slots = all(&world);
    assert_eq!(verdict(world.check_end(&slots).await), Some(Verdict::Diverged));
    steps(&mut world, "write doctor note\nsync doctor").await;
    assert_eq!(verdict(world.check_end(&slots).await), Some(Verdict::Lost));
    assert_eq!(verdict(world.end().await), None);
}

/// A decision, a view, a list that drops one of two doses.
async fn a_candidate_that_is_dropped(template: &Template) {
    let mut world = world(template).await;
    steps(&mut world, "write doctor plan\nsync doctor\nsync nurse").await;
    for number in 0..6 {
        let slot = if number % 2 == 0 { Slot::Doctor } else { Slot::Nurse };
        world.step(Step::Write(slot, Entry::Plan)).await.unwrap();
    }
    steps(&mut world, "sync doctor\nsync nurse\nsync doctor").await;
    let client = world.machines.get(&Slot::Doctor).unwrap().client.as_ref().unwrap();
    let view = client.chart(world.chart).unwrap();
    let open = view.conflicts();
    let open = open.first().expect("two wrote one dose");
    assert_eq!(hidden_value(&view), None);
    let place = |entry: EntryId| view.place(entry);
    let mut fewer = shown(&view);
    let candidates = fewer.get_mut(&open.field).unwrap();
    candidates.pop_first();
    assert!(hidden_in(&view, &fewer, place).is_some(), "a candidate is missing");
    candidates_of_nothing(&view, &fewer);
    let quiet = |entry: EntryId| view.place(entry).map(|_| Place::Visible);
    assert!(hidden_in(&view, &shown(&view), quiet).is_some(), "the conflict is not shown as one");
    // Two members of whom one is not told of the conflict.
    let told = Digest::of(&view);
    assert_eq!(told.difference(&told), None);
    assert!(told.difference(&told.clone().without_facts()).is_some());
}

fn candidates_of_nothing(
    view: &ward_sync::ChartView<'_>,
    fewer: &std::collections::BTreeMap<ward_sync::FieldKey, std::collections::BTreeSet<EntryId>>,
) {
    let mut none = fewer.clone();
    none.clear();
    assert!(hidden_in(view, &none, |entry| view.place(entry)).is_some(), "nothing is shown at all");
}

/// A word that was typed and handed over, and that the text does not have.
async fn a_word_that_the_text_drops(template: &Template) {
    let mut world = world(template).await;
    steps(&mut world, "write nurse text\nsync nurse").await;
    let slots = all(&world);
    assert_eq!(verdict(world.end().await), None);
    let one = world.oracle.confirmed.last().unwrap();
    let (entry, number) = (one.entry, one.number + 1_000);
    world.oracle.confirm(Slot::Nurse, (number, Entry::Text), entry);
    assert_eq!(verdict(world.check_end(&slots).await), Some(Verdict::Lost));
}

/// An attachment that holds another content than was attached.
async fn an_attachment_that_was_exchanged(template: &Template) {
    let mut world = world(template).await;
    steps(&mut world, "write phone attachment\nsync phone").await;
    assert_eq!(verdict(world.end().await), None);
    let slots = all(&world);
    world.oracle.confirmed.last_mut().unwrap().number += 1;
    assert_eq!(verdict(world.check_attachments(&slots).await), Some(Verdict::Lost));
}

/// What staff took over, and what does not count all the same.
async fn an_adoption_without_effect(template: &Template) {
    let mut world = world(template).await;
    steps(&mut world, "write nurse note\nsync nurse").await;
    assert_eq!(verdict(world.end().await), None);
    let carrier = world.oracle.confirmed.last().unwrap().entry;
    world.oracle.adopt(Slot::Nurse, 1_000, (carrier, EntryId::from_bytes([9; 32])));
    let slots = all(&world);
    assert_eq!(verdict(world.check_end(&slots).await), Some(Verdict::Lost));
}

#[tokio::test]
async fn every_planted_loss_is_found() {
    let template = Template::in_memory().await;
    a_confirmed_entry_that_its_device_forgets(&template).await;
    an_acknowledged_entry_that_the_server_forgets(&template).await;
    a_server_that_waits_without_a_restore(&template).await;
    an_entry_that_one_member_does_not_see(&template).await;
    a_candidate_that_is_dropped(&template).await;
    a_word_that_the_text_drops(&template).await;
    an_attachment_that_was_exchanged(&template).await;
    an_adoption_without_effect(&template).await;
}
