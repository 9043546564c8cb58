//! A text in which a device wrote that is severed later: its words are hidden from a place of the
//! operation log on, everybody's later words show, and every replica shows the same.

use crate::support::*;
use proptest::prelude::*;
use ward_crypto::DeviceCert;
use ward_id::*;
use ward_sync::*;
use ward_text::{Burst, TextEdit};

const NOTE: TextId = TextId([7; 16]);

/// The membership log, and a device that does not stand from a place on, or not yet.
struct Cut<'a> {
    inner: ChartAuthority<'a>,
    device: DeviceId,
    from: Option<u64>,
    standing: Standing,
}

impl Authority for Cut<'_> {
    fn author(&self, device: DeviceId) -> Option<Author> {
        self.inner.author(device)
    }
    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert> {
        self.inner.certificate(device)
    }
    fn standing(&self, device: DeviceId, place: Option<u64>) -> Standing {
        let late = self.from.is_some_and(|from| place.is_none_or(|place| place >= from));
        if device == self.device && late { self.standing } else { Standing::Effective }
    }
}

fn chart_of<'a>(ward: &Ward, entries: impl IntoIterator<Item = (usize, &'a SignedEntry)>) -> Chart {
    let mut chart = Chart::new(ward.site.site, ward.chart);
    for (place, entry) in entries {
        chart.insert(entry.clone(), Arrival::at(place as u64, TimestampMs(place as i64))).unwrap();
        chart.prove(entry.id(), place as u64);
    }
    chart
}

/// Where words begin, and the end.
fn gaps(text: &str) -> Vec<usize> {
    text.match_indices('[').map(|(at, _)| at).chain([text.len()]).collect()
}

/// Puts a word in somewhere; who is to be severed also takes words out.
fn next_edit(old: &str, word: &str, deletes: bool, rng: &mut TestRng) -> TextEdit {
    let (mut text, mut burst) = (old.to_owned(), Burst::new());
    let mut pick = |limit: usize| (rng.next() % limit.max(1) as u64) as usize;
    let all = gaps(&text);
    if deletes && all.len() > 2 {
        let first = pick(all.len() - 1);
        let gone = all[first]..all[first + 1];
        burst.delete(gone.start as u32, gone.len() as u32).unwrap();
        text.replace_range(gone, "");
    }
    let all = gaps(&text);
    burst.insert(all[pick(all.len())] as u32, word).unwrap();
    burst.finish().unwrap()
}

struct Play {
    ward: Ward,
    entries: Vec<SignedEntry>,
    honest: Vec<String>,
    hidden: Vec<String>,
    cut: u64,
    severed: DeviceId,
}

/// Four devices write by turns, each in what it has; from a step on some know of the severing.
fn play(seed: u64, steps: usize, standing: Standing) -> Play {
    let ward = Ward::new(seed);
    let mut rng = TestRng::new(seed ^ 0xcafe);
    let cut = rng.next() % steps as u64;
    let (mut entries, mut honest, mut hidden) = (Vec::<SignedEntry>::new(), Vec::new(), Vec::new());
    {
        let devices = [&ward.phone, &ward.coordinator, &ward.clinician, &ward.investigator];
        let mut pens: Vec<Pen<'_>> = (1..)
            .zip(devices)
            .map(|(life, device)| Pen::new(ward.site.site, ward.chart, device, life))
            .collect();
        let mut seen: Vec<Vec<usize>> = vec![Vec::new(); 4];
        for step in 0..steps {
            let who = (rng.next() % 4) as usize;
            // A device fetches everything, or works on without a network.
            if rng.next() % 100 < 60 {
                seen[who] = (0..entries.len()).collect();
            }
            let knows = step as u64 > cut && rng.next().is_multiple_of(2);
            let authority = Cut {
                inner: ChartAuthority { membership: &ward.site.membership, chart: ward.chart },
                device: ward.phone.id,
                from: (knows && who != 0).then_some(cut),
                standing,
            };
            let chart = chart_of(&ward, seen[who].iter().map(|place| (*place, &entries[*place])));
            let view = chart.view(&authority);
            let text = view.texts().get(&NOTE);
            let (old, parents) = text.map_or_else(Default::default, |text| (text.text(), text.frontier()));
            let (lost, late) = (who == 0, who == 0 && step as u64 >= cut);
            let word = format!("[{}{step}]", if lost { "x" } else { "w" });
            let edit = next_edit(&old, &word, late, &mut rng);
            assert_eq!(text.map_or_else(String::new, |text| text.text_at(&parents).unwrap()), old);
            let entry = pens[who].write(&chart, TextBurst { document: NOTE, parents, edit });
            drop(view);
            (if late { &mut hidden } else { &mut honest }).push(word);
            seen[who].push(entries.len());
            entries.push(entry);
        }
    }
    let severed = ward.phone.id;
    Play { ward, entries, honest, hidden, cut, severed }
}

