//! The membership log: leaves for everybody, entries for those they concern, appending.

use super::cut_off::cut_off;
use super::logs::within;
use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use crate::events::Concerns;
use crate::membership_desk::{AppendRefused, Door, ended_devices};
use crate::mlog_offers::HandedIn;
use crate::mlog_problem::{append_refused, not_an_entry};
use crate::problem_response::{Refusal, bad_body, refuse, refuse_with};
use crate::recovery::RecoveryStage;
use crate::store_problem::store_failed;
use std::sync::Arc;
use ward_api::limits::{
    LEAVES_MAX, MLOG_ENTRIES_MAX, MLOG_ENTRY_MAX_BYTES, MLOG_PAGE_MAX_BYTES, PACKAGE_MAX_BYTES,
};
use ward_api::{
    ChartEvent, ErrorCode, LogName, MlogAccepted, MlogLeaf, MlogPlace, MlogRow, MlogSubmission, Opaque,
    ProblemMembers,
};
use ward_audit::{NodeHash, leaf_hash, mlog_leaf, verify_inclusion};
use ward_crypto::{EpochPackage, SiteManifest};
use ward_id::{Canonical as _, ChartId, Subject, TimestampMs};
use ward_store::{MlogAppended, Store, StoredMlogEntry};
use ward_sync::{MlogEntry, MlogKind, cosigned_head};

pub(super) async fn leaves<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let (from, to) = range(app, call, LEAVES_MAX)?;
    let leaves = app.store().mlog_leaves(from, to).await.map_err(store_failed)?;
    let mut bytes = Vec::with_capacity(leaves.len() * MlogLeaf::BYTES);
    leaves.iter().for_each(|leaf| bytes.extend_from_slice(&leaf.to_bytes()));
    answer(call.spec, bytes)
}

/// Entries of the site go to every device of the site, those of a chart to its members, to admins
/// and auditors, and to the devices that signed them.
pub(super) async fn entries<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let (mut from, to) = range(app, call, MLOG_ENTRIES_MAX)?;
    let device = call.caller()?.device;
    let mut rows = Vec::new();
    let mut bytes = 0;
    while from < to && bytes < MLOG_PAGE_MAX_BYTES {
        let stored = app.store().mlog_entries(from, to).await.map_err(store_failed)?;
        let Some(last) = stored.last() else { break };
        from = last.index.saturating_add(1);
        let membership = app.membership().read();
        let record = membership.record(device);
        let is_for = |entry: &StoredMlogEntry| {
            record.is_some_and(|record| membership.may_read_as(record, entry.subject))
                || membership.is_signed_by(entry.index, device)
        };
        let mine = stored.into_iter().filter(is_for);
        rows.extend(mine.map(|entry| {
            bytes += entry.bytes.len();
            MlogRow { index: entry.index, entry: Opaque(entry.bytes) }
        }));
    }
    answer_cbor(call.spec, &rows)
}

fn range<S: Store>(app: &App<S>, call: &Call, max: u64) -> Result<(u64, u64), Refusal> {
    let (from, to) = (call.query.required("from")?, call.query.required("to")?);
    if from > to || to - from > max {
        let members = ProblemMembers { limit: Some(max), ..ProblemMembers::default() };
        return Err(refuse_with(
            ErrorCode::BadRange,
            format!("Ask for at most {max} at once, `from` before `to`."),
            members,
        ));
    }
    within(app, LogName::Mlog, to)?;
    Ok((from, to))
}

