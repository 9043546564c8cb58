//! Sealed and signed formats: a byte that chooses the format, and its bytes.

use super::one_spelling;
use crate::Target;
use crate::choices::selected;
use ward_audit::Receipt;
use ward_crypto::{
    DeviceBinding, DeviceCert, DropEnvelope, EnrolBlob, EnrolRequest, Envelope, EpochPackage, RootPolicy,
    SiteManifest, Ticket, UnsentHeader, unpad,
};

pub(crate) const TARGET: Target = Target {
    name: "envelope",
    about: "envelopes, drops, epoch packages, certificates, policies, receipts, tickets: accepted bytes are the one spelling",
    words: &["WARD1", "\u{1}\u{1}", "P", "X "],
    run,
};

/// Reads bytes as one format; gives whether they were accepted.
type Reader = fn(&[u8]) -> bool;

const READERS: [Reader; 13] = [
    envelope,
    |bytes| one_spelling::<DropEnvelope>(bytes).is_some(),
    epoch_package,
    |bytes| one_spelling::<EnrolBlob>(bytes).is_some(),
    |bytes| one_spelling::<RootPolicy>(bytes).is_some(),
    |bytes| one_spelling::<SiteManifest>(bytes).is_some(),
    |bytes| one_spelling::<DeviceCert>(bytes).is_some(),
    |bytes| one_spelling::<DeviceBinding>(bytes).is_some(),
    |bytes| one_spelling::<EnrolRequest>(bytes).is_some(),
    |bytes| one_spelling::<Receipt>(bytes).is_some(),
    |bytes| one_spelling::<UnsentHeader>(bytes).is_some(),
    padded,
    ticket,
];

fn run(input: &[u8]) {
    let (choice, bytes) = selected(input);
    if let Some(read) = READERS.get(choice % READERS.len()) {
        read(bytes);
    }
}

fn envelope(bytes: &[u8]) -> bool {
    let Some(envelope) = one_spelling::<Envelope>(bytes) else { return false };
    assert!(envelope.header().seq > 0, "places are counted from 1");
    true
}

fn epoch_package(bytes: &[u8]) -> bool {
    let Some(package) = one_spelling::<EpochPackage>(bytes) else { return false };
    let devices: Vec<_> = package.wrapped_devices().collect();
    assert!(devices.windows(2).all(|pair| matches!(pair, [a, b] if a < b)), "each device once, in order");
    true
}

/// Padding that is accepted is the padding that its content gets.
fn padded(bytes: &[u8]) -> bool {
    let Ok(content) = unpad(bytes) else { return false };
    assert!(ward_crypto::pad(content).is_ok_and(|padded| padded.as_slice() == bytes), "one padding");
    true
}

fn ticket(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(ticket) = Ticket::from_text(text) else { return false };
    let again = Ticket::from_text(&ticket.to_text());
    assert!(
        again.is_ok_and(|again| *again.to_text() == *ticket.to_text()),
        "a ticket is read as it is written"
    );
    true
}
