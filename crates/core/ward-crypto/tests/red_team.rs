//! What an attacker does to keys, certificates, envelopes and packages, and what must happen.
//! Each test bears the number of its row in the list of known attacks and is kept for ever.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code may fail loudly")]

mod fixtures;
#[path = "red_team/ghash.rs"]
mod ghash;

use fixtures::{DAY_ONE, Seeded, Site};
use ghash::KnownKey;
use hkdf::Hkdf;
use rand_core::{Rng as _, TryCryptoRng, TryRng};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::convert::Infallible;
use ward_crypto::*;
use ward_id::{Canonical, DeviceId, EntryId, TreeRoot};

const ALL: AcceptedSuites = AcceptedSuites::ALL;

/// Every single-bit change of some bytes.
fn bit_flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

/// What the author's key would sign for these parts: an insider can always sign again.
fn resign_envelope(mut fields: EnvelopeFields, author: &SignKey) -> Option<Envelope> {
    let parts: [&[u8]; 4] =
        [&fields.header.context(), &fields.salt, &fields.commitment, &sha256(&fields.ciphertext)];
    fields.signature = author.sign_labelled(labels::OP_SIG, &labelled_hash(labels::OP, &parts));
    Envelope::new(fields).ok()
}

/// The signed digest of a package: its canonical bytes as an array of four, without the signature.
fn resign_package(fields: EpochPackageFields, author: &SignKey) -> EpochPackage {
    let mut signed = EpochPackage::new(fields.clone()).unwrap().to_canonical();
    signed.truncate(signed.len() - 66);
    signed[0] = 0x84;
    let signature = author.sign_labelled(labels::PKG, &sha256(&signed));
    EpochPackage::new(EpochPackageFields { signature, ..fields }).unwrap()
}

fn parts(envelope: &Envelope) -> EnvelopeFields {
    EnvelopeFields::clone(envelope)
}

#[test]
fn rt_03_a_relay_that_swaps_a_key_at_enrolment_is_refused() {
    let mut site = Site::new("rt_03");
    let ticket = site.ticket();
    let request = site.enrol_request();
    // The relay shows its own key as the issuer's.
    let relay = EncKey::generate(&mut site.rng).unwrap();
    let refused = seal_enrol_request(&ticket, relay.public(), &request, &mut site.rng);
    assert_eq!(refused, Err(FormatError::Mismatch("the issuer's key").into()));
    // The relay seals a request of its own, without the ticket's secret.
    let guessed = Ticket::new(site.ticket_fields(TicketSecret::from_secret_bytes([0; 32]))).unwrap();
    let issuer = &site.staff.keys.enc;
    let forged = seal_enrol_request(&guessed, issuer.public(), &request, &mut site.rng).unwrap();
    assert_eq!(open_enrol_request(&ticket, issuer, &forged), Err(CryptoError::Rejected));
    // A device presents the encryption key of another as its own: its counter-signatures fail.
    let mut fields = DeviceBindingFields::clone(&request.binding);
    fields.enc_pk = issuer.public().clone();
    let stolen = EnrolRequest { binding: DeviceBinding::new(fields).unwrap(), ..request };
    let sealed = seal_enrol_request(&ticket, issuer.public(), &stolen, &mut site.rng).unwrap();
    assert_eq!(open_enrol_request(&ticket, issuer, &sealed), Err(CryptoError::Rejected));
}

#[test]
fn rt_05_every_bit_flip_of_a_package_is_refused() {
    let mut site = Site::new("rt_05");
    let (package, _) = site.epoch_zero();
    let author = site.staff.keys.sign.public();
    let mut opened = 0;
    for flipped in bit_flips(&package.to_canonical()) {
        // Decoding looks at public bytes only; whatever decodes gives the one uniform error.
        let Ok(package) = EpochPackage::from_canonical(&flipped) else { continue };
        opened += 1;
        let outcome = open_epoch_package(site.patient.id, &site.patient.keys.enc, &package, author, ALL);
        assert_eq!(outcome.err(), Some(CryptoError::Rejected));
    }
    assert!(opened > 10_000, "most flips reach the cryptography: {opened}");
}

