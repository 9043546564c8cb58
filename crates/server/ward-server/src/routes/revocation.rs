//! What the membership log says against a device, for that device alone.
//!
//! A revoked device has no token, and it does not believe the server's word. So it gets the piece of
//! the log that it lacks, up to the entry that revokes or wipes it, and judges it itself. It sees no
//! entry that it could not have read the moment before.

use super::drop_box::possessed;
use super::logs::roots;
use crate::App;
use crate::call::{Answer, Call, answer_cbor};
use crate::gate::take_up;
use crate::log_tiles;
use crate::membership_desk::MembershipState;
use crate::problem_response::{Refusal, rate_limited, refuse};
use crate::store_problem::{cosign_failed, read_failed, store_failed};
use ward_api::limits::{LEAVES_MAX, MLOG_ENTRIES_MAX, MLOG_PAGE_MAX_BYTES};
use ward_api::{ErrorCode, LogName, MlogLeaf, MlogRow, Opaque, RevocationProof};
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, Subject};
use ward_store::Store;

pub(super) async fn prove<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device: DeviceId = call.path_id("device")?;
    let proof = call.proof()?;
    let person = possessed(app, device, proof)?;
    take_up(app, proof, call.now)?;
    app.rates().check_device(device, person).map_err(rate_limited)?;
    let index = app.membership().read().newest_order(device);
    let nothing = || refuse(ErrorCode::NotRevoked, "If the device is refused all the same, tell the site.");
    let index = index.ok_or_else(nothing)?;
    let (from, end) = (call.query.required("from")?, index.saturating_add(1));
    if from > end {
        return Err(refuse(ErrorCode::BadRange, "The newest such entry stands before that size."));
    }
    let head = app.cosigned_head(LogName::Mlog).await.map_err(|error| cosign_failed(app, error))?;
    if head.head.size < end {
        return Err(refuse(ErrorCode::WitnessesUnreachable, "The entry stands under no cosigned head yet."));
    }
    let to = end.min(from.saturating_add(LEAVES_MAX.min(MLOG_ENTRIES_MAX)));
    let (entries, to) = piece(app, device, from, to).await?;
    let mut leaves = Vec::new();
    for leaf in app.store().mlog_leaves(from, to).await.map_err(store_failed)? {
        leaves.extend_from_slice(&MlogLeaf::to_bytes(leaf));
    }
    let consistency =
        log_tiles::consistency(app.store(), LogName::Mlog, end, head.head.size).await.map_err(read_failed)?;
    let proof = RevocationProof {
        index,
        to,
        leaves: Opaque(leaves),
        entries,
        consistency: roots(consistency),
        note: Opaque(head.text.clone().into_bytes()),
    };
    answer_cbor(call.spec, &proof)
}

/// The entries of a range that concern the device, and how far they reach: at least one entry of the
/// log is looked at.
async fn piece<S: Store>(
    app: &App<S>,
    device: DeviceId,
    from: u64,
    to: u64,
) -> Result<(Vec<MlogRow>, u64), Refusal> {
    let (mut at, mut rows, mut bytes) = (from, Vec::new(), 0);
    while at < to && bytes < MLOG_PAGE_MAX_BYTES {
        let stored = app.store().mlog_entries(at, to).await.map_err(store_failed)?;
        let Some(last) = stored.last() else { break };
        at = last.index.saturating_add(1);
        let membership = app.membership().read();
        for entry in stored.into_iter().filter(|entry| concerned(&membership, device, entry.subject)) {
            bytes += entry.bytes.len();
            rows.push(MlogRow { index: entry.index, entry: Opaque(entry.bytes) });
        }
    }
    Ok((rows, at))
}

/// Whether a device could read the entries of a subject when it was revoked.
fn concerned(membership: &MembershipState, device: DeviceId, subject: Subject) -> bool {
    if subject == Subject::from(membership.root_policy().site) {
        return true;
    }
    let Some(record) = membership.record(device) else { return false };
    if matches!(record.role(), Role::Admin | Role::Auditor) {
        return true;
    }
    let chart = ChartId::from_bytes(*subject.as_bytes());
    let at = record.revocation().map_or_else(|| membership.size(), |revocation| revocation.index);
    membership.members_at(chart, at).is_some_and(|members| members.contains(device))
}
