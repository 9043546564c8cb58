//! Where pushes wait for each other. Small pushes that arrive while others are being served are
//! checked together, since signatures cost less in a batch, and go to the store as one group,
//! since a commit costs the same for one as for many. Nobody waits for pushes that have not come:
//! a push that is alone is served at once.
//!
//! Each push keeps a verdict and an answer of its own.

use crate::App;
use crate::limits::{PUSH_INLINE_MAX, PUSH_TOGETHER_MAX, PUSH_TOGETHER_MAX_BYTES};
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::push_problem::push_refused;
use crate::store_problem::store_failed;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use ward_api::limits::{DEVICE_MAX_CHAINS, QUOTA_RETRY_S};
use ward_api::{ErrorCode, ProblemMembers};
use ward_crypto::{Envelope, sha256};
use ward_id::{ChartId, DeviceId, EnvelopeHash, Head, TimestampMs};
use ward_store::{AppendError, AppendRefusal, Appended, NewOperation, NewPush, QuotaReached, Store};
use ward_sync::{PushContext, PushItem, StoredChain, check_pushes};

/// A decoded envelope with its bytes.
pub(crate) struct ArrivedEnvelope {
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

/// A push that was decoded and not checked yet.
pub(crate) struct ArrivedPush {
    pub(crate) envelopes: Vec<ArrivedEnvelope>,
    /// The chart of the address.
    pub(crate) chart: ChartId,
    /// The device that calls.
    pub(crate) caller: DeviceId,
    /// What is stored of the chain.
    pub(crate) head: Option<Head>,
    /// When it came.
    pub(crate) now: TimestampMs,
}

/// What becomes of a push.
type Outcome = Result<Appended, Refusal>;

struct Waiting {
    push: ArrivedPush,
    tell: oneshot::Sender<Outcome>,
}

/// The pushes that wait.
#[derive(Default)]
pub(crate) struct PushDesk {
    waiting: Mutex<VecDeque<Waiting>>,
}

/// Runs the protocol's push rules and stores the push: as a whole, durably, or not at all.
pub(crate) async fn store_push<S: Store>(app: &Arc<App<S>>, push: ArrivedPush) -> Outcome {
    if push.envelopes.len() > PUSH_INLINE_MAX {
        return store_large(app, push).await;
    }
    let (tell, told) = oneshot::channel();
    if app.pushes().enlist(Waiting { push, tell }) {
        begin_serving(Arc::clone(app));
    }
    told.await.map_err(|_| lost())?
}

/// A large push has many signatures of its own, so it goes to a thread of its own and the others
/// are not held up.
async fn store_large<S: Store>(app: &Arc<App<S>>, push: ArrivedPush) -> Outcome {
    let checking = Arc::clone(app);
    let task = tokio::task::spawn_blocking(move || {
        check(&checking, &[&push]).pop().unwrap_or_else(|| Err(lost()))?;
        Ok::<NewPush, Refusal>(push.into_new())
    });
    let NewPush { operations, received_at } = task.await.map_err(|_| lost())??;
    app.store().append_operations(operations, received_at).await.map_err(append_failed)
}

fn lost() -> Refusal {
    refuse(ErrorCode::Internal, "The push could not be checked.")
}

impl PushDesk {
    /// Adds a push; whether it is the first, so that somebody has to begin serving.
    fn enlist(&self, one: Waiting) -> bool {
        let mut waiting = self.lock();
        waiting.push_back(one);
        waiting.len() == 1
    }

