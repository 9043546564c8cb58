//! Sending: entries are sealed now, under the epoch that counts now, and kept until the server's
//! receipt for them verifies.

use super::capture::{Rewrite, stage};
use super::incidents::fork_incident;
use super::look_through::Delivered;
use super::{Client, SyncProblem, site_trust};
use crate::limits::{CARRY_ROOM_BYTES, RESEAL_ATTEMPTS};
use crate::store::{Batch, ChainRecord, RECOVERED_ROW, ReceiptRecord, Table, row_id};
use crate::wire::decode;
use crate::{ClientError, DeviceKeyStore, Environment, Growth, OwnHead, RowStore, Transport};
use ward_api::limits::{PUSH_MAX_BYTES, PUSH_MAX_OPERATIONS};
use ward_api::{EnvelopeBatch, ErrorCode, Opaque, paths};
use ward_audit::Receipt;
use ward_crypto::{Envelope, EnvelopeHeader, Suite, V1, random_incarnation, seal_envelope};
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId};
use ward_sync::limits::PAYLOAD_MAX_BYTES;
use ward_sync::{
    Carry, CarryReason, Decoded, Draft, EntryChain, EntryKind, Freshness, IncarnationOpen, Incident,
    SealFacts, SealPermit, SealRefusal, SignedEntry, may_seal,
};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("sending", error.into())
}

/// One sealed piece of a chain.
struct Sealed {
    envelopes: Vec<Envelope>,
    entries: Vec<EntryId>,
    first_seq: u64,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Sends everything of a chart that the server does not have. Returns how many entries it
    /// took.
    pub(crate) async fn push_chart(&mut self, chart: ChartId) -> Result<u64, SyncProblem> {
        let (mut pushed, mut resealed, mut at_most, mut gaps) = (0, 0, PUSH_MAX_OPERATIONS, 0);
        loop {
            if self
                .device()
                .map_err(failed)?
                .charts
                .get(&chart)
                .is_none_or(|local| local.unsent().next().is_none())
            {
                return Ok(pushed);
            }
            let permit = self.permit(chart)?;
            let sealed = self.seal(chart, permit, at_most).map_err(failed)?;
            // What another machine wrote at a place that waits here came already. The server may have lost
            // it: were this one's sent first, nobody could give it back.
            if let Some(seq) = self.unsent_fork(chart).map_err(failed)? {
                return Err(self.leave_forked_life(chart, &sealed, Some(seq)).await?);
            }
            let body: EnvelopeBatch = sealed.envelopes.iter().map(|one| Opaque(one.to_canonical())).collect();
            let path = paths::envelopes(chart);
            let answer = self.wire().map_err(failed)?.post_raw(&path, &body).await;
            match answer {
                Ok(bytes) => {
                    let receipt: Receipt = decode(&path, &bytes).map_err(failed)?;
                    let taken = self.take_receipt(chart, &sealed, &receipt).await?;
                    pushed += taken;
                    if taken == 0 {
                        // It promises envelopes that this device does not know and does not deliver
                        // them: nothing is believed, and everything is sent again at the next sync.
                        return Err(failed(ClientError::BadAnswer { path }));
                    }
                }
                Err(error) if stale(&error) && resealed < RESEAL_ATTEMPTS => {
                    resealed += 1;
                    self.follow_mlog().await?;
                    self.fetch_epochs(chart).await?;
                    self.rotate(chart).await.map_err(failed)?;
                }
                // A push is taken whole or not at all: what still fits goes in smaller ones.
                Err(error) if error.is(ErrorCode::QuotaReached) && sealed.envelopes.len() > 1 => {
                    at_most = sealed.envelopes.len() / 2;
                }
                // A server that lost what it had lacks one front of the chain, once.
                Err(error) if error.is(ErrorCode::Gap) && gaps > 0 => return Err(failed(error)),
                Err(error) => {
                    gaps += usize::from(error.is(ErrorCode::Gap));
                    self.on_refusal(chart, &sealed, error).await?;
                }
            }
        }
    }

