//! Tickets and their redemption.

use crate::support::World;
use ward_api::limits::TICKET_MAX_WRONG_PROOFS;
use ward_api::{
    EnrolmentInfo, EnrolmentSubmission, ErrorCode, Key32, Opaque, OwnTicket, TicketRegistration, TicketState,
    TicketStateChange, headers, paths,
};
use ward_crypto::*;
use ward_id::{Canonical as _, TicketId};
use ward_server::Clock as _;
use ward_store::{MemoryStore, Store};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

/// A ticket of the coordinator for a patient, with a sealed request and its proof.
struct Invitation {
    id: TicketId,
    srv: [u8; 32],
    submission: EnrolmentSubmission,
}

fn invitation<S: Store>(world: &mut World<S>) -> Invitation {
    let people = &mut world.people;
    let rng = &mut people.rng;
    let ticket = Ticket::new(TicketFields {
        v: V1,
        study: people.study,
        site: people.site,
        srf: people.root.fingerprint(),
        ticket: random_id(rng),
        secret: TicketSecret::generate(rng),
        server_origin: crate::support::wire::ORIGIN.into(),
        spki_pins: Vec::new(),
        issuer_enc_hash: people.coordinator.keys.enc.public().key_hash().into(),
        issuer_device: people.coordinator.id,
        person: people.phone.person,
        role: Role::Patient,
        chart: Some(people.chart),
        not_after: crate::support::clock::T0.plus_ms(900_000),
        independent: true,
    })
    .unwrap();
    let keys = DeviceKeys::generate(rng).unwrap();
    let binding = DeviceBinding::new(DeviceBindingFields {
        v: V1,
        suite: Suite::W1,
        study: people.study,
        site: people.site,
        person: people.phone.person,
        role: Role::Patient,
        device: random_id(rng),
        auth_pk: keys.auth_signer().unwrap().public_key(),
        sign_pk: *keys.sign.public(),
        enc_pk: keys.enc.public().clone(),
        ticket: ticket.ticket,
    })
    .unwrap();
    let CounterSignatures { sign, auth } =
        binding.counter_sign(&keys.sign, keys.auth_signer().unwrap()).unwrap();
    let request = EnrolRequest {
        v: V1,
        binding,
        counter_sign: sign,
        counter_auth: auth,
        attest_level: AttestLevel::None,
        id_token: None,
    };
    let blob = seal_enrol_request(&ticket, people.coordinator.keys.enc.public(), &request, rng).unwrap();
    let key = ticket.redeem_key();
    let proof = Opaque(key.proof(ticket.ticket, &blob).to_vec());
    Invitation {
        id: ticket.ticket,
        srv: *key.as_bytes(),
        submission: EnrolmentSubmission { blob: Opaque(blob.to_canonical()), proof },
    }
}

async fn register<S: Store>(world: &World<S>, invitation: &Invitation) {
    let registration = TicketRegistration {
        ticket: invitation.id,
        srv: Key32::from_bytes(invitation.srv),
        role: Role::Patient.number(),
        chart: Some(world.people.chart),
        not_after: world.clock.now().plus_ms(900_000),
    };
    let reply = world.login(&world.people.coordinator).await.post(paths::TICKETS, &registration).await;
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
}

async fn redeem<S: Store>(
    world: &World<S>,
    id: TicketId,
    submission: &EnrolmentSubmission,
) -> crate::support::Reply {
    world.wire.plain("POST", &paths::enrol(id), Some(headers::MEDIA_CBOR), submission.to_canonical()).await
}

#[tokio::test]
async fn a_ticket_goes_from_open_to_certified() {
    let mut world = World::new().await;
    let invitation = invitation(&mut world);
    register(&world, &invitation).await;
    let info: EnrolmentInfo =
        world.wire.plain("GET", &paths::enrol(invitation.id), None, Vec::new()).await.cbor();
    assert_eq!(
        RootPolicy::from_canonical(&info.root_policy.0).unwrap().fingerprint(),
        world.people.root.fingerprint()
    );
    assert_eq!(info.issuer_cert.0, world.people.coordinator.cert.to_canonical());
    assert_eq!(redeem(&world, invitation.id, &invitation.submission).await.status, 202);
    assert_eq!(
        redeem(&world, invitation.id, &invitation.submission).await.status,
        202,
        "a repeat after a lost answer"
    );
    let coordinator = world.login(&world.people.coordinator).await;
    let own: Vec<OwnTicket> = coordinator.get(paths::TICKETS).await.cbor();
    assert_eq!(
        (own[0].state, own[0].blob.as_ref()),
        (TicketState::Redeemed, Some(&invitation.submission.blob))
    );
    let others: Vec<OwnTicket> = world.login(&world.people.clinician).await.get(paths::TICKETS).await.cbor();
    assert_eq!(others, []);
    let change = TicketStateChange { state: TicketState::Certified };
    let foreign =
        world.login(&world.people.clinician).await.post(&paths::ticket_state(invitation.id), &change).await;
    foreign.refused(ErrorCode::TicketUnknown);
    assert_eq!(coordinator.post(&paths::ticket_state(invitation.id), &change).await.status, 204);
    redeem(&world, invitation.id, &invitation.submission).await.refused(ErrorCode::TicketUsed);
}