    /// As many as are served together, and whether others are left.
    fn take(&self) -> (Vec<Waiting>, bool) {
        let mut waiting = self.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0usize);
        while taken.len() < PUSH_TOGETHER_MAX && bytes < PUSH_TOGETHER_MAX_BYTES {
            let Some(one) = waiting.pop_front() else { break };
            bytes = bytes.saturating_add(one.push.bytes());
            taken.push(one);
        }
        (taken, !waiting.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serving is a task of its own: a caller that hangs up must not stop the others.
fn begin_serving<S: Store>(app: Arc<App<S>>) {
    tokio::spawn(serve(app));
}

async fn serve<S: Store>(app: Arc<App<S>>) {
    // Whatever is ready to run now gets its turn first, and may enlist.
    tokio::task::yield_now().await;
    let (waiting, left) = app.pushes().take();
    if left {
        begin_serving(Arc::clone(&app));
    }
    let verdicts = check(&app, &waiting.iter().map(|one| &one.push).collect::<Vec<_>>());
    let (mut accepted, mut callers) = (Vec::new(), Vec::new());
    for (Waiting { push, tell }, verdict) in waiting.into_iter().zip(verdicts) {
        match verdict {
            Ok(()) => {
                accepted.push(push.into_new());
                callers.push(tell);
            }
            Err(refusal) => answer(tell, Err(refusal)),
        }
    }
    let answers = app.store().append_pushes(accepted).await;
    for (tell, appended) in callers.into_iter().zip(answers) {
        answer(tell, appended.map_err(append_failed));
    }
}

fn answer(tell: oneshot::Sender<Outcome>, outcome: Outcome) {
    // The caller may have hung up; what was committed stays, and can be asked for again.
    let _gone = tell.send(outcome);
}

/// Runs the protocol's push rules against the membership as it stands now. One verdict for each.
fn check<S: Store>(app: &App<S>, pushes: &[&ArrivedPush]) -> Vec<Result<(), Refusal>> {
    let items: Vec<Vec<PushItem<'_>>> = pushes.iter().map(|push| push.items()).collect();
    let chains: Vec<StoredChain> = pushes.iter().map(|push| push.assumed_chain()).collect();
    let membership = app.membership().read();
    let contexts = pushes.iter().zip(&chains).map(|(push, stored)| PushContext {
        membership: &membership,
        chart: push.chart,
        caller: push.caller,
        now: push.now,
        stored,
        epoch_announced_at: membership.announced_at(push.chart),
    });
    let together: Vec<_> = items.iter().map(Vec::as_slice).zip(contexts).collect();
    let verdict = |(verdict, push): (Result<_, _>, &&ArrivedPush)| match verdict {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(push_refused(error, push.envelopes.iter().map(|one| one.envelope.header()), push.chart))
        }
    };
    check_pushes(&together).into_iter().zip(pushes).map(verdict).collect()
}

impl ArrivedPush {
    fn bytes(&self) -> usize {
        self.envelopes.iter().map(|one| one.bytes.len()).sum()
    }

    pub(crate) fn items(&self) -> Vec<PushItem<'_>> {
        self.envelopes
            .iter()
            .map(|one| PushItem { envelope: &one.envelope, bytes_len: one.bytes.len() })
            .collect()
    }

    /// Whether an entry at a place that is taken is the same one is decided by the store, inside
    /// the transaction. Here it is assumed to be, so that only new places are held to the counted
    /// epoch: a wrong guess ends as a fork, never as a second entry.
    pub(crate) fn assumed_chain(&self) -> StoredChain {
        let Some(stored) = self.head else { return StoredChain::default() };
        let headers = self.envelopes.iter().map(|one| one.envelope.header());
        let taken = headers.filter(|header| header.seq <= stored.seq);
        let entries = taken.map(|header| (header.seq, header.entry_id)).collect();
        StoredChain { head: self.head, entries }
    }