#[test]
fn rt_05_every_bit_flip_of_a_wrap_is_refused_even_if_signed_again() {
    let mut site = Site::new("rt_05 signed again");
    let (package, _) = site.epoch_zero();
    let author = &site.staff.keys.sign;
    let at = package.wraps.iter().position(|wrap| wrap.device == site.patient.id).unwrap();
    let sealed = [package.wraps[at].enc.as_slice(), &package.wraps[at].ct].concat();
    for flipped in bit_flips(&sealed).step_by(37) {
        let mut fields = EpochPackageFields::clone(&package);
        let (enc, ct) = flipped.split_at(fields.wraps[at].enc.len());
        (fields.wraps[at].enc, fields.wraps[at].ct) = (enc.to_vec(), ct.to_vec());
        let package = resign_package(fields, author);
        let keys = &site.patient.keys.enc;
        let outcome = open_epoch_package(site.patient.id, keys, &package, author.public(), ALL);
        assert_eq!(outcome.err(), Some(CryptoError::Rejected));
    }
}

#[test]
fn rt_05_every_bit_flip_of_a_certificate_is_refused() {
    let site = Site::new("rt_05");
    let issuer = &site.staff.keys.sign;
    let cert = &site.patient.cert;
    // The issuers sign the entry that carries the certificate, here by its hash.
    let issued = issuer.sign_labelled(labels::MLOG, cert.hash().as_bytes());
    let check = |cert: &DeviceCert| {
        cert.verify_counter_signatures()?;
        issuer.public().verify_labelled(labels::MLOG, cert.hash().as_bytes(), &issued)
    };
    assert_eq!(check(cert), Ok(()));
    let mut decoded = 0;
    for flipped in bit_flips(&cert.to_canonical()) {
        let Ok(cert) = DeviceCert::from_canonical(&flipped) else { continue };
        decoded += 1;
        assert_eq!(check(&cert), Err(CryptoError::Rejected));
    }
    assert!(decoded > 1_000, "many flips reach the cryptography: {decoded}");
}

#[test]
fn rt_05_every_bit_flip_of_a_wrapped_local_key_is_refused() {
    let mut rng = Seeded::new("rt_05");
    let unlock = WrappingKey::from_secret_bytes(&[1; 32]);
    let lkek = Lkek::generate(&mut rng);
    let wrapped = lkek.wrap(&unlock, &mut rng).unwrap();
    for flipped in bit_flips(&wrapped) {
        assert_eq!(Lkek::unwrap(&unlock, &flipped).err(), Some(CryptoError::Rejected));
    }
    for short in 0..wrapped.len() {
        assert_eq!(Lkek::unwrap(&unlock, &wrapped[..short]).err(), Some(CryptoError::Rejected));
    }
    let device: DeviceId = random_id(&mut rng);
    let keys = DeviceKeys::generate(&mut rng).unwrap();
    let wrapped = lkek.wrap_device_keys(device, &keys, &mut rng).unwrap();
    assert!(lkek.unwrap_device_keys(device, &wrapped).is_ok());
    for flipped in bit_flips(&wrapped) {
        assert_eq!(lkek.unwrap_device_keys(device, &flipped).err(), Some(CryptoError::Rejected));
    }
}

#[test]
fn rt_06_a_package_with_two_secrets_is_rejected_by_the_second_group() {
    let mut site = Site::new("rt_06");
    let (package, secret) = site.epoch_zero();
    let mut fields = EpochPackageFields::clone(&package);
    let at = fields.wraps.iter().position(|wrap| wrap.device == site.patient.id).unwrap();
    // The insider seals another secret to the second group, correctly in every other way.
    let info = [labels::EPOCH_WRAP.as_bytes(), &sha256(&package.header().to_canonical())].concat();
    let (enc, ct) =
        hpke_seal(site.patient.keys.enc.public(), &info, site.patient.id.as_bytes(), &mut site.rng);
    (fields.wraps[at].enc, fields.wraps[at].ct) = (enc, ct);
    let author = &site.staff.keys.sign;
    let split = resign_package(fields, author);
    assert_eq!(split.verify_signature(author.public()), Ok(()));
    let first = open_epoch_package(site.staff.id, &site.staff.keys.enc, &split, author.public(), ALL);
    assert_eq!(*first.unwrap().to_secret_bytes(), *secret.to_secret_bytes());
    let second = open_epoch_package(site.patient.id, &site.patient.keys.enc, &split, author.public(), ALL);
    assert_eq!(second.err(), Some(CryptoError::Rejected));
}

