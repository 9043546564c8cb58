//! Writing: an entry is made, signed, chained and stored when the person acts, network or not.

use super::same_occurrence::keeps_its_time;
use super::{Client, LocalChart, bind_answers};
use crate::store::{Batch, ChainRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, OwnHead, RowStore, Transport};
use rand_core::Rng as _;
use std::collections::BTreeMap;
use ward_crypto::{CaptureSignature, random_incarnation};
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs};
use ward_sync::{
    BootEvidence, Carry, CarryReason, Decoded, Draft, EntryChain, Moment, Payload, Seen, SignedEntry,
};

/// Something to write, or to write again.
pub(crate) struct Rewrite {
    pub(crate) draft: Draft,
    /// When it was first written, if that was earlier.
    pub(crate) first_written_at: Option<TimestampMs>,
    /// The entries that nobody else will ever see, in whose place this one stands.
    pub(crate) replaces: Vec<EntryId>,
}

impl Rewrite {
    pub(crate) const fn first(draft: Draft) -> Self {
        Self { draft, first_written_at: None, replaces: Vec::new() }
    }

    /// What an entry said, to be written again by a device. What a former device had carried on itself
    /// is written as what it carried: nobody may carry on for another device.
    pub(crate) fn again(entry: &SignedEntry, by: DeviceId) -> Option<Self> {
        let body = entry.body();
        match body.decode_payload() {
            _ if body.kind.is_about_checkpoints() => None,
            Decoded::Known(Payload::IncarnationOpen(_)) | Decoded::Unknown | Decoded::Invalid(_) => None,
            Decoded::Known(Payload::Carry(carry)) if is_carried_on_by_another(&carry, by) => {
                let mut inner = Self::again(&carry.entry()?, by)?;
                inner.replaces.push(entry.id());
                Some(inner)
            }
            Decoded::Known(payload) => {
                let draft = Draft { payload, amends: body.amends, reason: body.reason.clone() };
                let first_written_at = Some(body.captured_at);
                Some(Self { draft, first_written_at, replaces: vec![entry.id()] })
            }
        }
    }
}

/// Whether a carry counts only if another device writes it: that whose store was copied or set back.
fn is_carried_on_by_another(carry: &Carry, by: DeviceId) -> bool {
    carry.why == CarryReason::Reauthor && carry.entry().is_none_or(|inner| inner.frame().device != by)
}

/// A chain that moved on by some entries, not stored yet.
pub(crate) struct Written {
    pub(crate) chain: EntryChain,
    pub(crate) entries: Vec<SignedEntry>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Writes an entry into a chart, with or without a network. When this returns, the entry is
    /// durable on this device; the next sync sends it.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`], [`ClientError::Entry`] for what the role may not write or
    /// what breaks a rule, [`ClientError::Severed`] and [`ClientError::LeaseEnded`] on a device that
    /// takes nothing now, [`ClientError::StoreSetBack`] before the first sync after a rollback,
    /// [`ClientError::NeedsNewerApp`] for what this app is too old to change,
    /// [`ClientError::StoreIsNewer`], [`ClientError::Store`].
    pub async fn capture(
        &mut self,
        chart: ChartId,
        payload: impl Into<Payload>,
    ) -> Result<EntryId, ClientError> {
        self.capture_draft(chart, Draft::new(payload)).await
    }

    /// Corrects a record: the earlier one stays, this one says why.
    ///
    /// # Errors
    /// As [`Client::capture`].
    pub async fn amend(
        &mut self,
        chart: ChartId,
        record: EntryId,
        reason: impl Into<String>,
        payload: impl Into<Payload>,
    ) -> Result<EntryId, ClientError> {
        self.capture_draft(chart, Draft::amending(payload, record, reason)).await
    }

    /// Writes a draft that was put together by the caller.
    ///
    /// # Errors
    /// As [`Client::capture`].
    pub async fn capture_draft(&mut self, chart: ChartId, draft: Draft) -> Result<EntryId, ClientError> {
        self.capture_with(chart, draft, Batch::default()).await
    }

    /// Writes an entry together with other changes in one commit.
    pub(crate) async fn capture_with(
        &mut self,
        chart: ChartId,
        draft: Draft,
        batch: Batch,
    ) -> Result<EntryId, ClientError> {
        self.may_capture(chart)?;
        self.check_reader(chart, &draft)?;
        let growth = Growth::of(&draft.payload);
        // Only answers can be bound to their questionnaire: nothing else pays for a view.
        let answers = matches!(draft.payload, Payload::Response(_));
        let draft = match answers.then(|| self.view_of(chart)) {
            Some(Ok(view)) => {
                keeps_its_time(&draft, &view)?;
                bind_answers::bound(draft, &view)
            }
            _ => draft,
        };
        let written = self.write(chart, vec![Rewrite::first(draft)])?;
        self.keep_written(chart, written, batch, growth).await
    }

    /// Stores entries that were made, together with other changes, in one commit; names the newest.
    pub(crate) async fn keep_written(
        &mut self,
        chart: ChartId,
        written: Written,
        mut batch: Batch,
        growth: Growth,
    ) -> Result<EntryId, ClientError> {
        let receipted = self.device()?.charts.get(&chart).map_or(0, |local| local.receipted);
        stage(&mut batch, chart, &written, receipted);
        self.commit_growth(batch, growth).await?;
        let newest = self.take_written(chart, written)?.ok_or(ClientError::Unknown("the new entry"))?;
        self.raise_mark(Some(newest)).await;
        Ok(newest.entry)
    }

