//! Checking an audit package offline: with the package alone, and the fingerprint of the site's root
//! that the inspector got elsewhere. The eight steps are those of the package's own page.

use super::package::{EARLIER_MANIFEST, envelope_name};
use super::package_entries::frame_json;
use crate::client::site_trust;
use crate::views::{ChartForms, role_name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use ward_audit::{
    CosignedHead, NodeHash, Receipt, SignedNote, SignerName, TreeHead, first_origin_of, leaf_hash, olog_leaf,
    verify_cosigned, verify_inclusion,
};
use ward_crypto::{
    CaptureSignature, DeviceCert, Envelope, Role, RootPolicy, SignPublicKey, Signature, SiteManifest, labels,
    sha256,
};
use ward_id::{Canonical as _, DeviceId, EntryId, EnvelopeHash, Incarnation, hex_decode, hex_encode};
use ward_sync::{MlogBody, MlogEntry, SignedEntry, key_of_receipt};

/// The files of a package by name.
pub type PackageFiles = BTreeMap<String, Vec<u8>>;

/// By place, the entries there, each with the one before it: several where a device signed two histories.
type Chain = BTreeMap<u64, Vec<(EntryId, Option<EntryId>)>>;

/// What checking a package came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PackageCheck {
    /// SHA-256 of the root policy, as hexadecimal. Unless it is the fingerprint that the site gave
    /// out, the package proves nothing.
    pub root_fingerprint: String,
    /// When the witnesses confirmed the operation log, in seconds since 1970.
    pub confirmed_at_s: u64,
    /// Entries whose name, author's signature and place in their chain hold.
    pub entries: usize,
    /// Envelopes whose author's signature and place in the operation log hold.
    pub envelopes: usize,
    /// Receipts that hold.
    pub receipts: usize,
    /// Certificates that stand in the membership log.
    pub certificates: usize,
    /// What does not hold.
    pub faults: Vec<String>,
    /// What the package does not let one check.
    pub not_shown: Vec<String>,
}

impl PackageCheck {
    /// Whether everything holds that the package shows.
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The trust that the package's own root gives.
struct Trust {
    manifest: Box<SiteManifest>,
    /// Those before it, the newest first.
    earlier: Vec<SiteManifest>,
    olog: CosignedHead,
    mlog: TreeHead,
}

/// Checks a package. `pin` is the fingerprint of the site's root, if the inspector has it.
pub fn check_package(files: &PackageFiles, pin: Option<[u8; 32]>) -> PackageCheck {
    let mut check = PackageCheck::default();
    check.files(files);
    match check.trust(files, pin) {
        Ok(trust) => {
            check.confirmed_at_s = trust.olog.attested_s();
            let certificates = check.certificates(files, &trust);
            let envelopes = check.envelopes(files, &trust, &certificates);
            check.entries(files, &certificates, &envelopes);
            check.receipts(files, &trust, &envelopes);
        }
        Err(fault) => check.faults.push(fault),
    }
    check
}

fn file<'a>(files: &'a PackageFiles, name: &str) -> Result<&'a [u8], String> {
    files.get(name).map(Vec::as_slice).ok_or_else(|| format!("{name} is missing"))
}

