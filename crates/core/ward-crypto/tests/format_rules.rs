//! The rules of each format, at the limit and one past it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code may fail loudly")]

mod fixtures;

use fixtures::{DAY_ONE, Seeded, Site};
use ward_crypto::*;
use ward_id::{Canonical, DeviceId, EntryId, TimestampMs};

fn root_of(count: usize, threshold: u8) -> Result<(RootPolicy, Vec<SignKey>), FormatError> {
    let mut rng = Seeded::new("root");
    let mut keys: Vec<SignKey> = (0..count).map(|_| SignKey::generate(&mut rng)).collect();
    keys.sort_by_key(|key| *key.public());
    let public = keys.iter().map(|key| *key.public()).collect();
    let fields =
        RootPolicyFields { v: V1, site: random_id(&mut rng), threshold, keys: public, independent: true };
    RootPolicy::new(fields).map(|root| (root, keys))
}

#[test]
fn root_policy_rules() {
    for (count, threshold, good) in
        [(1, 1, true), (16, 16, true), (3, 0, false), (3, 4, false), (0, 0, false), (17, 2, false)]
    {
        assert_eq!(root_of(count, threshold).is_ok(), good, "{threshold} of {count}");
    }
    let (root, _) = root_of(3, 2).unwrap();
    let mut unsorted = RootPolicyFields::clone(&root);
    unsorted.keys.swap(0, 1);
    assert_eq!(RootPolicy::new(unsorted.clone()), Err(FormatError::NotSorted("root keys")));
    unsorted.keys[0] = unsorted.keys[1];
    assert_eq!(RootPolicy::new(unsorted), Err(FormatError::NotSorted("root keys")));
}

#[test]
fn a_threshold_counts_different_keys_and_no_bad_signature() {
    let (root, keys) = root_of(3, 2).unwrap();
    let digest = [8; 32];
    let sign = |key: &SignKey| (key.public().signer_id(), key.sign_labelled(labels::MLOG, &digest));
    let check = |signatures: &[_]| root.verify_threshold(labels::MLOG, &digest, signatures);
    let (a, b, c) = (sign(&keys[0]), sign(&keys[1]), sign(&keys[2]));
    let stranger = sign(&SignKey::from_secret_bytes(&[1; 32]));
    let bad = (c.0, a.1);
    assert_eq!(check(&[a, b]), Ok(()));
    assert_eq!(check(&[c, a, b]), Ok(()));
    for refused in [&[][..], &[a], &[a, a], &[a, stranger], &[a, b, stranger], &[a, b, bad]] {
        assert_eq!(check(refused), Err(CryptoError::Rejected), "{}", refused.len());
    }
    assert_eq!(root.verify_threshold(labels::PKG, &digest, &[a, b]), Err(CryptoError::Rejected));
}

#[test]
fn manifest_rules() {
    let site = Site::new("manifest");
    let check = |change: &dyn Fn(&mut SiteManifestFields)| {
        let mut fields = SiteManifestFields::clone(&site.manifest);
        change(&mut fields);
        SiteManifest::new(fields).map(|manifest| manifest.hash())
    };
    let good: [&dyn Fn(&mut SiteManifestFields); 4] = [
        &|m| m.freshness_limit_s = 259_200,
        &|m| m.quorum = 3,
        &|m| (m.number, m.prev) = (1, Some(site.manifest.hash())),
        &|m| m.mlog_origin = "o".repeat(200),
    ];
    let bad: [&dyn Fn(&mut SiteManifestFields); 18] = [
        &|m| m.freshness_limit_s = 259_201,
        &|m| m.freshness_limit_s = 0,
        &|m| m.quorum = 0,
        &|m| m.quorum = 4,
        &|m| m.number = 1,
        &|m| m.prev = Some(site.manifest.hash()),
        &|m| m.min_suite = 0,
        &|m| m.admins.clear(),
        &|m| m.admins.push(m.admins[0].clone()),
        &|m| m.witnesses.clear(),
        &|m| m.witnesses[1] = m.witnesses[0].clone(),
        &|m| m.witnesses[1].name = m.witnesses[0].name.clone(),
        &|m| m.witnesses[1].key = m.log_key,
        &|m| m.witnesses[1].name = "two words".into(),
        &|m| m.olog_origin = m.mlog_origin.clone(),
        &|m| m.mlog_origin = "o".repeat(201),
        &|m| m.min_attest.push(m.min_attest[0]),
        &|m| m.witnesses = (0..17).map(|_| m.witnesses[0].clone()).collect(),
    ];
    for (i, change) in good.into_iter().enumerate() {
        assert!(check(change).is_ok(), "good {i}");
    }
    for (i, change) in bad.into_iter().enumerate() {
        assert!(check(change).is_err(), "bad {i}");
    }
    assert_eq!(site.manifest.min_attest_of(Role::Coordinator), AttestLevel::Software);
    assert_eq!(site.manifest.min_attest_of(Role::Patient), AttestLevel::None);
}

