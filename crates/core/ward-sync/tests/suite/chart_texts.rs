//! Texts that several people edit, inside of a chart.

use crate::support::*;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;
use ward_text::{TextEdit, TextRun, What};

const NOTE: TextId = TextId([5; 16]);

struct Desk {
    ward: Ward,
    entries: Vec<SignedEntry>,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self { ward: Ward::new(seed), entries: Vec::new() }
    }

    fn chart_of<'a>(&self, entries: impl IntoIterator<Item = &'a SignedEntry>) -> Chart {
        let mut chart = Chart::new(self.ward.site.site, self.ward.chart);
        for entry in entries {
            chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
        }
        chart
    }

    fn check<R>(&self, chart: &Chart, look: impl FnOnce(&ChartView<'_>) -> R) -> R {
        let authority = ChartAuthority { membership: &self.ward.site.membership, chart: self.ward.chart };
        let view = chart.view(&authority);
        assert!(view.accounting().balances(), "{:?}", view.accounting());
        look(&view)
    }
}

fn burst(parents: &[EntryId], old: &str, new: &str) -> TextBurst {
    TextBurst {
        document: NOTE,
        parents: parents.to_vec(),
        edit: TextEdit::between(old, new).unwrap().unwrap(),
    }
}

/// A nurse's base, and what a clinician and an investigator make of it offline.
fn two_apart(desk: &mut Desk) -> [EntryId; 3] {
    let empty = desk.chart_of([]);
    let ward = &desk.ward;
    let pen = |device, incarnation| Pen::new(ward.site.site, ward.chart, device, incarnation);
    let base = "Pain in the left arm.";
    let first = pen(&ward.coordinator, 1).write(&empty, burst(&[], "", base));
    let seen = desk.chart_of([&first]);
    let parents = [first.id()];
    let one = pen(&ward.clinician, 2).write(&seen, burst(&parents, base, "Pain in the upper left arm."));
    let two =
        pen(&ward.investigator, 3).write(&seen, burst(&parents, base, "Pain in the left arm and hand."));
    let ids = [first.id(), one.id(), two.id()];
    desk.entries = vec![first, one, two];
    ids
}

const MERGED: &str = "Pain in the upper left arm and hand.";

#[test]
fn two_who_edited_one_note_see_both_texts_merged_and_marked() {
    let mut desk = Desk::new(51);
    let [first, one, two] = two_apart(&mut desk);
    let orders: [[usize; 3]; 4] = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]];
    for order in orders {
        let chart = desk.chart_of(order.map(|index| &desk.entries[index]));
        desk.check(&chart, |view| {
            let text = &view.texts()[&NOTE];
            assert_eq!(text.text(), MERGED);
            assert_eq!(view.accounting().visible, 3);
            let mut frontier = vec![one, two];
            frontier.sort();
            assert_eq!(text.frontier(), frontier);
            assert_eq!(text.text_at(&[one]).unwrap(), "Pain in the upper left arm.");
            let people: Vec<PersonId> = text.contributors().iter().map(|author| author.person).collect();
            assert_eq!(people.len(), 3);
            let marks = text.review_marks();
            assert_eq!(marks.len(), 1);
            let sides = [marks[0].left.entry, marks[0].right.entry];
            assert!(sides.contains(&one) && sides.contains(&two));
            let author = text.author_of(&marks[0].left).unwrap();
            assert!([desk.ward.clinician.person, desk.ward.investigator.person].contains(&author.person));
            assert_eq!(text.bursts().first().unwrap().id(), first);
        });
    }
}