    /// Whether this device may seal in a chart now.
    pub(crate) fn permit(&self, chart: ChartId) -> Result<SealPermit, SyncProblem> {
        let open = self.device().map_err(failed)?;
        let held =
            open.charts.get(&chart).and_then(|local| local.epochs.last_key_value()).map(|(_, held)| held);
        let facts = SealFacts {
            membership: &open.mlog.membership,
            head: open.mlog.membership.head(),
            freshness: self.freshness(),
            log_evidence: open.stopped_by.iter().any(SyncProblem::stops_sealing),
            chart,
            device: open.me.device,
            held_package: held.map(|held| held.package.hash()),
            held_since: held.and_then(|held| held.held_since),
        };
        may_seal(&facts).map_err(|refusal| self.refusal(chart, refusal))
    }

    fn refusal(&self, chart: ChartId, refusal: SealRefusal) -> SyncProblem {
        match refusal {
            SealRefusal::LogEvidence => {
                let first = self.device().ok().and_then(|open| open.stopped_by.first().cloned());
                first.unwrap_or_else(|| failed(ClientError::MayNotSeal))
            }
            SealRefusal::Stale { age_ms } => SyncProblem::Stale { age_ms: Some(age_ms) },
            SealRefusal::NeedsWitnessTime => SyncProblem::TimeUnknown,
            SealRefusal::Revoked => SyncProblem::Revoked,
            SealRefusal::CertificateOutOfDate => SyncProblem::CertificateExpired,
            SealRefusal::RotationNeeded(_) | SealRefusal::EpochOld | SealRefusal::EpochNotHeld => {
                SyncProblem::NeedsRotation(chart)
            }
            SealRefusal::NotMember | SealRefusal::NotCertified => failed(ClientError::UnknownChart(chart)),
            SealRefusal::NotAtHead | SealRefusal::PackageMissing(_) => failed(ClientError::MayNotSeal),
        }
    }

    /// Seals as many waiting entries as one push takes, and at most so many.
    fn seal(&mut self, chart: ChartId, permit: SealPermit, at_most: usize) -> Result<Sealed, ClientError> {
        let (open, env) = self.device_and_env()?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let held = local.epochs.get(&permit.epoch).ok_or(ClientError::MayNotSeal)?;
        let mut sealed = Sealed { envelopes: Vec::new(), entries: Vec::new(), first_seq: 0 };
        let mut bytes = 0;
        for entry in local.unsent().take(at_most) {
            let header = header(entry, permit, open.me.site);
            let envelope = seal_envelope(
                &held.secret,
                header,
                &entry.plaintext(),
                &open.keys.sign,
                &open.keys.hedge,
                env.rng(),
            )?;
            bytes += envelope.to_canonical().len();
            if bytes > PUSH_MAX_BYTES && !sealed.envelopes.is_empty() {
                break;
            }
            let seq = entry.frame().seq;
            if sealed.envelopes.is_empty() {
                sealed.first_seq = seq;
            }
            sealed.entries.push(entry.id());
            sealed.envelopes.push(envelope);
        }
        Ok(sealed)
    }

