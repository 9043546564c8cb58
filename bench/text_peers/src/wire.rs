//! What a keystroke weighs on the wire: bursts as entries in real envelopes, signed twice, sealed
//! and padded.

use crate::stopwatch::{Gates, thread_cpu};
use crate::support::{Pen, T0, TestRng, Ward, header};
use crate::traces::Keystroke;
use crate::{BURST, ward_side};
use ward_crypto::{CaptureSignature, random_bytes, seal_envelope};
use ward_id::{Canonical as _, EntryId, Incarnation, VersionVector};
use ward_sync::{
    Arrival, BootEvidence, Chart, ChartAuthority, Draft, EntryChain, Moment, Seen, TextBurst, TextId,
};

/// Keystrokes of the recording that are sent.
const KEYSTROKES: usize = 40_000;

pub fn bytes_per_keystroke(keys: &[Keystroke], gates: &Gates) {
    let keys = &keys[..KEYSTROKES];
    println!("\nthe first {KEYSTROKES} keystrokes of automerge-paper, sealed, signed twice and padded");
    let (payload, wire, bursts, most) = sent(keys);
    view(keys);
    println!("  {bursts} bursts, {payload:.2} B of payload a keystroke, largest envelope {most} B");
    gates.target("bytes per keystroke in bursts of 100", wire, "B", wire <= 8.5, "<= 8.5");
}

fn sent(keys: &[Keystroke]) -> (f64, f64, usize, usize) {
    let mut ward = Ward::new(1);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let phone = &ward.phone;
    let mut rng = TestRng::new(5);
    let mut chain = EntryChain::open(ward.site.site, ward.chart, phone.id, phone.role, Incarnation(7));
    let heads = VersionVector::new();
    let mut last: Option<EntryId> = None;
    let (mut payload, mut wire, mut bursts, mut most) = (0, 0, 0, 0);
    for edit in keys.chunks(BURST).flat_map(ward_side::burst) {
        let burst = TextBurst { document: TextId([7; 16]), parents: last.into_iter().collect(), edit };
        let moment = Moment {
            random16: random_bytes(&mut rng),
            captured_at: T0.plus_ms(i64::from(bursts as u32) * 20_000),
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 0x1234_5678_9abc_def0, monotonic_ms: 1_000_000_000 },
            olog: None,
        };
        let seen = Seen { heads: &heads, lamport: 1_000 };
        let draft = Draft::new(burst);
        payload += draft.payload.encode().len();
        let key = &phone.keys.sign;
        let entry = chain.append(&draft, &moment, seen, |id| Ok(CaptureSignature::sign(key, id))).unwrap();
        let header = header(&ward.site, &entry, 0);
        let keys = &phone.keys;
        let envelope =
            seal_envelope(&secret, header, &entry.plaintext(), &keys.sign, &keys.hedge, &mut rng).unwrap();
        let bytes = envelope.to_canonical().len();
        wire += bytes;
        most = most.max(bytes);
        bursts += 1;
        last = Some(entry.id());
    }
    let per_key = |bytes: usize| bytes as f64 / keys.len() as f64;
    (per_key(payload), per_key(wire), bursts, most)
}

/// What a chart's view costs that holds the whole recording: it is computed often.
fn view(keys: &[Keystroke]) {
    let ward = Ward::new(1);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.phone, 7);
    let mut last: Option<EntryId> = None;
    for edit in keys.chunks(BURST).flat_map(ward_side::burst) {
        let burst = TextBurst { document: TextId([7; 16]), parents: last.into_iter().collect(), edit };
        let entry = pen.write(&chart, burst);
        last = Some(entry.id());
        chart.insert(entry, Arrival::UNSENT).unwrap();
    }
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let began = thread_cpu();
        let view = chart.view(&authority);
        assert!(!view.texts()[&TextId([7; 16])].text().is_empty());
        best = best.min((thread_cpu() - began).as_secs_f64() * 1e3);
    }
    println!("  the view of a chart with these {} entries, and the text: {best:.2} ms", chart.len());
}
