//! The pure part of a witness: it remembers one head for each log and cosigns only what extends it.
//!
//! A witness never cosigns two roots for one size, nor a smaller size than before. That holds only
//! if its memory survives a crash, so a cosignature exists in two steps: [`WitnessState::prepare`]
//! gives the change of state, and only [`PendingCosignature::persisted`], called after the change
//! is on disk, gives the signature.

use crate::checkpoint::{Checkpoint, CheckpointError, TreeHead};
use crate::cosignature::cosign;
use crate::key::{KeyError, NoteSigner, SignatureKind, VerifierKey};
use crate::limits::COSIGNATURE_TIME_MAX_S;
use crate::note::{NoteError, NoteSignature, SignedNote, SignerName};
use crate::proof::ProofError;
use crate::reopened::first_origin_of;
use crate::witness_request::AddCheckpoint;
use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;

/// Why a witness does not cosign. [`WitnessRefusal::http_status`] gives the answer on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// The witness does not follow this log. Its operator must add the log's key.
    #[error("this witness does not follow that log")]
    UnknownLog,
    /// The checkpoint is malformed. The log must act.
    #[error(transparent)]
    Malformed(CheckpointError),
    /// No trusted key of the log signed the checkpoint. The log must act.
    #[error("no trusted key of the log signed the checkpoint")]
    NotSigned,
    /// The old size is above the size of the checkpoint: that would be a step back. The log must act.
    #[error("the checkpoint has {offered} leaves, less than the old size {old}")]
    StepBack {
        /// Old size in the request.
        old: u64,
        /// Leaves of the checkpoint.
        offered: u64,
    },
    /// The old size is not the size that the witness knows. The log must ask again from there.
    #[error("the witness knows {known_size} leaves")]
    Conflict {
        /// Leaves of the head that the witness cosigned last.
        known_size: u64,
    },
    /// The log signed another root for a size that the witness cosigned: the log is forked, and
    /// the request proves it together with the note that the witness kept.
    #[error("the log shows another root for {size} leaves than before")]
    OtherRoot {
        /// Leaves of both heads.
        size: u64,
    },
    /// The checkpoint does not extend what the witness knows. The log must answer for it.
    #[error(transparent)]
    Proof(ProofError),
    /// The witness's clock gave no time that fits. Its operator must act.
    #[error("the time of the witness is out of range")]
    Time,
}

impl WitnessRefusal {
    /// The status of the answer (C2SP tlog-witness). With 409 the body is the known size, if there
    /// is one: [`WitnessRefusal::known_size`].
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::UnknownLog => 404,
            Self::NotSigned => 403,
            Self::Malformed(_) | Self::StepBack { .. } => 400,
            Self::Conflict { .. } | Self::OtherRoot { .. } => 409,
            Self::Proof(_) => 422,
            Self::Time => 500,
        }
    }

    /// The size to answer with, followed by a line end, as `text/x.tlog.size`.
    pub const fn known_size(&self) -> Option<u64> {
        match self {
            Self::Conflict { known_size: size } | Self::OtherRoot { size } => Some(*size),
            _ => None,
        }
    }
}

/// The keys of the logs that a witness follows, by origin.
#[derive(Debug, Clone, Default)]
pub struct WitnessLogs {
    keys: BTreeMap<SignerName, Vec<VerifierKey>>,
}

impl WitnessLogs {
    /// The logs with these keys; a log may have several while it changes its key.
    ///
    /// # Errors
    /// [`KeyError::UnknownKind`] for keys that do not sign checkpoints.
    pub fn new(keys: impl IntoIterator<Item = VerifierKey>) -> Result<Self, KeyError> {
        let mut logs = Self::default();
        for key in keys {
            if key.kind() != SignatureKind::Log {
                return Err(KeyError::UnknownKind);
            }
            logs.keys.entry(key.name().clone()).or_default().push(key);
        }
        Ok(logs)
    }