fn read_json(files: &PackageFiles, name: &str) -> Result<Value, String> {
    serde_json::from_slice(file(files, name)?).map_err(|_| format!("{name} is no JSON"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl PackageCheck {
    fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    /// Step 1: the list of files.
    fn files(&mut self, files: &PackageFiles) {
        let manifest = match read_json(files, "manifest.json") {
            Ok(manifest) => manifest,
            Err(fault) => return self.fault(fault),
        };
        let listed = manifest.get("files").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut named: BTreeSet<&str> = BTreeSet::from(["manifest.json"]);
        for one in listed {
            let name = text(one, "name");
            named.insert(name);
            match files.get(name) {
                Some(bytes) if hex_encode(&sha256(bytes)) == text(one, "sha256") => {}
                Some(_) => self.fault(format!("{name} was changed")),
                None => self.fault(format!("{name} is missing")),
            }
        }
        for name in files.keys().filter(|name| !named.contains(name.as_str())) {
            self.fault(format!("{name} is not in the list of files"));
        }
        self.not_shown.push(
            "times of arrival are the server's word, and how an entry counts is the word of the device that made the \
             package"
                .to_owned(),
        );
        for (gap, names) in manifest.get("gaps").and_then(Value::as_object).into_iter().flatten() {
            let count = names.as_array().map_or(0, Vec::len);
            if count > 0 {
                self.not_shown.push(format!("{}: {count}", gap.replace('_', " ")));
            }
        }
    }

    /// Steps 2 to 4: root, site, checkpoints.
    fn trust(&mut self, files: &PackageFiles, pin: Option<[u8; 32]>) -> Result<Trust, String> {
        let root_bytes = file(files, "root-policy.cbor")?;
        let fingerprint = sha256(root_bytes);
        self.root_fingerprint = hex_encode(&fingerprint);
        match pin {
            Some(pin) if pin != fingerprint => {
                return Err("the package is of another site than the fingerprint says".to_owned());
            }
            Some(_) => {}
            None => self.not_shown.push(
                "whether this is the site that it says it is: compare the root's fingerprint with the one that the \
                 site gave out"
                    .to_owned(),
            ),
        }
        let root = RootPolicy::from_canonical(root_bytes).map_err(|_| "the root policy is malformed")?;
        let entry = MlogEntry::read(file(files, "site-manifest.mlog.cbor")?)
            .map_err(|_| "the site manifest is malformed")?;
        let Ok(MlogBody::SiteManifest(manifest)) = entry.decode_body() else {
            return Err("the site manifest is none".to_owned());
        };
        let signatures: Vec<([u8; 16], Signature)> =
            entry.signatures().iter().map(|one| (*one.signer.as_bytes(), one.signature)).collect();
        root.verify_threshold(labels::MLOG, &entry.signing_digest(), &signatures)
            .map_err(|_| "the site manifest is not signed by enough root keys")?;
        if (manifest.site, entry.site()) != (root.site, root.site) {
            return Err("the site manifest is of another site".to_owned());
        }
        let policy = site_trust::witness_policy(&manifest).map_err(|error| error.to_string())?;
        let head = |name: &str, origin: &str| {
            let key = site_trust::log_key(&manifest, origin).map_err(|error| error.to_string())?;
            let note = std::str::from_utf8(file(files, name)?).map_err(|_| format!("{name} is no text"))?;
            let note: SignedNote = note.parse().map_err(|_| format!("{name} is no signed note"))?;
            let head = verify_cosigned(&note, &key, &policy).map_err(|error| format!("{name}: {error}"))?;
            Ok::<_, String>(head)
        };
        // A log that was opened again goes by a later origin, with the same key and witnesses.
        let shown = std::str::from_utf8(file(files, "olog-checkpoint.txt")?).unwrap_or_default();
        let shown: Option<SignerName> = shown.lines().next().and_then(|origin| origin.parse().ok());
        let later = shown
            .filter(|name| first_origin_of(name).is_some_and(|first| first.as_str() == manifest.olog_origin));
        let origin = later.as_ref().map_or(manifest.olog_origin.as_str(), SignerName::as_str);
        let olog = head("olog-checkpoint.txt", origin)?;
        let mlog = head("mlog-checkpoint.txt", &manifest.mlog_origin)?;
        let earlier = self.earlier_manifests(files, &manifest);
        Ok(Trust { earlier, olog, mlog: mlog.head(), manifest })
    }

    /// The manifests before the newest. Each names the hash of the one before, so the root's signatures
    /// under the newest say of all of them that they held.
    fn earlier_manifests(&mut self, files: &PackageFiles, newest: &SiteManifest) -> Vec<SiteManifest> {
        let mut read = BTreeMap::new();
        for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with(EARLIER_MANIFEST)) {
            match MlogEntry::read(bytes).ok().and_then(|entry| entry.decode_body().ok()) {
                Some(MlogBody::SiteManifest(manifest)) => {
                    read.insert(manifest.hash(), (name, manifest));
                }
                _ => self.fault(format!("{name}: it is no site manifest")),
            }
        }
        let (mut earlier, mut before) = (Vec::new(), newest.prev);
        while let Some((_, manifest)) = before.and_then(|hash| read.remove(&hash)) {
            before = manifest.prev;
            earlier.push(*manifest);
        }
        for (name, _) in read.into_values() {
            self.fault(format!("{name}: it is no manifest before the newest one"));
        }
        if before.is_some() {
            self.not_shown.push(
                "site manifests before those in the package: receipts under their keys do not hold"
                    .to_owned(),
            );
        }
        earlier
    }

    /// Step 5: the people.
    fn certificates(&mut self, files: &PackageFiles, trust: &Trust) -> BTreeMap<DeviceId, DeviceCert> {
        let mut entries = Vec::new();
        let mut certificates = BTreeMap::new();
        for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("certificate-")) {
            let Some(device) = name.strip_suffix(".mlog.cbor") else { continue };
            match certificate(files, device, bytes, trust) {
                Ok((entry, cert)) => {
                    certificates.insert(cert.binding.device, cert);
                    entries.push((device.to_owned(), entry));
                }
                Err(fault) => self.fault(format!("{name}: {fault}")),
            }
        }
        self.issuers(&entries, trust, &certificates);
        certificates
    }

    /// Who vouches for each certificate. That it stands in the membership log is not enough: void
    /// entries stand there too.
    fn issuers(
        &mut self,
        entries: &[(String, MlogEntry)],
        trust: &Trust,
        certificates: &BTreeMap<DeviceId, DeviceCert>,
    ) {
        let mut vouched: BTreeSet<DeviceId> = BTreeSet::new();
        let mut open: Vec<&(String, MlogEntry)> = entries.iter().collect();
        // The admins first, then whom they certified, then whom those certified.
        loop {
            let before = open.len();
            open.retain(|(_, entry)| match judged(entry, trust, certificates, &vouched) {
                Issued::By => {
                    vouched.extend(certified_device(entry));
                    false
                }
                _ => true,
            });
            if open.len() == before {
                break;
            }
        }
        self.certificates = vouched.len();
        for (name, entry) in open {
            match judged(entry, trust, certificates, &vouched) {
                Issued::Unknown(signer) => self.not_shown.push(format!(
                    "{name}: the signature of {signer}, whose certificate is not in the package; the membership log \
                     took it"
                )),
                _ => self.fault(format!("{name}: nobody who may do so issued it")),
            }
        }
    }

    /// Step 8, first half: envelopes and their places.
    fn envelopes(
        &mut self,
        files: &PackageFiles,
        trust: &Trust,
        certificates: &BTreeMap<DeviceId, DeviceCert>,
    ) -> BTreeMap<u64, (EnvelopeHash, EntryId)> {
        let mut placed = BTreeMap::new();
        let rows = match read_json(files, "envelopes.json") {
            Ok(rows) => rows,
            Err(fault) => {
                self.fault(fault);
                return placed;
            }
        };
        for row in rows.as_array().map_or(&[][..], Vec::as_slice) {
            let Some(index) = row.get("olog_index").and_then(Value::as_u64) else {
                self.fault("envelopes.json names no place");
                continue;
            };
            match envelope(files, row, index, trust, certificates) {
                Ok((hash, entry)) => {
                    placed.insert(index, (hash, entry));
                    self.envelopes += 1;
                }
                Err(fault) => self.fault(format!("{}: {fault}", envelope_name(index))),
            }
        }
        placed
    }

    /// Steps 6 and 7: entries and their chains, and which envelope carried them.
    fn entries(
        &mut self,
        files: &PackageFiles,
        certificates: &BTreeMap<DeviceId, DeviceCert>,
        envelopes: &BTreeMap<u64, (EnvelopeHash, EntryId)>,
    ) {
        let rows = match read_json(files, "entries.json") {
            Ok(rows) => rows,
            Err(fault) => return self.fault(fault),
        };
        let sealed: BTreeSet<EntryId> = envelopes.values().map(|(_, entry)| *entry).collect();
        let mut chains: BTreeMap<(DeviceId, Incarnation), Chain> = BTreeMap::new();
        let mut read = Vec::new();
        for row in rows.as_array().map_or(&[][..], Vec::as_slice) {
            match signed_entry(row, certificates) {
                Ok(entry) => read.push((row, entry)),
                Err(fault) => self.fault(format!("entry {}: {fault}", text(row, "entry_id"))),
            }
        }
        let forms = ChartForms::of_entries(read.iter().map(|(_, entry)| entry));
        for (row, entry) in &read {
            let frame = entry.frame();
            let author = certificates.get(&frame.device).map(|cert| {
                json!({"person": cert.binding.person, "role": role_name(cert.binding.role), "device": frame.device})
            });
            if row.get("author").is_some_and(|told| !told.is_null()) && row.get("author") != author.as_ref() {
                self.fault(format!("entry {}: its author is another one", entry.id()));
            }
            if row.get("frame") != Some(&frame_json(&forms, entry)) {
                self.fault(format!("entry {}: what can be read is not what was signed", entry.id()));
                continue;
            }
            let carried = row.get("carried_by").is_some_and(|by| !by.is_null());
            if !carried && !sealed.contains(&entry.id()) {
                self.not_shown.push(format!("entry {}: no envelope of it", entry.id()));
            }
            // What came only inside another entry says nothing of the chain that it stood in.
            if !carried || sealed.contains(&entry.id()) {
                let chain = chains.entry((frame.device, frame.incarnation)).or_default();
                chain.entry(frame.seq).or_default().push((entry.id(), frame.prev));
            }
            self.entries += 1;
        }
        let known: BTreeSet<EntryId> = read.iter().map(|(_, entry)| entry.id()).collect();
        for fault in super::package_events::event_faults(files, &known) {
            self.fault(fault);
        }
        let named = read.iter().flat_map(|(_, entry)| entry.body().deps.iter().chain(&entry.body().amends));
        for missing in named.filter(|named| !known.contains(*named)).collect::<BTreeSet<_>>() {
            self.fault(format!("entry {missing} is missing: the author of another one had seen it"));
        }
        // The one before may itself have come only inside another entry: it is not missing then.
        let stood: BTreeMap<EntryId, (DeviceId, Incarnation, u64)> = read
            .iter()
            .map(|(_, entry)| {
                (entry.id(), (entry.frame().device, entry.frame().incarnation, entry.frame().seq))
            })
            .collect();
        for ((device, incarnation), chain) in chains {
            let follows = |seq: u64, prev: Option<EntryId>| match prev {
                None => seq == 1,
                Some(prev) => seq
                    .checked_sub(1)
                    .is_some_and(|seq| stood.get(&prev) == Some(&(device, incarnation, seq))),
            };
            for (seq, there) in &chain {
                if there.iter().all(|(_, prev)| follows(*seq, *prev)) {
                    continue;
                }
                self.fault(format!(
                    "the chain of device {device} (life {:016x}) misses something before place {seq}",
                    incarnation.0
                ));
            }
        }
    }

    /// Step 8, second half: receipts.
    fn receipts(
        &mut self,
        files: &PackageFiles,
        trust: &Trust,
        envelopes: &BTreeMap<u64, (EnvelopeHash, EntryId)>,
    ) {
        for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("receipt-")) {
            let read = Receipt::from_canonical(bytes).ok();
            let manifests = || std::iter::once(&*trust.manifest).chain(&trust.earlier);
            let holds = |receipt: &Receipt| {
                receipt.origin() == trust.olog.checkpoint().origin()
                    && key_of_receipt(manifests(), receipt).is_some()
            };
            let Some(receipt) = read.filter(holds) else {
                self.fault(format!("{name}: the log's signature does not hold"));
                continue;
            };
            let places = (receipt.first_index()..).zip(receipt.envelopes());
            let other = places.into_iter().find(|(index, promised)| {
                envelopes.get(index).is_some_and(|(stands, _)| stands != *promised)
            });
            match other {
                Some((index, _)) => self.fault(format!("{name}: another envelope stands at place {index}")),
                None => self.receipts += 1,
            }
        }
    }
}

