//! Who may do what: every route of the table is called as everybody, and the outcomes are compared
//! with a reviewed file. A route without a case does not compile. Set WARD_BLESS=1 to write the
//! file anew, then review the difference.

use crate::support::people::Who;
use crate::support::{Device, Reply, Session, TestRng, World};
use std::fmt::Write as _;
use ward_api::{
    ChartDigest, DropState, DropStateChange, EnrolmentSubmission, HaveOfManyQuestion, HaveQuestion, Key32,
    LogName, MlogSubmission, OlogEvidence, OlogProofsQuestion, Opaque, ProposalSubmission, ReconcileQuestion,
    SuspendReason, SuspensionRequest, TicketRegistration, TicketState, TicketStateChange, TokenRequest,
    WitnessNonce, paths,
};
use ward_audit::{TileKind, TilePath};
use ward_crypto::{EpochSecret, random_bytes, random_id, seal_drop, sha256};
use ward_id::{BlobAddress, Canonical as _, EntryId, Incarnation, MlogEntryHash, TicketId};
use ward_server::{Access, Clock as _, ROUTES, Route, RouteSpec};
use ward_store::MemoryStore;
use ward_sync::{MlogBody, RevokePolicy, Team};

/// One request: path, and body if there is one.
type Case = (String, Vec<u8>);

struct Stage {
    world: World<MemoryStore>,
    secret: EpochSecret,
    /// A token that the spare phone got while it was trusted.
    revoked_token: String,
    calls: std::cell::Cell<u64>,
}

impl Stage {
    /// The request that a caller makes on a route. It is the best the caller can do: what the
    /// caller signs, it signs with its own key.
    fn case(&self, route: Route, caller: &Device) -> Case {
        let people = &self.world.people;
        let (chart, now) = (people.chart, self.world.clock.now());
        self.calls.set(self.calls.get() + 1);
        let fresh: TicketId = random_id(&mut TestRng::new(self.calls.get()));
        let none = Vec::new;
        let tile = |log| paths::tile(log, TilePath::new(TileKind::Hashes(0), 0, 1).unwrap());
        match route {
            Route::Healthz => (paths::HEALTHZ.into(), none()),
            Route::Readyz => (paths::READYZ.into(), none()),
            Route::Limits => (paths::LIMITS.into(), none()),
            Route::OpenApi => (paths::OPENAPI.into(), none()),
            Route::Site => (paths::SITE.into(), none()),
            Route::RegisterTicket => (paths::TICKETS.into(), self.registration(fresh)),
            Route::ListTickets => (paths::TICKETS.into(), none()),
            Route::SetTicketState => {
                (paths::ticket_state(fresh), TicketStateChange { state: TicketState::Void }.to_canonical())
            }
            Route::ReadTicket => (paths::enrol(fresh), none()),
            Route::RedeemTicket => (paths::enrol(fresh), redemption()),
            Route::Token => (paths::TOKEN.into(), TokenRequest::Device(caller.id).to_form().into_bytes()),
            Route::EndSession => (paths::TOKEN_REVOKE.into(), none()),
            Route::MlogCheckpoint => (paths::MLOG_CHECKPOINT.into(), none()),
            Route::OlogCheckpoint => (paths::OLOG_CHECKPOINT.into(), none()),
            Route::MlogTile => (tile(LogName::Mlog), none()),
            Route::OlogTile => (tile(LogName::Olog), none()),
            Route::MlogConsistency => (paths::consistency(LogName::Mlog, 1, 2), none()),
            Route::OlogConsistency => (paths::consistency(LogName::Olog, 0, 1), none()),
            Route::OlogProofs => {
                let question =
                    OlogProofsQuestion { size: 1, indexes: vec![0], sizes: vec![0, 1], ended: None };
                (paths::OLOG_PROOFS.into(), question.to_canonical())
            }
            Route::MlogLeaves => (paths::mlog_leaves(0, 2), none()),
            Route::ReadMlog => (paths::mlog_entries(0, 2), none()),
            Route::AppendMlog => {
                let entry = Opaque(self.team_entry(caller));
                (
                    paths::MLOG_ENTRIES.into(),
                    MlogSubmission { entry, package: None, place: None }.to_canonical(),
                )
            }
            Route::Propose => (
                paths::MLOG_PROPOSALS.into(),
                ProposalSubmission { entry: Opaque(self.team_entry(caller)) }.to_canonical(),
            ),
            Route::ListProposals => (paths::MLOG_PROPOSALS.into(), none()),
            Route::WithdrawProposal => (paths::mlog_proposal(MlogEntryHash::from_bytes([1; 32])), none()),
            Route::Charts => (paths::CHARTS.into(), none()),
            Route::Push => {
                let mut pen = self.world.pen(caller, chart, self.calls.get());
                (paths::envelopes(chart), pen.batch(1, &self.secret, people.membership.head()).to_canonical())
            }
            Route::Pull => (paths::envelopes_after(chart, None, 1_000), none()),
            Route::Have => (paths::have(chart), none()),
            Route::Epochs => (paths::epochs(chart, 0), none()),
            Route::Events => (paths::events(chart), none()),
            Route::WitnessTime => (paths::WITNESS_TIME.into(), WitnessNonce([1; 32]).to_canonical()),
            Route::Suspend => {
                let lift = SuspensionRequest { until: now, reason: SuspendReason::Requested };
                (paths::suspend(people.phone.id), lift.to_canonical())
            }
            Route::CompareHave => (paths::have(chart), HaveQuestion { digest: [0; 32] }.to_canonical()),
            Route::CompareMany => {
                let charts = vec![ChartDigest { chart, digest: [0; 32] }];
                (paths::HAVE_OF_MANY.into(), HaveOfManyQuestion { charts, heads: true }.to_canonical())
            }
            Route::Reconcile => {
                let question = ReconcileQuestion {
                    device: people.phone.id,
                    incarnation: Incarnation(1),
                    places: vec![1],
                };
                (paths::reconcile(chart), question.to_canonical())
            }
            Route::Relay => {
                // Whoever brings it, the envelope is the phone's.
                let mut pen = self.world.pen(&people.phone, chart, self.calls.get());
                (paths::relay(chart), pen.batch(1, &self.secret, people.membership.head()).to_canonical())
            }
            Route::OlogReopening => (paths::OLOG_REOPENING.into(), none()),
            Route::BringCheckpoint => (
                paths::OLOG_REOPENING.into(),
                OlogEvidence { checkpoint: Some(Opaque(vec![1])), receipt: None }.to_canonical(),
            ),
            Route::HandOver => (paths::DROP.into(), vec![self.dropped(caller)].to_canonical()),
            Route::ListDrops => (paths::drops_after(None), none()),
            Route::SetDropState => (paths::DROP_STATE.into(), self.decision()),
            Route::Revocation => (paths::revocation_from(caller.id, 1), none()),
            Route::BlobState => (paths::blob(chart, BlobAddress::from_bytes([0; 32])), none()),
            Route::ReadBlob => (paths::blob_chunk(chart, BlobAddress::from_bytes([0; 32]), 0), none()),
            Route::WriteBlob => {
                let chunk = self.calls.get().to_be_bytes().repeat(2);
                let address = BlobAddress::from_bytes(sha256(&chunk));
                (paths::send_blob_chunk(chart, address, 0, 16), chunk)
            }
        }
    }