#[test]
fn a_signature_stands_for_what_was_seen_and_says_what_changed_since() {
    let mut desk = Desk::new(52);
    let [_, one, two] = two_apart(&mut desk);
    let seen = desk.chart_of(&desk.entries[..2]);
    let mut pen = Pen::new(desk.ward.site.site, desk.ward.chart, &desk.ward.clinician, 9);
    let sign = |frontier| TextSignature { document: NOTE, frontier, meaning: "seen and agreed".into() };
    let early = pen.write(&seen, sign(vec![one]));
    let both = desk.chart_of(&desk.entries);
    let mut frontier = vec![one, two];
    frontier.sort();
    let late = pen.write(&both, sign(frontier));
    let mut chart = both;
    chart.insert(early.clone(), Arrival::UNSENT).unwrap();
    desk.check(&chart, |view| {
        let text = &view.texts()[&NOTE];
        let signatures = text.signatures();
        assert!(signatures[0].changed_since());
        assert_eq!(signatures[0].changes.edits.iter().map(|edit| edit.entry).collect::<Vec<_>>(), [two]);
        assert_eq!(signatures[0].changes.parts[0].what, What::Inserted { scalars: 9 });
        // One who signed had not seen both.
        assert_eq!(text.review_marks().len(), 1);
    });
    chart.insert(late.clone(), Arrival::UNSENT).unwrap();
    desk.check(&chart, |view| {
        let text = &view.texts()[&NOTE];
        let changed: Vec<bool> = text.signatures().iter().map(SignedVersion::changed_since).collect();
        assert_eq!(changed, [true, false]);
        assert_eq!(text.review_marks(), []);
        assert_eq!(view.place(late.id()), Some(Place::Visible));
    });
}

#[test]
fn an_edit_waits_for_its_parents_and_one_that_does_not_fit_is_marked() {
    let mut desk = Desk::new(53);
    let [first, one, _] = two_apart(&mut desk);
    let whole = desk.chart_of(&desk.entries);
    let mut pen = Pen::new(desk.ward.site.site, desk.ward.chart, &desk.ward.phone, 4);
    let far = |parents: Vec<EntryId>| {
        let mut burst = ward_text::Burst::new();
        burst.push(TextRun::Insert { at: 500, text: "lost" }).unwrap();
        TextBurst { document: NOTE, parents, edit: burst.finish().unwrap() }
    };
    let wrong = pen.write(&whole, far(vec![one]));
    // An edit of another text is no parent here: it never comes, and the edit waits.
    let mut other = burst(&[first], "", "x");
    other.document = TextId([6; 16]);
    let elsewhere = pen.write(&whole, other);
    let mut chart = whole;
    chart.insert(wrong.clone(), Arrival::UNSENT).unwrap();
    chart.insert(elsewhere.clone(), Arrival::UNSENT).unwrap();
    desk.check(&chart, |view| {
        assert!(matches!(view.place(wrong.id()), Some(Place::Invalid(PayloadError::Contradiction(_)))));
        assert_eq!(view.place(elsewhere.id()), Some(Place::Parked));
        assert_eq!(view.texts()[&NOTE].text(), MERGED);
        assert_eq!(view.texts()[&TextId([6; 16])].text(), "");
    });
    let without_base = desk.chart_of(&desk.entries[1..]);
    desk.check(&without_base, |view| {
        assert_eq!(view.accounting().parked, 2);
        assert!(view.texts().is_empty());
    });
}

#[test]
fn a_version_has_one_spelling_and_a_limit() {
    let id = |n: u8| EntryId::from_bytes([n; 32]);
    let contradiction = Err(PayloadError::Contradiction("the edits of a version are sorted, each once"));
    let check = |parents: &[EntryId]| Payload::from(burst(parents, "", "x")).check();
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[id(1), id(2)]), Ok(()));
    assert_eq!(check(&[id(2), id(1)]), contradiction);
    assert_eq!(check(&[id(1), id(1)]), contradiction);
    let many: Vec<EntryId> = (0..=ward_sync::limits::TEXT_VERSION_MAX as u8).map(id).collect();
    assert_eq!(check(&many[1..]), Ok(()));
    assert_eq!(check(&many), Err(PayloadError::Size("the version that was edited")));
    let sign = |frontier: Vec<EntryId>, meaning: &str| {
        Payload::from(TextSignature { document: NOTE, frontier, meaning: meaning.into() }).check()
    };
    assert_eq!(sign(vec![id(1)], "read"), Ok(()));
    assert!(sign(vec![], "read").is_err());
    assert!(sign(vec![id(1)], "").is_err());
    // A parent that is written again gets a new name, and the list is sorted anew.
    let mut payload = Payload::from(burst(&[id(1), id(5)], "", "x"));
    payload.rename(|old| (old == id(1)).then_some(id(9)));
    assert_eq!(payload.names(), [id(5), id(9)]);
    assert_eq!(payload.check(), Ok(()));
}

