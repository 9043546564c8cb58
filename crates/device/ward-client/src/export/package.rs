//! The audit package: what a chart holds, where it stands in the operation log, and everything
//! that an inspector needs to check both without a key of the site and without Ward.

use super::package_entries::entries_text;
use super::package_page::index_page;
use crate::views::NamedChart;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use ward_audit::NodeHash;
use ward_crypto::{Envelope, sha256};
use ward_id::{Canonical as _, DeviceId, EntryId, EnvelopeHash, TimestampMs, hex_encode};

/// An envelope as the server gave it.
#[derive(Debug, Clone, Copy)]
pub struct PackagedEnvelope<'a> {
    /// Its place in the operation log.
    pub olog_index: u64,
    /// When the server took it, as the server says.
    pub received_at: TimestampMs,
    /// Its bytes, unchanged.
    pub bytes: &'a [u8],
}

/// A proof that a leaf stands in the tree of a checkpoint (RFC 6962, 2.1.1).
#[derive(Debug, Clone)]
pub struct PackagedProof {
    /// The place of the leaf.
    pub index: u64,
    /// The hashes, from the leaf's neighbour to the root's child.
    pub hashes: Vec<NodeHash>,
}

/// The certificate of an author: the entry of the membership log that holds it.
#[derive(Debug, Clone)]
pub struct PackagedCertificate<'a> {
    /// The device.
    pub device: DeviceId,
    /// The canonical bytes of the log entry, signatures included.
    pub mlog_entry: &'a [u8],
    /// Its place in the membership log, with its proof under the membership checkpoint if at hand.
    pub proof: PackagedProof,
}

/// What goes into a package. The caller gathers and verifies it; making the package adds nothing
/// and chooses nothing.
#[derive(Debug, Clone)]
pub struct PackageParts<'a> {
    /// The chart.
    pub chart: NamedChart<'a>,
    /// When the package is made.
    pub made_at: TimestampMs,
    /// All envelopes of the chart.
    pub envelopes: &'a [PackagedEnvelope<'a>],
    /// The canonical bytes of the receipts that the device holds.
    pub receipts: &'a [Vec<u8>],
    /// The cosigned checkpoint of the operation log, as a signed note.
    pub olog_checkpoint: &'a str,
    /// A proof for each envelope, under that checkpoint.
    pub olog_proofs: &'a [PackagedProof],
    /// The cosigned checkpoint of the membership log, as a signed note.
    pub mlog_checkpoint: &'a str,
    /// The certificate of each author.
    pub certificates: &'a [PackagedCertificate<'a>],
    /// The canonical bytes of the site's root policy: the pin of all trust.
    pub root_policy: &'a [u8],
    /// The entry of the membership log that holds the site manifest: the log key, the witnesses and
    /// the admins, signed by root keys.
    pub manifest_entry: &'a [u8],
    /// The entries of the manifests before it, in order: receipts may be signed with a key that one of
    /// them names.
    pub earlier_manifests: &'a [&'a [u8]],
    /// The trail as a table.
    pub trail: &'a str,
    /// The trail as FHIR audit events, one a line.
    pub audit_events: &'a str,
}

/// What a package does not cover: an inspector must see it named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PackageGaps {
    /// Entries without an envelope in the package.
    pub(super) without_envelope: Vec<EntryId>,
    /// Envelopes without a proof.
    pub(super) without_proof: Vec<u64>,
    /// Envelopes whose bytes are not a canonical envelope.
    pub(super) unreadable: Vec<u64>,
    /// Authors without a certificate.
    pub(super) without_certificate: Vec<DeviceId>,
}