pub(super) async fn append<S: Store>(app: &Arc<App<S>>, call: &Call) -> Answer {
    let MlogSubmission { entry: bytes, package, place } = call.decode()?;
    if bytes.0.len() > MLOG_ENTRY_MAX_BYTES {
        return Err(refuse(
            ErrorCode::TooLarge,
            format!("An entry has at most {MLOG_ENTRY_MAX_BYTES} bytes."),
        ));
    }
    let entry = MlogEntry::read(&bytes.0).map_err(not_an_entry)?;
    let package = package.map(read_package).transpose()?;
    let handed_in = HandedIn { entry, bytes: bytes.0, package };
    if place.is_none() && app.stage() == RecoveryStage::WaitsForMlog {
        return offered(app, call, handed_in).await;
    }
    let door = door(app, &handed_in.entry, place, call.now).await?;
    let appended = taken(app, handed_in, call.now, door).await?;
    if matches!(door, Door::GivenBack(_)) {
        take_offers(app, call.now).await;
    }
    answer_cbor(call.spec, &MlogAccepted { index: appended.index, size: appended.size })
}

/// Appends an entry and does what follows from it.
async fn taken<S: Store>(
    app: &Arc<App<S>>,
    HandedIn { entry, bytes, package }: HandedIn,
    now: TimestampMs,
    door: Door,
) -> Result<MlogAppended, Refusal> {
    // A caller that hangs up must not leave the log longer than what this node knows of it.
    let task = {
        let app = Arc::clone(app);
        tokio::spawn(async move {
            let appended = app.membership().append(app.store(), (bytes, &entry), package, now, door).await?;
            if entry.kind() == MlogKind::LogReopen.number() {
                // What fails here is made up for at the next start, and nothing is taken until then.
                match app.follow_reopening().await {
                    // The witnesses see the new log at once, so that it is ready for whoever comes.
                    Ok(()) => drop(app.cosigned_head(LogName::Olog).await),
                    Err(error) => {
                        tracing::error!(error = %error, "the operation log could not be opened again");
                    }
                }
            }
            if appended.new {
                announce(&app, &entry, appended);
                forget_proposals(&app, &entry).await;
            }
            app.offers().forget(entry.hash());
            Ok(appended)
        })
    };
    let outcome = task
        .await
        .map_err(|_| refuse(ErrorCode::Internal, "The entry may or may not stand in the log; read it."))?;
    outcome.map_err(|refused| refused_answer(app, refused))
}

/// An entry that comes back to a restored server without a proof of its place. It is answered with its
/// place if it stands in the log afterwards; else the log still waits, for this entry or for others.
async fn offered<S: Store>(app: &Arc<App<S>>, call: &Call, handed_in: HandedIn) -> Answer {
    let hash = handed_in.entry.hash();
    if app.store().mlog_index_of(hash).await.map_err(store_failed)?.is_none() {
        app.offers().keep(call.caller()?.device, handed_in);
        take_offers(app, call.now).await;
    }
    match app.store().mlog_index_of(hash).await.map_err(store_failed)? {
        Some(index) => answer_cbor(call.spec, &MlogAccepted { index, size: app.membership().read().size() }),
        // If the log became whole in the meantime, the entry is none of those that were missing.
        None => {
            Err(app.waits().unwrap_or_else(|| refuse(ErrorCode::MlogMoved, "Read the log and sign again.")))
        }
    }
}

/// Appends what is offered, as far as the witnesses prove that it stood next.
async fn take_offers<S: Store>(app: &Arc<App<S>>, now: TimestampMs) {
    while app.stage() == RecoveryStage::WaitsForMlog {
        let next = app.next_offers().await;
        if next.is_empty() {
            return;
        }
        for (place, handed_in) in next {
            let hash = handed_in.entry.hash();
            // Only where the log still has the size for which the place was proved.
            if let Err(refused) = taken(app, handed_in, now, Door::GivenBack(place)).await {
                app.offers().forget(hash);
                tracing::error!(place, why = ?refused, "an entry that stood in the membership log is refused");
                return;
            }
            tracing::warn!(place, "an entry came back to the membership log from whoever had handed it in");
        }
    }
    app.offers().clear();
}