fn hpke_seal(to: &EncPublicKey, info: &[u8], aad: &[u8], rng: &mut Seeded) -> (Vec<u8>, Vec<u8>) {
    use hpke::{Deserializable, Serializable};
    let to = <hpke::kem::XWing as hpke::Kem>::PublicKey::from_bytes(to.as_bytes()).unwrap();
    let (enc, mut context) = hpke::setup_sender_with_rng::<
        hpke::aead::AesGcm256,
        hpke::kdf::HkdfSha256,
        hpke::kem::XWing,
    >(&hpke::OpModeS::Base, &to, info, rng)
    .unwrap();
    (enc.to_bytes().to_vec(), context.seal(&[0xbb; 32], aad).unwrap())
}

/// Key, commitment and nonce of a record, as the attacker who knows the epoch secret derives them.
fn record_keys(secret: &EpochSecret, salt: &[u8; 32], context: &[u8; 32]) -> (KnownKey, [u8; 32]) {
    let mut okm = [0; 76];
    Hkdf::<Sha256>::new(Some(salt), secret.to_secret_bytes().as_slice())
        .expand_multi_info(&[labels::REC.as_bytes(), context], &mut okm)
        .unwrap();
    let (key, nonce) = (okm[..32].try_into().unwrap(), okm[64..].try_into().unwrap());
    (KnownKey::new(&key, &nonce), okm[32..64].try_into().unwrap())
}

/// A ciphertext that AES-GCM opens under the record keys of two epoch secrets.
struct Salamander {
    site: Site,
    secrets: [EpochSecret; 2],
    commitments: [[u8; 32]; 2],
    fields: EnvelopeFields,
}

fn salamander(name: &str) -> Salamander {
    let mut site = Site::new(name);
    let secrets = [[0xa1; 32], [0xb2; 32]].map(|s| EpochSecret::from_secret_bytes(site.chart, 0, &s));
    let honest = site.seal(&secrets[0], 1, b"x");
    let context = honest.header().context();
    let salt = honest.salt;
    let [(key_a, com_a), (key_b, com_b)] = [0, 1].map(|i| record_keys(&secrets[i], &salt, &context));
    // The first reader's message has room for one block that the attacker cannot choose freely.
    let mut ciphertext = key_a.stream(&pad(&[0x61; 100]).unwrap());
    ghash::collide(&key_a, &key_b, &context, &mut ciphertext, 3);
    assert!(key_a.opens(&context, &ciphertext) && key_b.opens(&context, &ciphertext));
    let fields = EnvelopeFields { ciphertext, ..parts(&honest) };
    Salamander { site, secrets, commitments: [com_a, com_b], fields }
}

#[test]
fn rt_07_a_ciphertext_valid_under_two_keys_opens_under_one_at_most() {
    let Salamander { site, secrets, commitments, fields } = salamander("rt_07");
    let author = &site.patient.keys.sign;
    for (i, commitment) in commitments.into_iter().enumerate() {
        let envelope = resign_envelope(EnvelopeFields { commitment, ..fields.clone() }, author).unwrap();
        let other = open_envelope(&secrets[1 - i], &envelope, author.public(), ALL);
        assert_eq!(other.err(), Some(CryptoError::Rejected), "the reader without the committed key");
    }
    // The forgery is real: with its own commitment the first reader reads the chosen message.
    let first = EnvelopeFields { commitment: commitments[0], ..fields.clone() };
    let envelope = resign_envelope(first, author).unwrap();
    let opened = open_envelope(&secrets[0], &envelope, author.public(), ALL).unwrap();
    assert_eq!((opened.len(), opened[..48].to_vec()), (100, vec![0x61; 48]));
    // And a commitment to neither key is refused by both.
    let neither = resign_envelope(EnvelopeFields { commitment: [0; 32], ..fields }, author).unwrap();
    for secret in &secrets {
        assert_eq!(open_envelope(secret, &neither, author.public(), ALL).err(), Some(CryptoError::Rejected));
    }
}