/// A patient's phone, a nurse and an investigator may all write; an auditor's device has no chart.
/// A member writes much more than a text holds, with the lowest times of all: only their own edits are
/// beyond the limit, and those that stood before stand.
#[test]
fn nobody_takes_the_room_of_others_in_a_text() {
    use ward_sync::limits::TEXT_CHAIN_MAX_INSERTED;
    use ward_text::limits::EDIT_MAX_BYTES;
    let desk = Desk::new(56);
    let (ward, empty) = (&desk.ward, desk.chart_of([]));
    let fits = usize::try_from(TEXT_CHAIN_MAX_INSERTED).unwrap() / EDIT_MAX_BYTES;
    let block = |n: usize| char::from(b'a' + (n % 2) as u8).to_string().repeat(EDIT_MAX_BYTES);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.phone, 4);
    let mut flood: Vec<SignedEntry> = Vec::new();
    for n in 0..fits + 2 {
        let parents: Vec<EntryId> = flood.last().map(SignedEntry::id).into_iter().collect();
        let before = n.checked_sub(1).map_or_else(String::new, block);
        flood.push(pen.write(&empty, burst(&parents, &before, &block(n))));
    }
    let seen = desk.chart_of(&flood[..1]);
    let mut honest = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 1);
    let note = honest.write(&seen, burst(&[], "", "Pain in the left arm."));
    let more =
        honest.write(&seen, burst(&[note.id()], "Pain in the left arm.", "Pain in the left arm, at night."));
    let orders: [Vec<&SignedEntry>; 2] = [
        flood.iter().chain([&note, &more]).collect(),
        [&more, &note].into_iter().chain(flood.iter().rev()).collect(),
    ];
    for order in orders {
        desk.check(&desk.chart_of(order), |view| {
            let place = |entry: &SignedEntry| view.place(entry.id()).unwrap();
            assert_eq!((place(&note), place(&more)), (Place::Visible, Place::Visible));
            assert!(view.texts()[&NOTE].text().contains("Pain in the left arm, at night."));
            assert!(flood[..fits].iter().all(|entry| place(entry) == Place::Visible));
            assert_eq!(place(&flood[fits]), Place::Invalid(PayloadError::Size("the text")));
            assert!(matches!(place(&flood[fits + 1]), Place::Invalid(_)));
        });
    }
}

#[test]
fn any_member_may_write_and_sign() {
    for role in [Role::Patient, Role::Coordinator, Role::Clinician, Role::Investigator] {
        assert_eq!(permission(role, EntryKind::TEXT_EDIT), Permission::Yes);
        assert_eq!(permission(role, EntryKind::TEXT_SIGNATURE), Permission::Yes);
    }
}

/// One step of three people who write, sign and meet.
#[derive(Debug, Clone, Copy)]
struct Step {
    who: u8,
    what: u8,
    at: u8,
}

/// A step of one person in what they have; now and then an edit that does not fit.
fn payload(desk: &Desk, chart: &Chart, step: Step) -> Payload {
    desk.check(chart, |view| {
        let note = view.texts().get(&NOTE);
        let (frontier, length) =
            note.map_or((vec![], 0), |text| (text.frontier(), text.document().scalars()));
        if step.what.is_multiple_of(7) && !frontier.is_empty() {
            return TextSignature { document: NOTE, frontier, meaning: "read".into() }.into();
        }
        let mut burst = ward_text::Burst::new();
        let at = u32::from(step.at) % (length + 1);
        if step.what % 5 == 1 && at < length {
            burst.delete(at, 1 + u32::from(step.what) % (length - at)).unwrap();
        } else {
            let at = if step.what % 23 == 2 { length + 9 } else { at };
            burst.insert(at, ["nausea ", "\u{1f600}", "pain\n", "no "][usize::from(step.at) % 4]).unwrap();
        }
        TextBurst { document: NOTE, parents: frontier, edit: burst.finish().unwrap() }.into()
    })
}

