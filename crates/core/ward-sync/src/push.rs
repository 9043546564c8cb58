//! Whether the server takes a push. The device runs the same check before it sends, so that a
//! refusal is a surprise and never a habit.

use crate::limits::{EPOCH_GRACE_MS, OPERATION_MAX_BYTES, PUSH_MAX_BYTES, PUSH_MAX_ENVELOPES};
use crate::membership::{CountedEpoch, DeviceRecord, Membership};
use crate::mlog_body::RevokePolicy;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ward_crypto::{Envelope, EnvelopeHeader, SignPublicKey, SiteManifest, verify_envelopes};
use ward_id::{ChartId, DeviceId, EntryId, Head, Incarnation, TimestampMs};

/// Why a push is refused as a whole. Unless said otherwise, the device's app must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Nothing was pushed.
    #[error("the push is empty")]
    Empty,
    /// Too many envelopes, too many bytes, or one envelope too large. Send less.
    #[error("the push is too large: {what}")]
    TooLarge {
        /// What is.
        what: &'static str,
    },
    /// The envelopes are of several chains, or of another chart or site than the address.
    #[error("a push holds one chain of one device in the chart of its address")]
    Mixed,
    /// The caller is not the device that made the envelopes.
    #[error("a device pushes only what it made itself")]
    OtherCaller,
    /// The suite is below the site's least. The app must be updated.
    #[error("the suite is below the site's least")]
    SuiteRefused,
    /// The device has no certificate, or is not a member of the chart. Staff must act.
    #[error("the device is not a member of the chart")]
    NotMember,
    /// The certificate is not in date. Staff must renew it.
    #[error("the certificate of the device is not in date")]
    CertificateOutOfDate,
    /// The device was revoked. With `Salvage` its entries can be adopted by staff.
    #[error("the device was revoked ({policy:?})")]
    Revoked {
        /// What happens to its entries.
        policy: RevokePolicy,
    },
    /// A signature does not hold.
    #[error("the signature at place {seq} does not hold")]
    BadSignature {
        /// Where.
        seq: u64,
    },
    /// An envelope names a head that this log never had. Evidence: somebody must look at it.
    #[error("the envelope at place {seq} names a head that this log never had")]
    ForeignHead {
        /// Where.
        seq: u64,
    },
    /// The epoch or the members are not those that count. Seal again and send again.
    #[error("the envelope was sealed under another epoch than the one that counts; seal it again")]
    EpochStale {
        /// The epoch that counts, if there is one.
        counted: Option<u64>,
        /// The size of the membership log that says so.
        mlog_size: u64,
    },
    /// Places are missing. Send from the expected one on.
    #[error("place {expect} comes next")]
    Gap {
        /// The next place.
        expect: u64,
    },
    /// Another entry stands at that place: the store was copied or restored. Open a new incarnation.
    #[error("entry {entry_id} stands at place {seq} already")]
    Fork {
        /// Where.
        seq: u64,
        /// The entry that stands there.
        entry_id: EntryId,
    },
}

/// One envelope of a push, with the length of its bytes as they came.
#[derive(Debug, Clone, Copy)]
pub struct PushItem<'a> {
    /// The envelope.
    pub envelope: &'a Envelope,
    /// The length of its bytes.
    pub bytes_len: usize,
}

/// What the server holds of the chain that is pushed.
#[derive(Debug, Clone, Default)]
pub struct StoredChain {
    /// The newest entry.
    pub head: Option<Head>,
    /// The entries at the places that the push names, as far as they are stored.
    pub entries: BTreeMap<u64, EntryId>,
}

/// What surrounds a push.
#[derive(Debug, Clone, Copy)]
pub struct PushContext<'a> {
    /// The membership log, applied to its end.
    pub membership: &'a Membership,
    /// The chart of the address.
    pub chart: ChartId,
    /// The device that calls.
    pub caller: DeviceId,
    /// The server's time.
    pub now: TimestampMs,
    /// What is stored of the chain.
    pub stored: &'a StoredChain,
    /// When the server took the announce of the epoch that counts.
    pub epoch_announced_at: Option<TimestampMs>,
}

/// What to do with an accepted push: the first `known` envelopes hold entries that are stored and
/// keep their first receipts, the rest is new and follows the stored chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPlan {
    /// How many envelopes at the front hold entries that are stored already.
    pub known: usize,
    /// The chain after the push.
    pub head: Head,
}

/// Checks a push.
///
/// # Errors
/// The first rule that is broken; nothing of the push may then be stored.
pub fn check_push(batch: &[PushItem<'_>], context: &PushContext<'_>) -> Result<PushPlan, PushError> {
    check_pushes(&[(batch, *context)]).pop().unwrap_or(Err(PushError::Empty))
}

/// Checks several pushes, of whatever devices: the signatures of all in one go, which costs less
/// than push by push. There is one verdict for each push, the same as [`check_push`] gives.
pub fn check_pushes(pushes: &[(&[PushItem<'_>], PushContext<'_>)]) -> Vec<Result<PushPlan, PushError>> {
    let shaped: Vec<_> = pushes.iter().map(|(batch, context)| shaped(batch, context)).collect();
    let pairs: Vec<(&Envelope, &SignPublicKey)> = shaped
        .iter()
        .flatten()
        .flat_map(|push| push.batch.iter().map(|item| (item.envelope, push.author)))
        .collect();
    let mut verdicts = verify_envelopes(&pairs).into_iter();
    shaped
        .into_iter()
        .zip(pushes)
        .map(|(push, (_, context))| {
            let push = push?;
            // Every push takes its own verdicts before it may fail.
            let own: Vec<_> = verdicts.by_ref().take(push.headers.len()).collect();
            for (verdict, header) in own.into_iter().zip(&push.headers) {
                verdict.map_err(|_| PushError::BadSignature { seq: header.seq })?;
            }
            let plan = place(&push.headers, context.stored)?;
            for header in push.headers.iter().skip(plan.known) {
                check_epoch(header, context)?;
            }
            Ok(plan)
        })
        .collect()
}

/// A push whose form and device are right.
struct Shaped<'a> {
    batch: &'a [PushItem<'a>],
    headers: Vec<&'a EnvelopeHeader>,
    author: &'a SignPublicKey,
}