/// Who issued a certificate.
enum Issued {
    /// Those who may.
    By,
    /// A signer is not known here.
    Unknown(DeviceId),
    /// Too few who may, or a signature that does not hold.
    No,
}

fn certified_device(entry: &MlogEntry) -> Option<DeviceId> {
    cert_of(entry).map(|cert| cert.binding.device)
}

fn cert_of(entry: &MlogEntry) -> Option<DeviceCert> {
    match entry.decode_body().ok()? {
        MlogBody::DeviceCert(cert) => Some(*cert),
        MlogBody::RecoveryUse(recovery) => Some(*recovery.cert),
        _ => None,
    }
}

/// The rules of protocol 7.1, as far as the package shows them: an admin stands in the manifest and
/// signs alone; staff take two admins; a participant's device takes staff, after a recovery two.
fn judged(
    entry: &MlogEntry,
    trust: &Trust,
    certificates: &BTreeMap<DeviceId, DeviceCert>,
    vouched: &BTreeSet<DeviceId>,
) -> Issued {
    let Some(cert) = cert_of(entry) else { return Issued::No };
    let recovery = matches!(entry.decode_body(), Ok(MlogBody::RecoveryUse(_)));
    let (mut admins, mut staff, mut unknown) = (BTreeSet::new(), BTreeSet::new(), None);
    for one in entry.signatures() {
        let signer = one.signer.as_device();
        let admin = trust.manifest.admins.iter().find(|admin| admin.device == signer);
        let known = certificates.get(&signer);
        let key: Option<&SignPublicKey> =
            admin.map(|admin| &admin.sign_pk).or(known.map(|cert| &cert.binding.sign_pk));
        let Some(key) = key else {
            unknown = Some(signer);
            continue;
        };
        if key.verify_labelled(labels::MLOG, &entry.signing_digest(), &one.signature).is_err() {
            return Issued::No;
        }
        if let Some(admin) = admin {
            admins.insert(admin.person);
            staff.insert(admin.person);
        } else if let Some(known) = known.filter(|known| known.binding.role.is_staff()) {
            if vouched.contains(&signer) {
                staff.insert(known.binding.person);
            } else {
                // It may still be vouched for, or its own issuer may be unknown here.
                unknown = unknown.or(Some(signer));
            }
        }
    }
    let enough = match cert.binding.role {
        Role::Admin => admins.contains(&cert.binding.person),
        Role::Patient => staff.len() >= if recovery { 2 } else { 1 },
        _ => admins.len() >= 2,
    };
    match (enough, unknown) {
        (true, _) => Issued::By,
        (false, Some(signer)) => Issued::Unknown(signer),
        (false, None) => Issued::No,
    }
}