    /// Checks a receipt and, if it covers what was sent, notes that the server has it.
    async fn take_receipt(
        &mut self,
        chart: ChartId,
        sealed: &Sealed,
        receipt: &Receipt,
    ) -> Result<u64, SyncProblem> {
        let bad = || failed(ClientError::BadAnswer { path: paths::envelopes(chart) });
        if !self.is_of_the_log(receipt).map_err(failed)? {
            return Err(bad());
        }
        let begin = self.device().map_err(failed)?.olog_begin();
        // A receipt covers the front of what was sent. Entries that the server had already are
        // answered with their first envelopes, which this device may not remember. It has them only
        // if it delivers them: else a receipt for any old envelope would pass for this one.
        let promised: Vec<bool> = sealed
            .envelopes
            .iter()
            .zip(receipt.envelopes())
            .map(|(sent, promised)| sent.envelope_hash() == *promised)
            .collect();
        let repeat = promised.contains(&false);
        // From where the receipt says that they stand; if they do not come, from the beginning: they
        // may have been left out when that place was passed.
        let from = [receipt.first_index().saturating_add(begin).checked_sub(1), None];
        let mut covered = self.covered(chart, sealed, &promised).map_err(failed)?;
        for after in from.into_iter().filter(|_| repeat) {
            if covered < promised.len() as u64 {
                self.pull_after(chart, after, &mut Delivered::default()).await?;
                covered = self.covered(chart, sealed, &promised).map_err(failed)?;
            }
        }
        if covered == 0 {
            return Ok(0);
        }
        let last = sealed.first_seq + covered - 1;
        let open = self.device().map_err(failed)?;
        let local = open.charts.get(&chart).ok_or_else(bad)?;
        let chain = local.chain.clone().ok_or_else(bad)?;
        let incarnation = chain.incarnation().0.to_be_bytes();
        let id = row_id(&[chart.as_bytes(), &incarnation, &sealed.first_seq.to_be_bytes()]);
        let record = ReceiptRecord {
            receipt: receipt.to_canonical().into(),
            checked_at_size: None,
            entries: if repeat {
                Vec::new()
            } else {
                sealed.entries.iter().take(receipt.envelopes().len()).copied().collect()
            },
        };
        let mut batch = Batch::default();
        let superseded = self.superseded_receipt(chart, &id, &record).map_err(failed)?;
        if let Some((old_id, old)) = &superseded {
            batch.put(Table::Receipts, old_id.clone(), old);
        }
        batch.put(Table::Receipts, id.clone(), &record);
        batch.put(Table::Chains, chart.as_bytes().as_slice(), &ChainRecord { chain, receipted: last });
        self.commit_growth(batch, Growth::Submission).await.map_err(failed)?;
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        local.receipted = last;
        local.receipts.extend(superseded);
        local.receipts.insert(id, record);
        self.raise_mark(None).await;
        Ok(last + 1 - sealed.first_seq)
    }

    /// Whether the log that counts signed a receipt.
    pub(super) fn is_of_the_log(&self, receipt: &Receipt) -> Result<bool, ClientError> {
        let membership = &self.device()?.mlog.membership;
        let manifest = membership.manifest().ok_or(ClientError::WrongSite)?;
        let origin = membership.olog_origin().unwrap_or(&manifest.olog_origin);
        Ok(receipt.verify(&site_trust::log_key(manifest, origin)?).is_ok())
    }

    /// The receipt that stands where a new one will, to be kept beside it: the server lost what it
    /// had promised, and what it signed then is evidence.
    fn superseded_receipt(
        &self,
        chart: ChartId,
        id: &[u8],
        new: &ReceiptRecord,
    ) -> Result<Option<(Vec<u8>, ReceiptRecord)>, ClientError> {
        let old = self.device()?.charts.get(&chart).and_then(|local| local.receipts.get(id));
        let Some(old) = old.filter(|old| old.receipt != new.receipt) else { return Ok(None) };
        let digest = ward_crypto::sha256(&old.receipt);
        Ok(Some(([id, &digest].concat(), old.clone())))
    }

    /// How many entries from the first on are promised as they were sent, or came back.
    fn covered(&self, chart: ChartId, sealed: &Sealed, promised: &[bool]) -> Result<u64, ClientError> {
        let local = self.device()?.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let has = |&(promised, entry): &(&bool, &EntryId)| *promised || local.arrived(*entry);
        Ok(promised.iter().zip(&sealed.entries).take_while(has).count() as u64)
    }

    /// What a refusal of the server means for the chain.
    async fn on_refusal(
        &mut self,
        chart: ChartId,
        sealed: &Sealed,
        error: ClientError,
    ) -> Result<(), SyncProblem> {
        let ClientError::Refused(problem) = &error else { return Err(failed(error)) };
        match (problem.code.known(), problem.members.expect) {
            // The server lacks entries that it had receipted (it was restored): send them again.
            (Some(ErrorCode::Gap), Some(expect)) if expect < sealed.first_seq && expect > 0 => {
                self.show_receipts(chart).await;
                self.set_receipted(chart, expect - 1).await.map_err(failed)
            }
            // Another entry stands there: this store was copied or set back.
            (Some(ErrorCode::Fork), _) => {
                match self.pull_chart(chart).await {
                    // The other history of this very device is mended here, and what others sent that
                    // does not open or forks must not keep it from being mended.
                    Err(SyncProblem::DeviceFork { .. } | SyncProblem::BadEnvelope { .. }) => {}
                    pulled => {
                        pulled?;
                    }
                }
                Err(self.leave_forked_life(chart, sealed, problem.members.seq).await?)
            }
            _ => Err(SyncProblem::of_quota(Some(chart), &error).unwrap_or_else(|| failed(error))),
        }
    }

