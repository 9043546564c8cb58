//! Orders against this device. The server's word that it was revoked is only a reason to ask: what
//! holds is what this device verifies itself, by the rules of the membership log under its pinned
//! root, in a head that enough witnesses cosigned.

use super::open_device::{ApplyError, apply_leaves};
use super::{Client, SyncProblem, SyncReport, site_trust};
use crate::limits::{MLOG_FOLLOW_MAX_LEAVES, ORDER_FETCH_ROUNDS};
use crate::store::{Batch, OrderRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_api::{ErrorCode, RevocationProof, paths};
use ward_audit::{MLOG_LEAF_BYTES, NodeHash, verify_cosigned};
use ward_sync::{Lease, Membership, MlogBody, MlogEntry, OnlineMark, RevokePolicy, lease};

pub(crate) const ORDER_ROW: &[u8] = b"order";
pub(crate) const ONLINE_ROW: &[u8] = b"online";

/// What stands against this device, verified by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceOrder {
    /// Whether later entries of this device are refused: then it shows and takes nothing more.
    pub severed: bool,
    /// Whether this device shall destroy what it holds, after it handed over what was unsent.
    pub wipe: bool,
    /// Why, in the words of whoever signed.
    pub reason: String,
}

/// A revocation that this device does not believe.
struct NotProved(&'static str);

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// What stands against this device, if it verified something.
    pub fn order(&self) -> Option<DeviceOrder> {
        let order = self.device().ok()?.order.as_ref()?;
        Some(DeviceOrder { severed: order.severed, wipe: order.wipe, reason: order.reason.clone() })
    }

    /// How far this device opens: the offline lease, as it was found at unlock. A sync that reaches the
    /// server opens everything again.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn lease(&self) -> Result<Lease, ClientError> {
        Ok(self.device()?.lease)
    }

    /// Opens as far as the offline lease allows.
    pub(crate) fn open_by_lease(&mut self, last: Option<&OnlineMark>) -> Result<(), ClientError> {
        let reading = self.reading();
        let open = self.device_mut()?;
        open.lease = lease(open.me.role, last, reading);
        Ok(())
    }

    /// The server answered this device as itself: the lease begins anew. A mark that cannot be written
    /// lets the lease end earlier and harms nothing else.
    pub(crate) async fn note_online(&mut self) {
        let mut batch = Batch::default();
        batch.put(Table::Orders, ONLINE_ROW, &OnlineMark::at(self.reading()));
        if let Ok(open) = self.device_mut() {
            open.lease = Lease::Open;
        }
        if self.commit(batch).await.is_ok() {
            self.raise_mark(None).await;
        }
    }

    /// Looks for orders where the server says that there are some, hands over what is unsent, and
    /// carries out a wipe once nothing is left to save.
    pub(crate) async fn meet_orders(&mut self, report: &mut SyncReport) {
        if let Err(error) = self.note_order_in_own_log().await {
            report.problems.push(SyncProblem::of_error("revocation", error));
        }
        let claimed = report.problems.contains(&SyncProblem::Revoked);
        let known = self.device().is_ok_and(|open| open.order.is_some());
        if claimed || known {
            match self.learn_order().await {
                Ok(()) => {}
                Err(problem) if claimed && !known => {
                    if matches!(problem, SyncProblem::RevocationNotProved { .. }) {
                        report.problems.retain(|one| *one != SyncProblem::Revoked);
                    }
                    report.problems.push(problem);
                }
                // What was verified before stands.
                Err(_) => {}
            }
        }
        self.hand_over(report).await;
        let Ok(open) = self.device() else { return };
        let Some(order) = open.order.as_ref().filter(|order| order.wipe) else { return };
        if order.severed || self.all_handed_over() {
            match self.destroy_all().await {
                Ok(()) => report.problems.push(SyncProblem::Wiped),
                Err(error) => report.problems.push(SyncProblem::of_error("wipe", error)),
            }
        }
    }

    /// A server may go on showing the log to a device that it should refuse: what the device's own copy
    /// says against it counts like any proof.
    async fn note_order_in_own_log(&mut self) -> Result<(), ClientError> {
        let open = self.device()?;
        let Some(record) = open.own_record() else { return Ok(()) };
        let Some(revocation) = record.revocation() else { return Ok(()) };
        let index = record.wipe_index().unwrap_or(revocation.index);
        let Some(entry) = open.mlog.entries.get(&index).cloned() else { return Ok(()) };
        let order = order_of(index, revocation.policy, record.wipe_index().is_some(), entry);
        if open.order.as_ref().is_some_and(|known| known.index >= index) {
            return Ok(());
        }
        self.keep_order(order).await
    }

    async fn keep_order(&mut self, order: OrderRecord) -> Result<(), ClientError> {
        if order.wipe && !order.severed {
            self.say_last_words().await;
        }
        let mut batch = Batch::default();
        batch.put(Table::Orders, ORDER_ROW, &order);
        self.commit(batch).await?;
        self.device_mut()?.order = Some(order);
        self.raise_mark(None).await;
        Ok(())
    }

    /// Fetches and verifies what stands against this device, and keeps it.
    async fn learn_order(&mut self) -> Result<(), SyncProblem> {
        let failed = |error: ClientError| match &error {
            ClientError::Refused(problem) if problem.is(ErrorCode::NotRevoked) => {
                not_proved("the server says so, and its log does not")
            }
            _ => SyncProblem::Failed { what: "revocation", error },
        };
        let (proof, leaves, entries) = self.fetch_order().await.map_err(failed)?;
        let judged = self.judge_order(&proof, &leaves, &entries);
        match judged.map_err(|NotProved(why)| not_proved(why))? {
            Some(order) => self.keep_order(order).await.map_err(failed),
            None => Ok(()),
        }
    }

    /// The rest of the log up to the newest entry against this device, on top of what is held.
    async fn fetch_order(
        &mut self,
    ) -> Result<(RevocationProof, Vec<[u8; MLOG_LEAF_BYTES]>, BTreeMap<u64, Vec<u8>>), ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let (mut leaves, mut entries) = (open.mlog.leaves.clone(), open.mlog.entries.clone());
        for _ in 0..ORDER_FETCH_ROUNDS {
            let from = leaves.len() as u64;
            let path = paths::revocation_from(me, from);
            let proof: RevocationProof = self.wire()?.get_possessed(&path).await?;
            let end = proof.index.saturating_add(1);
            let (new, rest) = proof.leaves.0.as_chunks::<MLOG_LEAF_BYTES>();
            let fits = rest.is_empty()
                && end <= MLOG_FOLLOW_MAX_LEAVES
                && from.saturating_add(new.len() as u64) == proof.to
                && (proof.to > from || from == end)
                && proof.to <= end
                && proof.entries.iter().all(|row| (from..proof.to).contains(&row.index));
            if !fits {
                return Err(ClientError::BadAnswer { path });
            }
            leaves.extend_from_slice(new);
            entries.extend(proof.entries.iter().map(|row| (row.index, row.entry.0.clone())));
            if proof.to == end {
                return Ok((proof, leaves, entries));
            }
        }
        Err(ClientError::MlogRefused("the proof of a revocation has no end"))
    }

    /// Applies the log by its own rules and looks what they say about this device. `None` if it is known
    /// already.
    fn judge_order(
        &self,
        proof: &RevocationProof,
        leaves: &[[u8; MLOG_LEAF_BYTES]],
        entries: &BTreeMap<u64, Vec<u8>>,
    ) -> Result<Option<OrderRecord>, NotProved> {
        let open = self.device().map_err(|_| NotProved("this device is locked"))?;
        let (mut membership, mut effects) = (open.mlog.membership.clone(), open.mlog.effects.clone());
        let applied = apply_leaves(&mut membership, &mut effects, leaves, entries);
        if let Err(error) = applied {
            let again = match error {
                ApplyError::Missing(_) => open.computed(open.mlog.scope.clone(), leaves, entries),
                ApplyError::Refused => Err(error),
            };
            let refused = |_| NotProved("entries and leaves do not fit");
            membership = again.map_err(refused)?.0;
        }
        check_head(&membership, proof)?;
        let me = open.me.device;
        let record = match open.me.chart {
            Some(chart) => membership.device(chart, me),
            None => membership.site_device(me),
        };
        let record = record.ok_or(NotProved("the log does not know this device"))?;
        let revocation = record.revocation().ok_or(NotProved("the entry shown has no effect"))?;
        let entry = entries.get(&proof.index).ok_or(NotProved("the entry itself is withheld"))?;
        let wipe = record.wipe_index().is_some();
        let order = order_of(proof.index, revocation.policy, wipe, entry.clone());
        Ok((open.order.as_ref() != Some(&order)).then_some(order))
    }
}