fn certificate(
    files: &PackageFiles,
    name: &str,
    bytes: &[u8],
    trust: &Trust,
) -> Result<(MlogEntry, DeviceCert), String> {
    let entry = MlogEntry::read(bytes).map_err(|_| "it is no entry of the membership log")?;
    let cert = cert_of(&entry).ok_or("it holds no certificate")?;
    if name != format!("certificate-{}", cert.binding.device) {
        return Err("it is the certificate of another device".to_owned());
    }
    cert.verify_counter_signatures().map_err(|_| "the device's own signatures do not hold")?;
    let (index, hashes) = tlog_proof(files, &format!("{name}.tlog-proof"), "mlog-checkpoint.txt")?;
    verify_inclusion(index, trust.mlog.size, &leaf_hash(&entry.leaf()), &trust.mlog.root, &hashes)
        .map_err(|_| "it does not stand in the membership log")?;
    Ok((entry, cert))
}

fn envelope(
    files: &PackageFiles,
    row: &Value,
    index: u64,
    trust: &Trust,
    certificates: &BTreeMap<DeviceId, DeviceCert>,
) -> Result<(EnvelopeHash, EntryId), String> {
    let bytes = file(files, &envelope_name(index))?;
    let envelope = Envelope::from_canonical(bytes).map_err(|_| "it is no envelope")?;
    let (hash, header) = (envelope.envelope_hash(), envelope.header());
    if text(row, "envelope_hash") != hash.to_string() || text(row, "entry_id") != header.entry_id.to_string()
    {
        return Err("envelopes.json says something else of it".to_owned());
    }
    let cert = certificates.get(&header.device).ok_or("its device has no certificate here")?;
    envelope.verify(&cert.binding.sign_pk).map_err(|_| "its signature does not hold")?;
    let proof = text(row, "proof");
    if proof.is_empty() {
        // Listed among the gaps.
        return Ok((hash, header.entry_id));
    }
    let (place, hashes) = tlog_proof(files, proof, "olog-checkpoint.txt")?;
    let head = trust.olog.head();
    let stands =
        verify_inclusion(index, head.size, &leaf_hash(olog_leaf(&hash)), &head.root, &hashes).is_ok();
    if place == index && stands {
        Ok((hash, header.entry_id))
    } else {
        Err("it does not stand at its place in the operation log".to_owned())
    }
}

