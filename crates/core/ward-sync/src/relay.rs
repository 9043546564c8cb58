//! Whether the server takes envelopes that another member hands in: after a restore it lacks what
//! it once had, and whoever holds it gives it back. Envelopes prove themselves, so nothing rests on
//! the word of the one who brings them. Each is judged as its author's push was judged then: by the
//! members and the epoch at the head of the membership log that its header names. Whether it stands
//! is for readers, by its proved place.
//!
//! An author who left since, or whose certificate ended since, could still name a head of then. So
//! their envelopes get a new place only where a restore can have lost them: if the head that they
//! name lies before the newest reopening of the operation log.

use crate::membership::{DeviceRecord, Membership};
use crate::push::{PushError, PushItem, PushPlan, StoredChain, check_shape, place};
use alloc::vec::Vec;
use ward_crypto::{EnvelopeHeader, SiteManifest, verify_envelopes};
use ward_id::{ChartId, TimestampMs};

/// What surrounds a relay.
#[derive(Debug, Clone, Copy)]
pub struct RelayContext<'a> {
    /// The membership log, applied to its end.
    pub membership: &'a Membership,
    /// The chart of the address.
    pub chart: ChartId,
    /// The server's time.
    pub now: TimestampMs,
    /// What is stored of the chain.
    pub stored: &'a StoredChain,
}

/// Checks envelopes of one chain that somebody else than their author hands in.
///
/// # Errors
/// The first rule that is broken; nothing may then be stored.
pub fn check_relay(batch: &[PushItem<'_>], context: &RelayContext<'_>) -> Result<PushPlan, PushError> {
    let RelayContext { membership, chart, now, stored } = *context;
    let headers = check_shape(batch, membership, chart)?;
    let first = headers.first().ok_or(PushError::Empty)?;
    let record = membership.device(chart, first.device).ok_or(PushError::NotMember)?;
    if record.cert().not_before > now {
        return Err(PushError::CertificateOutOfDate);
    }
    let suites = membership.manifest().map(SiteManifest::accepted_suites);
    if suites.is_none_or(|suites| headers.iter().any(|header| suites.check(header.suite).is_err())) {
        return Err(PushError::SuiteRefused);
    }
    let author = &record.cert().binding.sign_pk;
    let pairs: Vec<_> = batch.iter().map(|item| (item.envelope, author)).collect();
    for (verdict, header) in verify_envelopes(&pairs).into_iter().zip(&headers) {
        verdict.map_err(|_| PushError::BadSignature { seq: header.seq })?;
    }
    let plan = place(&headers, stored)?;
    for header in headers.iter().skip(plan.known) {
        if let Some(revocation) = record.revocation().filter(|it| it.index < header.mlog_size) {
            return Err(PushError::Revoked { policy: revocation.policy });
        }
        check_epoch_then(header, membership, chart)?;
        if !can_have_been_lost(header, membership) {
            check_still_there(record, membership, chart, now)?;
        }
    }
    Ok(plan)
}

/// Whether the server can have held an envelope in a log that ended.
fn can_have_been_lost(header: &EnvelopeHeader, membership: &Membership) -> bool {
    membership.reopenings().last().is_some_and(|reopening| header.mlog_size <= reopening.index)
}

/// Whether the author could push it as well.
fn check_still_there(
    record: &DeviceRecord,
    membership: &Membership,
    chart: ChartId,
    now: TimestampMs,
) -> Result<(), PushError> {
    if let Some(revocation) = record.revocation() {
        return Err(PushError::Revoked { policy: revocation.policy });
    }
    if !record.cert().valid_at(now) {
        return Err(PushError::CertificateOutOfDate);
    }
    if membership.is_member(chart, record.device()) { Ok(()) } else { Err(PushError::NotMember) }
}

/// Epoch, head and members of one envelope, as they were when it was sealed.
fn check_epoch_then(
    header: &EnvelopeHeader,
    membership: &Membership,
    chart: ChartId,
) -> Result<(), PushError> {
    if membership.root_at(header.mlog_size) != Some(header.mlog_root) {
        return Err(PushError::ForeignHead { seq: header.seq });
    }
    let members = membership.members_at(chart, header.mlog_size).ok_or(PushError::NotMember)?;
    if !members.contains(header.device) {
        return Err(PushError::NotMember);
    }
    let named = membership.counted_epochs(chart).iter().find(|epoch| epoch.epoch == header.epoch);
    match named {
        Some(epoch) if epoch.index < header.mlog_size && epoch.members.hash() == members.hash() => Ok(()),
        _ => Err(PushError::EpochStale {
            counted: membership.counted_epoch(chart).map(|epoch| epoch.epoch),
            mlog_size: membership.size(),
        }),
    }
}
