//! Following the membership log: leaves, the entries that concern this device, and a head that a
//! quorum of witnesses vouches for. Nothing is taken before all of it fits.

use super::load::{NAMED_ROOTS_ROW, head_row};
use super::open_device::{ApplyError, Effects, apply_leaves, sees_all};
use super::{Client, OpenDevice, SyncProblem, site_trust};
use crate::limits::MLOG_FOLLOW_MAX_LEAVES;
use crate::store::{Batch, EvidenceRecord, HeadRecord, MlogRecord, NamedRootsRecord, Table};
use crate::wire::decode;
use crate::{ClientError, DeviceKeyStore, Environment, Evidence, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::limits::{LEAVES_MAX, MLOG_ENTRIES_MAX};
use ward_api::{ErrorCode, LogName, MlogRow, paths};
use ward_audit::{
    Checkpoint, LogView, LogViewError, MLOG_LEAF_BYTES, MemoryTree, NodeHash, SignedNote, TreeHead,
    consistency_proof, leaf_hash, mlog_leaf_parts,
};
use ward_crypto::random_bytes;
use ward_id::{Canonical as _, ChartId, DeviceId, Subject};
use ward_sync::Membership;

/// What is at hand of a longer log, before it is checked.
struct Candidate {
    leaves: Vec<[u8; MLOG_LEAF_BYTES]>,
    entries: BTreeMap<u64, Vec<u8>>,
    membership: Membership,
    effects: Effects,
    scope: BTreeSet<ChartId>,
    charts_unsure: bool,
    /// Indexes whose entry is new.
    fresh: BTreeSet<u64>,
}

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("membership log", error.into())
}

