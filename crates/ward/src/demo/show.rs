//! What the demo shows: numbers, the worklist, adherence, what the server holds, what to try.

use super::Told;
use super::checks::Check;
use super::note_of_two::words;
use crate::commands::worklist::line;
use crate::exit::{Done, Failure};
use crate::home::from_client;
use crate::print::Out;
use serde_json::json;
use ward_client::views::AdherenceCounts;
use ward_server::Clock as _;
use ward_store::{OlogStore as _, PageRequest};

/// Worklist items shown.
const ITEMS_SHOWN: usize = 8;
/// Bytes of a sealed row shown.
const SHOWN_BYTES: usize = 180;
/// Bytes of rows read to show one.
const PAGE_BYTES: usize = 64 * 1024;

/// The numbers of the story and the verdict of each check.
///
/// # Errors
/// When a device cannot be read.
pub fn summary(told: &mut Told, checks: &[Check], seconds: f64, out: &Out) -> Done {
    let written = &told.written;
    out.heading("What happened");
    out.line(format!(
        "{} diaries ({} corrected, {} a day late), {} doses, {} days without a network, one lost phone, two dose conflicts (one decided, one open), one note written by two apart.",
        written.responses.len(), written.amended, written.late, written.doses, written.offline_days
    ));
    out.heading("What was verified");
    for check in checks {
        out.line(format!("{}  {}  ({})", if check.holds { "yes" } else { "NO " }, check.what, check.found));
    }
    let adherence = adherence(told)?;
    out.document(&json!({
        "ok": checks.iter().all(|check| check.holds),
        "seconds": (seconds * 10.0).round() / 10.0,
        "sites": told.sites.len(),
        "patients": told.patients.len(),
        "responses": written.responses.len(),
        "amended": written.amended,
        "late": written.late,
        "doses": written.doses,
        "offline_days": written.offline_days,
        "adherence": adherence.iter().map(|(_, week)| json!({"expected": week.expected, "completed": week.completed,
            "late": week.late, "missed": week.missed})).collect::<Vec<_>>(),
        "checks": checks,
    }));
    Ok(())
}

/// Worklist, adherence, the server's view, and commands to try.
///
/// # Errors
/// When a device cannot be read.
pub async fn look_around(told: &mut Told, out: &Out) -> Done {
    let now = told.clock.now();
    for (number, site) in (1..).zip(&told.sites) {
        out.heading(&format!("Worklist of site {number}"));
        let Some(clinician) = site.clinicians.first() else { continue };
        let mut items = clinician.worklist(now).map_err(crate::home::from_client)?;
        items.retain(|item| item.acknowledged.is_none());
        for item in items.iter().take(ITEMS_SHOWN) {
            out.line(line(item));
        }
        if items.len() > ITEMS_SHOWN {
            out.line(format!("… and {} more", items.len() - ITEMS_SHOWN));
        }
    }
    let shown = told.written.note.as_ref().and_then(|note| {
        let mut clinicians = told.sites.iter().flat_map(|site| &site.clinicians);
        clinicians.find_map(|clinician| words(clinician, note))
    });
    if let Some(shown) = shown {
        out.heading("A note that two clinicians wrote in, each without a network");
        out.line(shown);
    }
    out.heading("Adherence");
    for (site, week) in adherence(told)? {
        let percent = (week.completed * 100).checked_div(week.expected).unwrap_or(0);
        out.line(format!(
            "site {site}: {} of {} diaries ({percent} %), {} late, {} missed",
            week.completed, week.expected, week.late, week.missed
        ));
    }
    server_view(told, out).await?;
    to_try(told, out);
    Ok(())
}

fn adherence(told: &Told) -> Result<Vec<(usize, AdherenceCounts)>, Failure> {
    let now = told.clock.now();
    let mut out = Vec::new();
    for (number, site) in (1..).zip(&told.sites) {
        site.coordinator.me().map_err(from_client)?;
        let mut sum = AdherenceCounts::default();
        for row in site.coordinator.adherence(now).iter().flat_map(|chart| &chart.instruments) {
            sum.expected += row.total.expected;
            sum.completed += row.total.completed;
            sum.late += row.total.late;
            sum.after_close += row.total.after_close;
            sum.missed += row.total.missed;
        }
        out.push((number, sum));
    }
    Ok(out)
}

/// What whoever reads the server's database gets to see.
async fn server_view(told: &Told, out: &Out) -> Done {
    out.heading("What the server's database holds");
    let (Some(site), Some(patient)) = (told.sites.first(), told.patients.first()) else { return Ok(()) };
    let request = PageRequest { chart: patient.chart, after: None, limit_bytes: PAGE_BYTES };
    let page = site.store.operations_page(request).await;
    let page = page.map_err(|error| Failure::fault("The database cannot be read", error))?;
    let Some(newest) = page.operations.last() else { return Ok(()) };
    let file = site.made.config_file.with_file_name("ward.db");
    out.line(format!("{}. One of its rows, as its operator sees it:", file.display()));
    out.line(format!(
        "  chart {}  device {}  seq {}  epoch {}  index {}",
        newest.chart, newest.device, newest.seq, newest.epoch, newest.index
    ));
    let hex =
        ward_id::hex_encode(newest.bytes.get(..newest.bytes.len().min(SHOWN_BYTES)).unwrap_or_default());
    for row in hex.as_bytes().chunks(72) {
        out.line(format!("  {}", String::from_utf8_lossy(row)));
    }
    out.line(format!(
        "  … {} bytes. Whose chart it is ({}) stands on the clinic's devices only.",
        newest.bytes.len(),
        patient.name
    ));
    Ok(())
}

fn to_try(told: &Told, out: &Out) {
    let program =
        std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_else(|_| "ward".to_owned());
    let Some(site) = told.sites.first() else { return };
    let home = site.homes.get(1).map(|home| home.display().to_string()).unwrap_or_default();
    let phone = told.patients.first().map(|patient| patient.home.display().to_string()).unwrap_or_default();
    let chart = told.patients.first().map(|patient| patient.chart.to_string()).unwrap_or_default();
    out.heading("Try next (the servers are running; Ctrl-C stops them)");
    out.line(format!("{program} --home {home} worklist"));
    out.line(format!("{program} --home {home} chart {chart}"));
    out.line(format!("{program} --home {home} resolve --chart {chart}"));
    out.line(format!("{program} --home {phone} answer"));
    out.line(format!("{program} --home {phone} sync"));
    out.line(format!("{program} --home {phone} export --for-patient -o my-data.html"));
    out.line(format!("{program} --home {home} audit verify"));
    out.line(format!("{program} doctor --config {}", site.made.config_file.display()));
}