    /// The keys of a log; one that was opened again under a later origin has those of the first.
    fn keys_of(&self, origin: &SignerName) -> Option<Vec<VerifierKey>> {
        if let Some(keys) = self.keys.get(origin) {
            return Some(keys.clone());
        }
        let first = self.keys.get(&first_origin_of(origin)?)?;
        let renamed = |key: &VerifierKey| VerifierKey::new(origin.clone(), key.kind(), key.public_key()).ok();
        Some(first.iter().filter_map(renamed).collect())
    }

    /// Reads the checkpoint if a trusted key of its log signed it, with the line of that key.
    fn checkpoint(&self, request: &AddCheckpoint) -> Result<(Checkpoint, NoteSignature), WitnessRefusal> {
        let checkpoint: Checkpoint = request.note.text().parse().map_err(WitnessRefusal::Malformed)?;
        let keys = self.keys_of(checkpoint.origin()).ok_or(WitnessRefusal::UnknownLog)?;
        let signed_by = keys.iter().find(|key| Checkpoint::verify(&request.note, key).is_ok());
        let line =
            signed_by.and_then(|key| request.note.signatures().iter().find(|line| key.is_named_by(line)));
        line.cloned().map(|line| (checkpoint, line)).ok_or(WitnessRefusal::NotSigned)
    }
}

/// A head that a witness cosigned, and what it takes to show it again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    head: TreeHead,
    /// Absent of a head that an earlier version cosigned, until it is asked about the log again.
    shown: Option<Shown>,
}

/// When a head was first cosigned, and the line by which its log had signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    time_s: u64,
    line: NoteSignature,
}

/// What a witness remembers: the newest head that it cosigned, for each log. The caller keeps it
/// on disk; as CBOR `[[origin, [size, root], [time, line of the log]], ...]`, sorted by origin. The
/// third place may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WitnessState {
    heads: BTreeMap<SignerName, Kept>,
}

impl WitnessState {
    /// A witness that has not cosigned anything.
    pub const fn new() -> Self {
        Self { heads: BTreeMap::new() }
    }

    /// The newest head cosigned for a log.
    pub fn head(&self, origin: &SignerName) -> Option<TreeHead> {
        self.heads.get(origin).map(|kept| kept.head)
    }

    /// The newest checkpoint that this witness cosigned for a log, with the signature of the log and
    /// the cosignature that it gave out first. It states nothing new: the same time is signed again.
    ///
    /// # Errors
    /// [`NoteError::Name`] if the witness's own name is unusable.
    pub fn cosigned(
        &self,
        origin: &SignerName,
        signer: &impl NoteSigner,
    ) -> Result<Option<SignedNote>, NoteError> {
        let kept = self.heads.get(origin).and_then(|kept| Some((kept.head, kept.shown.as_ref()?)));
        let Some((head, shown)) = kept else { return Ok(None) };
        // What was cosigned is a checkpoint; its parts were checked when they were read.
        let Ok(checkpoint) = Checkpoint::new(origin.clone(), head) else { return Ok(None) };
        let line = cosign(&checkpoint, shown.time_s, signer)?;
        SignedNote::new(checkpoint.to_string(), alloc::vec![shown.line.clone(), line]).map(Some)
    }

    /// Decides about a request. Nothing is signed and nothing changes here.
    ///
    /// # Errors
    /// A [`WitnessRefusal`].
    pub fn prepare(
        &self,
        logs: &WitnessLogs,
        request: &AddCheckpoint,
        time_s: u64,
    ) -> Result<PendingCosignature, WitnessRefusal> {
        let (checkpoint, line) = logs.checkpoint(request)?;
        let (offered, previous) = (checkpoint.head(), self.head(checkpoint.origin()));
        let known = previous.unwrap_or_else(TreeHead::empty);
        if request.old_size > offered.size {
            return Err(WitnessRefusal::StepBack { old: request.old_size, offered: offered.size });
        }
        if request.old_size != known.size {
            return Err(WitnessRefusal::Conflict { known_size: known.size });
        }
        if offered.size == known.size && offered.root != known.root {
            return Err(WitnessRefusal::OtherRoot { size: known.size });
        }
        known.verify_extended_by(&offered, &request.proof).map_err(WitnessRefusal::Proof)?;
        if time_s > COSIGNATURE_TIME_MAX_S {
            return Err(WitnessRefusal::Time);
        }
        Ok(PendingCosignature { checkpoint, line, previous, time_s })
    }