#[test]
fn a_manifest_extends_the_one_before_only() {
    let site = Site::new("manifest");
    let next = |change: &dyn Fn(&mut SiteManifestFields)| {
        let mut fields = SiteManifestFields::clone(&site.manifest);
        (fields.number, fields.prev) = (1, Some(site.manifest.hash()));
        change(&mut fields);
        SiteManifest::new(fields).unwrap().extends(&site.manifest)
    };
    assert!(next(&|_| ()));
    assert!(next(&|m| m.min_suite = 2));
    assert!(!next(&|m| m.number = 2));
    assert!(!next(&|m| m.prev = Some(ward_id::ManifestHash::from_bytes([0; 32]))));
    assert!(!next(&|m| m.site = ward_id::SiteId::from_bytes([0; 16])));
    assert!(!site.manifest.extends(&site.manifest));
}

#[test]
fn certificate_rules() {
    let site = Site::new("certificate");
    let mut fields = DeviceCertFields::clone(&site.patient.cert);
    fields.not_after = fields.not_before;
    assert_eq!(DeviceCert::new(fields), Err(FormatError::OutOfRange("the validity of the certificate")));
    let cert = &site.patient.cert;
    assert!(cert.valid_at(DAY_ONE) && cert.valid_at(TimestampMs(cert.not_after.0 - 1)));
    assert!(!cert.valid_at(cert.not_after) && !cert.valid_at(DAY_ONE.plus_ms(-1)));
    assert_eq!(cert.verify_counter_sign_only(), Ok(()));
    // Signatures of one device do not hold for the binding of another.
    let mut swapped = DeviceCertFields::clone(cert);
    swapped.counter_auth = site.staff.cert.counter_auth;
    let swapped = DeviceCert::new(swapped).unwrap();
    assert_eq!(swapped.verify_counter_signatures(), Err(CryptoError::Rejected));
    let staff: Vec<u8> = Role::ALL.iter().filter(|role| role.is_staff()).map(|role| role.number()).collect();
    assert_eq!(staff, [2, 3, 4, 10]);
}

