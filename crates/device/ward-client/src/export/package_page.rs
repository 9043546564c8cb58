//! The page of an audit package that says what is in it and how to verify it.

use super::package::{PackageGaps, PackageParts, ReadEnvelope, envelope_name};
use super::page_text::{Cell, Page};
use crate::views::calendar::plain_minute;
use std::collections::BTreeMap;
use ward_crypto::sha256;
use ward_id::{EntryId, hex_encode};

/// The page. It names no participant but by the chart's number.
pub(super) fn index_page(parts: &PackageParts<'_>, envelopes: &[ReadEnvelope], gaps: &PackageGaps) -> String {
    let mut page = Page::new("Audit package");
    let fingerprint = hex_encode(&sha256(parts.root_policy));
    page.paragraph_of(
        "aside",
        &format!("Chart <code>{}</code>, made on {}.", parts.chart.chart, plain_minute(parts.made_at)),
    );
    page.paragraph(
        "This folder holds what one chart says, decrypted, and the proofs that each part was written by the person \
         it names, arrived when it says, and was not changed, left out or put in later. It holds no key, so it opens \
         nothing else. It does hold health data: keep it as you keep the chart.",
    );
    page.paragraph(
        "All checks rest on one number, the fingerprint of the site’s root policy. Get it from somewhere else than \
         this folder: it is printed on the site’s invitations and in its trial master file. It must be:",
    );
    page.paragraph_of("aside", &format!("<code>{fingerprint}</code>"));
    gaps_section(&mut page, gaps);
    by_command(&mut page);
    by_hand(&mut page);
    contents(&mut page, parts, envelopes);
    page.finish()
}

fn gaps_section(page: &mut Page, gaps: &PackageGaps) {
    if gaps.is_none() {
        return;
    }
    page.heading(2, "What this package does not prove");
    page.paragraph_of(
        "warn",
        "Some parts lack a proof. Their names stand in <code>manifest.json</code> under <code>gaps</code>.",
    );
    let rows = [
        (gaps.without_envelope.len(), "entries have no envelope here: they were not sent yet"),
        (gaps.without_proof.len(), "envelopes have no proof: they arrived after the checkpoint"),
        (gaps.unreadable.len(), "envelopes are not in the form of this version"),
        (gaps.without_certificate.len(), "devices that wrote have no certificate here"),
    ];
    let items: Vec<String> =
        rows.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}.")).collect();
    page.list("ul", &items);
}

fn by_command(page: &mut Page) {
    page.heading(2, "With the ward command");
    page.paragraph_of(
        "aside",
        "<code>ward audit check FOLDER --root FINGERPRINT</code> does all of the steps below with the files of this folder \
         alone: no key, no device of the site, no network. On a device that may read this chart, <code>ward audit \
         verify</code> checks it against the site’s server, and <code>ward audit prove ENTRY</code> prints the proof of \
         one entry.",
    );
}

fn by_hand(page: &mut Page) {
    page.heading(2, "By hand");
    page.paragraph(
        "You need SHA-256, Ed25519 and P-256 signatures, and a reader for CBOR. H is SHA-256; || puts bytes one after \
         another; texts in quotes are their ASCII bytes.",
    );
    let steps: Vec<String> = STEPS.iter().map(|step| (*step).to_owned()).collect();
    page.list("ol", &steps);
    page.heading(3, "How a proof is computed (RFC 6962, section 2.1)");
    let steps: Vec<String> = PROOF_STEPS.iter().map(|step| (*step).to_owned()).collect();
    page.list("ol", &steps);
}