    fn registration(&self, ticket: TicketId) -> Vec<u8> {
        let (role, chart) = (1, Some(self.world.people.chart));
        let not_after = self.world.clock.now().plus_ms(900_000);
        TicketRegistration { ticket, srv: Key32::from_bytes([1; 32]), role, chart, not_after }.to_canonical()
    }

    /// An entry that the caller hands to the coordinator.
    fn dropped(&self, caller: &Device) -> Opaque {
        let people = &self.world.people;
        let mut rng = TestRng::new(self.calls.get());
        let entry = EntryId::from_bytes(random_bytes(&mut rng));
        let to = [(people.coordinator.id, people.coordinator.keys.enc.public().clone())];
        let sealed =
            seal_drop(people.chart, caller.id, entry, &to, b"entry", &caller.keys.sign, &mut rng).unwrap();
        Opaque(sealed.to_canonical())
    }

    /// A decision about a drop that is not there.
    fn decision(&self) -> Vec<u8> {
        let (chart, device) = (self.world.people.chart, self.world.people.spare.id);
        let entry = EntryId::from_bytes([1; 32]);
        DropStateChange { chart, device, entry, state: DropState::Adopted }.to_canonical()
    }

    /// A new team, signed by the caller: only an admin may.
    fn team_entry(&self, caller: &Device) -> Vec<u8> {
        let team = random_id(&mut TestRng::new(self.calls.get()));
        let body = MlogBody::Team(Team { team, persons: Vec::new() });
        self.world.people.entry(self.world.people.site.into(), &body, &[caller]).to_canonical()
    }