    /// Whether anything may be written into a chart now.
    pub(crate) fn may_capture(&self, chart: ChartId) -> Result<(), ClientError> {
        if self.is_read_only() {
            return Err(ClientError::StoreIsNewer);
        }
        let open = self.device()?;
        if open.set_back {
            return Err(ClientError::StoreSetBack);
        }
        open.writable()?;
        if self.may_write_into(chart)? { Ok(()) } else { Err(ClientError::UnknownChart(chart)) }
    }

    /// Whether this device reads the chart. A patient writes from the first moment, before the
    /// log says that the chart is theirs.
    pub(super) fn may_write_into(&self, chart: ChartId) -> Result<bool, ClientError> {
        let open = self.device()?;
        Ok(open.me.chart == Some(chart) || open.mlog.membership.is_member(chart, open.me.device))
    }

    /// Makes entries without storing them. Where one names an entry that an earlier one of them
    /// replaces, it names the new one: nobody will ever see the old.
    pub(crate) fn write(&mut self, chart: ChartId, drafts: Vec<Rewrite>) -> Result<Written, ClientError> {
        let (open, env) = self.device_and_env()?;
        let (me, site) = (open.me.device, open.me.site);
        let local = open.charts.entry(chart).or_insert_with(|| LocalChart::new(site, chart));
        let mut chain = match &local.chain {
            Some(chain) => chain.clone(),
            None => EntryChain::open(site, chart, me, open.me.role, random_incarnation(env.rng())),
        };
        let olog = open.olog.as_ref().and_then(|view| view.head()).map(ward_audit::CosignedHead::head);
        let heads = local.chart.settled();
        let mut entries = Vec::with_capacity(drafts.len());
        let mut replaced: BTreeMap<EntryId, EntryId> = BTreeMap::new();
        for Rewrite { mut draft, first_written_at, replaces } in drafts {
            draft.rename(|old| replaced.get(&old).copied());
            let moment = moment(env, olog, first_written_at);
            let seen = Seen { heads: &heads, lamport: local.chart.lamport() };
            let sign = &open.keys.sign;
            let entry =
                chain.append(&draft, &moment, seen, |entry| Ok(CaptureSignature::sign(sign, entry)))?;
            replaced.extend(replaces.into_iter().map(|old| (old, entry.id())));
            entries.push(entry);
        }
        Ok(Written { chain, entries })
    }

    /// Makes an entry that is not stored here, as the first of a chain of its own.
    pub(super) fn write_apart(&mut self, chart: ChartId, draft: Draft) -> Result<SignedEntry, ClientError> {
        let (open, env) = self.device_and_env()?;
        let (me, site, role) = (open.me.device, open.me.site, open.me.role);
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let mut chain = EntryChain::open(site, chart, me, role, random_incarnation(env.rng()));
        let olog = open.olog.as_ref().and_then(|view| view.head()).map(ward_audit::CosignedHead::head);
        let heads = local.chart.settled();
        let seen = Seen { heads: &heads, lamport: local.chart.lamport() };
        let (moment, sign) = (moment(env, olog, None), &open.keys.sign);
        Ok(chain.append(&draft, &moment, seen, |entry| Ok(CaptureSignature::sign(sign, entry)))?)
    }

    /// Takes stored entries into memory and names the newest.
    pub(crate) fn take_written(
        &mut self,
        chart: ChartId,
        written: Written,
    ) -> Result<Option<OwnHead>, ClientError> {
        let open = self.device_mut()?;
        let (site, unsent) = (open.me.site, open.unsent());
        let local = open.charts.entry(chart).or_insert_with(|| LocalChart::new(site, chart));
        let incarnation = written.chain.incarnation();
        if local.chain.as_ref().is_none_or(|chain| chain.incarnation() != incarnation) {
            local.receipted = 0;
        }
        let head =
            written.chain.head().map(|head| OwnHead { chart, incarnation, seq: head.seq, entry: head.entry });
        local.chain = Some(written.chain);
        for entry in written.entries {
            local.own.insert((incarnation, entry.frame().seq), entry.clone());
            local.insert(entry, unsent);
        }
        Ok(head)
    }
}

fn moment(
    env: &mut impl Environment,
    olog: Option<ward_audit::TreeHead>,
    first_written_at: Option<TimestampMs>,
) -> Moment {
    let mut random16 = [0; 16];
    env.rng().fill_bytes(&mut random16);
    Moment {
        random16,
        captured_at: first_written_at.unwrap_or_else(|| env.wall()),
        zone: env.zone(),
        evidence: BootEvidence { boot_id: env.boot_id(), monotonic_ms: env.monotonic_ms() },
        olog,
    }
}

/// The rows of new entries and of the chain that holds them.
pub(crate) fn stage(batch: &mut Batch, chart: ChartId, written: &Written, receipted: u64) {
    let incarnation = written.chain.incarnation().0.to_be_bytes();
    for entry in &written.entries {
        let id = row_id(&[chart.as_bytes(), &incarnation, &entry.frame().seq.to_be_bytes()]);
        batch.put_bytes(Table::Own, id, entry.to_stored().into());
    }
    let record = ChainRecord { chain: written.chain.clone(), receipted };
    batch.put(Table::Chains, chart.as_bytes().as_slice(), &record);
}