const STEPS: [&str; 8] = [
    "<strong>Files.</strong> H of each file is what <code>manifest.json</code> says, and there is no other file.",
    "<strong>Root.</strong> H of <code>root-policy.cbor</code> is the fingerprint that you got elsewhere.",
    "<strong>Site.</strong> <code>site-manifest.mlog.cbor</code> is an entry of the membership log: \
     <code>{0: v, 1: suite, 2: kind, 3: site, 4: subject, 5: base, 6: body, 7: signatures}</code>. Each signature is \
     Ed25519 over \"ward/v1/mlog\" || H(CBOR of fields 0 to 6 as an array). As many root keys as the root policy asks \
     for must have signed; a signer is the first 16 bytes of H(public key). Its body names the log key, the \
     witnesses, how many of them must agree, and the admins. It also names the hash of the manifest before it, and \
     so on: those stand in <code>site-manifest-NUMBER.mlog.cbor</code>.",
    "<strong>Checkpoints.</strong> <code>olog-checkpoint.txt</code> and <code>mlog-checkpoint.txt</code> are signed \
     notes: three lines (name of the log, number of leaves, root in base64), an empty line, signatures. The log key \
     and the asked number of witnesses must have signed. The witnesses’ signatures also carry the time.",
    "<strong>People.</strong> Each file <code>certificate-DEVICE.mlog.cbor</code> is an entry of the membership log \
     that holds the certificate of one device: its keys, the person (by number) and the role. Check its signatures as \
     in the third step, by the devices that may sign it, and its proof <code>certificate-DEVICE.tlog-proof</code>; \
     the leaf data is the subject (field 4, 16 bytes) || H(the file).",
    "<strong>Entries.</strong> For each entry in <code>entries.json</code>: H(\"ward/v1/entry\" || frame_bytes) is \
     entry_id. The readable fields are what frame_bytes decodes to. capture_sig is the author’s signature over \
     \"ward/v1/capture\" || entry_id, by the Ed25519 key (sig_alg 1) or the P-256 key (sig_alg 2) of the certificate \
     of its device. It was made when the person acted.",
    "<strong>Nothing left out.</strong> For each device and incarnation the places (seq) rise by one from 1, and prev \
     is the entry_id at the place before.",
    "<strong>Arrival.</strong> <code>envelopes.json</code> says which envelope carried which entry; the entry_id \
     stands in the envelope’s own header (field 8). H(the envelope’s file) is the leaf data at olog_index. Its proof \
     (<code>proof-NUMBER.tlog-proof</code>) leads to the root of <code>olog-checkpoint.txt</code>. A receipt \
     (<code>receipt-NUMBER.cbor</code>) is the log’s earlier promise of the same place, with the time of arrival, signed over \
     \"ward/v1/receipt\" || H(CBOR of fields 0 to 5 as an array), with the log key of the manifest that held then.",
];

const PROOF_STEPS: [&str; 5] = [
    "The hash of a leaf is H(0x00 || leaf data); the hash of a node is H(0x01 || left || right).",
    "Begin with r = the hash of the leaf, f = its index, s = the number of leaves − 1.",
    "For each line p of the proof: if f is odd or f = s, then r = H(0x01 || p || r), and while f is even and not 0, \
     halve f and s; else r = H(0x01 || r || p). Then halve f and s (rounding down).",
    "A line more than needed (s is 0 before it) or fewer (s is not 0 at the end) is a failure.",
    "r must be the root in the checkpoint at the end of the proof’s file, which must be the same as the checkpoint of \
     that log in this folder.",
];

fn contents(page: &mut Page, parts: &PackageParts<'_>, envelopes: &[ReadEnvelope]) {
    page.heading(2, "What is here");
    let rows: Vec<Vec<Cell>> = [
        ("entries.json", "the chart’s entries, decrypted", parts.chart.view.timeline().len()),
        (
            "trail.csv, audit-events.ndjson",
            "the same told again as a table and as FHIR audit events",
            parts.chart.view.timeline().len(),
        ),
        ("envelopes.json, envelope-*.cbor", "the sealed envelopes as the server held them", envelopes.len()),
        ("proof-*.tlog-proof", "a proof for each envelope", parts.olog_proofs.len()),
        ("receipt-*.cbor", "the log’s promises at arrival", parts.receipts.len()),
        ("certificate-*", "who the authors’ devices belong to, with proofs", parts.certificates.len()),
    ]
    .into_iter()
    .map(|(name, what, count)| vec![Cell::own(name), Cell::own(what), Cell::own(count.to_string())])
    .collect();
    page.table("Parts", &["Files", "What", "How many"], &rows);
    let mut by_entry: BTreeMap<EntryId, &ReadEnvelope> = BTreeMap::new();
    for envelope in envelopes.iter().rev() {
        if let Some(entry) = envelope.entry {
            by_entry.insert(entry, envelope);
        }
    }
    let rows: Vec<Vec<Cell>> = parts
        .chart
        .view
        .timeline()
        .iter()
        .map(|item| {
            let sealed = by_entry.get(&item.entry.id());
            let files = sealed.map(|e| [Some(envelope_name(e.olog_index)), e.proof.clone()]);
            let files: Vec<String> = files.into_iter().flatten().flatten().collect();
            vec![
                Cell::own(item.entry.id().to_string()),
                Cell::own(item.entry.body().kind.name()),
                Cell::own(sealed.map_or_else(|| "not sent".to_owned(), |e| plain_minute(e.received_at))),
                Cell::own(files.join(" ")),
            ]
        })
        .collect();
    page.table("Entries", &["Entry", "Kind", "Arrived", "Files"], &rows);
}