#[test]
fn rt_08_probing_with_a_multi_key_ciphertext_gives_one_uniform_error() {
    let Salamander { site, secrets, commitments, fields } = salamander("rt_08");
    let author = &site.patient.keys.sign;
    let mut errors = BTreeSet::new();
    let mut probe = |fields: EnvelopeFields, secret: &EpochSecret| {
        let envelope = resign_envelope(fields, author).unwrap();
        let error = open_envelope(secret, &envelope, author.public(), ALL).err().unwrap();
        assert_eq!(error, CryptoError::Rejected);
        errors.insert(format!("{error} {error:?}"));
    };
    // Right key and wrong commitment; wrong key; right key, right commitment, wrong tag; wrong
    // salt; right everything but the padding.
    probe(EnvelopeFields { commitment: commitments[0], ..fields.clone() }, &secrets[1]);
    probe(EnvelopeFields { commitment: commitments[1], ..fields.clone() }, &secrets[0]);
    let mut bad_tag = EnvelopeFields { commitment: commitments[0], ..fields.clone() };
    *bad_tag.ciphertext.last_mut().unwrap() ^= 1;
    probe(bad_tag, &secrets[0]);
    probe(EnvelopeFields { salt: [0; 32], ..fields.clone() }, &secrets[0]);
    probe(EnvelopeFields { commitment: commitments[1], ..fields }, &secrets[1]);
    assert_eq!(errors.len(), 1);
}

/// Takes each part from one of two envelopes in all mixed ways; the 30 mixes must not open, as they
/// are and after the author signed them again.
fn mixes_do_not_open(a: &Envelope, b: &Envelope, secrets: [&EpochSecret; 2], author: &SignKey) {
    let sources = [parts(a), parts(b)];
    for mask in 1..31usize {
        let from = |part: usize| &sources[mask >> part & 1];
        let mixed = EnvelopeFields {
            header: from(0).header.clone(),
            salt: from(1).salt,
            commitment: from(2).commitment,
            ciphertext: from(3).ciphertext.clone(),
            signature: from(4).signature,
        };
        let only_the_signature_differs = matches!(mask & 15, 0 | 15);
        for secret in secrets {
            let plain = Envelope::new(mixed.clone()).unwrap();
            let outcome = open_envelope(secret, &plain, author.public(), ALL);
            assert_eq!(outcome.err(), Some(CryptoError::Rejected), "mix {mask:05b}");
            if !only_the_signature_differs {
                let signed = resign_envelope(mixed.clone(), author).unwrap();
                let outcome = open_envelope(secret, &signed, author.public(), ALL);
                assert_eq!(outcome.err(), Some(CryptoError::Rejected), "mix {mask:05b}, signed again");
            }
        }
    }
}

#[test]
fn rt_09_parts_of_two_records_of_one_chart_do_not_mix() {
    let mut site = Site::new("rt_09");
    let (_, secret) = site.epoch_zero();
    let (a, b) = (site.seal(&secret, 1, b"first"), site.seal(&secret, 2, b"other"));
    mixes_do_not_open(&a, &b, [&secret, &secret], &site.patient.keys.sign);
}

#[test]
fn rt_10_parts_of_records_of_two_charts_or_sites_do_not_mix() {
    let mut site = Site::new("rt_10");
    // Even with the very same secret and author in both places.
    let first_chart = site.chart;
    let one = EpochSecret::from_secret_bytes(first_chart, 0, &[5; 32]);
    let a = site.seal(&one, 1, b"entry");
    site.chart = random_id(&mut site.rng);
    let two = EpochSecret::from_secret_bytes(site.chart, 0, &[5; 32]);
    let b = site.seal(&two, 1, b"entry");
    mixes_do_not_open(&a, &b, [&one, &two], &site.patient.keys.sign);
    // The same chart at another site.
    site.chart = first_chart;
    site.site = random_id(&mut site.rng);
    let c = site.seal(&one, 1, b"entry");
    mixes_do_not_open(&a, &c, [&one, &one], &site.patient.keys.sign);
}

#[test]
fn rt_11_an_old_package_relabelled_as_the_next_epoch_is_refused() {
    let mut site = Site::new("rt_11");
    let (first, first_secret) = site.epoch_zero();
    let (second, second_secret) = site.next_epoch(Some((&first, &first_secret)));
    let author = &site.staff.keys.sign;
    let mut fields = EpochPackageFields::clone(&second);
    fields.header.epoch += 1;
    fields.header.prev_pkg_hash = Some(second.hash());
    let replayed = EpochPackage::new(fields.clone()).unwrap();
    let signed_again = resign_package(fields, author);
    for package in [&replayed, &signed_again] {
        for device in [&site.staff, &site.patient] {
            let outcome = open_epoch_package(device.id, &device.keys.enc, package, author.public(), ALL);
            assert_eq!(outcome.err(), Some(CryptoError::Rejected));
        }
        assert!(!package.commits_to(&second_secret));
    }
    // What a history hands on is believed only if that epoch's own package commits to it.
    let handed_on = |before: &EpochPackage| open_history(&second_secret, &second, [before]).unwrap().len();
    assert_eq!(handed_on(&first), 1);
    assert_eq!(handed_on(&second), 0);
    let (other_first, _) = site.epoch_zero();
    assert_eq!(handed_on(&other_first), 0);
    let foreign = EpochSecret::from_secret_bytes(site.chart, 1, &[9; 32]);
    assert_eq!(open_history(&foreign, &second, [&first]).err(), Some(CryptoError::Rejected));
}

