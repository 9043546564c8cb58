//! Checkpoints: writing one when it is due, signing what somebody else wrote after having come to the
//! same, and saying so when it is something else.

use super::carried::innermost_kind;
use super::{Client, SyncProblem};
use crate::limits::CHECKPOINT_MAX_BYTES;
use crate::store::{BLOB_TO_SEND, Batch, BlobRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_crypto::limits::BLOB_CHUNK_BYTES;
use ward_crypto::{BlobKey, BlobSealer, HedgedRng, SealedBlob, random_bytes};
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs, TreeRoot};
use ward_sync::limits::FOLD_RULES;
use ward_sync::{
    Arrival, Chart, ChartAuthority, Checkpoint, CheckpointCosignature, CheckpointDue, CheckpointFault,
    CheckpointRoots, CheckpointTrust, Decoded, Draft, EntryKind, Payload, SignedEntry, checkpoint_due,
    checkpoint_trust, encode_content, roots_of_rows, state_root,
};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("checkpoints", error.into())
}

/// Rows of a chart in the order of the operation log.
pub(super) type ChartRows<'a> = Vec<(u64, TimestampMs, &'a SignedEntry)>;

/// A checkpoint that stands in a chart.
pub(crate) struct KnownCheckpoint {
    pub(crate) entry: EntryId,
    pub(crate) author: DeviceId,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) trust: CheckpointTrust,
    /// The devices that signed it beside its author.
    cosigners: BTreeSet<DeviceId>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The checkpoints of a chart whose authors' devices stand, newest first. What was said of a log
    /// that ended is left out: its places are none in the log that counts.
    pub(crate) fn known_checkpoints(&self, chart: ChartId) -> Vec<KnownCheckpoint> {
        let Ok(open) = self.device() else { return Vec::new() };
        let Some(local) = open.charts.get(&chart) else { return Vec::new() };
        let mut out: Vec<KnownCheckpoint> = Vec::new();
        for (entry, _) in local.chart.of_kind(EntryKind::CHECKPOINT) {
            let Decoded::Known(Payload::Checkpoint(checkpoint)) = entry.body().decode_payload() else {
                continue;
            };
            if checkpoint.upto < open.olog_begin() {
                continue;
            }
            let author = entry.frame().device;
            let (entry, cosigners) = (entry.id(), BTreeSet::new());
            out.push(KnownCheckpoint {
                entry,
                author,
                checkpoint,
                trust: CheckpointTrust::Nobody,
                cosigners,
            });
        }
        if out.is_empty() {
            return out;
        }
        for (entry, _) in local.chart.of_kind(EntryKind::CHECKPOINT_COSIGNATURE) {
            let Decoded::Known(Payload::CheckpointCosignature(signed)) = entry.body().decode_payload() else {
                continue;
            };
            for known in out.iter_mut().filter(|known| known.entry == signed.checkpoint) {
                known.cosigners.insert(entry.frame().device);
            }
        }
        let membership = &open.mlog.membership;
        for known in &mut out {
            known.trust = checkpoint_trust(membership, chart, known.author, known.cosigners.iter().copied());
        }
        out.retain(|known| known.trust != CheckpointTrust::Nobody);
        out.sort_by_key(|known| std::cmp::Reverse((known.checkpoint.upto, known.entry)));
        out
    }

    /// Signs the newest checkpoint of somebody else, or writes one when it is due. Only where this
    /// device holds everything and has verified it itself.
    pub(crate) async fn keep_checkpoints(&mut self, chart: ChartId) -> Vec<SyncProblem> {
        // What could not be sent now would only wait, and lie between what people wrote.
        if !self.holds_everything(chart) || self.unsent_of(chart) > 0 || self.permit(chart).is_err() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        match self.cosign_newest(chart).await {
            Ok(found) => problems.extend(found),
            Err(error) => problems.push(failed(error)),
        }
        // Where only places differ, the server may have told two devices two things: that is no reason to
        // let nobody's checkpoint count.
        if problems.iter().all(differs_in_places)
            && self.is_checkpoint_due(chart)
            && let Err(error) = self.write_checkpoint(chart).await
        {
            problems.push(failed(error));
        }
        problems
    }

    /// Whether a chart is whole here: nothing is missing, unopened or unverified, and this device may
    /// write into it.
    fn holds_everything(&self, chart: ChartId) -> bool {
        let Ok(open) = self.device() else { return false };
        let Some(local) = open.charts.get(&chart) else { return false };
        !open.set_back
            && open.writable().is_ok()
            && (open.me.role == ward_crypto::Role::Patient || open.me.role.is_staff())
            && open.mlog.membership.is_member(chart, open.me.device)
            // What a former device handed over waits for staff, and is no gap of this copy.
            && local
                .former_unsent(open.me.device)
                .all(|entry| open.dropped.contains_key(&(chart, entry.id())))
            && local.unopened.is_empty()
            && local.incomplete_for == 0
            && local.base.as_ref().is_none_or(|base| base.complete && !base.places_differ(open.olog_begin()))
    }

    fn is_checkpoint_due(&self, chart: ChartId) -> bool {
        let (Ok(open), Some(now)) = (self.device(), self.trusted_now()) else { return false };
        let Some(local) = open.charts.get(&chart) else { return false };
        let Some(cursor) = local.cursor else { return false };
        let newest = self.known_checkpoints(chart).into_iter().map(|known| known.checkpoint.upto).max();
        // What devices say of checkpoints, and of having opened them, is no reason for another one, also
        // where a store that was copied or set back carried it on.
        let own_work = |entry: &SignedEntry| {
            let kind = innermost_kind(entry);
            kind.is_about_checkpoints() || kind == EntryKind::OPENED
        };
        let rows = local.chart.arrived_upto(cursor);
        let since = rows
            .iter()
            .filter(|(index, _, entry)| newest.is_none_or(|upto| *index > upto) && !own_work(entry));
        let (mut entries_since, mut oldest_since) = (0, None);
        for (_, received_at, _) in since {
            entries_since += 1;
            oldest_since =
                Some(oldest_since.map_or(*received_at, |oldest: TimestampMs| oldest.min(*received_at)));
        }
        checkpoint_due(CheckpointDue { role: open.me.role, entries_since, oldest_since, now })
    }

    /// Writes a checkpoint over everything that arrived, with its content as a blob. The next sync
    /// sends both. Nothing is written for a chart that is not whole here, that has a forked chain, or that
    /// is too large.
    ///
    /// # Errors
    /// What [`Client::capture`] can fail with.
    pub async fn write_checkpoint(&mut self, chart: ChartId) -> Result<Option<EntryId>, ClientError> {
        self.may_capture(chart)?;
        let cursor = self.device()?.charts.get(&chart).and_then(|local| local.cursor);
        let Some(cursor) = cursor.filter(|_| self.holds_everything(chart)) else { return Ok(None) };
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(None) };
        let rows = local.chart.arrived_upto(cursor);
        // A device that signed two histories leaves no one frontier to name.
        let Ok(roots) = roots_of_rows(rows.iter().copied()) else { return Ok(None) };
        let state = self.state_of(chart, &rows)?;
        let content = encode_content(rows.into_iter());
        if content.len() as u64 > CHECKPOINT_MAX_BYTES {
            return Ok(None);
        }
        let (open, env) = self.device_and_env()?;
        let id: [u8; 16] = random_bytes(env.rng());
        let key = BlobKey::generate(&mut HedgedRng::new(env.rng(), &open.keys.hedge, &id));
        let mut batch = Batch::default();
        let (blob, chunks) = seal_content(&mut batch, &id, &key, &content)?;
        let record = BlobRecord {
            chart,
            address: Some(blob.address),
            phase: BLOB_TO_SEND,
            size: blob.size,
            here: chunks,
            sent: 0,
            checked: true,
            // It can be made again.
            captured_at: None,
        };
        batch.put(Table::Blobs, id, &record);
        let entry =
            self.capture_with(chart, Draft::new(checkpoint_of(roots, state, key, blob)), batch).await?;
        self.device_mut()?.blobs.insert(id.to_vec(), record);
        Ok(Some(entry))
    }

    /// The state of exactly these rows.
    pub(super) fn state_of(&self, chart: ChartId, rows: &ChartRows<'_>) -> Result<TreeRoot, ClientError> {
        let open = self.device()?;
        let authority = ChartAuthority { membership: &open.mlog.membership, chart };
        let mut covered = Chart::new(open.me.site, chart);
        for (index, received_at, entry) in rows {
            // They are entries of this chart, and fewer than it holds.
            let _known = covered.insert((*entry).clone(), Arrival::at(*index, *received_at));
        }
        Ok(state_root(&covered, &authority))
    }

    /// Compares the newest checkpoints of other people with this device's own copy, each once, and
    /// signs one if none is signed by two people yet.
    async fn cosign_newest(&mut self, chart: ChartId) -> Result<Vec<SyncProblem>, ClientError> {
        let open = self.device()?;
        let (me, person) = (open.me.device, open.me.person);
        let Some(local) = open.charts.get(&chart) else { return Ok(Vec::new()) };
        let mut newest = self.known_checkpoints(chart);
        let upto = newest.first().map(|known| known.checkpoint.upto);
        newest.retain(|known| Some(known.checkpoint.upto) == upto);
        let signed = |known: &KnownCheckpoint| {
            known.trust == CheckpointTrust::TwoPersons || known.author == me || known.cosigners.contains(&me)
        };
        let mut is_signed = newest.iter().any(signed);
        let by_other = |known: &KnownCheckpoint| {
            open.mlog.membership.device(chart, known.author).is_some_and(|by| by.person() != person)
        };
        let (mut problems, mut open_ones) = (Vec::new(), Vec::new());
        for known in newest {
            if let Some(fault) = local.bad_checkpoints.get(&known.entry) {
                problems.push(known.bad(chart, *fault));
            } else if by_other(&known)
                && known.checkpoint.rules == FOLD_RULES
                && local.cursor >= upto
                && !local.sound_checkpoints.contains(&known.entry)
            {
                open_ones.push(known);
            }
        }
        for known in open_ones {
            match self.compare_checkpoint_once(chart, known.entry, &known.checkpoint)? {
                Ok(()) => {
                    self.device_mut()?.chart_or_new(chart).sound_checkpoints.insert(known.entry);
                    if !std::mem::replace(&mut is_signed, true) {
                        self.capture(chart, CheckpointCosignature { checkpoint: known.entry }).await?;
                    }
                }
                Err(fault) => {
                    let local = self.device_mut()?.chart_or_new(chart);
                    if fault != CheckpointFault::Places {
                        local.bad_checkpoints.insert(known.entry, fault);
                    }
                    problems.push(known.bad(chart, fault));
                }
            }
        }
        Ok(problems)
    }
}