fn shaped<'a>(batch: &'a [PushItem<'a>], context: &PushContext<'a>) -> Result<Shaped<'a>, PushError> {
    let headers = check_shape(batch, context.membership, context.chart)?;
    let first = headers.first().ok_or(PushError::Empty)?;
    let author = &check_device(first, context)?.cert().binding.sign_pk;
    Ok(Shaped { batch, headers, author })
}

pub(crate) fn check_shape<'a>(
    batch: &[PushItem<'a>],
    membership: &Membership,
    chart: ChartId,
) -> Result<Vec<&'a EnvelopeHeader>, PushError> {
    if batch.len() > PUSH_MAX_ENVELOPES {
        return Err(PushError::TooLarge { what: "number of envelopes" });
    }
    if batch.iter().any(|item| item.bytes_len > OPERATION_MAX_BYTES) {
        return Err(PushError::TooLarge { what: "one envelope" });
    }
    if batch.iter().map(|item| item.bytes_len).sum::<usize>() > PUSH_MAX_BYTES {
        return Err(PushError::TooLarge { what: "all envelopes together" });
    }
    let headers: Vec<&EnvelopeHeader> = batch.iter().map(|item| item.envelope.header()).collect();
    let first: &EnvelopeHeader = headers.first().ok_or(PushError::Empty)?;
    let chain = |h: &EnvelopeHeader| -> (DeviceId, Incarnation) { (h.device, h.incarnation) };
    let place = (membership.root_policy().site, chart);
    if headers.iter().any(|h| chain(h) != chain(first) || (h.site, h.chart) != place) {
        return Err(PushError::Mixed);
    }
    let mut expect = first.seq;
    for header in &headers {
        if header.seq != expect {
            return Err(PushError::Gap { expect });
        }
        expect = expect.saturating_add(1);
    }
    Ok(headers)
}

fn check_device<'a>(
    first: &EnvelopeHeader,
    context: &PushContext<'a>,
) -> Result<&'a DeviceRecord, PushError> {
    let PushContext { membership, chart, caller, now, .. } = *context;
    if first.device != caller {
        return Err(PushError::OtherCaller);
    }
    let record = membership.device(chart, caller).ok_or(PushError::NotMember)?;
    if let Some(revocation) = record.revocation() {
        return Err(PushError::Revoked { policy: revocation.policy });
    }
    if !record.cert().valid_at(now) {
        return Err(PushError::CertificateOutOfDate);
    }
    if !membership.is_member(chart, caller) {
        return Err(PushError::NotMember);
    }
    let suites = membership.manifest().map(SiteManifest::accepted_suites);
    if suites.is_none_or(|suites| suites.check(first.suite).is_err()) {
        return Err(PushError::SuiteRefused);
    }
    Ok(record)
}

/// Sorts the batch into what is stored and what is new.
pub(crate) fn place(headers: &[&EnvelopeHeader], stored: &StoredChain) -> Result<PushPlan, PushError> {
    let next = stored.head.map_or(1, |head| head.seq.saturating_add(1));
    let mut known = 0;
    let mut head = stored.head;
    for header in headers {
        let (seq, entry_id) = (header.seq, header.entry_id);
        if seq < next {
            let there = stored.entries.get(&seq).copied();
            let there = there.or_else(|| stored.head.filter(|head| head.seq == seq).map(|head| head.entry));
            match there {
                Some(there) if there == entry_id => known += 1,
                Some(there) => return Err(PushError::Fork { seq, entry_id: there }),
                // The caller did not load this place: it cannot tell, so the push cannot be taken.
                None => return Err(PushError::Gap { expect: next }),
            }
        } else {
            let expect = head.map_or(1, |head| head.seq.saturating_add(1));
            if seq != expect {
                return Err(PushError::Gap { expect });
            }
            head = Some(Head { seq, entry: entry_id });
        }
    }
    head.map(|head| PushPlan { known, head }).ok_or(PushError::Empty)
}

/// Epoch, head and members of one new envelope.
fn check_epoch(header: &EnvelopeHeader, context: &PushContext<'_>) -> Result<(), PushError> {
    let PushContext { membership, chart, .. } = *context;
    let counted = membership.counted_epochs(chart);
    let stale = PushError::EpochStale {
        counted: counted.last().map(|epoch| epoch.epoch),
        mlog_size: membership.size(),
    };
    if membership.root_at(header.mlog_size) != Some(header.mlog_root) {
        return Err(PushError::ForeignHead { seq: header.seq });
    }
    let since_ms = context.epoch_announced_at.map(|at| context.now.since_ms(at));
    let grace = since_ms.is_some_and(|ms| ms <= EPOCH_GRACE_MS);
    let usable = match counted {
        [.., before, newest] if grace => [Some(newest), Some(before)],
        [.., newest] => [Some(newest), None],
        [] => [None, None],
    };
    let named = |epoch: &&&CountedEpoch| epoch.epoch == header.epoch;
    let epoch = usable.iter().flatten().find(named).ok_or(stale)?;
    let members = membership.members_at(chart, header.mlog_size).ok_or(stale)?;
    if members.hash() == epoch.members.hash() { Ok(()) } else { Err(stale) }
}