/// P1 and P5 for texts: any order gives the same text and the same places, every entry has one.
fn any_order_gives_one_text(steps: &[Step], seed: u64) {
    let mut desk = Desk::new(54);
    let mut all: Vec<SignedEntry> = Vec::new();
    {
        let ward = &desk.ward;
        let people = [&ward.phone, &ward.clinician, &ward.investigator];
        let mut pens: Vec<Pen<'_>> =
            (1..).zip(people).map(|(n, device)| Pen::new(ward.site.site, ward.chart, device, n)).collect();
        let mut charts = [desk.chart_of([]), desk.chart_of([]), desk.chart_of([])];
        for step in steps {
            let who = usize::from(step.who) % 3;
            if step.what.is_multiple_of(4) {
                for entry in &all {
                    charts[who].insert(entry.clone(), Arrival::UNSENT).unwrap();
                }
            }
            let entry = pens[who].write(&charts[who], payload(&desk, &charts[who], *step));
            charts[who].insert(entry.clone(), Arrival::UNSENT).unwrap();
            all.push(entry);
        }
    }
    desk.entries = all;
    let look = |chart: &Chart| {
        desk.check(chart, |view| {
            let places: Vec<(EntryId, Place)> =
                view.timeline().iter().map(|item| (item.entry.id(), item.place)).collect();
            let texts = view.texts().values();
            let seen =
                texts.map(|text| (text.text(), text.review_marks(), text.frontier())).collect::<Vec<_>>();
            (places, seen)
        })
    };
    let whole = look(&desk.chart_of(&desk.entries));
    let mut rng = TestRng::new(seed);
    for _ in 0..3 {
        let mut order: Vec<usize> = (0..desk.entries.len()).collect();
        order.sort_by_cached_key(|_| rng.next());
        let mut chart = desk.chart_of([]);
        for index in order {
            chart.insert(desk.entries[index].clone(), Arrival::UNSENT).unwrap();
            // Whatever is missing, every entry that is here has its place.
            desk.check(&chart, |view| assert_eq!(view.accounting().total, chart.len()));
        }
        assert_eq!(look(&chart), whole);
    }
}

proptest::proptest! {
    #![proptest_config(proptest_config(24))]
    #[test]
    fn p1_p5_any_order_of_arrival_gives_one_text_and_one_place_each(
        steps in proptest::collection::vec(
            (0..3_u8, proptest::prelude::any::<u8>(), proptest::prelude::any::<u8>()), 1..24),
        seed: u64,
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|(who, what, at)| Step { who, what, at }).collect();
        any_order_gives_one_text(&steps, seed);
    }
}

/// A burst of 100 keystrokes with corrections, as a person types, is one envelope of the smallest
/// size.
#[test]
fn a_burst_of_100_keystrokes_weighs_at_most_850_bytes() {
    let mut ward = Ward::new(55);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.clinician, None);
    let chart = Chart::new(ward.site.site, ward.chart);
    let mut burst = ward_text::Burst::new();
    let (mut at, mut keys) = (41_000, 0);
    for word in
        "Pain in the lefft arm since Mondy, worse at nigth; no fever, slept bdly.".split_inclusive(' ')
    {
        for c in word.chars() {
            burst.insert(at, &c.to_string()).unwrap();
            at += 1;
            keys += 1;
        }
        // Every other word is corrected: two letters back and typed anew, one in the word before.
        if word.len() > 4 && keys < 100 {
            burst.erase(at - 2, 2).unwrap();
            burst.insert(at - 2, "s ").unwrap();
            burst.delete(at - 12, 1).unwrap();
            at -= 1;
            keys += 5;
        }
    }
    assert!(keys >= 100, "{keys}");
    let parents = vec![EntryId::from_bytes([7; 32])];
    let payload = TextBurst { document: NOTE, parents, edit: burst.finish().unwrap() };
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.clinician, 5);
    pen.write(&chart, note("the entry before"));
    let entry = pen.write(&chart, payload);
    let mut rng = TestRng::new(5);
    let envelope = seal(header(&ward.site, &entry, 0), &entry, &ward.clinician, &secret, &mut rng);
    let bytes = envelope.to_canonical().len();
    println!("{keys} keystrokes, payload {} B, envelope {bytes} B", entry.body().payload.len());
    assert!(bytes <= 850, "{bytes}");
}
