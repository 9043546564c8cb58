//! The state of one server, and how it starts: replay, rebuild, compare, refuse.

use crate::body_room::BodyRoom;
use crate::client_address::AddressBlock;
use crate::clock::{Clock, Entropy, EntropyError, random};
use crate::cosigning::{CosignError, LogBehind, Witnesses};
use crate::damage::Damage;
use crate::ended_log::EndedLogs;
use crate::events::Hints;
use crate::jose::access_token::{TokenIssuer, TokenKeyError};
use crate::jose::bounded_memo::BoundedMemo;
use crate::jose::dpop::ProofVerifier;
use crate::jose::htu::Origin;
use crate::jose::nonce::NonceKey;
use crate::jose::replay::ReplayCache;
use crate::limits::{BLOB_RECHECKS_REMEMBERED_MAX, COSIGN_RETRY_MS, READY_BELIEF_MS};
use crate::log_desk::{CosignedNote, LogDesk, LogDeskError};
use crate::log_signer::{ReceiptKeyError, ReceiptSigner};
use crate::membership_desk::{MembershipDesk, MembershipLoadError};
use crate::metrics::Metrics;
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::push_desk::PushDesk;
use crate::rate::RateLimits;
use crate::recovery::{OlogParts, Recovery, RecoveryStage, RestoreState, newest_log};
use crate::server_secrets::{ServerSecrets, ServerSecretsError};
use crate::session_cache::SessionCache;
use crate::witness_client::WitnessClient;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use ward_api::limits::{
    CHART_MAX_OPERATIONS, DEVICE_MAX_OPERATIONS, DROP_KEPT_MS, PROPOSAL_MAX_LIFE_MS, UPLOAD_MAX_REST_MS,
};
use ward_api::{ErrorCode, Limits, LogName, ProblemMembers};
use ward_audit::{PolicyError, WitnessKey, WitnessPolicy};
use ward_crypto::{RootPolicy, SignKey, SiteManifest};
use ward_id::{Canonical as _, SiteId, TimestampMs};
use ward_store::{BlobName, MetaKey, Quotas, Store, StoreError};
use zeroize::Zeroizing;

/// Where the root policy stands in the store.
pub(crate) const ROOT_POLICY: MetaKey = MetaKey::new("site.root-policy");

/// Written by the readiness check: a store that cannot write is not ready.
const READY_PROBE: MetaKey = MetaKey::new("server.ready-probe");