/// A member announces a package that the others cannot open: the next epoch goes round it.
#[test]
fn rt_06_a_spoilt_package_does_not_end_the_chart() {
    let mut site = Site::new("rt_06_spoilt");
    let (first, first_secret) = site.epoch_zero();
    let (spoilt, spoilt_secret) = site.next_epoch(Some((&first, &first_secret)));
    let members = site.members();
    let before = PreviousEpoch { epoch: 1, package: spoilt.hash() };
    let new = NewEpoch {
        site: site.site,
        chart: site.chart,
        previous: Some(before),
        history: &[&first_secret],
        mlog_size: 8,
        mlog_root: TreeRoot::from_bytes([0x34; 32]),
        author: site.patient.id,
        members: &members,
    };
    let (keys, mut rng) = (&site.patient.keys, Seeded::new("round"));
    // The patient does not hold the secret of epoch 1, and hands on what they hold.
    let (third, third_secret) = make_epoch_package(&new, &keys.sign, &keys.hedge, &mut rng).unwrap();
    let epochs = |secrets: Vec<EpochSecret>| secrets.iter().map(EpochSecret::epoch).collect::<Vec<_>>();
    assert_eq!(epochs(open_history(&third_secret, &third, [&first, &spoilt]).unwrap()), [0]);
    // Whoever could open it hands it on with the epoch after, and everybody has all of them.
    let (fourth, fourth_secret) = make_epoch_package(
        &NewEpoch {
            previous: Some(PreviousEpoch { epoch: 2, package: third.hash() }),
            history: &[&third_secret, &first_secret, &spoilt_secret],
            ..new
        },
        &keys.sign,
        &keys.hedge,
        &mut rng,
    )
    .unwrap();
    let all = open_history(&fourth_secret, &fourth, [&first, &spoilt, &third]).unwrap();
    assert!(spoilt.commits_to(&all[1]));
    assert_eq!(epochs(all), [0, 1, 2]);
}

#[test]
fn rt_18_every_altered_header_byte_is_refused() {
    let mut site = Site::new("rt_18");
    let (_, secret) = site.epoch_zero();
    let envelope = site.seal(&secret, 300, b"entry");
    let author = &site.patient.keys.sign;
    let header = envelope.header().to_canonical();
    let mut decoded = 0;
    for (at, _) in header.iter().enumerate() {
        for value in 0..=255u8 {
            let mut altered = header.clone();
            altered[at] = value;
            if altered == header {
                continue;
            }
            let Ok(header) = EnvelopeHeader::from_canonical(&altered) else { continue };
            decoded += 1;
            let fields = EnvelopeFields { header, ..parts(&envelope) };
            // As the relay can do it, and as the author could.
            let plain = Envelope::new(fields.clone()).ok();
            for envelope in [plain, resign_envelope(fields, author)].into_iter().flatten() {
                let secret = EpochSecret::from_secret_bytes(
                    envelope.header().chart,
                    envelope.header().epoch,
                    &secret.to_secret_bytes(),
                );
                let outcome = open_envelope(&secret, &envelope, author.public(), ALL);
                assert_eq!(outcome.err(), Some(CryptoError::Rejected), "byte {at} = {value}");
            }
        }
    }
    assert!(decoded > 20_000, "most changes reach the cryptography: {decoded}");
}