fn signed_entry(row: &Value, certificates: &BTreeMap<DeviceId, DeviceCert>) -> Result<SignedEntry, String> {
    let bytes = |field: &str| hex_decode(text(row, field)).map_err(|_| format!("{field} is no hexadecimal"));
    let alg = row.get("sig_alg").and_then(Value::as_u64).and_then(|alg| u8::try_from(alg).ok());
    let signature = Signature::from_slice(&bytes("capture_sig")?).ok_or("capture_sig has another length")?;
    let capture = alg
        .and_then(|alg| CaptureSignature::from_parts(alg, signature))
        .ok_or("it is signed in an unknown way")?;
    let device: DeviceId = row
        .get("frame")
        .and_then(|frame| text(frame, "device").parse().ok())
        .ok_or("its frame names no device")?;
    let cert = certificates.get(&device).ok_or("its device has no certificate here")?;
    let entry =
        SignedEntry::from_frame(&bytes("frame_bytes")?, capture, cert).map_err(|error| error.to_string())?;
    if text(row, "entry_id") == entry.id().to_string() {
        Ok(entry)
    } else {
        Err("it has another name".to_owned())
    }
}

/// Place and hashes of a proof (C2SP tlog-proof@v1), which repeats the checkpoint that it is under.
fn tlog_proof(files: &PackageFiles, name: &str, checkpoint: &str) -> Result<(u64, Vec<NodeHash>), String> {
    let bad = || format!("{name} is no proof");
    let text = std::str::from_utf8(file(files, name)?).map_err(|_| bad())?;
    let (text, repeated) = text.split_once("\n\n").ok_or_else(bad)?;
    if repeated.as_bytes() != file(files, checkpoint)? {
        return Err(format!("{name} is under another checkpoint"));
    }
    let mut lines = text.lines();
    if lines.next() != Some("c2sp.org/tlog-proof@v1") {
        return Err(bad());
    }
    let index = lines.next().and_then(|line| line.strip_prefix("index ")?.parse().ok()).ok_or_else(bad)?;
    let hash = |line: &str| {
        let bytes = STANDARD.decode(line).ok()?;
        Some(NodeHash::from_bytes(bytes.try_into().ok()?))
    };
    let hashes = lines.map(hash).collect::<Option<Vec<_>>>();
    Ok((index, hashes.ok_or_else(bad)?))
}