const fn refused(why: &'static str) -> ClientError {
    ClientError::MlogRefused(why)
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes the newest head of the membership log and all that leads to it.
    pub(crate) async fn follow_mlog(&mut self) -> Result<(), SyncProblem> {
        let path = paths::checkpoint(LogName::Mlog);
        let note = match self.newest_note(LogName::Mlog).await {
            Err(error) if error.is(ErrorCode::MlogRecovering) => self.after_giving_back(&path, error).await,
            note => note,
        };
        let note = note.map_err(failed)?;
        let note = read_note(&note).ok_or_else(|| failed(ClientError::BadAnswer { path }))?;
        let claimed: Checkpoint =
            note.text().parse().map_err(|_| failed(refused("the head is not a checkpoint")))?;
        let open = self.device().map_err(failed)?;
        let mlog = &open.mlog;
        let have = mlog.leaves.len() as u64;
        let asks_again = mlog.charts_unsure && asks_for_charts(open) && claimed.size() == have;
        if claimed.size() <= have && have > 0 && mlog.view.is_some() && !asks_again {
            return self.take_same_or_smaller(&note).await;
        }
        // The head was lost in a repair, the leaves were not.
        if claimed.size() < have {
            return Err(failed(refused("it is shorter than the log that is known")));
        }
        let candidate = self.fetch_candidate(claimed.size()).await.map_err(failed)?;
        self.take_candidate(candidate, &note).await
    }

    /// A restored server lacks entries: it gets those that are held here, with their places, then those that
    /// this device handed in, and is asked once more.
    async fn after_giving_back(&mut self, path: &str, error: ClientError) -> Result<Vec<u8>, ClientError> {
        let ClientError::Refused(problem) = &error else { return Err(error) };
        let Some(size) = problem.members.size else { return Err(error) };
        let wanted = problem.members.limit.unwrap_or(0);
        let given = self.give_back_mlog(size).await?;
        if self.offer_submissions(size + given, wanted).await? + given == 0 {
            return Err(error);
        }
        self.wire()?.get_bytes(path).await
    }

    /// A head that is not longer: the same tree refreshes the time, anything else is evidence.
    async fn take_same_or_smaller(&mut self, note: &SignedNote) -> Result<(), SyncProblem> {
        let open = self.device_mut().map_err(failed)?;
        let mut view = open.mlog_view().map_err(failed)?;
        let advanced = view.advance(note, &[]);
        if let Err(error) = advanced {
            return Err(self.keep_evidence(log_trouble("membership log", error)).await);
        }
        self.keep_head(view).await.map_err(failed)
    }

    async fn keep_head(&mut self, view: LogView) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        if let Some(head) = view.head() {
            batch.put(Table::Heads, head_row(false), &HeadRecord::of(head));
        }
        self.commit(batch).await?;
        self.note_time(&view);
        self.device_mut()?.mlog.view = Some(view);
        self.raise_mark(None).await;
        Ok(())
    }

    async fn fetch_candidate(&mut self, size: u64) -> Result<Candidate, ClientError> {
        let open = self.device()?;
        let old_scope = open.mlog.scope.clone();
        let (mut leaves, mut entries) = (open.mlog.leaves.clone(), open.mlog.entries.clone());
        let have = leaves.len() as u64;
        if size - have > MLOG_FOLLOW_MAX_LEAVES {
            return Err(refused("it is longer than a membership log can be"));
        }
        let mut scope = old_scope.clone();
        if asks_for_charts(open) {
            scope.extend(self.wire()?.get::<Vec<ChartId>>(paths::CHARTS).await?);
        }
        self.fetch_leaves(&mut leaves, size).await?;
        // Of a chart that the log says nothing of nothing can be followed: it is newer than this head, or the
        // list was damaged, and then another chart may lack.
        let added: BTreeSet<ChartId> = scope.difference(&old_scope).copied().collect();
        let mut charts_unsure = false;
        if !added.is_empty() {
            let subjects: BTreeSet<Subject> =
                leaves.iter().filter_map(mlog_leaf_parts).map(|(subject, _)| subject).collect();
            let known = |chart: &ChartId| subjects.contains(&Subject::from(*chart));
            charts_unsure = !added.iter().all(known);
            scope.retain(|chart| !added.contains(chart) || known(chart));
        }
        let wider = scope != old_scope;
        let fresh = self.fetch_entries(&mut entries, if wider { 0 } else { have }, size).await?;
        let open = self.device()?;
        let computed = if wider {
            open.computed(scope, &leaves, &entries)
        } else {
            let (mut membership, mut effects) = (open.mlog.membership.clone(), open.mlog.effects.clone());
            match apply_leaves(&mut membership, &mut effects, &leaves, &entries) {
                Ok(()) => Ok((membership, effects, scope)),
                Err(ApplyError::Missing(_)) => open.computed(scope, &leaves, &entries),
                Err(error) => Err(error),
            }
        };
        let (membership, effects, scope) = computed.map_err(|error| match error {
            ApplyError::Missing(_) => refused("an entry that concerns this device is withheld"),
            ApplyError::Refused => refused("entries and leaves do not fit"),
        })?;
        Ok(Candidate { leaves, entries, membership, effects, scope, charts_unsure, fresh })
    }

    async fn fetch_leaves(
        &mut self,
        leaves: &mut Vec<[u8; MLOG_LEAF_BYTES]>,
        to: u64,
    ) -> Result<(), ClientError> {
        while (leaves.len() as u64) < to {
            let from = leaves.len() as u64;
            let path = paths::mlog_leaves(from, to.min(from + LEAVES_MAX));
            let bytes = self.wire()?.get_bytes(&path).await?;
            let (new, rest) = bytes.as_chunks::<MLOG_LEAF_BYTES>();
            if new.is_empty() || !rest.is_empty() {
                return Err(ClientError::BadAnswer { path });
            }
            leaves.extend(new.iter().take(usize::try_from(to - from).unwrap_or(usize::MAX)));
        }
        Ok(())
    }

    /// Fetches entries page by page and returns the indexes that are new.
    async fn fetch_entries(
        &mut self,
        entries: &mut BTreeMap<u64, Vec<u8>>,
        from: u64,
        to: u64,
    ) -> Result<BTreeSet<u64>, ClientError> {
        let (mut from, mut fresh) = (from, BTreeSet::new());
        while from < to {
            let path = paths::mlog_entries(from, to.min(from + MLOG_ENTRIES_MAX));
            let bytes = self.wire()?.get_bytes(&path).await?;
            let rows: Vec<MlogRow> = decode(&path, &bytes)?;
            let asked_to = to.min(from + MLOG_ENTRIES_MAX);
            let full =
                bytes.len() + ward_api::limits::MLOG_ENTRY_MAX_BYTES >= ward_api::limits::MLOG_PAGE_MAX_BYTES;
            let mut next = asked_to;
            for row in rows {
                if row.index < from || row.index >= asked_to {
                    return Err(ClientError::BadAnswer { path });
                }
                if full {
                    next = row.index + 1;
                }
                if entries.insert(row.index, row.entry.0).is_none() {
                    fresh.insert(row.index);
                }
            }
            from = next;
        }
        Ok(fresh)
    }

    /// Checks the head over the candidate, stores all of it and takes it.
    async fn take_candidate(&mut self, candidate: Candidate, note: &SignedNote) -> Result<(), SyncProblem> {
        let Some(manifest) = candidate.membership.manifest() else {
            return Err(failed(refused("it holds no manifest signed by the site's root")));
        };
        let open = self.device().map_err(failed)?;
        let have = open.mlog.leaves.len() as u64;
        let mut view = site_trust::view_under(manifest, open.mlog.view.as_ref(), &manifest.mlog_origin)
            .map_err(failed)?;
        let held = view.head().map_or(0, |head| head.head().size);
        let tree = tree_over(&candidate.leaves);
        let claimed: Checkpoint =
            note.text().parse().map_err(|_| failed(refused("the head is not a checkpoint")))?;
        let proof = if tree.root() == claimed.root() {
            local_proof(&tree, held, claimed.size()).map_err(failed)?
        } else {
            // Either the leaves are not those of the head, or the head does not extend ours: only
            // the server's own proof can tell.
            self.fetch_extension(LogName::Mlog, &view, note, claimed.size()).await.map_err(failed)?
        };
        if let Err(error) = view.advance(note, &proof) {
            return Err(self.keep_evidence(log_trouble("membership log", error)).await);
        }
        if tree.root() != claimed.root() {
            return Err(failed(refused("its leaves are not those of its head")));
        }
        self.store_candidate(&candidate, &view, have).await.map_err(failed)?;
        self.note_time(&view);
        let open = self.device_mut().map_err(failed)?;
        open.mlog = super::open_device::MlogCopy {
            leaves: candidate.leaves,
            entries: candidate.entries,
            membership: candidate.membership,
            effects: candidate.effects,
            scope: candidate.scope,
            charts_unsure: candidate.charts_unsure,
            view: Some(view),
        };
        self.raise_mark(None).await;
        self.check_named_roots(&[]).await
    }

    async fn store_candidate(
        &mut self,
        candidate: &Candidate,
        view: &LogView,
        have: u64,
    ) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        for (index, leaf) in candidate.leaves.iter().enumerate().map(|(place, leaf)| (place as u64, leaf)) {
            if index >= have || candidate.fresh.contains(&index) {
                let entry = candidate.entries.get(&index).map(|bytes| bytes.clone().into());
                let record = MlogRecord { leaf: leaf.to_vec().into(), entry };
                batch.put(Table::Mlog, index.to_be_bytes(), &record);
            }
        }
        if let Some(head) = view.head() {
            batch.put(Table::Heads, head_row(false), &HeadRecord::of(head));
        }
        self.commit(batch).await
    }

    /// Compares the heads that other members named with the log that this device was shown: those
    /// of a page that just came, and those that waited for the log to reach them.
    pub(crate) async fn check_named_roots(
        &mut self,
        fresh: &[(DeviceId, TreeHead)],
    ) -> Result<(), SyncProblem> {
        let open = self.device_mut().map_err(failed)?;
        let membership = &open.mlog.membership;
        let size = membership.size();
        let waited = open.named_roots.values();
        let mut within = waited.chain(fresh.iter().map(|(_, head)| head)).filter(|head| head.size <= size);
        let other = within.find(|head| membership.root_at(head.size) != Some(head.root)).copied();
        let before = open.named_roots.len();
        open.named_roots.retain(|_, head| head.size > size);
        if open.named_roots.len() < before {
            let heads = open.named_roots.iter().map(|(device, head)| (*device, *head)).collect();
            let mut batch = Batch::default();
            batch.put(Table::Heads, NAMED_ROOTS_ROW, &NamedRootsRecord { heads });
            self.commit(batch).await.map_err(failed)?;
        }
        let open = self.device().map_err(failed)?;
        let Some(other) = other else { return Ok(()) };
        let held = open.mlog.view.as_ref().and_then(LogView::head).map(|head| head.note().to_string());
        let sides = vec![held.unwrap_or_default().into_bytes(), other.to_canonical()];
        Err(self.keep_evidence(SyncProblem::Equivocation(Evidence { sides })).await)
    }

    /// Lets sealing go on after a person looked at the evidence in [`crate::Status::stopped_by`],
    /// kept a copy of it and decided so. If the server still shows what raised it, the next sync
    /// stops again.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Locked`].
    pub async fn dismiss_evidence(&mut self) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        for (id, _) in self.rows.records::<EvidenceRecord>(Table::Evidence).await? {
            batch.delete(Table::Evidence, id);
        }
        self.commit(batch).await?;
        self.device_mut()?.stopped_by.clear();
        self.raise_mark(None).await;
        Ok(())
    }

    /// Keeps evidence that stops sealing; it stays until a person clears it.
    pub(crate) async fn keep_evidence(&mut self, problem: SyncProblem) -> SyncProblem {
        if !problem.stops_sealing() {
            return problem;
        }
        let now = self.env.wall();
        let id = random_bytes::<16>(self.env.rng());
        let Ok(open) = self.device_mut() else { return problem };
        if open.stopped_by.contains(&problem) {
            return problem;
        }
        open.stopped_by.push(problem.clone());
        if let Some((kind, sides)) = problem.to_record() {
            let mut batch = Batch::default();
            let sides = sides.into_iter().map(Into::into).collect();
            let record = EvidenceRecord { kind: kind.to_owned(), found_at: now, sides };
            batch.put(Table::Evidence, id, &record);
            // Kept in memory in any case; a full disk must not hide it.
            if self.commit(batch).await.is_ok() {
                self.raise_mark(None).await;
            }
        }
        problem
    }
}

