//! One handler for each route of the table.

mod blobs;
mod charts;
mod cut_off;
mod drop_box;
mod enrol;
mod logs;
mod mlog;
mod proposals;
mod push;
mod reopening;
mod repair;
mod revocation;
mod service;
mod stream;
mod suspend;
mod tickets;
mod token;

use crate::App;
use crate::call::{Answer, Call};
use crate::route_table::Route;
use std::sync::Arc;
use ward_api::LogName;
use ward_store::Store;

/// Calls the handler of the route.
pub(crate) async fn handle<S: Store>(app: &Arc<App<S>>, call: Call) -> Answer {
    match call.spec.route {
        Route::Healthz => service::healthz(&call),
        Route::Readyz => service::readyz(app, &call).await,
        Route::Limits => service::limits(app, &call),
        Route::OpenApi => service::openapi(&call),
        Route::Site => service::site(app, &call),
        Route::RegisterTicket => tickets::register(app, &call).await,
        Route::ListTickets => tickets::list(app, &call).await,
        Route::SetTicketState => tickets::set_state(app, &call).await,
        Route::ReadTicket => enrol::read(app, &call).await,
        Route::RedeemTicket => enrol::redeem(app, &call).await,
        Route::Token => token::grant(app, &call).await,
        Route::EndSession => token::end_session(app, &call).await,
        Route::MlogCheckpoint => logs::checkpoint(app, &call, LogName::Mlog).await,
        Route::OlogCheckpoint => logs::checkpoint(app, &call, LogName::Olog).await,
        Route::MlogTile => logs::tile(app, &call, LogName::Mlog).await,
        Route::OlogTile => logs::tile(app, &call, LogName::Olog).await,
        Route::MlogConsistency => logs::consistency(app, &call, LogName::Mlog).await,
        Route::OlogConsistency => logs::consistency(app, &call, LogName::Olog).await,
        Route::OlogProofs => logs::proofs(app, &call).await,
        Route::MlogLeaves => mlog::leaves(app, &call).await,
        Route::ReadMlog => mlog::entries(app, &call).await,
        Route::AppendMlog => mlog::append(app, &call).await,
        Route::Propose => proposals::propose(app, &call).await,
        Route::ListProposals => proposals::list(app, &call).await,
        Route::WithdrawProposal => proposals::withdraw(app, &call).await,
        Route::Charts => charts::charts(app, &call),
        Route::Push => push::push(app, call).await,
        Route::Pull => charts::page(app, &call).await,
        Route::Have => charts::have(app, &call).await,
        Route::CompareHave => repair::compare(app, &call).await,
        Route::CompareMany => repair::compare_many(app, &call).await,
        Route::Reconcile => repair::reconcile(app, &call).await,
        Route::Relay => repair::relay(app, call).await,
        Route::OlogReopening => reopening::state(app, &call),
        Route::BringCheckpoint => reopening::bring(app, &call).await,
        Route::Epochs => charts::epochs(app, &call).await,
        Route::Events => stream::events(app, &call).await,
        Route::WitnessTime => service::witness_time(app, &call).await,
        Route::Suspend => suspend::suspend(app, &call).await,
        Route::HandOver => drop_box::hand_over(app, &call).await,
        Route::ListDrops => drop_box::list(app, &call).await,
        Route::SetDropState => drop_box::set_state(app, &call).await,
        Route::Revocation => revocation::prove(app, &call).await,
        Route::BlobState => blobs::state(app, &call).await,
        Route::ReadBlob => blobs::read(app, &call).await,
        Route::WriteBlob => blobs::write(app, &call).await,
    }
}