impl KnownCheckpoint {
    pub(super) const fn bad(&self, chart: ChartId, fault: CheckpointFault) -> SyncProblem {
        SyncProblem::BadCheckpoint { chart, device: self.author, entry: self.entry, fault }
    }
}

const fn differs_in_places(problem: &SyncProblem) -> bool {
    matches!(problem, SyncProblem::BadCheckpoint { fault: CheckpointFault::Places, .. })
}

fn checkpoint_of(roots: CheckpointRoots, state_root: TreeRoot, key: BlobKey, blob: SealedBlob) -> Checkpoint {
    Checkpoint {
        rules: FOLD_RULES,
        upto: roots.upto,
        frontier: roots.frontier,
        count: roots.count,
        entries_root: roots.entries_root,
        places_root: roots.places_root,
        state_root,
        closed_root: roots.closed_root,
        address: blob.address,
        key,
        size: blob.size,
        plain_hash: blob.plain_hash,
    }
}

/// Seals a content into chunk rows.
fn seal_content(
    batch: &mut Batch,
    id: &[u8],
    key: &BlobKey,
    content: &[u8],
) -> Result<(SealedBlob, u32), ClientError> {
    let mut sealer = BlobSealer::new(key.clone());
    let mut parts: Vec<&[u8]> = content.chunks(BLOB_CHUNK_BYTES).collect();
    let last = parts.pop().unwrap_or(&[]);
    let mut chunk = 0u32;
    for part in parts {
        let sealed = sealer.next(part)?;
        batch.put_bytes(Table::BlobChunks, row_id(&[id, &chunk.to_be_bytes()]), sealed.into());
        chunk += 1;
    }
    let (sealed, blob) = sealer.last(last)?;
    batch.put_bytes(Table::BlobChunks, row_id(&[id, &chunk.to_be_bytes()]), sealed.into());
    Ok((blob, chunk + 1))
}