/// The applied log must be a beginning of a log whose head enough witnesses cosigned.
fn check_head(membership: &Membership, proof: &RevocationProof) -> Result<(), NotProved> {
    let manifest = membership.manifest().ok_or(NotProved("the log has no manifest"))?;
    let unusable = |_| NotProved("the manifest cannot be used");
    let policy = site_trust::witness_policy(manifest).map_err(unusable)?;
    let key = site_trust::log_key(manifest, &manifest.mlog_origin).map_err(unusable)?;
    let note = super::follow_mlog::read_note(proof.note.as_ref()).ok_or(NotProved("its head is no note"))?;
    let head = verify_cosigned(&note, &key, &policy)
        .map_err(|_| NotProved("its head is not confirmed by enough witnesses"))?;
    let nodes: Vec<NodeHash> = proof.consistency.iter().copied().map(NodeHash::from).collect();
    let extends = membership.head().verify_extended_by(&head.head(), &nodes);
    extends.map_err(|_| NotProved("its head does not extend the log"))
}

fn order_of(index: u64, policy: RevokePolicy, wipe: bool, entry: Vec<u8>) -> OrderRecord {
    let (severed, reason) = (policy == RevokePolicy::Sever, reason_of(&entry));
    OrderRecord { index, severed, wipe, reason, entry: entry.into() }
}

fn reason_of(entry: &[u8]) -> String {
    match MlogEntry::read(entry).ok().and_then(|entry| entry.decode_body().ok()) {
        Some(MlogBody::Revoke(revoke)) => revoke.reason,
        Some(MlogBody::Wipe(wipe)) => wipe.reason,
        Some(MlogBody::RecoveryUse(recovery)) => recovery.reason,
        _ => String::new(),
    }
}

fn not_proved(why: &'static str) -> SyncProblem {
    SyncProblem::RevocationNotProved { why: why.to_owned() }
}