#[test]
fn ticket_and_request_rules() {
    let mut site = Site::new("ticket");
    let ticket = site.ticket();
    let alike = Site::new("ticket");
    let fields = || alike.ticket_fields(TicketSecret::from_secret_bytes([1; 32]));
    for (role, chart, good) in [
        (Role::Patient, ticket.chart, true),
        (Role::Patient, None, false),
        (Role::Clinician, None, true),
        (Role::Clinician, ticket.chart, false),
    ] {
        assert_eq!(Ticket::new(TicketFields { role, chart, ..fields() }).is_ok(), good, "{role:?}");
    }
    for (len, good) in [(0, false), (1, true), (200, true), (201, false)] {
        let server_origin = "x".repeat(len);
        assert_eq!(Ticket::new(TicketFields { server_origin, ..fields() }).is_ok(), good, "{len}");
    }
    for (pins, good) in [(0, true), (4, true), (5, false)] {
        let spki_pins = vec![[1; 32].into(); pins];
        assert_eq!(Ticket::new(TicketFields { spki_pins, ..fields() }).is_ok(), good, "{pins} pins");
    }
    let issuer = site.staff.keys.enc.public().clone();
    for (len, good) in [(16_384, true), (16_385, false)] {
        let request = EnrolRequest { id_token: Some("t".repeat(len)), ..site.enrol_request() };
        assert_eq!(seal_enrol_request(&ticket, &issuer, &request, &mut site.rng).is_ok(), good, "{len}");
    }
    // A request for another person than the ticket invites.
    let other = EnrolRequest { binding: site.staff.binding.clone(), ..site.enrol_request() };
    let refused = seal_enrol_request(&ticket, &issuer, &other, &mut site.rng);
    assert_eq!(refused, Err(FormatError::Mismatch("the request and the ticket").into()));
}

#[test]
fn a_redemption_is_bound_to_ticket_and_blob() {
    let mut site = Site::new("redeem");
    let ticket = site.ticket();
    let issuer = site.staff.keys.enc.public().clone();
    let request = site.enrol_request();
    let [blob, other] =
        [0, 1].map(|_| seal_enrol_request(&ticket, &issuer, &request, &mut site.rng).unwrap());
    let server = RedeemKey::from_bytes(*ticket.redeem_key().as_bytes());
    let proof = ticket.redeem_key().proof(ticket.ticket, &blob);
    assert_eq!(server.verify_proof(ticket.ticket, &blob, &proof), Ok(()));
    for refused in [
        server.verify_proof(ticket.ticket, &other, &proof),
        server.verify_proof(ward_id::TicketId::from_bytes([0; 16]), &blob, &proof),
        server.verify_proof(ticket.ticket, &blob, &proof[..31]),
        server.verify_proof(ticket.ticket, &blob, &[]),
        RedeemKey::from_bytes([0; 32]).verify_proof(ticket.ticket, &blob, &proof),
    ] {
        assert_eq!(refused, Err(CryptoError::Rejected));
    }
}

#[test]
fn the_words_cover_every_key_and_the_issuer() {
    let site = Site::new("words");
    let (patient, staff) = (&site.patient.binding, &site.staff.binding);
    let words = sas_words(patient, site.staff.id);
    assert_ne!(words, sas_words(patient, site.patient.id));
    type Change<'a> = &'a dyn Fn(&mut DeviceBindingFields);
    let changes: [Change<'_>; 5] = [
        &|b| b.ticket = staff.ticket,
        &|b| b.auth_pk = staff.auth_pk,
        &|b| b.sign_pk = staff.sign_pk,
        &|b| b.enc_pk = staff.enc_pk.clone(),
        &|b| b.site = ward_id::SiteId::from_bytes([0; 16]),
    ];
    for change in changes {
        let mut fields = DeviceBindingFields::clone(patient);
        change(&mut fields);
        assert_ne!(sas_words(&DeviceBinding::new(fields).unwrap(), site.staff.id), words);
    }
}

#[test]
fn envelope_limits() {
    let mut site = Site::new("envelope");
    let (_, secret) = site.epoch_zero();
    let largest = site.seal(&secret, 1, &vec![1; limits::PLAINTEXT_MAX_BYTES]);
    assert!(largest.to_canonical().len() <= limits::OPERATION_MAX_BYTES);
    let keys = &site.patient.keys;
    let header = site.header(0, 1);
    let mut rng = Seeded::new("envelope");
    let mut seal = |header: EnvelopeHeader, len: usize| {
        seal_envelope(&secret, header, &vec![1; len], &keys.sign, &keys.hedge, &mut rng).map(|_| ())
    };
    assert!(matches!(seal(header, limits::PLAINTEXT_MAX_BYTES + 1), Err(CryptoError::TooLarge { .. })));
    let refused = Err(FormatError::OutOfRange("the place in the chain").into());
    assert_eq!(seal(site.header(0, 0), 1), refused);
    let refused = Err(FormatError::Mismatch("the chart or epoch of the header").into());
    assert_eq!(seal(site.header(1, 1), 1), refused);
}