/// Red team 27 at the server: the second one to redeem a photographed ticket is told.
#[tokio::test]
async fn rt_27_the_second_redeemer_is_refused() {
    let mut world = World::new().await;
    let invitation = invitation(&mut world);
    register(&world, &invitation).await;
    redeem(&world, invitation.id, &invitation.submission).await.ok();
    let other = other_blob(&invitation, 1);
    redeem(&world, invitation.id, &other).await.refused(ErrorCode::TicketUsed);
}

/// Another well-formed sealed request with a right proof.
fn other_blob(invitation: &Invitation, salt: u8) -> EnrolmentSubmission {
    let mut bytes = invitation.submission.blob.0.clone();
    *bytes.last_mut().unwrap() ^= salt;
    let blob = EnrolBlob::from_canonical(&bytes).unwrap();
    let proof = RedeemKey::from_bytes(invitation.srv).proof(invitation.id, &blob);
    EnrolmentSubmission { blob: Opaque(bytes), proof: Opaque(proof.to_vec()) }
}

/// Red team 29: of 200 parallel redeems exactly one wins.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rt_29_parallel_redeems_on_memory() {
    parallel_redeems(MemoryStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rt_29_parallel_redeems_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    parallel_redeems(SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap())
        .await;
}

async fn parallel_redeems<S: Store>(store: S) {
    let mut world = World::on(store).await;
    let invitation = invitation(&mut world);
    register(&world, &invitation).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=200u8 {
        let (wire, path, body) =
            (world.wire.clone(), paths::enrol(invitation.id), other_blob(&invitation, n).to_canonical());
        tasks.spawn(async move { wire.plain("POST", &path, Some(headers::MEDIA_CBOR), body).await });
    }
    let replies = tasks.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 202).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.code() == Some(ErrorCode::TicketUsed)).count(), 199);
}

#[tokio::test]
async fn wrong_proofs_burn_the_ticket() {
    let mut world = World::new().await;
    let invitation = invitation(&mut world);
    register(&world, &invitation).await;
    let wrong = EnrolmentSubmission { blob: invitation.submission.blob.clone(), proof: Opaque(vec![0; 32]) };
    for _ in 1..TICKET_MAX_WRONG_PROOFS {
        redeem(&world, invitation.id, &wrong).await.refused(ErrorCode::TicketProof);
    }
    redeem(&world, invitation.id, &wrong).await.refused(ErrorCode::TicketBurnt);
    redeem(&world, invitation.id, &invitation.submission).await.refused(ErrorCode::TicketBurnt);
}

#[tokio::test]
async fn tickets_end_by_time_and_by_their_issuer() {
    let mut world = World::new().await;
    let (late, void) = (invitation(&mut world), invitation(&mut world));
    register(&world, &late).await;
    register(&world, &void).await;
    let change = TicketStateChange { state: TicketState::Void };
    world.login(&world.people.coordinator).await.post(&paths::ticket_state(void.id), &change).await.ok();
    redeem(&world, void.id, &void.submission).await.refused(ErrorCode::TicketVoid);
    world.clock.advance_ms(900_000);
    redeem(&world, late.id, &late.submission).await.refused(ErrorCode::TicketExpired);
    redeem(&world, TicketId::from_bytes([1; 16]), &late.submission).await.refused(ErrorCode::TicketUnknown);
}

#[tokio::test]
async fn registrations_are_checked() {
    let world = World::new().await;
    let coordinator = world.login(&world.people.coordinator).await;
    let registration = |role: u8, chart, life_ms| TicketRegistration {
        ticket: TicketId::from_bytes([5; 16]),
        srv: Key32::from_bytes([1; 32]),
        role,
        chart,
        not_after: world.clock.now().plus_ms(life_ms),
    };
    let chart = Some(world.people.chart);
    for (bad, code) in [
        (registration(0, None, 1_000), ErrorCode::Malformed),
        (registration(1, None, 1_000), ErrorCode::Malformed),
        (registration(3, chart, 1_000), ErrorCode::Malformed),
        (registration(1, chart, 0), ErrorCode::TicketLife),
        (registration(1, chart, 74 * 3_600_000), ErrorCode::TicketLife),
    ] {
        coordinator.post(paths::TICKETS, &bad).await.refused(code);
    }
    coordinator.post(paths::TICKETS, &registration(1, chart, 72 * 3_600_000)).await.ok();
    coordinator.post(paths::TICKETS, &registration(1, chart, 1_000)).await.refused(ErrorCode::TicketExists);
}