    /// Takes over the change of a pending cosignature, if nothing else changed in between.
    ///
    /// # Errors
    /// [`WitnessRefusal::Conflict`] if another request for the same log was faster.
    pub fn apply(&mut self, pending: &PendingCosignature) -> Result<(), WitnessRefusal> {
        let origin = pending.checkpoint.origin();
        if self.head(origin) != pending.previous {
            let known_size = self.head(origin).map_or(0, |head| head.size);
            return Err(WitnessRefusal::Conflict { known_size });
        }
        let head = pending.checkpoint.head();
        let known = self.heads.get(origin).filter(|kept| kept.head == head && kept.shown.is_some());
        // The same head again is the same state: nothing has to be written down for it.
        if known.is_none() {
            let shown = Some(Shown { time_s: pending.time_s, line: pending.line.clone() });
            self.heads.insert(origin.clone(), Kept { head, shown });
        }
        Ok(())
    }
}

impl<C> minicbor::Encode<C> for WitnessState {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(self.heads.len() as u64)?;
        for (origin, kept) in &self.heads {
            e.array(if kept.shown.is_some() { 3 } else { 2 })?;
            origin.encode(e, ctx)?;
            kept.head.encode(e, ctx)?;
            if let Some(shown) = &kept.shown {
                e.array(2)?.u64(shown.time_s)?.str(&shown.line.to_string())?;
            }
        }
        Ok(())
    }
}

impl<'b, C> minicbor::Decode<'b, C> for WitnessState {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let rows: Vec<Row> = minicbor::Decode::decode(d, ctx)?;
        let count = rows.len();
        let plausible = rows.iter().all(|row| row.1.head.is_plausible());
        let heads: BTreeMap<_, _> = rows.into_iter().map(|row| (row.0, row.1)).collect();
        if !plausible || heads.len() != count {
            return Err(minicbor::decode::Error::message("not the state of a witness"));
        }
        Ok(Self { heads })
    }
}

/// One log of a witness's state, with two places or three.
struct Row(SignerName, Kept);

impl<'b, C> minicbor::Decode<'b, C> for Row {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("not a head that a witness keeps");
        let places = d.array()?.filter(|places| matches!(places, 2 | 3)).ok_or_else(wrong)?;
        let (origin, head) = (SignerName::decode(d, ctx)?, TreeHead::decode(d, ctx)?);
        if places == 2 {
            return Ok(Self(origin, Kept { head, shown: None }));
        }
        if d.array()? != Some(2) {
            return Err(wrong());
        }
        let time_s = Some(d.u64()?).filter(|time_s| *time_s <= COSIGNATURE_TIME_MAX_S).ok_or_else(wrong)?;
        let line = NoteSignature::from_line(d.str()?).map_err(|_| wrong())?;
        Ok(Self(origin, Kept { head, shown: Some(Shown { time_s, line }) }))
    }
}

/// A cosignature that may be given out once the new head is on disk.
///
/// The store must change the head of [`origin`](Self::origin) from [`previous`](Self::previous) to
/// [`head`](Self::head) in one atomic step and only if `previous` still stands there; otherwise two
/// requests at once could roll the witness back.
#[derive(Debug)]
#[must_use = "write the new head down, then call persisted"]
pub struct PendingCosignature {
    checkpoint: Checkpoint,
    /// The line by which the log signed it.
    line: NoteSignature,
    previous: Option<TreeHead>,
    time_s: u64,
}

impl PendingCosignature {
    /// Which log.
    pub const fn origin(&self) -> &SignerName {
        self.checkpoint.origin()
    }

    /// The head that must still be stored.
    pub const fn previous(&self) -> Option<TreeHead> {
        self.previous
    }

    /// The head to store.
    pub const fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// Gives out the cosignature. Call it only after the new head is safely stored.
    ///
    /// # Errors
    /// [`NoteError::Name`] if the witness's own name is unusable.
    pub fn persisted(self, signer: &impl NoteSigner) -> Result<NoteSignature, NoteError> {
        cosign(&self.checkpoint, self.time_s, signer)
    }
}