    /// The first place of the present chain at which another machine's entry came while this device's own
    /// waits.
    fn unsent_fork(&self, chart: ChartId) -> Result<Option<u64>, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(None) };
        let Some(life) = local.chain.as_ref().map(EntryChain::incarnation) else { return Ok(None) };
        let waits = |seq: &u64| {
            let own = local.own.get(&(life, *seq));
            *seq > local.receipted && own.is_some_and(|own| !local.arrived(own.id()))
        };
        Ok(local.chart.forked_at(open.me.device, life).filter(waits))
    }

    /// Ends the life in which two machines wrote for one place, `known` to be such a place: what the server
    /// does not have of this one's is carried on in a new life. Gives what the sync then says.
    async fn leave_forked_life(
        &mut self,
        chart: ChartId,
        sealed: &Sealed,
        known: Option<u64>,
    ) -> Result<SyncProblem, SyncProblem> {
        let me = self.device().map_err(failed)?.me.device;
        let life = sealed.envelopes.first().map(|first| first.header().incarnation);
        let proof = match life {
            Some(life) => self.fork_proof(chart, me, life, &sealed.envelopes).await.map_err(failed)?,
            None => None,
        };
        if let Some(proof) = &proof {
            self.keep_fork_proof(chart, proof).await.map_err(failed)?;
        }
        let incident = life.map(|life| fork_incident(me, life, proof.as_ref()));
        let others_from = match (life, known) {
            (Some(life), Some(_)) => self.others_from(chart, life, known).await.map_err(failed)?,
            _ => known,
        };
        if let Some(seq) = others_from {
            self.unsend_from(chart, seq).await.map_err(failed)?;
        }
        let head = self.open_new_life(chart, incident, others_from).await.map_err(failed)?;
        self.raise_mark(head).await;
        Ok(SyncProblem::OwnFork { chart })
    }

    pub(crate) async fn set_receipted(&mut self, chart: ChartId, receipted: u64) -> Result<(), ClientError> {
        let local = self.device_mut()?.chart_or_new(chart);
        let Some(chain) = local.chain.clone() else { return Ok(()) };
        let mut batch = Batch::default();
        batch.put(Table::Chains, chart.as_bytes().as_slice(), &ChainRecord { chain, receipted });
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).receipted = receipted;
        self.raise_mark(None).await;
        Ok(())
    }

    /// Begins a new incarnation of this device's chain after its store was copied or set back, and
    /// carries on what the server does not have, unchanged and with its own names, times and
    /// signatures. What was promised to the person stays. `others_from` is the place of the chain from
    /// which on the server has what another machine wrote.
    pub(crate) async fn open_new_life(
        &mut self,
        chart: ChartId,
        incident: Option<Incident>,
        others_from: Option<u64>,
    ) -> Result<Option<OwnHead>, ClientError> {
        let incarnation = random_incarnation(self.env.rng());
        let open = self.device_mut()?;
        let (me, site, role) = (open.me.device, open.me.site, open.me.role);
        let marked = open.mark.own_heads.iter().find(|head| head.chart == chart).copied();
        let local = open.chart_or_new(chart);
        let old = local.chain.as_ref().map(EntryChain::incarnation).or(marked.map(|head| head.incarnation));
        let Some(old) = old else { return Ok(None) };
        // From where the server has other entries it has none of these, though it may have had them
        // before it was set back.
        let is_there = |entry: &SignedEntry| {
            let before = others_from.is_none_or(|from| entry.frame().seq < from);
            before && local.arrived(entry.id())
        };
        let lost: Vec<SignedEntry> = local.unsent().filter(|entry| !is_there(entry)).cloned().collect();
        for entry in &lost {
            local.own.remove(&(entry.frame().incarnation, entry.frame().seq));
        }
        // Nothing that is written from here on may name an entry that nobody else will ever see.
        let gone = lost.iter().map(SignedEntry::id).collect();
        let mut batch = Batch::default();
        self.reload_chart_without(chart, &gone, &mut batch).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        let held = local.chart.have().head(me, old);
        let marked =
            marked.filter(|head| head.incarnation == old && held.is_none_or(|held| head.seq > held.seq));
        let newest = marked.map(|head| (head.seq, head.entry)).or(held.map(|held| (held.seq, held.entry)));
        let opening =
            newest.map(|(old_seq, old_entry)| IncarnationOpen { old_incarnation: old, old_seq, old_entry });
        let mut drafts: Vec<Rewrite> = Vec::new();
        drafts.extend(opening.map(|opening| Rewrite::first(Draft::new(opening))));
        drafts.extend(lost.iter().filter_map(|entry| carried_on(entry, me)));
        drafts.extend(incident.map(|incident| Rewrite::first(Draft::new(incident))));
        local.chain = Some(EntryChain::open(site, chart, me, role, incarnation));
        let replaced: Vec<Vec<EntryId>> = drafts.iter().map(|draft| draft.replaces.clone()).collect();
        let written = self.write(chart, drafts)?;
        stage(&mut batch, chart, &written, 0);
        self.rename_in_texts(chart, &replaced, &written.entries, &mut batch)?;
        for entry in &lost {
            let frame = entry.frame();
            let (incarnation, seq) = (frame.incarnation.0.to_be_bytes(), frame.seq.to_be_bytes());
            batch.delete(Table::Own, row_id(&[chart.as_bytes(), &incarnation, &seq]));
        }
        let open = self.device()?;
        let mark = open.mark.store_version;
        let recovered = open.set_back.then(|| open.recovered.with(chart, incarnation, mark));
        recovered.iter().for_each(|recovered| batch.put(Table::Memory, RECOVERED_ROW, recovered));
        if let Err(error) = self.commit_growth(batch, Growth::Submission).await {
            // What is in memory has gone on already: the store says at the next unlock what is so.
            self.lock();
            return Err(error);
        }
        let open = self.device_mut()?;
        open.recovered = recovered.unwrap_or_else(|| std::mem::take(&mut open.recovered));
        open.chart_or_new(chart).receipted = 0;
        self.take_written(chart, written)
    }
}