#[test]
fn rt_19_a_suite_below_the_least_is_refused_even_if_validly_signed() {
    let mut site = Site::new("rt_19");
    let (package, secret) = site.epoch_zero();
    let envelope = site.seal(&secret, 1, b"entry");
    let two = AcceptedSuites::from_min(2);
    let refused = Some(CryptoError::SuiteRefused { suite: 1, min: 2 });
    let author = site.patient.keys.sign.public();
    assert!(open_envelope(&secret, &envelope, author, ALL).is_ok());
    assert_eq!(open_envelope(&secret, &envelope, author, two).err(), refused);
    assert_eq!(envelope.verify(author).unwrap().open(&secret, two).err(), refused);
    let keys = &site.patient.keys.enc;
    let outcome = open_epoch_package(site.patient.id, keys, &package, site.staff.keys.sign.public(), two);
    assert_eq!(outcome.err(), refused);
    // The reserved suite and unknown ones do not even decode.
    for suite in (0..=255).filter(|suite| *suite != 1) {
        assert_eq!(Suite::from_number(suite), None);
    }
}

#[test]
fn rt_28_a_ticket_of_another_site_is_refused_before_any_network_call() {
    let mut site = Site::new("rt_28");
    let ticket = site.ticket();
    assert_eq!(ticket.check_site(None), Ok(()));
    assert_eq!(ticket.check_site(Some(site.root.fingerprint())), Ok(()));
    assert_eq!(
        ticket.check_site(Some(ward_id::RootFingerprint::from_bytes([0x66; 32]))),
        Err(TicketError::OtherSite)
    );
    // Whatever is no ticket is refused as well.
    let text = ticket.to_text();
    for bad in
        [text.trim_start_matches("ward:"), &text[..text.len() - 1], &format!("{}=", *text), "ward:2:AA", ""]
    {
        assert_eq!(Ticket::from_text(bad).err(), Some(TicketError::NotATicket), "{bad}");
    }
}

#[test]
fn rt_43_swapped_or_rolled_back_rows_do_not_open() {
    let mut rng = Seeded::new("rt_43");
    let key = Lkek::generate(&mut rng).local_key();
    let sealed = key.seal_row("entries", b"a", 4, b"row", &mut rng).unwrap();
    assert!(key.open_row("entries", b"a", 4, &sealed).is_ok());
    for (table, id, version) in
        [("heads", b"a", 4), ("entries", b"b", 4), ("entries", b"a", 3), ("entries", b"a", 5)]
    {
        let outcome = key.open_row(table, id, version, &sealed);
        assert_eq!(outcome.err(), Some(CryptoError::Rejected), "{table} {version}");
    }
}

fn hex32(text: &str) -> [u8; 32] {
    ward_id::hex_decode(text).unwrap().try_into().unwrap()
}

/// Points of order 1, 2, 4 and 8 of edwards25519 in their canonical spellings, then other
/// spellings of such points and of y = 3, which is an ordinary number below the prime.
const BAD_ED25519: [&str; 16] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn rt_44_small_order_zero_and_non_canonical_keys_are_refused() {
    for point in BAD_ED25519.map(hex32) {
        assert!(SignPublicKey::from_bytes(&point).is_err(), "{point:02x?}");
        // Nor may such a point stand as R: with s = 0 it would verify under a small key.
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        let key = SignKey::from_secret_bytes(&[3; 32]);
        let signature = Signature::from_bytes(signature);
        assert!(key.public().verify_labelled(labels::MLOG, &[0; 32], &signature).is_err());
    }
    // A scalar of a signature that is not below the group order is a second spelling of it.
    let key = SignKey::from_secret_bytes(&[3; 32]);
    let order = hex32("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut signature = *key.sign_labelled(labels::MLOG, &[0; 32]).as_bytes();
    let mut carry = 0u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    let signature = Signature::from_bytes(signature);
    assert!(key.public().verify_labelled(labels::MLOG, &[0; 32], &signature).is_err());
}

#[test]
fn rt_44_weak_x_wing_keys_are_refused() {
    let good = *EncKey::from_secret_bytes(&[4; 32]).unwrap().public().as_bytes();
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    ];
    for point in small.map(hex32) {
        let mut key = good;
        key[1184..].copy_from_slice(&point);
        assert!(EncPublicKey::from_slice(&key).is_err(), "{point:02x?}");
    }
    // An ML-KEM coefficient of 3,329 or more fails the modulus check; an all-zero vector is weak.
    let mut over = good;
    (over[0], over[1]) = (0x01, over[1] & 0xf0 | 0x0d);
    assert_eq!(EncPublicKey::from_slice(&over), Err(KeyError::NotCanonical));
    let mut zero = good;
    zero[..1152].fill(0);
    assert_eq!(EncPublicKey::from_slice(&zero), Err(KeyError::Weak));
    assert_eq!(EncPublicKey::from_slice(&good[1..]), Err(KeyError::Malformed));
}