    pub(crate) fn into_new(self) -> NewPush {
        let Self { envelopes, chart, now, .. } = self;
        let operations = envelopes.into_iter().map(|one| new_operation(chart, one)).collect();
        NewPush { operations, received_at: now }
    }
}

fn new_operation(chart: ChartId, one: ArrivedEnvelope) -> NewOperation {
    let header = one.envelope.header();
    NewOperation {
        chart,
        device: header.device,
        incarnation: header.incarnation,
        seq: header.seq,
        entry_id: header.entry_id,
        // The decoder has shown that these are the canonical bytes.
        envelope_hash: EnvelopeHash::from_bytes(sha256(&one.bytes)),
        epoch: header.epoch,
        bytes: one.bytes,
    }
}

/// The room of a chart or device is used up.
pub(crate) fn quota_reached(reached: QuotaReached) -> Refusal {
    let members = ProblemMembers {
        used: Some(reached.used),
        limit: Some(reached.limit),
        retry_after_s: Some(QUOTA_RETRY_S),
        ..ProblemMembers::default()
    };
    let detail = "Keep it on the device and tell the operator of the server; less may still fit.";
    refuse_with(ErrorCode::QuotaReached, detail, members)
}

pub(crate) fn append_failed(error: AppendError) -> Refusal {
    match error {
        AppendError::Refused(AppendRefusal::Gap { expect }) => {
            let members = ProblemMembers { expect: Some(expect), ..ProblemMembers::default() };
            refuse_with(ErrorCode::Gap, format!("Send from place {expect} on."), members)
        }
        AppendError::Refused(AppendRefusal::Fork { seq, entry_id }) => {
            let members =
                ProblemMembers { seq: Some(seq), entry_id: Some(entry_id), ..ProblemMembers::default() };
            refuse_with(ErrorCode::Fork, "Keep both, open a new incarnation and carry on there.", members)
        }
        AppendError::Refused(AppendRefusal::TooManyChains) => {
            let members =
                ProblemMembers { limit: Some(DEVICE_MAX_CHAINS as u64), ..ProblemMembers::default() };
            let detail = "Its store was begun anew too often; enrol the device again with a new ticket.";
            refuse_with(ErrorCode::TooManyChains, detail, members)
        }
        AppendError::Refused(AppendRefusal::Quota(reached)) => quota_reached(reached),
        AppendError::Refused(AppendRefusal::TooManyOperations { held, limit }) => {
            quota_reached(QuotaReached { used: held, limit })
        }
        AppendError::Refused(AppendRefusal::NotOneChain) => {
            refuse(ErrorCode::NotOneChain, "Push one contiguous piece of one chain.")
        }
        AppendError::Store(error) => store_failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_crypto::*;
    use ward_id::{EntryId, Incarnation, SiteId, TreeRoot};

    fn envelope() -> Envelope {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (sign, hedge) = (SignKey::generate(&mut rng), HedgeKey::generate(&mut rng));
        let chart = ChartId::from_bytes([1; 16]);
        let secret = EpochSecret::from_secret_bytes(chart, 0, &random_bytes(&mut rng));
        let header = EnvelopeHeader {
            v: V1,
            suite: Suite::W1,
            site: SiteId::from_bytes([2; 16]),
            chart,
            epoch: 0,
            device: DeviceId::from_bytes([3; 16]),
            incarnation: Incarnation(1),
            seq: 1,
            entry_id: EntryId::from_bytes([4; 32]),
            mlog_size: 1,
            mlog_root: TreeRoot::from_bytes([5; 32]),
        };
        seal_envelope(&secret, header, b"an entry", &sign, &hedge, &mut rng).unwrap()
    }

    fn enlist(desk: &PushDesk, envelope: &Envelope, bytes: usize) -> bool {
        let envelopes = vec![ArrivedEnvelope { envelope: envelope.clone(), bytes: vec![0; bytes] }];
        let (chart, caller) = (ChartId::from_bytes([1; 16]), DeviceId::from_bytes([3; 16]));
        let push = ArrivedPush { envelopes, chart, caller, head: None, now: TimestampMs(0) };
        desk.enlist(Waiting { push, tell: oneshot::channel().0 })
    }

    /// The number of pushes that the next groups take.
    fn groups(desk: &PushDesk) -> Vec<usize> {
        let mut taken = Vec::new();
        loop {
            let (group, left) = desk.take();
            taken.push(group.len());
            if !left {
                return taken;
            }
        }
    }

    #[test]
    fn groups_at_the_limits_and_one_past() {
        let (desk, one) = (PushDesk::default(), envelope());
        assert_eq!(groups(&desk), [0]);
        let firsts = (0..=PUSH_TOGETHER_MAX).filter(|_| enlist(&desk, &one, 1)).count();
        assert_eq!(firsts, 1, "only the first has to begin serving");
        assert_eq!(groups(&desk), [PUSH_TOGETHER_MAX, 1]);
        assert!(enlist(&desk, &one, PUSH_TOGETHER_MAX_BYTES - 1), "an empty desk has a first again");
        enlist(&desk, &one, 1);
        enlist(&desk, &one, 1);
        assert_eq!(groups(&desk), [2, 1], "full once the limit is reached");
        enlist(&desk, &one, PUSH_TOGETHER_MAX_BYTES);
        enlist(&desk, &one, 1);
        assert_eq!(groups(&desk), [1, 1]);
    }
}
