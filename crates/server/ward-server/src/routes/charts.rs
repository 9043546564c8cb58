//! Reading a chart: pages of envelopes, the version vector, epoch packages.

use crate::App;
use crate::call::{Answer, Call, answer_cbor};
use crate::store_problem::store_failed;
use ward_api::limits::{PAGE_DEFAULT_BYTES, PAGE_MAX_BYTES};
use ward_api::{EnvelopePage, EnvelopeRow, EpochPackages, LogHead, LogName, Opaque};
use ward_store::{PageRequest, Store};

pub(super) fn charts<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device = call.caller()?.device;
    let charts = {
        let membership = app.membership().read();
        match membership.home(device) {
            // A patient's device reads its own chart only.
            Some(home) => {
                Some(home).filter(|chart| membership.is_member(*chart, device)).into_iter().collect()
            }
            None => membership.charts_of(device),
        }
    };
    answer_cbor(call.spec, &charts)
}

pub(super) async fn page<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let after = call.query.get("after");
    let wished = call
        .query
        .get("limit_bytes")
        .map_or(PAGE_DEFAULT_BYTES, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let request = PageRequest { chart: call.chart()?, after, limit_bytes: wished.min(PAGE_MAX_BYTES) };
    let page = app.store().operations_page(request).await.map_err(store_failed)?;
    app.damage().notice(&page.operations);
    let next = page.operations.last().map(|last| last.index).or(after);
    let head = app.desk(LogName::Olog).signed_head();
    let rows = page.operations.into_iter().map(|stored| EnvelopeRow {
        index: stored.index,
        received_at: stored.received_at,
        envelope: Opaque(stored.bytes),
    });
    let page = EnvelopePage {
        rows: rows.collect(),
        next,
        more: page.more,
        checkpoint: LogHead { size: head.size, root: head.root },
    };
    answer_cbor(call.spec, &page)
}

pub(super) async fn have<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let have = app.store().have(call.chart()?).await.map_err(store_failed)?;
    answer_cbor(call.spec, &have)
}

/// The store keeps packages of entries in the log only; each of those counted when it came.
pub(super) async fn epochs<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let from = call.query.get("from").unwrap_or_default();
    let packages = app.store().epoch_packages(call.chart()?, from).await.map_err(store_failed)?;
    let packages: EpochPackages = packages.into_iter().map(|package| Opaque(package.bytes)).collect();
    answer_cbor(call.spec, &packages)
}