/// How an entry comes in: new, or given back to a restored server at the place where it stood.
async fn door<S: Store>(
    app: &App<S>,
    entry: &MlogEntry,
    place: Option<MlogPlace>,
    now: TimestampMs,
) -> Result<Door, Refusal> {
    if let (Some(place), RecoveryStage::WaitsForMlog) = (place, app.stage()) {
        return proved_place(app, entry, &place).map(Door::GivenBack);
    }
    app.check_mlog_confirmed().await?;
    if entry.kind() == MlogKind::LogReopen.number() && app.stage() != RecoveryStage::WaitsForReopening {
        // An entry that stands in the log already is answered with its place.
        let known = app.store().mlog_index_of(entry.hash()).await.map_err(store_failed)?;
        if known.is_none() {
            return Err(refuse(ErrorCode::NotReopening, "The operation log goes on as it is."));
        }
    }
    Ok(Door::Arrival { cut_off: cut_off(app, entry, now).await })
}

/// Checks that the entry stood at its place, under a head that the site's witnesses cosigned: those of the
/// manifest that is held, or of one that was lost and that the root signed.
fn proved_place<S: Store>(app: &App<S>, entry: &MlogEntry, place: &MlogPlace) -> Result<u64, Refusal> {
    let refused = || refuse(ErrorCode::NotRelayed, "Prove the place under a cosigned head of the log.");
    let membership = app.membership().read();
    let lost = app.later_manifests();
    let own = membership.later_manifest(entry, lost.iter().map(|later| &later.manifest));
    let path: Vec<NodeHash> = place.path.iter().map(|hash| NodeHash::from(*hash)).collect();
    let leaf = leaf_hash(&mlog_leaf(entry.subject(), entry.hash()));
    let stood = |manifest: &SiteManifest| {
        let head = cosigned_head(manifest, &manifest.mlog_origin, &place.checkpoint.0);
        head.is_some_and(|head| verify_inclusion(place.index, head.size, &leaf, &head.root, &path).is_ok())
    };
    let stood_before = lost.iter().filter(|later| later.has_stood).map(|later| &later.manifest);
    let has_stood = membership.manifest().into_iter().chain(stood_before).chain(own.as_deref()).any(stood);
    if let Some(own) = own {
        app.know_later_manifest(*own, has_stood);
    }
    if has_stood { Ok(place.index) } else { Err(refused()) }
}

fn read_package(bytes: Opaque) -> Result<(EpochPackage, Vec<u8>), Refusal> {
    if bytes.0.len() > PACKAGE_MAX_BYTES {
        return Err(refuse(ErrorCode::TooLarge, format!("A package has at most {PACKAGE_MAX_BYTES} bytes.")));
    }
    let package = EpochPackage::from_canonical(&bytes.0).map_err(bad_body)?;
    Ok((package, bytes.0))
}

fn refused_answer<S: Store>(app: &App<S>, refused: AppendRefused) -> Refusal {
    append_refused(refused, app.membership().read().size())
}

fn announce<S: Store>(app: &App<S>, entry: &MlogEntry, appended: MlogAppended) {
    app.desk(LogName::Mlog).grew_to(appended.size);
    app.metrics().log_size(LogName::Mlog, appended.size);
    ended_devices(entry).into_iter().for_each(|device| app.sessions().forget(device));
    let concerns = if entry.subject() == Subject::from(app.site()) {
        Concerns::Site
    } else {
        Concerns::Chart(ChartId::from_bytes(*entry.subject().as_bytes()))
    };
    app.hints().tell(concerns, ChartEvent::Mlog);
}

/// What was put up for a signature and now stands in the log, waits no longer. A failure leaves a
/// row that its proposer can withdraw.
async fn forget_proposals<S: Store>(app: &App<S>, entry: &MlogEntry) {
    let Ok(waiting) = app.store().proposals().await else { return };
    for proposal in waiting {
        let same = MlogEntry::read(&proposal.bytes)
            .is_ok_and(|other| other.signing_digest() == entry.signing_digest());
        if same && let Err(error) = app.store().remove_proposal(proposal.hash).await {
            tracing::warn!(error = %error, "a proposal that came into the log is still listed");
        }
    }
}