/// Whether the server is asked which charts a device reads: an admin's follows all, a patient's its own.
fn asks_for_charts(open: &OpenDevice) -> bool {
    !sees_all(open.me.role) && open.me.chart.is_none()
}

/// The head of this device beside one that somebody else named.
pub(crate) fn other_tree(held: &SignedNote, claimed: TreeHead) -> Evidence {
    Evidence { sides: vec![held.to_string().into_bytes(), claimed.to_canonical()] }
}

/// What a view's refusal means.
pub(crate) fn log_trouble(what: &'static str, error: LogViewError) -> SyncProblem {
    match error {
        LogViewError::Equivocation(evidence) => {
            let sides =
                vec![evidence.held.to_string().into_bytes(), evidence.offered.to_string().into_bytes()];
            SyncProblem::Equivocation(Evidence { sides })
        }
        LogViewError::Rollback(evidence) => {
            let sides =
                vec![evidence.held.to_string().into_bytes(), evidence.offered.to_string().into_bytes()];
            SyncProblem::Rollback(Evidence { sides })
        }
        LogViewError::Inconsistent { held, offered, .. } => SyncProblem::Equivocation(Evidence {
            sides: vec![held.to_string().into_bytes(), offered.to_string().into_bytes()],
        }),
        LogViewError::Fork { held, claimed, .. } => SyncProblem::Equivocation(other_tree(&held, claimed)),
        LogViewError::Head(_) => {
            SyncProblem::of_error(what, refused("its head is not confirmed by enough witnesses"))
        }
        LogViewError::NotIncluded(_) | LogViewError::NoHead => {
            SyncProblem::of_error(what, refused("a proof does not hold"))
        }
    }
}

pub(crate) fn read_note(bytes: &[u8]) -> Option<SignedNote> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn tree_over(leaves: &[[u8; MLOG_LEAF_BYTES]]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    leaves.iter().for_each(|leaf| tree.append(leaf_hash(leaf)));
    tree
}

fn local_proof(tree: &MemoryTree, from: u64, to: u64) -> Result<Vec<NodeHash>, ClientError> {
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    consistency_proof(tree, from, to).map_err(|_| refused("it is shorter than the log that is known"))
}