    async fn call(&self, spec: &RouteSpec, session: &Session<'_>) -> Reply {
        let (path, body) = self.case(spec.route, session.device);
        let with_token = spec.access != Access::Possession;
        session.try_call(spec.method.as_str(), &path, spec.takes, body, with_token).await.unwrap()
    }

    async fn call_as_nobody(&self, spec: &RouteSpec) -> Reply {
        let (path, body) = self.case(spec.route, &self.world.people.phone);
        self.world.wire.plain(spec.method.as_str(), &path, spec.takes, body).await
    }
}

/// A sealed request that is well formed, for a ticket that does not exist.
fn redemption() -> Vec<u8> {
    let mut blob = vec![0xa2, 0x00, 0x59, 0x04, 0x60];
    blob.extend([0; 1_120]);
    blob.extend([0x01, 0x58, 0x20]);
    blob.extend([0; 32]);
    EnrolmentSubmission { blob: Opaque(blob), proof: Opaque(vec![0; 32]) }.to_canonical()
}

fn outcome(reply: &Reply) -> String {
    match reply.problem() {
        Some(problem) => format!("{} {}", reply.status, problem.code),
        None => reply.status.to_string(),
    }
}

async fn stage() -> Stage {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (package, secret) = world.first_epoch(chart).await;
    let revoked_token = world.login(&world.people.spare).await.token.lock().unwrap().clone();
    // The spare phone is revoked for the whole play; the members changed, so there is a new epoch.
    let revoke = world.people.revoke(
        &world.people.spare,
        chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    world.append(&revoke, None).await.ok();
    let (package, secret, announce) = world.people.epoch(chart, Who::Coordinator, Some((&package, &secret)));
    world.append(&announce, Some(&package)).await.ok();
    let stage = Stage { world, secret, revoked_token, calls: std::cell::Cell::new(100) };
    let phone = stage.world.login(&stage.world.people.phone).await;
    let mut pen = stage.world.pen(&stage.world.people.phone, chart, 1);
    let first = pen.batch(1, &stage.secret, stage.world.people.membership.head());
    phone.post(&paths::envelopes(chart), &first).await.ok();
    drop(phone);
    stage
}

async fn suspended<'a>(stage: &'a Stage) -> Session<'a> {
    let session = stage.world.login(&stage.world.people.clinician).await;
    suspend(stage, 3_600_000).await;
    session
}

async fn suspend(stage: &Stage, length_ms: i64) {
    let until = stage.world.clock.now().plus_ms(length_ms);
    let request = SuspensionRequest { until, reason: SuspendReason::Requested };
    let admin = stage.world.login(&stage.world.people.admins[1]).await;
    admin.post(&paths::suspend(stage.world.people.clinician.id), &request).await.ok();
}

#[tokio::test]
async fn every_route_has_its_reviewed_outcome_for_everybody() {
    let stage = stage().await;
    let people = &stage.world.people;
    let mut table = String::from("# route: outcome for each caller (status, code)\n");
    for spec in ROUTES {
        writeln!(table, "\n{} {}", spec.method.as_str(), spec.path).unwrap();
        let mut line = |who: &str, reply: &Reply| writeln!(table, "  {who:<22} {}", outcome(reply)).unwrap();
        line("nobody", &stage.call_as_nobody(spec).await);
        let wrong = stage.world.login(&people.phone).await;
        wrong.token.lock().unwrap().push('x');
        line("wrong token", &stage.call(spec, &wrong).await);
        for (who, device) in [
            ("patient, member", &people.phone),
            ("patient, not member", &people.other_phone),
            ("coordinator, member", &people.coordinator),
            ("clinician, member", &people.clinician),
            ("clinician, not member", &people.outsider),
            ("auditor", &people.auditor),
            ("admin", &people.admins[0]),
        ] {
            let session = stage.world.login(device).await;
            line(who, &stage.call(spec, &session).await);
        }
        let revoked = stage.world.session(&people.spare);
        *revoked.token.lock().unwrap() = stage.revoked_token.clone();
        line("revoked", &stage.call(spec, &revoked).await);
        let held = suspended(&stage).await;
        line("suspended", &stage.call(spec, &held).await);
        suspend(&stage, 0).await;
    }
    compare(&table);
}

fn compare(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/authorisation.txt");
    if std::env::var_os("WARD_BLESS").is_some() {
        std::fs::write(path, table).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(reviewed == table, "golden/authorisation.txt differs:\n{table}");
    assert!(!table.contains("500 "), "a route failed");
}
