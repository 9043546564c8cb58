//! A person writes. What is confirmed to them is remembered.

use super::attachments::content;
use super::entries::{draft, mark};
use super::failure::{Checked, Verdict};
use super::generate::Dice;
use super::oracle::Oracle;
use super::schedule::{Entry, Slot};
use super::template::SiteStore;
use super::texts::{DOCUMENT, typing};
use super::world::{SimClient, World};
use std::collections::BTreeSet;
use ward_client::ClientError;
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, EntryId, PersonId, TimestampMs};
use ward_sync::{ChartView, Resolve, SignedEntry, Thread, Value, may_resolve};
use ward_text::TextRun;

/// Who writes, what, and when.
#[derive(Clone, Copy)]
struct Writer {
    role: Role,
    person: PersonId,
    chart: ChartId,
    number: u64,
    now: TimestampMs,
}

impl<S: SiteStore> World<'_, S> {
    /// Somebody writes. What is confirmed to them is remembered.
    pub(super) async fn write(&mut self, slot: Slot, entry: Entry) -> Checked {
        let (chart, number, now) = (self.chart, self.oracle.next_mark(), self.truth.now());
        let Some(machine) = self.machines.get_mut(&slot) else { return Ok(()) };
        let writer = Writer { role: machine.role, person: machine.person, chart, number, now };
        let Some(client) = machine.client.as_mut() else { return Ok(()) };
        let written = match entry {
            Entry::Text | Entry::TextCut => {
                let cut = entry == Entry::TextCut;
                writer.types(client, cut, (&mut self.dice, &mut self.oracle)).await
            }
            Entry::TextSign if knows_text(client, chart) => {
                client.sign_text(chart, DOCUMENT, mark(number)).await
            }
            Entry::Attachment => {
                let content = content(number);
                client.attach(chart, content.as_slice(), "image/png", &mark(number)).await
            }
            Entry::Checkpoint => match client.write_checkpoint(chart).await {
                // It is about what others wrote, and is not carried on if the store is set back.
                Ok(Some(_)) => {
                    self.tally.path("checkpoint written");
                    return Ok(());
                }
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            },
            Entry::Adopt if writer.role.is_staff() => {
                return self.adopt(slot, number).await;
            }
            Entry::Decline if writer.role.is_staff() => match waiting(client, chart).first().copied() {
                Some((_, inner)) => {
                    // Even if the call fails, it may be written.
                    self.oracle.decline(inner);
                    client.decline(chart, inner, &mark(number)).await
                }
                None => writer.writes(client, Entry::Note, &mut self.dice).await,
            },
            _ => writer.writes(client, entry, &mut self.dice).await,
        };
        match written {
            Ok(id) => {
                self.tally.entries += 1;
                self.oracle.confirm(slot, (number, entry), id);
            }
            Err(ClientError::Unknown(NOTHING_WRITTEN)) => {
                let what = format!("what {} typed gave no entry", slot.word());
                return Err((Verdict::Lost, what));
            }
            Err(error) => self.tally.path(format!("write refused: {}", error.code())),
        }
        Ok(())
    }
}

/// Entries that wait for adoption, with their devices.
fn waiting(client: &SimClient, chart: ChartId) -> Vec<(DeviceId, EntryId)> {
    let of = |entry: &SignedEntry| (entry.frame().device, entry.id());
    let drops = client.waiting_drops(chart).unwrap_or_default();
    let mut all: Vec<_> = drops.into_iter().map(|drop| of(&drop.entry)).collect();
    if let Ok(view) = client.chart(chart) {
        let declined = view.declined();
        let sent = view.to_adopt().map(|item| of(item.entry));
        all.extend(sent.filter(|(_, entry)| !declined.contains(entry)));
    }
    all
}