#[test]
fn rt_44_p256_points_off_the_curve_are_refused() {
    // Infinity, x at the prime and above, other kinds of points; then null signatures.
    let p = hex32("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    for (first, x) in [(0, [0; 32]), (2, p), (2, [0xff; 32]), (4, [1; 32]), (5, [1; 32])] {
        let mut bytes = [first; 33];
        bytes[1..].copy_from_slice(&x);
        assert!(AuthPublicKey::from_bytes(&bytes).is_err());
    }
    let auth = SoftwareAuthKey::from_secret_bytes(&[5; 32]).unwrap().public_key();
    for null in [[0; 64], [0xff; 64]] {
        assert_eq!(auth.verify(b"", &Signature::from_bytes(null)), Err(CryptoError::Rejected));
    }
}

/// The signing functions take no public key: that they cannot is shown by the example in the
/// documentation of `sign_key`, which must not compile. Here: the two halves of a key always belong
/// together, whatever way it was made, so two signatures of one message are one and the same.
#[test]
fn rt_45_no_signature_is_made_with_a_foreign_public_key() {
    let made = SignKey::generate(&mut Seeded::new("rt_45"));
    let other = SignKey::generate(&mut Seeded::new("rt_45, other"));
    let (a, b) = (made.sign_labelled(labels::MLOG, &[1; 32]), made.sign_labelled(labels::MLOG, &[1; 32]));
    assert_eq!(a, b);
    assert!(made.public().verify_labelled(labels::MLOG, &[1; 32], &a).is_ok());
    assert!(other.public().verify_labelled(labels::MLOG, &[1; 32], &a).is_err());
    // A binding is signed only with the keys that stand in it.
    let site = Site::new("rt_45");
    let auth = site.patient.keys.auth_signer().unwrap();
    let refused = site.patient.binding.counter_sign(&other, auth);
    assert_eq!(refused, Err(FormatError::Mismatch("a key of the binding").into()));
}

fn again<T: Canonical>(bytes: &[u8]) -> Option<Vec<u8>> {
    T::from_canonical(bytes).ok().map(|value| value.to_canonical())
}

#[test]
fn rt_46_whatever_is_accepted_encodes_back_to_the_same_bytes() {
    let mut site = Site::new("rt_46");
    let (first, secret) = site.epoch_zero();
    let (second, _) = site.next_epoch(Some((&first, &secret)));
    let envelope = site.seal(&secret, 1, b"entry");
    let ticket = site.ticket();
    let request = site.enrol_request();
    let blob = seal_enrol_request(&ticket, site.staff.keys.enc.public(), &request, &mut site.rng).unwrap();
    let (staff, entry) = ([site.staff.member()], EntryId::from_bytes([1; 32]));
    let sign = &site.patient.keys.sign;
    let dropped =
        seal_drop(site.chart, site.patient.id, entry, &staff, b"entry", sign, &mut site.rng).unwrap();
    type Again = fn(&[u8]) -> Option<Vec<u8>>;
    let types: [(&str, Vec<u8>, Again); 13] = [
        ("root policy", site.root.to_canonical(), again::<RootPolicy>),
        ("manifest", site.manifest.to_canonical(), again::<SiteManifest>),
        ("binding", site.patient.binding.to_canonical(), again::<DeviceBinding>),
        ("certificate", site.patient.cert.to_canonical(), again::<DeviceCert>),
        ("ticket", ticket.to_canonical(), again::<Ticket>),
        ("request", request.to_canonical(), again::<EnrolRequest>),
        ("blob", blob.to_canonical(), again::<EnrolBlob>),
        ("envelope header", envelope.header().to_canonical(), again::<EnvelopeHeader>),
        ("envelope", envelope.to_canonical(), again::<Envelope>),
        ("epoch header", second.header().to_canonical(), again::<EpochHeader>),
        ("first package", first.to_canonical(), again::<EpochPackage>),
        ("package", second.to_canonical(), again::<EpochPackage>),
        ("drop envelope", dropped.to_canonical(), again::<DropEnvelope>),
    ];
    for (name, bytes, again) in types {
        assert_eq!(again(&bytes).as_deref(), Some(bytes.as_slice()), "{name}");
        let mut accepted = 0;
        for _ in 0..3_000 {
            let mutated = mutate(&bytes, &mut site.rng);
            if let Some(encoded) = again(&mutated) {
                accepted += 1;
                assert_eq!(encoded, mutated, "{name}");
            }
        }
        assert!(accepted > 0, "no mutation of the {name} was accepted, so nothing was tested");
        // Every cut and every appended byte is refused.
        for end in (0..bytes.len()).step_by(1 + bytes.len() / 300) {
            assert_eq!(again(&bytes[..end]), None, "{name} cut at {end}");
        }
        for extra in [0x00, 0xf6, 0xff] {
            assert_eq!(again(&[bytes.as_slice(), &[extra]].concat()), None, "{name} with a byte more");
        }
    }
}