fn read(
    play: &Play,
    order: &[usize],
    from: Option<u64>,
    standing: Standing,
) -> (String, Vec<EntryId>, Accounting) {
    let chart = chart_of(&play.ward, order.iter().map(|place| (*place, &play.entries[*place])));
    let authority = Cut {
        inner: ChartAuthority { membership: &play.ward.site.membership, chart: play.ward.chart },
        device: play.severed,
        from,
        standing,
    };
    let view = chart.view(&authority);
    assert!(view.accounting().balances());
    let text = view.texts().get(&NOTE);
    let said = text.map_or_else(String::new, Text::text);
    (said, text.map_or_else(Vec::new, Text::frontier), view.accounting())
}

proptest! {
    #![proptest_config(proptest_config(120))]

    /// P1 and P9 with severing: any order, any severing point, whenever it becomes known.
    #[test]
    fn p1_severed_words_are_hidden_and_later_words_show_the_same_everywhere(seed: u64, steps in 2..22_usize, adoptable: bool) {
        let standing = if adoptable { Standing::ToBeAdopted } else { Standing::Severed };
        let play = play(seed, steps, standing);
        let straight: Vec<usize> = (0..play.entries.len()).collect();
        let (text, frontier, accounting) = read(&play, &straight, Some(play.cut), standing);
        for word in &play.honest {
            prop_assert_eq!(text.matches(word.as_str()).count(), 1, "{} in {}", word, text);
        }
        for word in &play.hidden {
            prop_assert!(!text.contains(word.as_str()), "{} in {}", word, text);
        }
        prop_assert_eq!((accounting.visible, accounting.quarantined), (play.honest.len(), play.hidden.len()));
        for round in 0..3 {
            let order = shuffled(play.entries.len(), seed.wrapping_add(round));
            let other = read(&play, &order, Some(play.cut), standing);
            prop_assert_eq!((&other.0, &other.1, other.2), (&text, &frontier, accounting));
        }
        // Who does not know of the severing yet reads one text too, in any order.
        let before = read(&play, &straight, None, standing);
        prop_assert_eq!(&read(&play, &shuffled(play.entries.len(), seed), None, standing).0, &before.0);
        prop_assert_eq!(before.2.visible, play.entries.len());
        for word in play.hidden.iter().chain(&play.honest) {
            prop_assert!(before.0.matches(word.as_str()).count() <= 1);
        }
    }
}

fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut rng = TestRng::new(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, (rng.next() % (i as u64 + 1)) as usize);
    }
    let twice: Vec<usize> = order.iter().copied().filter(|_| rng.next().is_multiple_of(5)).collect();
    order.extend(twice);
    order
}

/// Puts one word behind what a text says.
fn behind(text: &str, word: &str) -> TextEdit {
    let mut burst = Burst::new();
    burst.insert(u32::try_from(text.len()).unwrap(), word).unwrap();
    burst.finish().unwrap()
}

