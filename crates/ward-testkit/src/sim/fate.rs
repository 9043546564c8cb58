//! The fate of one device: what is planned to go wrong at its next commits and requests, and what
//! did go wrong.

use super::fault::Fault;
use super::schedule::{DeathPoint, NetFault};
use std::cell::RefCell;
use std::rc::Rc;
use ward_client::HttpRequest;

/// What comes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitFate {
    Goes,
    Fails,
    FindsDiskFull,
    IsTheLast,
}

/// What comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestFate {
    Goes,
    Fails,
    IsTheLast,
    GoesWrong(NetFault),
}

#[derive(Debug, Clone, Copy)]
enum Planned {
    Death(DeathPoint),
    DiskFull,
    Net(NetFault),
}

impl Planned {
    const fn is_of_commits(self) -> bool {
        matches!(
            self,
            Self::DiskFull | Self::Death(DeathPoint::BeforeCommit) | Self::Death(DeathPoint::AfterCommit)
        )
    }
}

#[derive(Default)]
struct State {
    dead: bool,
    offline: bool,
    plan: Vec<(Planned, u8)>,
    happened: Vec<Fault>,
    late: Vec<HttpRequest>,
    requests: u64,
    commits: u64,
}

/// The fate of one device. Clones are the same fate.
#[derive(Clone, Default)]
pub(super) struct Fate(Rc<RefCell<State>>);

impl Fate {
    pub(super) fn plan_death(&self, point: DeathPoint, nth: u8) {
        self.0.borrow_mut().plan.push((Planned::Death(point), nth.max(1)));
    }

    pub(super) fn plan_disk_full(&self, nth: u8) {
        self.0.borrow_mut().plan.push((Planned::DiskFull, nth.max(1)));
    }

    pub(super) fn plan_net(&self, fault: NetFault, nth: u8) {
        self.0.borrow_mut().plan.push((Planned::Net(fault), nth.max(1)));
    }

    pub(super) fn set_offline(&self, offline: bool) {
        self.0.borrow_mut().offline = offline;
    }

    /// Commits that were tried so far.
    pub(super) fn commits(&self) -> u64 {
        self.0.borrow().commits
    }

    /// Nothing goes wrong any more, but what was on its way still arrives.
    pub(super) fn heal(&self) {
        let mut state = self.0.borrow_mut();
        state.offline = false;
        state.plan.clear();
    }

    /// Whether the device died; it lives again from here on.
    pub(super) fn take_death(&self) -> bool {
        std::mem::take(&mut self.0.borrow_mut().dead)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.0.borrow().dead
    }

    /// What went wrong since this was last asked.
    pub(super) fn take_happened(&self) -> Vec<Fault> {
        std::mem::take(&mut self.0.borrow_mut().happened)
    }

    pub(super) fn take_requests(&self) -> u64 {
        std::mem::take(&mut self.0.borrow_mut().requests)
    }

    pub(super) fn keep_late(&self, request: HttpRequest) {
        self.0.borrow_mut().late.push(request);
    }

    pub(super) fn take_late(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut self.0.borrow_mut().late)
    }

    pub(super) fn on_commit(&self) -> CommitFate {
        let mut state = self.0.borrow_mut();
        if state.dead {
            return CommitFate::Fails;
        }
        state.commits += 1;
        match state.due(true) {
            Some(Planned::DiskFull) => {
                state.happened.push(Fault::DiskFull);
                CommitFate::FindsDiskFull
            }
            Some(Planned::Death(DeathPoint::BeforeCommit)) => {
                state.dead = true;
                state.happened.push(Fault::DieBeforeCommit);
                CommitFate::Fails
            }
            Some(_) => {
                state.dead = true;
                state.happened.push(Fault::DieAfterCommit);
                CommitFate::IsTheLast
            }
            None => CommitFate::Goes,
        }
    }

    pub(super) fn on_request(&self) -> RequestFate {
        let mut state = self.0.borrow_mut();
        if state.dead {
            return RequestFate::Fails;
        }
        if state.offline {
            state.happened.push(Fault::Offline);
            return RequestFate::Fails;
        }
        state.requests += 1;
        match state.due(false) {
            Some(Planned::Net(fault)) => {
                state.happened.push(net_fault(fault));
                RequestFate::GoesWrong(fault)
            }
            Some(Planned::Death(DeathPoint::BeforeRequest)) => {
                state.dead = true;
                state.happened.push(Fault::DieBeforeRequest);
                RequestFate::Fails
            }
            Some(_) => {
                state.dead = true;
                state.happened.push(Fault::DieAfterRequest);
                RequestFate::IsTheLast
            }
            None => RequestFate::Goes,
        }
    }
}

impl State {
    /// Counts one commit or request, and gives what was planned for it.
    fn due(&mut self, commits: bool) -> Option<Planned> {
        let mut due = None;
        self.plan.retain_mut(|(planned, left)| {
            if planned.is_of_commits() != commits || due.is_some() {
                return true;
            }
            *left -= 1;
            if *left == 0 {
                due = Some(*planned);
            }
            *left > 0
        });
        due
    }
}

const fn net_fault(fault: NetFault) -> Fault {
    match fault {
        NetFault::LoseRequest => Fault::LoseRequest,
        NetFault::LoseAnswer => Fault::LoseAnswer,
        NetFault::Repeat => Fault::Repeat,
        NetFault::Late => Fault::Late,
        NetFault::SpoilRequest => Fault::SpoilRequest,
        NetFault::SpoilAnswer => Fault::SpoilAnswer,
        NetFault::CutAnswer => Fault::CutAnswer,
        NetFault::Portal => Fault::Portal,
    }
}