#[test]
fn package_and_drop_limits() {
    let mut site = Site::new("members");
    let (_, key) = site.staff.member();
    let mut rng = Seeded::new("members");
    for (count, good) in [(0, false), (1, true), (64, true), (65, false)] {
        let members: Vec<(DeviceId, EncPublicKey)> =
            (0..count).map(|_| (random_id(&mut rng), key.clone())).collect();
        let new = NewEpoch {
            site: site.site,
            chart: site.chart,
            previous: None,
            history: &[],
            mlog_size: 1,
            mlog_root: ward_id::TreeRoot::from_bytes([0; 32]),
            author: site.staff.id,
            members: &members,
        };
        let keys = &site.staff.keys;
        assert_eq!(make_epoch_package(&new, &keys.sign, &keys.hedge, &mut rng).is_ok(), good, "{count}");
        let entry = EntryId::from_bytes([0; 32]);
        let dropped = seal_drop(site.chart, site.patient.id, entry, &members, b"", &keys.sign, &mut rng);
        assert_eq!(dropped.is_ok(), good, "{count}");
    }
    // A member twice.
    let (first, secret) = site.epoch_zero();
    let twice = [site.staff.member(), site.staff.member()];
    let new = NewEpoch {
        site: site.site,
        chart: site.chart,
        previous: Some(PreviousEpoch { epoch: 0, package: first.hash() }),
        history: &[&secret],
        mlog_size: 1,
        mlog_root: ward_id::TreeRoot::from_bytes([0; 32]),
        author: site.staff.id,
        members: &twice,
    };
    let keys = &site.staff.keys;
    let refused = make_epoch_package(&new, &keys.sign, &keys.hedge, &mut rng).err();
    assert_eq!(refused, Some(FormatError::NotSorted("the wraps").into()));
    // Earlier secrets of another chart, of no earlier epoch, or one twice.
    let foreign = EpochSecret::from_secret_bytes(random_id(&mut rng), 0, &[0; 32]);
    let later = EpochSecret::from_secret_bytes(site.chart, 1, &[0; 32]);
    let one = [site.staff.member()];
    for history in [[&secret, &foreign], [&secret, &later], [&secret, &secret]] {
        let wrong = NewEpoch { history: &history, members: &one, ..new };
        let refused = make_epoch_package(&wrong, &keys.sign, &keys.hedge, &mut rng).err();
        assert_eq!(refused, Some(FormatError::Mismatch("the earlier secrets").into()));
    }
    // More than the limit: the newest are handed on, and those lead to the others.
    let many: Vec<EpochSecret> = (0..limits::HISTORY_MAX_EPOCHS as u64 + 5)
        .map(|epoch| EpochSecret::from_secret_bytes(site.chart, epoch, &[epoch as u8; 32]))
        .collect();
    let many: Vec<&EpochSecret> = many.iter().collect();
    let previous = PreviousEpoch { epoch: many.len() as u64, package: first.hash() };
    let long = NewEpoch { previous: Some(previous), history: &many, members: &one, ..new };
    let (package, secret) = make_epoch_package(&long, &keys.sign, &keys.hedge, &mut rng).unwrap();
    assert!(package.history.as_ref().unwrap().len() <= limits::HISTORY_MAX_BYTES);
    assert!(open_history(&secret, &package, [&first]).unwrap().is_empty());
}

#[test]
fn the_member_set_hash_ignores_order_and_nothing_else() {
    let site = Site::new("set");
    let [a, b] = [site.staff.member(), site.patient.member()];
    let hash = member_set_hash(&[a.clone(), b.clone()]);
    assert_eq!(hash, member_set_hash(&[b.clone(), a.clone()]));
    assert_ne!(hash, member_set_hash(std::slice::from_ref(&a)));
    assert_ne!(hash, member_set_hash(&[(a.0, b.1.clone()), (b.0, a.1.clone())]));
    let hashes = [(a.0, a.1.key_hash()), (b.0, b.1.key_hash())];
    assert_eq!(hash, member_set_hash_of_key_hashes(&hashes));
}