/// Words that came only inside an entry which does not take them over, and words on top of them.
fn brought(why: CarryReason, carrier_is_lost: bool) -> (Ward, Chart, [EntryId; 3], DeviceId) {
    let ward = Ward::new(77);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let arrive = |chart: &mut Chart, entry: &SignedEntry| {
        let place = chart.len() as u64;
        chart.insert(entry.clone(), Arrival::at(place, TimestampMs(place as i64))).unwrap();
        chart.prove(entry.id(), place);
    };
    let ids = {
        let pen = |device| Pen::new(ward.site.site, ward.chart, device, 1);
        let (mut phone, mut nurse) = (pen(&ward.phone), pen(&ward.coordinator));
        let mut doctor = pen(&ward.clinician);
        let edit =
            |text: &str, word, parents| TextBurst { document: NOTE, parents, edit: behind(text, word) };
        let under = phone.write(&chart, edit("", "[x1]", vec![]));
        let carry = nurse.write(&chart, Carry::of(&under, why));
        let upper = doctor.write(&chart, edit("[x1]", "[w2]", vec![under.id()]));
        // The phone's own words are in the chart only inside what the nurse wrote.
        for entry in [&carry, &upper] {
            arrive(&mut chart, entry);
        }
        [under.id(), carry.id(), upper.id()]
    };
    let lost = if carrier_is_lost { ward.coordinator.id } else { ward.phone.id };
    (ward, chart, ids, lost)
}

#[test]
fn declined_words_keep_their_place_under_what_was_written_on_them() {
    let (ward, mut chart, [under, carry, upper], device) = brought(CarryReason::Decline, false);
    let standing = Standing::ToBeAdopted;
    let authority = Cut {
        inner: ChartAuthority { membership: &ward.site.membership, chart: ward.chart },
        device,
        from: Some(0),
        standing,
    };
    let view = chart.view(&authority);
    let aside = Place::Quarantined(QuarantineReason::ToBeAdopted);
    assert_eq!((view.place(under), view.place(upper)), (Some(aside), Some(Place::Visible)));
    assert_eq!(view.texts()[&NOTE].text(), "[w2]");
    assert_eq!(view.to_adopt().map(|item| item.entry.id()).collect::<Vec<_>>(), [under]);
    assert!(view.accounting().balances() && view.accounting().total == 3);
    // The same bytes, taken over by somebody else: now they count, whoever declined them.
    let Decoded::Known(Payload::Carry(mut adopts)) = chart.get(carry).unwrap().body().decode_payload() else {
        panic!("a carry")
    };
    adopts.why = CarryReason::Adopt;
    let mut investigator = Pen::new(ward.site.site, ward.chart, &ward.investigator, 1);
    let adopted = investigator.write(&chart, adopts);
    chart.insert(adopted, Arrival::at(9, TimestampMs(9))).unwrap();
    let view = chart.view(&authority);
    assert_eq!((view.place(under), view.to_adopt().count()), (Some(Place::Visible), 0));
    assert_eq!(view.texts()[&NOTE].text(), "[x1][w2]");
}

/// Staff took words over, somebody wrote on top of them, and then the device that took them over turns
/// out to be in the wrong hands: the words wait for somebody else, and what was written on them stands.
#[test]
fn words_that_a_severed_device_took_over_keep_their_place_and_can_be_taken_over_again() {
    for standing in [Standing::Severed, Standing::ToBeAdopted] {
        let (ward, chart, [under, carry, upper], device) = brought(CarryReason::Adopt, true);
        let inner = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
        assert_eq!(chart.view(&inner).texts()[&NOTE].text(), "[x1][w2]", "before it was known");
        let view = chart.view(&Cut { inner, device, from: Some(0), standing });
        assert_eq!(view.place(upper), Some(Place::Visible));
        assert_eq!(view.place(under), Some(Place::Quarantined(QuarantineReason::ToBeAdopted)));
        assert_eq!((view.texts()[&NOTE].text(), view.accounting().parked), ("[w2]".to_owned(), 0));
        let severed = standing == Standing::Severed;
        let waits: Vec<EntryId> = view.to_adopt().map(|item| item.entry.id()).collect();
        assert_eq!(waits, [if severed { under } else { carry }], "what comes along is not listed twice");
    }
}
