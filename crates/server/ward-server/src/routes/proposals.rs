//! Entries that wait for a second person's signature. They have no effect while they wait.

use crate::App;
use crate::call::{Answer, Call, Caller, answer_cbor, done};
use crate::membership_desk::MembershipState;
use crate::mlog_problem::not_an_entry;
use crate::problem_response::{refuse, refuse_with};
use crate::store_problem::store_failed;
use ward_api::limits::{DEVICE_MAX_PROPOSALS, MLOG_ENTRY_MAX_BYTES, SITE_MAX_PROPOSALS};
use ward_api::{ErrorCode, Opaque, ProblemMembers, Proposal, ProposalSubmission};
use ward_crypto::Role;
use ward_id::{MlogEntryHash, Subject};
use ward_store::{ProposalError, Store, StoredProposal};
use ward_sync::{DeviceRecord, MlogBody, MlogEntry, SignerId};

/// The proposer signs first; a stranger's paper is not kept.
pub(super) async fn propose<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let ProposalSubmission { entry: bytes } = call.decode()?;
    if bytes.0.len() > MLOG_ENTRY_MAX_BYTES {
        return Err(refuse(
            ErrorCode::TooLarge,
            format!("An entry has at most {MLOG_ENTRY_MAX_BYTES} bytes."),
        ));
    }
    let entry = MlogEntry::read(&bytes.0).map_err(not_an_entry)?;
    let caller = call.caller()?;
    {
        let membership = app.membership().read();
        let own = SignerId::from(caller.device);
        let signature = entry.signatures().iter().find(|one| one.signer == own);
        let record = membership.record(caller.device);
        let holds = signature.zip(record).is_some_and(|(one, record)| {
            let key = &record.cert().binding.sign_pk;
            key.verify_labelled(ward_crypto::labels::MLOG, &entry.signing_digest(), &one.signature).is_ok()
        });
        if entry.site() != app.site() || !holds {
            return Err(refuse(ErrorCode::MlogSignature, "Sign the entry with the device that puts it up."));
        }
    }
    let proposal = StoredProposal {
        hash: entry.hash(),
        subject: entry.subject(),
        proposer: caller.device,
        received_at: call.now,
        bytes: bytes.0,
    };
    app.store().add_proposal(proposal).await.map_err(|error| match error {
        ProposalError::TooMany => {
            let members =
                ProblemMembers { limit: Some(SITE_MAX_PROPOSALS as u64), ..ProblemMembers::default() };
            refuse_with(ErrorCode::TooManyProposals, "Withdraw some, or have them signed.", members)
        }
        ProposalError::TooManyOfProposer => {
            let members =
                ProblemMembers { limit: Some(DEVICE_MAX_PROPOSALS as u64), ..ProblemMembers::default() };
            let detail = "This device has put up its share; withdraw some, or have them signed.";
            refuse_with(ErrorCode::TooManyProposals, detail, members)
        }
        ProposalError::Store(error) => store_failed(error),
    })?;
    done(call.spec)
}

/// Staff see proposals about the site, about charts they are members of, and their own. A
/// participant's device sees what asks for its signature, and nothing else.
pub(super) async fn list<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let caller = call.caller()?;
    let waiting = app.store().proposals().await.map_err(store_failed)?;
    let membership = app.membership().read();
    let visible = |proposal: &StoredProposal| {
        if caller.role == Role::Patient {
            return asks_participant(&membership, caller, proposal);
        }
        proposal.proposer == caller.device
            || proposal.subject == Subject::from(app.site())
            || membership.may_read(caller.device, proposal.subject)
    };
    let rows: Vec<Proposal> = waiting
        .into_iter()
        .filter(visible)
        .map(|stored| Proposal {
            hash: stored.hash,
            entry: Opaque(stored.bytes),
            proposer: stored.proposer,
            received_at: stored.received_at,
        })
        .collect();
    answer_cbor(call.spec, &rows)
}

/// Its proposer or an admin withdraws it; a participant, what asks for their own signature: they
/// compared the words, and the device is not theirs.
pub(super) async fn withdraw<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let hash: MlogEntryHash = call.path_id("hash")?;
    let caller = call.caller()?;
    let unknown = || refuse(ErrorCode::ProposalUnknown, "It may stand in the log already.");
    let waiting = app.store().proposals().await.map_err(store_failed)?;
    let proposal = waiting.into_iter().find(|proposal| proposal.hash == hash).ok_or_else(unknown)?;
    let allowed = {
        let membership = app.membership().read();
        proposal.proposer == caller.device
            || membership.is_admin(caller.device)
            || asks_participant(&membership, caller, &proposal)
    };
    if !allowed {
        return Err(unknown());
    }
    if app.store().remove_proposal(hash).await.map_err(store_failed)? {
        done(call.spec)
    } else {
        Err(unknown())
    }
}

/// Whether an entry waits for the signature of this participant's device: it certifies a device of
/// the same person for the same chart. Nothing else does, so a participant's device learns of
/// nothing else and stops nothing else.
fn asks_participant(membership: &MembershipState, caller: Caller, proposal: &StoredProposal) -> bool {
    let home = membership.home(caller.device).map(Subject::from);
    if caller.role != Role::Patient || home != Some(proposal.subject) {
        return false;
    }
    let own = membership.record(caller.device).map(DeviceRecord::person);
    let body = MlogEntry::read(&proposal.bytes).and_then(|entry| entry.decode_body());
    matches!(body, Ok(MlogBody::DeviceCert(cert))
        if cert.binding.role == Role::Patient && Some(cert.binding.person) == own)
}