/// Changes, inserts, removes or repeats a few bytes; now and then makes a longer integer form.
fn mutate(bytes: &[u8], rng: &mut Seeded) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..1 + rng.next_u32() % 2 {
        let at = rng.next_u32() as usize % out.len();
        let byte = rng.next_u32() as u8;
        match rng.next_u32() % 8 {
            0..4 => out[at] = byte,
            4 => out.insert(at, byte),
            5 => drop(out.remove(at)),
            6 => {
                let repeated = out[at..(at + 20).min(out.len())].to_vec();
                out.splice(at..at, repeated);
            }
            _ => drop(out.splice(at..at, [0x18])),
        }
    }
    out
}

/// A form of 30 items with answers of one to three digits and two short texts, as FHIR JSON.
fn form(rng: &mut Seeded) -> Vec<u8> {
    let items: Vec<String> = (0..30)
        .map(|i| format!(r#"{{"linkId":"{i:02}","answer":[{{"valueInteger":{}}}]}}"#, rng.next_u32() % 101))
        .collect();
    format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{}]}}"#, items.join(","))
        .into_bytes()
}

#[test]
fn rt_47_the_answers_of_a_form_do_not_show_in_its_length() {
    let mut site = Site::new("rt_47");
    let (_, secret) = site.epoch_zero();
    let (mut plain, mut sealed) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..300 {
        let form = form(&mut site.rng);
        plain.insert(form.len());
        sealed.insert(site.seal(&secret, 1, &form).to_canonical().len());
    }
    assert!(plain.len() > 5, "the forms differ in length before padding: {plain:?}");
    assert_eq!(sealed.len(), 1, "{sealed:?}");
    // Any plaintext gives one of few lengths.
    let lengths: BTreeSet<usize> = (0..16_384).map(padded_len).collect();
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), limits::PADDING_BUCKETS_BYTES);
}

/// A generator that fails in the worst way.
struct Constant;

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x0707_0707)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x0707_0707_0707_0707)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

#[test]
fn rt_49_a_constant_generator_repeats_no_key_or_nonce() {
    let site = Site::new("rt_49");
    let keys = &site.patient.keys;
    let secret = EpochSecret::from_secret_bytes(site.chart, 0, &[6; 32]);
    let (mut salts, mut commitments) = (BTreeSet::new(), BTreeSet::new());
    let mut record = |header: EnvelopeHeader, plaintext: &[u8]| {
        let sealed =
            seal_envelope(&secret, header, plaintext, &keys.sign, &keys.hedge, &mut Constant).unwrap();
        // Key, commitment and nonce are cut from one output: a new commitment is a new output.
        assert!(salts.insert(sealed.salt) && commitments.insert(sealed.commitment));
    };
    for seq in 1..=9_000 {
        record(site.header(0, seq), b"the same text");
    }
    // A cloned machine seals different texts under one and the same header.
    for text in 0..1_000u32 {
        record(site.header(0, 20_000), &text.to_be_bytes());
    }
    // New epochs, too, get different secrets at different log sizes.
    let members = site.members();
    let secrets: BTreeSet<[u8; 32]> = (0..20)
        .map(|mlog_size| {
            let new = NewEpoch {
                site: site.site,
                chart: site.chart,
                previous: None,
                history: &[],
                mlog_size,
                mlog_root: TreeRoot::from_bytes([1; 32]),
                author: site.patient.id,
                members: &members,
            };
            let (_, secret) = make_epoch_package(&new, &keys.sign, &keys.hedge, &mut Constant).unwrap();
            *secret.to_secret_bytes()
        })
        .collect();
    assert_eq!(secrets.len(), 20);
    assert!(site.patient.cert.valid_at(DAY_ONE) && !site.patient.cert.valid_at(DAY_ONE.plus_ms(-1)));
}