#[test]
fn a_drop_opens_for_its_recipients_only() {
    let mut site = Site::new("drop");
    let staff = [site.staff.member()];
    let (patient, entry) = (&site.patient, EntryId::from_bytes([3; 32]));
    let dropped =
        seal_drop(site.chart, patient.id, entry, &staff, b"urgent", &patient.keys.sign, &mut site.rng)
            .unwrap();
    let open = |dropped: &DropEnvelope| {
        open_drop(site.staff.id, &site.staff.keys.enc, dropped, patient.keys.sign.public())
    };
    assert_eq!(*open(&dropped).unwrap(), b"urgent");
    assert!(open_drop(patient.id, &patient.keys.enc, &dropped, patient.keys.sign.public()).is_err());
    let mut relabelled = DropEnvelopeFields::clone(&dropped);
    relabelled.entry_id = EntryId::from_bytes([4; 32]);
    let relabelled = DropEnvelope::new(relabelled).unwrap();
    assert_eq!(open(&relabelled).err(), Some(CryptoError::Rejected));
}

#[test]
fn capture_signatures_bind_entry_algorithm_and_device() {
    let site = Site::new("capture");
    let (patient, entry) = (&site.patient, EntryId::from_bytes([3; 32]));
    let soft = CaptureSignature::sign(&patient.keys.sign, entry);
    let hard = CaptureSignature::sign_hardware(patient.keys.auth_signer().unwrap(), entry).unwrap();
    for signature in [soft, hard] {
        assert_eq!(signature.verify(&patient.binding, entry), Ok(()));
        assert!(signature.verify(&patient.binding, EntryId::from_bytes([4; 32])).is_err());
        assert!(signature.verify(&site.staff.binding, entry).is_err());
        let other = CaptureSignature::from_parts(3 - signature.alg(), *signature.signature()).unwrap();
        assert!(other.verify(&patient.binding, entry).is_err());
    }
    assert_eq!(CaptureSignature::from_parts(0, *soft.signature()), None);
    assert_eq!(CaptureSignature::from_parts(3, *soft.signature()), None);
}

#[test]
fn device_keys_come_back_with_and_without_a_software_auth_key() {
    let mut rng = Seeded::new("keys");
    let soft = DeviceKeys::generate(&mut rng).unwrap();
    let hard = DeviceKeys::generate_for_hardware(&mut rng).unwrap();
    for keys in [soft, hard] {
        let bytes = keys.to_secret_bytes();
        let again = DeviceKeys::from_secret_bytes(&bytes).unwrap();
        assert_eq!(*again.to_secret_bytes(), *bytes);
        assert_eq!(again.auth_signer().is_some(), keys.auth.is_some());
        for end in 0..bytes.len() {
            assert!(DeviceKeys::from_secret_bytes(&bytes[..end]).is_err());
        }
        assert!(DeviceKeys::from_secret_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}

#[test]
fn row_limits() {
    let mut rng = Seeded::new("rows");
    let key = Lkek::generate(&mut rng).local_key();
    for (table, id, good) in [(64, 256, true), (0, 1, false), (65, 1, false), (1, 257, false)] {
        let sealed = key.seal_row(&"t".repeat(table), &vec![0; id], 0, b"", &mut rng);
        assert_eq!(sealed.is_ok(), good, "{table} {id}");
    }
    let largest = vec![0; limits::ROW_MAX_BYTES];
    assert!(key.seal_row("t", b"", 0, &largest, &mut rng).is_ok());
    let past = vec![0; limits::ROW_MAX_BYTES + 1];
    assert!(matches!(key.seal_row("t", b"", 0, &past, &mut rng), Err(CryptoError::TooLarge { .. })));
}
