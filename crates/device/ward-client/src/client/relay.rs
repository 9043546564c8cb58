//! Giving the server what it lacks of others: envelopes that it once had and lost. They are sent as
//! they came; each proves itself.

use super::{Client, SyncProblem};
use crate::limits::WANTED_PER_SYNC;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_api::limits::{PUSH_MAX_BYTES, PUSH_MAX_OPERATIONS};
use ward_api::{ChainPlace, EnvelopeBatch, ErrorCode, Opaque, paths};
use ward_audit::Receipt;
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, Head, Incarnation, VersionVector};
use ward_sync::ForkProof;

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("relaying", error.into())
}

/// What a relay came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Relayed {
    /// Entries that the server took, or has mended.
    pub(crate) count: u64,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Sends what the server's vector lacks of chains that are held here. Of this device's present one only
    /// what another machine wrote with its key: its own is pushed.
    pub(crate) async fn relay_missing(
        &mut self,
        chart: ChartId,
        theirs: &VersionVector,
        wanted: &[ChainPlace],
    ) -> Result<Relayed, SyncProblem> {
        let mut runs = self.missing_runs(chart, theirs).map_err(failed)?;
        if !runs.is_empty() {
            // What others sent since the vector was told is not missing.
            let now = self.ask_have(chart).await?;
            runs = self.missing_runs(chart, &now.heads).map_err(failed)?;
        }
        let mut relayed = Relayed::default();
        if runs.is_empty() && wanted.is_empty() {
            return Ok(relayed);
        }
        let envelopes = self.held_envelopes(chart).await.map_err(failed)?;
        let mends = wanted
            .iter()
            .take(WANTED_PER_SYNC)
            .map(|place| vec![(place.device, place.incarnation, place.seq, None)]);
        for run in runs.into_iter().chain(mends) {
            relayed.count += self.relay_run(chart, &run, &envelopes).await?;
        }
        Ok(relayed)
    }

    /// For each chain that reaches further here: the places that the server lacks, as far as each
    /// entry follows the one that the server has.
    fn missing_runs(&self, chart: ChartId, theirs: &VersionVector) -> Result<Vec<Vec<Wanted>>, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(Vec::new()) };
        let present = local.chain.as_ref().map(|chain| (open.me.device, chain.incarnation()));
        let mut runs = Vec::new();
        for (device, incarnation, head) in local.chart.have().iter() {
            let known = theirs.head(device, incarnation);
            if known.is_some_and(|known| known.seq >= head.seq) {
                continue;
            }
            let is_present = Some((device, incarnation)) == present;
            let is_own = |seq: u64| is_present && local.own.contains_key(&(incarnation, seq));
            let run: Vec<Wanted> = local
                .chart
                .following(device, incarnation, known)
                .into_iter()
                .take_while(|head| !is_own(head.seq))
                .map(|Head { seq, entry }| (device, incarnation, seq, Some(entry)))
                .collect();
            if !run.is_empty() {
                runs.push(run);
            }
        }
        Ok(runs)
    }

    /// Envelopes that came and are kept, by their place in their chain.
    async fn held_envelopes(&self, chart: ChartId) -> Result<HeldEnvelopes, ClientError> {
        let mut out = HeldEnvelopes::new();
        for (_, page) in self.pages_of(chart).await? {
            for row in page.rows.iter().filter(|row| row.opened.is_some()) {
                let Ok(envelope) = Envelope::from_canonical(&row.envelope) else { continue };
                let header = envelope.header();
                let place = (header.device, header.incarnation, header.seq);
                out.entry(place).or_default().push((header.entry_id, row.envelope.to_vec()));
            }
        }
        Ok(out)
    }

    /// Sends one run in pieces that a push may have. What is not held as an envelope ends the run:
    /// somebody else has it.
    async fn relay_run(
        &mut self,
        chart: ChartId,
        run: &[Wanted],
        envelopes: &HeldEnvelopes,
    ) -> Result<u64, SyncProblem> {
        let held = |(device, incarnation, seq, entry): &Wanted| {
            let there = envelopes.get(&(*device, *incarnation, *seq))?;
            let fits = |(id, _): &&(EntryId, Vec<u8>)| entry.is_none_or(|entry| entry == *id);
            there.iter().find(fits).map(|(_, bytes)| bytes.clone())
        };
        let mut rest: std::collections::VecDeque<Vec<u8>> = run.iter().map_while(held).collect();
        let mut taken = 0;
        while !rest.is_empty() {
            let (mut batch, mut bytes) = (EnvelopeBatch::new(), 0);
            while let Some(next) = rest.front() {
                bytes += next.len();
                if batch.len() >= PUSH_MAX_OPERATIONS || (bytes > PUSH_MAX_BYTES && !batch.is_empty()) {
                    break;
                }
                batch.extend(rest.pop_front().map(Opaque));
            }
            match self.wire().map_err(failed)?.post::<Receipt>(&paths::relay(chart), &batch).await {
                Ok(receipt) if self.is_of_the_log(&receipt).map_err(failed)? => {
                    taken += promised(&receipt, &batch);
                }
                Ok(_) => return Err(failed(ClientError::BadAnswer { path: paths::relay(chart) })),
                Err(error) if error.is(ErrorCode::Fork) => {
                    let at = run.first().map(|(device, incarnation, ..)| (*device, *incarnation));
                    if let Some((device, incarnation)) = at {
                        return Err(self.fork_found(chart, device, incarnation).await);
                    }
                    return Err(failed(error));
                }
                // Of this chain the server does not take more now; the others go on.
                Err(error @ ClientError::Refused(_)) if !awaits(&error) => break,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(taken)
    }

    /// The proof that a device signed two entries for one place, from the envelopes that are held.
    pub(crate) async fn fork_proof(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
        also: &[Envelope],
    ) -> Result<Option<ForkProof>, ClientError> {
        let mut by_place: BTreeMap<u64, Vec<Envelope>> = BTreeMap::new();
        let held = self.held_envelopes(chart).await?;
        let of_chain = (device, incarnation, 0)..=(device, incarnation, u64::MAX);
        let held = held.range(of_chain).flat_map(|(_, there)| there);
        let held = held.filter_map(|(_, bytes)| Envelope::from_canonical(bytes).ok());
        for envelope in held.chain(also.iter().cloned()) {
            by_place.entry(envelope.header().seq).or_default().push(envelope);
        }
        let Some(record) = self.device()?.mlog.membership.device(chart, device) else { return Ok(None) };
        let key = record.cert().binding.sign_pk;
        for there in by_place.into_values() {
            let Some((first, others)) = there.split_first() else { continue };
            let other = others.iter().find(|other| other.header().entry_id != first.header().entry_id);
            let proof = other.and_then(|other| ForkProof::new(first.clone(), other.clone()).ok());
            if let Some(proof) = proof.filter(|proof| proof.verify(&key).is_ok()) {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }
}

/// A place of a chain, and the entry that is meant; `None` for whatever the device has there.
type Wanted = (DeviceId, Incarnation, u64, Option<EntryId>);

/// Envelopes by (device, life, place), with the entries that they hold.
type HeldEnvelopes = BTreeMap<(DeviceId, Incarnation, u64), Vec<(EntryId, Vec<u8>)>>;

/// How many envelopes of a batch a receipt promises as they were sent.
fn promised(receipt: &Receipt, batch: &EnvelopeBatch) -> u64 {
    let sent = batch.iter().filter_map(|bytes| Envelope::from_canonical(&bytes.0).ok());
    let sent = sent.map(|envelope| envelope.envelope_hash());
    sent.zip(receipt.envelopes()).filter(|(sent, promised)| sent == *promised).count() as u64
}

fn awaits(error: &ClientError) -> bool {
    error.is(ErrorCode::AwaitsReopening) || error.is(ErrorCode::MlogRecovering) || error.passes_by_itself()
}