/// An entry of the old life, to be carried on in the new one, whatever it says: others may have seen it
/// before the server lost it, and what they wrote since names it. What cannot be carried, since it carries
/// another itself or is as large as an entry may be, is written again with its time, unless it is about
/// checkpoints or begins a life.
fn carried_on(entry: &SignedEntry, by: DeviceId) -> Option<Rewrite> {
    let body = entry.body();
    match body.decode_payload() {
        Decoded::Known(_) if body.kind == EntryKind::CARRY || !fits_into_carry(entry) => {
            Rewrite::again(entry, by)
        }
        _ => Some(Rewrite::first(Draft::new(Carry::of(entry, CarryReason::Reauthor)))),
    }
}

/// Whether an entry, its frame and the carry around it stay below the limit of a payload.
pub(super) fn fits_into_carry(entry: &SignedEntry) -> bool {
    entry.frame().to_canonical().len() + CARRY_ROOM_BYTES <= PAYLOAD_MAX_BYTES
}

fn header(entry: &SignedEntry, permit: SealPermit, site: ward_id::SiteId) -> EnvelopeHeader {
    let frame = entry.frame();
    EnvelopeHeader {
        v: V1,
        suite: Suite::W1,
        site,
        chart: frame.chart,
        epoch: permit.epoch,
        device: frame.device,
        incarnation: frame.incarnation,
        seq: frame.seq,
        entry_id: entry.id(),
        mlog_size: permit.head.size,
        mlog_root: permit.head.root,
    }
}

fn stale(error: &ClientError) -> bool {
    [ErrorCode::EpochStale, ErrorCode::MemberSetMismatch].into_iter().any(|code| error.is(code))
}

/// Whether a head is recent enough, for the status.
pub(crate) const fn is_fresh(freshness: &Freshness) -> bool {
    matches!(freshness, Freshness::Fresh { .. })
}