/// What a server is made of.
pub struct AppParts<S> {
    /// The store of the site, begun with [`crate::bootstrap_site`].
    pub store: S,
    /// The log key of the manifest; it signs checkpoints and receipts.
    pub log_key: SignKey,
    /// The server's own secret: tokens, refresh tokens and ticket keys follow from it.
    pub server_seed: Zeroizing<[u8; 32]>,
    /// The addresses under which devices reach the server; the first one issues tokens.
    pub origins: Vec<Origin>,
    /// The witnesses.
    pub witnesses: Vec<Arc<dyn WitnessClient>>,
    /// Limits; only the request rates may be other than the default.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressBlock>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a server does not start. The operator must act; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store was not begun.
    #[error("the store holds no site: run `ward init` first, or point `store` at the right folder")]
    NoSite,
    /// The store's root policy cannot be read.
    #[error("the root policy in the store is damaged: restore a backup")]
    RootPolicyDamaged,
    /// No address was configured.
    #[error("no origin is configured: set `origins` to the addresses under which devices reach this server")]
    NoOrigin,
    /// The log key is not the manifest's.
    #[error(
        "the log key is not the one in the site manifest: use the key file that `ward init` wrote for this site, or \
         the one of its newest manifest"
    )]
    WrongLogKey,
    /// The manifest's witnesses make no policy.
    #[error("the witnesses in the site manifest cannot be used: {0}")]
    Witnesses(PolicyError),
    /// The membership log cannot be replayed.
    #[error(transparent)]
    Membership(#[from] MembershipLoadError),
    /// A log cannot be rebuilt, or lacks leaves that were signed.
    #[error(transparent)]
    Log(#[from] LogDeskError),
    /// A witness knows a log longer than the store has it.
    #[error("{0}")]
    BehindWitness(LogBehind),
    /// The token key cannot be used.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// The log key cannot sign receipts.
    #[error(transparent)]
    ReceiptKey(#[from] ReceiptKeyError),
    /// The server's keys cannot be derived.
    #[error(transparent)]
    Secrets(#[from] ServerSecretsError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of the last write that was made to see whether the store can.
struct Probe {
    at_ms: u64,
    outcome: Result<(), StoreError>,
}

/// The state of one server. Share it as `Arc<App<S>>`.
pub struct App<S> {
    store: S,
    site: SiteId,
    root_policy: Vec<u8>,
    log_key: Arc<SignKey>,
    pushes: PushDesk,
    secrets: ServerSecrets,
    tokens: TokenIssuer,
    proofs: ProofVerifier,
    replays: ReplayCache,
    sessions: SessionCache,
    rates: RateLimits,
    membership: MembershipDesk,
    mlog: Arc<LogDesk<S>>,
    olog: RwLock<OlogParts<S>>,
    recovery: Recovery,
    ended_logs: EndedLogs,
    damage: Damage,
    /// When which complete blob was hashed again.
    blobs_rechecked: BoundedMemo<BlobName, TimestampMs>,
    body_room: BodyRoom,
    witnesses: Witnesses,
    hints: Arc<Hints>,
    metrics: Metrics,
    limits: Limits,
    trusted_proxies: Vec<AddressBlock>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    draining: AtomicBool,
    probed: tokio::sync::Mutex<Option<Probe>>,
}

/// What charts and devices may store, as the limits say.
const fn quotas(limits: &Limits) -> Quotas {
    Quotas {
        chart_bytes: limits.chart_quota_bytes,
        device_bytes: limits.device_quota_bytes,
        chart_operations: CHART_MAX_OPERATIONS,
        device_operations: DEVICE_MAX_OPERATIONS,
        chart_blob_bytes: limits.chart_blob_quota_bytes,
        device_blob_bytes: limits.device_blob_quota_bytes,
        device_uploads: limits.device_max_uploads,
    }
}

impl<S: Store> App<S> {
    /// Replays the membership log, rebuilds both logs, compares them with what was signed and
    /// with what the witnesses know.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(parts: AppParts<S>) -> Result<Arc<Self>, StartError> {
        let AppParts {
            store,
            log_key,
            server_seed,
            origins,
            witnesses,
            limits,
            trusted_proxies,
            clock,
            entropy,
        } = parts;
        store.set_quotas(quotas(&limits));
        let issuer = origins.first().ok_or(StartError::NoOrigin)?.as_str().to_owned();
        let root_policy = store.meta(ROOT_POLICY).await?.ok_or(StartError::NoSite)?;
        let root = RootPolicy::from_canonical(&root_policy).map_err(|_| StartError::RootPolicyDamaged)?;
        let site = root.site;
        let membership = MembershipDesk::load(&store, root).await?;
        let manifest = membership.read().manifest().cloned().ok_or(MembershipLoadError::NoManifest)?;
        if manifest.log_key != *log_key.public() {
            return Err(StartError::WrongLogKey);
        }
        witness_policy(&manifest).map_err(StartError::Witnesses)?;
        let log_key = Arc::new(log_key);
        let mlog =
            LogDesk::open(store.clone(), LogName::Mlog, &manifest.mlog_origin, Arc::clone(&log_key)).await?;
        let restored = RestoreState::load(&store).await?;
        let olog = open_olog(&store, &membership, &manifest, &log_key, restored.as_ref()).await?;
        let secrets = ServerSecrets::derive(&server_seed)?;
        let app = Arc::new(Self {
            tokens: TokenIssuer::new(secrets.token_seed(), &issuer, site)?,
            proofs: ProofVerifier::new(origins, NonceKey::new(&random(&*entropy)?)),
            pushes: PushDesk::default(),
            replays: ReplayCache::default(),
            sessions: SessionCache::default(),
            rates: RateLimits::new(&limits, Arc::clone(&clock)),
            witnesses: Witnesses::new(witnesses),
            hints: Arc::default(),
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
            probed: tokio::sync::Mutex::default(),
            store,
            site,
            root_policy,
            log_key,
            secrets,
            membership,
            mlog: Arc::new(mlog),
            olog: RwLock::new(olog),
            recovery: Recovery::new(restored),
            ended_logs: EndedLogs::default(),
            damage: Damage::default(),
            blobs_rechecked: BoundedMemo::new(BLOB_RECHECKS_REMEMBERED_MAX),
            body_room: BodyRoom::default(),
            limits,
            trusted_proxies,
            clock,
            entropy,
        });
        app.compare_with_witnesses().await?;
        Ok(app)
    }

    /// A restored database is the usual way in which a log forgets what it promised. When too few
    /// witnesses can be reached now, the server starts for reading only: see
    /// [`App::check_confirmed`].
    async fn compare_with_witnesses(&self) -> Result<(), StartError> {
        for log in [LogName::Mlog, LogName::Olog] {
            let outcome = self.cosigned_head(log).await;
            // At start one witness is enough to ask for a person: nobody waits for the server yet.
            if let Some(behind) = self.witnesses.conflict(log) {
                return Err(StartError::BehindWitness(behind));
            }
            match outcome {
                Ok(_) => {}
                Err(CosignError::NoQuorum | CosignError::Restored(_)) => {}
                Err(CosignError::Behind(behind)) => return Err(StartError::BehindWitness(behind)),
                Err(CosignError::Log(error)) => return Err(StartError::Log(error)),
            }
            if self.stage() != RecoveryStage::Running {
                tracing::error!(log = log.as_str(), stage = ?self.stage(), "the server was restored and waits");
            } else if !self.witnesses.confirmed(log) {
                tracing::error!(
                    log = log.as_str(),
                    "too few witnesses answered at start: nothing is appended until they do"
                );
            }
        }
        Ok(())
    }

    /// The newest cosigned note of a log, cosigned now if it is behind or old.
    pub(crate) async fn cosigned_head(&self, log: LogName) -> Result<Arc<CosignedNote>, CosignError> {
        self.may_ask_witnesses(log)?;
        let manifest = self.membership.read().manifest().cloned().ok_or(CosignError::NoQuorum)?;
        let policy = witness_policy(&manifest).map_err(|_| CosignError::NoQuorum)?;
        let desk = self.desk(log);
        let key = self.log_key.public().as_bytes();
        let note = self
            .witnesses
            .cosigned_head(&desk, &policy, key, &*self.clock, (&self.store, &self.metrics))
            .await?;
        self.metrics.log_size(log, desk.size());
        Ok(note)
    }

    /// A log that is known to be shorter than the witnesses have it is not shown to them: they could
    /// only say so.
    fn may_ask_witnesses(&self, log: LogName) -> Result<(), CosignError> {
        match (self.stage(), log) {
            (RecoveryStage::Running, _) | (RecoveryStage::WaitsForReopening, LogName::Mlog) => Ok(()),
            (stage, _) => Err(CosignError::Restored(stage)),
        }
    }

    /// Refuses to append while this database may be one that was set back: a witness contradicts
    /// it, or since the start too few witnesses have said that they know no longer log. Appending
    /// then could sign receipts at places that were given away before.
    pub(crate) async fn check_confirmed(&self) -> Result<(), Refusal> {
        if let Some(waits) = self.waits() {
            return Err(waits);
        }
        for log in [LogName::Mlog, LogName::Olog] {
            if self.witnesses.behind().is_none() && !self.witnesses.confirmed(log) {
                // Whether it helped is asked below; a try that failed is not repeated at once.
                let _asked = self.cosigned_head(log).await;
            }
        }
        self.confirmed()
    }

    /// The same for an entry of the membership log, which goes on while the operation log waits.
    pub(crate) async fn check_mlog_confirmed(&self) -> Result<(), Refusal> {
        if self.stage() != RecoveryStage::WaitsForReopening {
            return self.check_confirmed().await;
        }
        if !self.witnesses.confirmed(LogName::Mlog) {
            let _asked = self.cosigned_head(LogName::Mlog).await;
        }
        match self.witnesses.behind() {
            Some(behind) => Err(refuse(ErrorCode::StoreStopped, behind.to_string())),
            None if self.witnesses.confirmed(LogName::Mlog) => Ok(()),
            None => Err(too_few_witnesses()),
        }
    }

    /// The same without asking the witnesses.
    pub(crate) fn confirmed(&self) -> Result<(), Refusal> {
        if let Some(waits) = self.waits() {
            return Err(waits);
        }
        if let Some(behind) = self.witnesses.behind() {
            return Err(refuse(ErrorCode::StoreStopped, behind.to_string()));
        }
        if [LogName::Mlog, LogName::Olog].into_iter().all(|log| self.witnesses.confirmed(log)) {
            return Ok(());
        }
        Err(too_few_witnesses())
    }

    /// Housekeeping: the membership log is followed, heads are signed and cosigned, tickets, sessions,
    /// proposals, decided drops and unfinished blobs that ran out are removed.
    /// The listener calls it every minute; without a listener nobody needs to.
    pub async fn upkeep(&self) {
        let now = self.clock.now();
        if let Err(error) = self.membership.catch_up(&self.store).await {
            tracing::error!(error = %error, "the membership log cannot be followed");
        }
        for log in [LogName::Mlog, LogName::Olog] {
            if let Err(error) = self.cosigned_head(log).await {
                tracing::warn!(log = log.as_str(), error = %error, "no fresh cosigned head");
            }
        }
        let ran_out = now.plus_ms(-PROPOSAL_MAX_LIFE_MS);
        for outcome in [
            self.store.expire_tickets(now).await,
            self.store.purge_refresh_families(now).await,
            self.store.purge_proposals(ran_out).await,
            self.store.purge_drops(now.plus_ms(-DROP_KEPT_MS)).await,
            self.store.purge_uploads(now.plus_ms(-UPLOAD_MAX_REST_MS)).await,
        ] {
            if let Err(error) = outcome {
                tracing::warn!(error = %error, "housekeeping failed");
            }
        }
    }

    /// From now on `/readyz` says no and open streams end.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Writes one value, to see that the store can. What came of it is believed for some seconds
    /// and one caller writes at a time: anybody may ask, and a disk in trouble is not asked more.
    pub(crate) async fn check_writable(&self) -> Result<(), StoreError> {
        let mut probed = self.probed.lock().await;
        if let Some(probe) = &*probed
            && self.clock.monotonic_ms().saturating_sub(probe.at_ms) < READY_BELIEF_MS
        {
            return probe.outcome.clone();
        }
        let outcome = self.store.put_meta(READY_PROBE, self.clock.now().0.to_be_bytes().to_vec()).await;
        *probed = Some(Probe { at_ms: self.clock.monotonic_ms(), outcome: outcome.clone() });
        outcome
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// A connection opened (`1`) or closed (`-1`).
    pub(crate) fn connection(&self, change: i64) {
        self.metrics.connections(change);
    }

    /// The origin of the operation log that counts now.
    pub fn olog_origin(&self) -> String {
        self.desk(LogName::Olog).origin().to_string()
    }

    /// The figures.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The site.
    pub const fn site(&self) -> SiteId {
        self.site
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    pub(crate) fn desk(&self, log: LogName) -> Arc<LogDesk<S>> {
        match log {
            LogName::Mlog => Arc::clone(&self.mlog),
            LogName::Olog => self.olog().desk,
        }
    }

    /// The operation log that counts now.
    pub(crate) fn olog(&self) -> OlogParts<S> {
        self.olog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn exchange_olog(&self, parts: OlogParts<S>) {
        *self.olog.write().unwrap_or_else(PoisonError::into_inner) = parts;
    }

    pub(crate) fn log_key(&self) -> Arc<SignKey> {
        Arc::clone(&self.log_key)
    }

    pub(crate) const fn blobs_rechecked(&self) -> &BoundedMemo<BlobName, TimestampMs> {
        &self.blobs_rechecked
    }

    pub(crate) const fn body_room(&self) -> &BodyRoom {
        &self.body_room
    }

    pub(crate) const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    pub(crate) const fn ended_logs(&self) -> &EndedLogs {
        &self.ended_logs
    }

    pub(crate) const fn damage(&self) -> &Damage {
        &self.damage
    }

    pub(crate) fn root_policy(&self) -> &[u8] {
        &self.root_policy
    }

    pub(crate) const fn pushes(&self) -> &PushDesk {
        &self.pushes
    }

    pub(crate) const fn secrets(&self) -> &ServerSecrets {
        &self.secrets
    }

    pub(crate) const fn tokens(&self) -> &TokenIssuer {
        &self.tokens
    }

    pub(crate) const fn proofs(&self) -> &ProofVerifier {
        &self.proofs
    }

    pub(crate) const fn replays(&self) -> &ReplayCache {
        &self.replays
    }

    pub(crate) const fn sessions(&self) -> &SessionCache {
        &self.sessions
    }

    pub(crate) const fn rates(&self) -> &RateLimits {
        &self.rates
    }

    pub(crate) const fn membership(&self) -> &MembershipDesk {
        &self.membership
    }

    pub(crate) const fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    pub(crate) const fn hints(&self) -> &Arc<Hints> {
        &self.hints
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn trusted_proxies(&self) -> &[AddressBlock] {
        &self.trusted_proxies
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

/// Opens the operation log that counts. A reopening that the membership log holds and the store
/// does not know yet, since the server ended in between, is made up for.
async fn open_olog<S: Store>(
    store: &S,
    membership: &MembershipDesk,
    manifest: &SiteManifest,
    log_key: &Arc<SignKey>,
    restored: Option<&RestoreState>,
) -> Result<OlogParts<S>, StartError> {
    let newest = newest_log(&membership.read(), restored);
    if let Some((log, _)) = &newest {
        store.reopen_olog(*log).await?;
    }
    let held = store.olog_reopened().await?.map_or(1, |log| log.number);
    let origin = {
        let membership = membership.read();
        // The first log is followed by the one with the number 2.
        let place = usize::try_from(held).ok().and_then(|held| held.checked_sub(2));
        let reopening = place.and_then(|place| membership.reopenings().get(place));
        reopening.map_or_else(|| manifest.olog_origin.clone(), |reopening| reopening.new_origin.clone())
    };
    let desk = LogDesk::open(store.clone(), LogName::Olog, &origin, Arc::clone(log_key)).await?;
    let receipts = ReceiptSigner::new(desk.origin(), log_key)?;
    Ok(OlogParts { desk: Arc::new(desk), receipts: Arc::new(receipts) })
}

fn too_few_witnesses() -> Refusal {
    let retry_after_s = u32::try_from(COSIGN_RETRY_MS / 1_000).ok();
    refuse_with(
        ErrorCode::WitnessesUnreachable,
        "Since its start the server could not compare its logs with enough witnesses, so it takes nothing yet; try again.",
        ProblemMembers { retry_after_s, ..ProblemMembers::default() },
    )
}

/// The witness policy that a manifest states.
pub(crate) fn witness_policy(manifest: &SiteManifest) -> Result<WitnessPolicy, PolicyError> {
    let mut witnesses = Vec::with_capacity(manifest.witnesses.len());
    for entry in &manifest.witnesses {
        // A name that cannot stand in a note can never cosign: it counts as a witness that is not there.
        let Ok(name) = entry.name.parse() else { continue };
        witnesses.push(WitnessKey::new(name, entry.key.as_bytes(), entry.outside)?);
    }
    WitnessPolicy::new(witnesses, usize::from(manifest.quorum))
}