impl PackageGaps {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// An envelope with what its bytes say.
pub(super) struct ReadEnvelope {
    pub(super) olog_index: u64,
    pub(super) received_at: TimestampMs,
    pub(super) hash: EnvelopeHash,
    pub(super) entry: Option<EntryId>,
    /// The name of its proof's file, if the package holds it.
    pub(super) proof: Option<String>,
}

impl ReadEnvelope {
    fn of(packaged: &PackagedEnvelope<'_>, proven: &BTreeSet<u64>) -> Self {
        let read = Envelope::from_canonical(packaged.bytes).ok();
        Self {
            olog_index: packaged.olog_index,
            received_at: packaged.received_at,
            hash: EnvelopeHash::from_bytes(sha256(packaged.bytes)),
            entry: read.map(|envelope| envelope.header().entry_id),
            proof: proven.contains(&packaged.olog_index).then(|| proof_name(packaged.olog_index)),
        }
    }
}

/// The files of a package: names without folders, and bytes. `index.html` says how to verify;
/// `manifest.json` holds the SHA-256 of every other file. The same parts give the same bytes.
pub fn audit_package(parts: &PackageParts<'_>) -> Vec<(String, Vec<u8>)> {
    let proven: BTreeSet<u64> = parts.olog_proofs.iter().map(|proof| proof.index).collect();
    let read = |packaged: &PackagedEnvelope<'_>| ReadEnvelope::of(packaged, &proven);
    let mut envelopes: Vec<ReadEnvelope> = parts.envelopes.iter().map(read).collect();
    envelopes.sort_by_key(|envelope| envelope.olog_index);
    let gaps = gaps(parts, &envelopes);
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("index.html".to_owned(), index_page(parts, &envelopes, &gaps).into_bytes()),
        ("entries.json".to_owned(), entries_text(parts, &envelopes)),
        ("envelopes.json".to_owned(), pretty(&envelopes_json(&envelopes))),
        ("olog-checkpoint.txt".to_owned(), parts.olog_checkpoint.as_bytes().to_vec()),
        ("mlog-checkpoint.txt".to_owned(), parts.mlog_checkpoint.as_bytes().to_vec()),
        ("root-policy.cbor".to_owned(), parts.root_policy.to_vec()),
        ("site-manifest.mlog.cbor".to_owned(), parts.manifest_entry.to_vec()),
        ("trail.csv".to_owned(), parts.trail.as_bytes().to_vec()),
        ("audit-events.ndjson".to_owned(), parts.audit_events.as_bytes().to_vec()),
    ];
    for (number, entry) in parts.earlier_manifests.iter().enumerate() {
        files.push((format!("{EARLIER_MANIFEST}{number:06}.mlog.cbor"), entry.to_vec()));
    }
    for envelope in parts.envelopes {
        files.push((envelope_name(envelope.olog_index), envelope.bytes.to_vec()));
    }
    for proof in parts.olog_proofs {
        files.push((proof_name(proof.index), tlog_proof(proof, parts.olog_checkpoint).into_bytes()));
    }
    for (place, receipt) in parts.receipts.iter().enumerate() {
        files.push((format!("receipt-{place:06}.cbor"), receipt.clone()));
    }
    for certificate in parts.certificates {
        let name = format!("certificate-{}", certificate.device);
        files.push((format!("{name}.mlog.cbor"), certificate.mlog_entry.to_vec()));
        let proof = tlog_proof(&certificate.proof, parts.mlog_checkpoint);
        files.push((format!("{name}.tlog-proof"), proof.into_bytes()));
    }
    files.sort();
    files.dedup();
    let manifest = manifest_json(parts, &files, &gaps);
    files.push(("manifest.json".to_owned(), pretty(&manifest)));
    files
}

/// How the file of a manifest before the newest begins; its number follows.
pub(super) const EARLIER_MANIFEST: &str = "site-manifest-";

/// The name of an envelope's file.
pub(super) fn envelope_name(olog_index: u64) -> String {
    format!("envelope-{olog_index:012}.cbor")
}

fn proof_name(olog_index: u64) -> String {
    format!("proof-{olog_index:012}.tlog-proof")
}

/// A proof as text (C2SP tlog-proof@v1): place, hashes, and the checkpoint.
fn tlog_proof(proof: &PackagedProof, checkpoint: &str) -> String {
    let mut out = format!("c2sp.org/tlog-proof@v1\nindex {}\n", proof.index);
    for hash in &proof.hashes {
        out.push_str(&STANDARD.encode(hash.as_bytes()));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(checkpoint);
    out
}

fn gaps(parts: &PackageParts<'_>, envelopes: &[ReadEnvelope]) -> PackageGaps {
    let sealed: BTreeSet<EntryId> = envelopes.iter().filter_map(|envelope| envelope.entry).collect();
    let certified: BTreeSet<DeviceId> =
        parts.certificates.iter().map(|certificate| certificate.device).collect();
    let timeline = parts.chart.view.timeline();
    // A carried entry travels inside the envelope of the entry that carries it.
    let bare = timeline.iter().filter(|item| item.carried_by.is_none() && !sealed.contains(&item.entry.id()));
    let authors: BTreeSet<DeviceId> = timeline.iter().map(|item| item.entry.frame().device).collect();
    PackageGaps {
        without_envelope: bare.map(|item| item.entry.id()).collect(),
        without_proof: envelopes.iter().filter(|e| e.proof.is_none()).map(|e| e.olog_index).collect(),
        unreadable: envelopes.iter().filter(|e| e.entry.is_none()).map(|e| e.olog_index).collect(),
        without_certificate: authors.difference(&certified).copied().collect(),
    }
}

fn envelopes_json(envelopes: &[ReadEnvelope]) -> Value {
    let one = |envelope: &ReadEnvelope| {
        json!({
            "olog_index": envelope.olog_index,
            "received_at": crate::views::calendar::iso_instant(envelope.received_at),
            "envelope_hash": envelope.hash,
            "entry_id": envelope.entry,
            "file": envelope_name(envelope.olog_index),
            "proof": envelope.proof,
        })
    };
    Value::Array(envelopes.iter().map(one).collect())
}

fn manifest_json(parts: &PackageParts<'_>, files: &[(String, Vec<u8>)], gaps: &PackageGaps) -> Value {
    let file = |(name, bytes): &(String, Vec<u8>)| json!({"name": name, "bytes": bytes.len(), "sha256": hex_encode(&sha256(bytes))});
    json!({
        "format": "ward-audit-package",
        "version": 1,
        "chart": parts.chart.chart,
        "made_at": crate::views::calendar::iso_instant(parts.made_at),
        "root_fingerprint": hex_encode(&sha256(parts.root_policy)),
        "gaps": {
            "entries_without_envelope": gaps.without_envelope,
            "envelopes_without_proof": gaps.without_proof,
            "unreadable_envelopes": gaps.unreadable,
            "authors_without_certificate": gaps.without_certificate,
        },
        "files": files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn pretty(value: &Value) -> Vec<u8> {
    // A value of strings, numbers and arrays always has a text.
    let mut out = serde_json::to_vec_pretty(value).unwrap_or_default();
    out.push(b'\n');
    out
}
