//! Tables and bytes that change only on purpose. `WARD_WRITE_VECTORS=1` writes them anew.

use crate::support::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;
use ward_text::TextEdit;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn compare(name: &str, current: &str) {
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(path(name), current).unwrap();
    }
    let committed = std::fs::read_to_string(path(name)).unwrap();
    assert_eq!(committed, current, "{name} changed");
}

#[test]
fn who_may_write_what() {
    let mut table = String::new();
    write!(table, "{:<27}", "").unwrap();
    for role in Role::ALL {
        write!(table, " {:<15}", format!("{role:?}")).unwrap();
    }
    table.push('\n');
    for kind in EntryKind::ALL.into_iter().chain([EntryKind(30), EntryKind(31)]) {
        write!(table, "{kind:<27}", kind = kind.to_string()).unwrap();
        for role in Role::ALL {
            let text = match permission(*role, kind) {
                Permission::No => "-",
                Permission::Yes => "yes",
                Permission::InterviewOnly => "interview only",
                Permission::WithdrawalOnly => "withdrawal only",
                Permission::OwnOnly => "own only",
                Permission::ByField => "by field",
                Permission::BranchOnly => "branches only",
            };
            write!(table, " {text:<15}").unwrap();
        }
        table.push('\n');
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    compare("tests/golden/writers.txt", &table);
}

/// What the log makes of an entry that one device signs alone: not a copy of the rules, but what
/// they do.
fn outcome(result: Result<(), VoidReason>) -> String {
    match result {
        Ok(()) => "alone".into(),
        Err(VoidReason::MoreSignatures { .. }) => "with another".into(),
        Err(VoidReason::NotAuthorised(_) | VoidReason::UnknownSigner(_)) => "-".into(),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn who_may_sign_which_membership_entry() {
    let mut ward = Ward::new(1);
    let roles = [Role::Researcher, Role::Monitor, Role::SecurityOfficer, Role::Auditor, Role::Operator];
    let others: Vec<Device> = roles.into_iter().map(|role| ward.site.staff(role)).collect();
    let outsider = ward.site.staff(Role::Coordinator);
    let (package, _) = {
        let plan = plan_rotation(&ward.site.membership, ward.chart, ward.coordinator.id).unwrap();
        ward.site.package(&plan, &ward.coordinator, None)
    };
    let (fresh_chart, fresh_person) = ward.site.open(&ward.coordinator, ward.team, vec![]);
    let signers: Vec<(String, &Device)> = [
        ("Patient".to_string(), &ward.phone),
        ("Coordinator".into(), &ward.coordinator),
        ("  (other team)".into(), &outsider),
        ("Clinician".into(), &ward.clinician),
        ("Investigator".into(), &ward.investigator),
    ]
    .into_iter()
    .chain(others.iter().map(|device| (format!("{:?}", device.role), device)))
    .chain([("Admin".into(), &ward.site.admins[0]), ("Recovery".into(), &ward.recovery)])
    .collect();

    let mut rng = TestRng::new(9);
    let mut cert = |signer: &Device, role, person| -> Box<DeviceCert> {
        let keys = DeviceKeys::generate(&mut rng).unwrap();
        let binding = DeviceBinding::new(DeviceBindingFields {
            v: V1,
            suite: Suite::W1,
            study: ward.site.study,
            site: ward.site.site,
            person,
            role,
            device: random_id(&mut rng),
            auth_pk: keys.auth_signer().unwrap().public_key(),
            sign_pk: *keys.sign.public(),
            enc_pk: keys.enc.public().clone(),
            ticket: random_id(&mut rng),
        })
        .unwrap();
        let CounterSignatures { sign, auth } =
            binding.counter_sign(&keys.sign, keys.auth_signer().unwrap()).unwrap();
        Box::new(
            DeviceCert::new(DeviceCertFields {
                binding,
                counter_sign: sign,
                counter_auth: auth,
                attest_level: AttestLevel::Secure,
                not_before: T0,
                not_after: T0.plus_ms(DAY_MS),
                idv: Idv::InPerson,
                issuer_cert_hash: signer.cert.hash(),
                manifest_hash: ward.site.manifest.hash(),
            })
            .unwrap(),
        )
    };
    let (site, chart): (Subject, Subject) = (ward.site.site.into(), ward.chart.into());
    let olog = TreeHead { size: 1, root: TreeRoot::from_bytes([1; 32]) };
    let revoke_as = |device: DeviceId, policy: RevokePolicy| {
        MlogBody::Revoke(Revoke { device, olog, policy, reason: String::new() })
    };
    let revoke = |device: DeviceId| revoke_as(device, RevokePolicy::Sever);
    let member = |person, add| MlogBody::SpaceMember(SpaceMember { chart: ward.chart, person, add });
    let next = SiteManifestFields {
        number: 1,
        prev: Some(ward.site.manifest.hash()),
        ..(*ward.site.manifest).clone()
    };
    let new_chart = ChartId::from_bytes([7; 16]);
    let new_person = PersonId::from_bytes([8; 16]);
    type Make<'a> = Box<dyn FnMut(&Device) -> (Subject, MlogBody) + 'a>;
    let fixed = |subject: Subject, body: MlogBody| -> Make<'_> { Box::new(move |_| (subject, body.clone())) };
    let mut certs = |role, person| -> Vec<MlogBody> {
        signers.iter().map(|(_, signer)| MlogBody::DeviceCert(cert(signer, role, person))).collect()
    };
    let (first_phone, second_phone) =
        (certs(Role::Patient, fresh_person), certs(Role::Patient, ward.participant));
    let (staff, recovery) = (certs(Role::Clinician, new_person), certs(Role::Recovery, new_person));
    let recoveries: Vec<MlogBody> = second_phone
        .iter()
        .map(|body| {
            let MlogBody::DeviceCert(cert) = body else { unreachable!() };
            MlogBody::RecoveryUse(RecoveryUse {
                chart: ward.chart,
                person: ward.participant,
                revoked: vec![ward.phone.id],
                olog,
                cert: cert.clone(),
                reason: String::new(),
            })
        })
        .collect();
    let by_signer = |subject: Subject, bodies: Vec<MlogBody>| -> Make<'_> {
        let mut bodies = bodies.into_iter();
        Box::new(move |_| (subject, bodies.next().unwrap()))
    };
    let announce = EpochAnnounce { chart: ward.chart, epoch: 0, package_hash: package.hash() };
    let open =
        ChartOpen { chart: new_chart, participant: new_person, team: ward.team, recovery_devices: vec![] };
    let rows: Vec<(&str, Make<'_>)> = vec![
        ("SiteManifest", fixed(site, MlogBody::SiteManifest(Box::new(SiteManifest::new(next).unwrap())))),
        ("DeviceCert first phone", by_signer(fresh_chart.into(), first_phone)),
        ("DeviceCert second phone", by_signer(chart, second_phone)),
        ("DeviceCert staff", by_signer(site, staff)),
        ("DeviceCert recovery", by_signer(site, recovery)),
        ("ChartOpen", fixed(new_chart.into(), MlogBody::ChartOpen(open))),
        ("Team", fixed(site, MlogBody::Team(Team { team: ward.team, persons: vec![] }))),
        ("SpaceMember add, in team", fixed(chart, member(ward.clinician.person, true))),
        ("SpaceMember add, outside", fixed(chart, member(outsider.person, true))),
        ("SpaceMember remove", fixed(chart, member(ward.clinician.person, false))),
        ("Revoke a phone, salvage", fixed(chart, revoke_as(ward.phone.id, RevokePolicy::Salvage))),
        ("Revoke a phone, sever", fixed(chart, revoke(ward.phone.id))),
        ("Revoke staff", fixed(site, revoke(ward.clinician.id))),
        ("Revoke an admin", fixed(site, revoke(ward.site.admins[1].id))),
        ("Revoke recovery", fixed(site, revoke(ward.recovery.id))),
        ("StudySchema", fixed(site, MlogBody::StudySchema(Box::new(ward.site.schema(vec![]))))),
        ("AlertRules", fixed(site, MlogBody::AlertRules(Box::new(ward.site.alert_rules(1, 0))))),
        ("EpochAnnounce", fixed(chart, MlogBody::EpochAnnounce(announce))),
        ("RecoveryUse", by_signer(chart, recoveries)),
    ];
    let mut table = format!("{:<26}", "");
    for (name, _) in &signers {
        write!(table, " {name:<15}").unwrap();
    }
    table.push_str(" root threshold\n");
    for (name, mut make) in rows {
        write!(table, "{name:<26}").unwrap();
        let mut last = None;
        for (_, signer) in &signers {
            let (subject, body) = make(signer);
            let entry = ward.site.sign(ward.site.entry(subject, &body), &[signer]);
            last = Some((subject, body));
            write!(
                table,
                " {:<15}",
                outcome(ward.site.membership.would_be_effective(&entry, Some(&package)))
            )
            .unwrap();
        }
        let (subject, body) = last.unwrap();
        let entry = ward.site.entry(subject, &body);
        let entry = entry
            .sign_as_root(&ward.site.root_keys[0])
            .unwrap()
            .sign_as_root(&ward.site.root_keys[1])
            .unwrap();
        let result = ward.site.membership.would_be_effective(&entry, Some(&package));
        let root = if result.is_ok() { "yes" } else { "-" };
        writeln!(table, " {root}").unwrap();
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    compare("tests/golden/mlog_signers.txt", &table);
}

fn payloads(carried: &SignedEntry) -> Vec<Payload> {
    let id = |n: u8| EntryId::from_bytes([n; 32]);
    vec![
        IncarnationOpen { old_incarnation: Incarnation(4), old_seq: 17, old_entry: id(1) }.into(),
        response("2026-10-01", ResponseStatus::Completed, AnsweredBy::WithHelp).into(),
        dose_field("5", vec![id(2), id(3)]).into(),
        Dose {
            medication: MedicationId::new("amlodipine"),
            due_at: T0,
            outcome: DoseOutcome::Taken,
            at: T0.plus_ms(60_000),
            note: Some("with water".into()),
        }
        .into(),
        Appointment {
            appointment: AppointmentId([6; 16]),
            status: AppointmentStatus::Booked,
            starts_at: T0,
            minutes: 45,
            place: "Room 12".into(),
            purpose: "visit 3".into(),
            supersedes: vec![],
        }
        .into(),
        note("slept well").into(),
        AlertAcknowledgement { item: "bp-high".into(), entries: vec![id(4)], action: "called".into() }.into(),
        Consent {
            consent_version: "2".into(),
            status: ConsentStatus::Withdrawn,
            choice: Some(DataChoice::Keep),
        }
        .into(),
        Participation { state: ParticipationState::Active, from: T0 }.into(),
        AccessReceipt {
            purpose: AccessPurpose::Care,
            day: T0.utc_day(),
            first_at: T0,
            last_at: T0.plus_ms(1_000),
            count: 2,
        }
        .into(),
        Instrument {
            url: "https://ward.example/Questionnaire/diary".into(),
            version: "1".into(),
            questionnaire: br#"{"resourceType":"Questionnaire"}"#.to_vec(),
            schedule: InstrumentSchedule::EveryDays { first_day: 20_717, every_days: 1, days: 28 },
        }
        .into(),
        ProfileField { field: "language".into(), value: "de-AT".into(), supersedes: vec![] }.into(),
        Carry::of(carried, CarryReason::Adopt).into(),
        DenseResponse {
            instrument: id(5),
            occurrence: Occurrence::new("2026-10-01"),
            status: ResponseStatus::Completed,
            answered_by: AnsweredBy::Self_,
            answers: vec![0xa1, 0x00, 0x82, 0x03, 0x01],
        }
        .into(),
        TextBurst {
            document: TextId([7; 16]),
            parents: vec![id(8), id(9)],
            edit: TextEdit::between("Rested bad.", "Rested well.").unwrap().unwrap(),
        }
        .into(),
        TextSignature {
            document: TextId([7; 16]),
            frontier: vec![id(10)],
            meaning: "read and agreed".into(),
        }
        .into(),
        Resolve::choosing(dose_key(), vec![id(6), id(7)], id(7)).into(),
        Resolve::with_value(dose_key(), vec![id(6), id(7)], dose_field("7.5", vec![])).into(),
        Resolve::choosing(FieldKey::Appointment(AppointmentId([6; 16])), vec![id(8), id(9)], id(8)).into(),
        Resolve::choosing(FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE), vec![id(8), id(9)], id(9))
            .into(),
        Void { target: id(10) }.into(),
        SetChange::adding("tags", "fasting").into(),
        SetChange::removing("tags", vec![id(11)]).into(),
        DropDeclined { device: DeviceId::from_bytes([7; 16]), entry: id(8) }.into(),
        Opened {
            chains: vec![OpenedChain {
                device: DeviceId::from_bytes([7; 16]),
                incarnation: Incarnation(8),
                seq: 9,
                entry: id(6),
            }],
        }
        .into(),
        DeviceClosed {
            device: DeviceId::from_bytes([6; 16]),
            incarnation: Incarnation(7),
            final_seq: 12,
            final_entry: id(8),
        }
        .into(),
        Incident {
            device: Some(DeviceId::from_bytes([6; 16])),
            incarnation: Some(Incarnation(7)),
            seq: Some(3),
            count: Some(2),
            evidence: Some(vec![1, 2, 3]),
            ..Incident::new(IncidentKind::Fork, [9; 32])
        }
        .into(),
        checkpoint(carried).into(),
        CheckpointCosignature { checkpoint: carried.id() }.into(),
        Attachment::of(BlobKey::from_secret_bytes(&[7; 32]), blob(), "image/jpeg", "rash").into(),
        Instrument {
            url: "https://ward.example/Questionnaire/diary".into(),
            version: "2".into(),
            questionnaire: br#"{"resourceType":"Questionnaire"}"#.to_vec(),
            schedule: InstrumentSchedule::Planned(vec![0xa1, 0x00, 0x01]),
        }
        .into(),
    ]
}

fn blob() -> SealedBlob {
    SealedBlob { address: BlobAddress::from_bytes([8; 32]), size: 300_000, plain_hash: [9; 32] }
}

fn checkpoint(entry: &SignedEntry) -> Checkpoint {
    let frame = entry.frame();
    let mut frontier = VersionVector::new();
    frontier.observe(frame.device, frame.incarnation, Head { seq: 1, entry: entry.id() }).unwrap();
    let root = |n: u8| TreeRoot::from_bytes([n; 32]);
    Checkpoint {
        rules: 1,
        upto: 6,
        frontier,
        count: 1,
        entries_root: root(1),
        places_root: root(2),
        state_root: root(3),
        closed_root: root(4),
        address: blob().address,
        key: BlobKey::from_secret_bytes(&[7; 32]),
        size: blob().size,
        plain_hash: blob().plain_hash,
    }
}

#[test]
fn entries_of_each_kind() {
    let ward = Ward::new(42);
    let chart = Chart::new(ward.site.site, ward.chart);
    // One writer for each kind: a clinician's plan, a coordinator's profile, a phone's answers.
    let mut pens = [&ward.phone, &ward.coordinator, &ward.clinician]
        .map(|device| Pen::new(ward.site.site, ward.chart, device, u64::from(device.role.number())));
    let carried = pens[0].write(&chart, note("carried"));
    let mut vectors = Vec::new();
    for payload in payloads(&carried) {
        let pen = pens.iter_mut().find(|pen| may_write(pen.device.role, &payload)).unwrap();
        let reason = payload.needs_reason().then(|| "asked the pharmacy".to_owned());
        let draft = Draft { payload: payload.clone(), amends: None, reason };
        let entry = pen.try_write(&chart, &draft).unwrap();
        let frame = entry.frame().to_canonical();
        assert_eq!(EntryFrame::from_canonical(&frame).as_ref(), Ok(entry.frame()));
        assert_eq!(entry.body().decode_payload(), Decoded::Known(payload));
        let rebuilt = SignedEntry::rebuild_and_check(
            &header(&ward.site, &entry, 0),
            &entry.plaintext(),
            &pen.device.cert,
        );
        assert_eq!(rebuilt.as_ref(), Ok(&entry));
        vectors.push(json!({
            "kind": entry.body().kind.0,
            "name": entry.body().kind.name(),
            "version": entry.body().version,
            "payload": hex_encode(&entry.body().payload),
            "frame": hex_encode(&frame),
            "entry_id": entry.id(),
            "signed_by": hex_encode(pen.device.keys.sign.public().as_bytes()),
            "plaintext": hex_encode(&entry.plaintext()),
        }));
    }
    // One of each; responses and instruments in both versions, four decisions, two changes of a set.
    assert_eq!(vectors.len(), EntryKind::ALL.len() + 6);
    compare("vectors/entries.json", &pretty(vectors));
}

#[test]
fn membership_entries_of_each_kind() {
    let mut ward = Ward::new(43);
    let (package, _) = ward.site.rotate(ward.chart, &ward.phone, None);
    let gone = ward.site.space_member(ward.chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(gone);
    let body = MlogBody::Cancel(Cancel { entry_hash: MlogEntryHash::from_bytes([5; 32]) });
    let cancel = ward.site.sign(ward.site.entry(ward.chart.into(), &body), &[&ward.coordinator]);
    ward.site.append_effective(cancel);
    let revoke = ward.site.revoke_entry(
        ward.chart.into(),
        ward.phone.id,
        7,
        RevokePolicy::Salvage,
        &[&ward.coordinator],
    );
    let plan = ward.site.plan(ward.participant, Role::Patient, &ward.coordinator);
    let new_phone = ward.site.certify(plan);
    let recovery = MlogBody::RecoveryUse(RecoveryUse {
        chart: ward.chart,
        person: ward.participant,
        revoked: vec![ward.phone.id],
        olog: TreeHead { size: 7, root: TreeRoot::from_bytes([1; 32]) },
        cert: Box::new(new_phone.cert.clone()),
        reason: "lost".into(),
    });
    let recovery = ward
        .site
        .sign(ward.site.entry(ward.chart.into(), &recovery), &[&ward.coordinator, &ward.investigator]);
    ward.site.append_effective(recovery);
    let schema = ward.site.schema(vec![
        SchemaField {
            shape: DataShape::Register,
            kind: EntryKind::MEDICATION_PLAN_FIELD,
            name: Some("dose".into()),
            class: MergeClass::WORST_CASE,
            safety: true,
            resolvers: vec![Role::Investigator],
        },
        SchemaField {
            shape: DataShape::Register,
            kind: EntryKind::PROFILE_FIELD,
            name: Some("text-size".into()),
            class: MergeClass::UI_LWW,
            safety: false,
            resolvers: vec![],
        },
    ]);
    let schema = MlogBody::StudySchema(Box::new(schema));
    let schema = ward.site.sign(ward.site.entry(ward.site.site.into(), &schema), &[&ward.site.admins[0]]);
    ward.site.append_effective(schema);
    ward.site.log.push(revoke);
    let wipe = MlogBody::Wipe(Wipe { device: ward.phone.id, reason: "found by a stranger".into() });
    let wipe = ward.site.sign(ward.site.entry(ward.chart.into(), &wipe), &[&ward.coordinator]);
    assert_eq!(ward.site.membership.would_be_effective(&wipe, None), Ok(()));
    ward.site.log.push(wipe);
    let head = TreeHead { size: 7, root: TreeRoot::from_bytes([1; 32]) };
    let reopen = MlogBody::LogReopen(LogReopen {
        old_origin: "ward.example/site/olog".into(),
        checkpoint: crate::support::notes::cosigned_note(&ward.site, "ward.example/site/olog", head, 2),
        new_origin: "ward.example/site/olog/2".into(),
        reason: "restored from a backup".into(),
        kept: Some(crate::support::notes::cosigned_note(
            &ward.site,
            "ward.example/site/olog",
            TreeHead { size: 5, root: TreeRoot::from_bytes([2; 32]) },
            2,
        )),
    });
    let reopen = ward.site.sign(ward.site.entry(ward.site.site.into(), &reopen), &[&ward.site.admins[0]]);
    ward.site.membership.would_be_effective(&reopen, None).unwrap();
    ward.site.log.push(reopen);
    let rules = MlogBody::AlertRules(Box::new(ward.site.alert_rules(1, 1_780_000_000_000)));
    let rules = ward.site.sign(ward.site.entry(ward.site.site.into(), &rules), &[&ward.site.admins[0]]);
    assert_eq!(ward.site.membership.would_be_effective(&rules, None), Ok(()));
    ward.site.log.push(rules);

    let mut vectors = Vec::new();
    for kind in MlogKind::ALL {
        let (index, entry) =
            ward.site.log.iter().enumerate().rfind(|(_, e)| e.kind() == kind.number()).unwrap();
        let bytes = entry.to_canonical();
        let read = MlogEntry::read(&bytes).unwrap();
        assert_eq!(&read, entry);
        assert_eq!(read.decode_body().unwrap().kind(), kind);
        vectors.push(json!({
            "kind": kind.number(),
            "name": format!("{kind:?}"),
            "index": index,
            "entry": hex_encode(&bytes),
            "signing_digest": hex_encode(&entry.signing_digest()),
            "entry_hash": entry.hash(),
            "leaf": hex_encode(&entry.leaf()),
        }));
    }
    for number in (0..=255u8).filter(|number| MlogKind::from_number(*number).is_none()) {
        assert_eq!(MlogBody::decode(number, &[0xa0]), Err(MlogError::ReservedKind(number)));
    }
    vectors.push(json!({
        "name": "log of the site",
        "root_policy": hex_encode(&ward.site.root.to_canonical()),
        "package": hex_encode(&package.to_canonical()),
        "leaves": ward.site.log[..ward.site.membership.size() as usize].iter().map(|e| hex_encode(&e.leaf())).collect::<Vec<_>>(),
        "size": ward.site.membership.size(),
        "root": ward.site.membership.head().root,
        "chart": ward.chart,
        "member_set_hash": ward.site.membership.member_set_hash(ward.chart),
    }));
    compare("vectors/mlog.json", &pretty(vectors));
}

fn pretty(vectors: Vec<Value>) -> String {
    serde_json::to_string_pretty(&Value::Array(vectors)).unwrap() + "\n"
}

/// Bytes that are not canonical are no entry: the published vectors, bent in every place.
#[test]
fn bent_vectors_are_refused_or_mean_something_else() {
    let text = std::fs::read_to_string(path("vectors/entries.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    for vector in vectors {
        let frame = hex_decode(vector["frame"].as_str().unwrap()).unwrap();
        let id = vector["entry_id"].as_str().unwrap();
        assert_eq!(EntryFrame::from_canonical(&frame).unwrap().entry_id().to_string(), id);
        let longer: Vec<u8> = frame.iter().copied().chain([0]).collect();
        assert_eq!(EntryFrame::from_canonical(&longer), Err(CborError::NotCanonical));
        for place in 0..frame.len() {
            let mut bent = frame.clone();
            bent[place] ^= 1;
            if let Ok(other) = EntryFrame::from_canonical(&bent) {
                assert_eq!(other.to_canonical(), bent);
                assert_ne!(other.entry_id().to_string(), id);
            }
        }
    }
}