impl<S: SiteStore> World<'_, S> {
    /// Staff take over everything that waits on a machine.
    pub(super) async fn adopt(&mut self, slot: Slot, number: u64) -> Checked {
        let chart = self.chart;
        let Some(client) = self.machines.get_mut(&slot).and_then(|machine| machine.client.as_mut()) else {
            return Ok(());
        };
        let waiting = waiting(client, chart);
        let devices: BTreeSet<DeviceId> = waiting.iter().map(|(device, _)| *device).collect();
        for device in devices {
            let carries = match client.adopt_all(chart, device).await {
                Ok(carries) => carries,
                Err(error) => {
                    self.tally.path(format!("adoption refused: {}", error.code()));
                    continue;
                }
            };
            let Ok(view) = client.chart(chart) else { continue };
            for (_, inner) in waiting.iter().filter(|(of, _)| *of == device) {
                let item = view.timeline().iter().find(|item| item.entry.id() == *inner);
                let carrier = item.and_then(|item| item.carried_by);
                if let Some(carrier) = carrier.filter(|carrier| carries.contains(carrier)) {
                    self.tally.entries += 1;
                    self.tally.path("adopted");
                    self.oracle.adopt(slot, number, (carrier, *inner));
                }
            }
        }
        Ok(())
    }
}

/// Words were typed and handed over, and there is no entry with them.
const NOTHING_WRITTEN: &str = "the burst";

fn knows_text(client: &SimClient, chart: ChartId) -> bool {
    client.chart(chart).is_ok_and(|view| view.texts().contains_key(&DOCUMENT))
}

impl Writer {
    /// Types a word, and leaves the text: the burst is handed over.
    async fn types(
        self,
        client: &mut SimClient,
        cut: bool,
        (dice, oracle): (&mut Dice, &mut Oracle),
    ) -> Result<EntryId, ClientError> {
        let shown = client.open_text(self.chart, DOCUMENT)?;
        let typing = typing(&shown, self.number, cut, dice);
        // Even if the call fails, it may be kept and handed over later.
        oracle.cuts.extend(typing.takes.iter().map(|word| (*word, self.number)));
        // Each step is kept for itself: the new word first, so that it stands wherever the others are gone.
        let put = TextRun::Insert { at: typing.at, text: &typing.word };
        let behind = typing.at + u32::try_from(typing.word.len()).unwrap_or(0);
        let take = TextRun::Delete { at: behind, count: typing.count };
        let runs = if typing.count > 0 { vec![put, take] } else { vec![put] };
        let full = client.edit_text(self.chart, DOCUMENT, &runs).await?;
        let left = client.leave_text(self.chart, DOCUMENT).await?;
        left.or(full).ok_or(ClientError::Unknown(NOTHING_WRITTEN))
    }

    /// Writes an entry of any other kind. What there is nothing to do for becomes a note.
    async fn writes(
        self,
        client: &mut SimClient,
        entry: Entry,
        dice: &mut Dice,
    ) -> Result<EntryId, ClientError> {
        let reason = mark(self.number);
        let view = client.chart(self.chart).ok();
        let shown = view.as_ref();
        let decision = shown.filter(|_| entry == Entry::Resolve).and_then(|view| {
            let schema = client.membership().ok()?.study_schema();
            let mut open = view.conflicts();
            open.retain(|open| may_resolve(schema, self.role, &open.field));
            let open = open.get(dice.place(open.len()))?;
            let chosen = *open.candidates.get(dice.place(open.candidates.len()))?;
            Some(Resolve::choosing(open.field.clone(), open.candidates.clone(), chosen))
        });
        let target = shown.filter(|_| entry == Entry::Void).and_then(|view| self.to_void(view, dice));
        let draft = draft(shown, (self.role, entry), (self.number, self.now), dice);
        drop(view);
        match (decision, target) {
            (Some(decision), _) => client.resolve(self.chart, decision, reason).await,
            (_, Some(target)) => client.void(self.chart, target, reason).await,
            _ => client.capture_draft(self.chart, draft).await,
        }
    }

    /// A record that this person may declare void: one of their own, for staff any.
    fn to_void(self, view: &ChartView<'_>, dice: &mut Dice) -> Option<EntryId> {
        let mut all = self.holding(view.notes());
        all.extend(self.holding(view.doses()));
        view.responses().values().for_each(|threads| all.extend(self.holding(threads)));
        all.get(dice.place(all.len())).copied()
    }

    fn holding<P: Value>(self, threads: &[Thread<'_, P>]) -> Vec<EntryId> {
        let may = |person: PersonId| self.role.is_staff() || person == self.person;
        let current = threads.iter().flat_map(|thread| &thread.current);
        current.filter(|written| may(written.author.person)).map(ward_sync::Written::id).collect()
    }
}
