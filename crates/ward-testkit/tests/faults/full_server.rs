//! A server whose disk is full or cannot be written.

use ward_api::ErrorCode;
use ward_client::SyncProblem;
use ward_store::{OlogStore as _, Upkeep as _};
use ward_store_sqlite::{SqliteOptions, SqliteStore, limits::PAGE_BYTES};
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

fn refused_with(problems: &[SyncProblem], code: ErrorCode) -> bool {
    problems.iter().any(|problem| matches!(problem, SyncProblem::Failed { error, .. } if error.is(code)))
}

async fn site(seed: u64, folder: &tempfile::TempDir) -> (Site<SqliteStore>, Vec<TestDevice>) {
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    let mut site = Site::small_on(seed, store).await;
    let mut patients = Vec::new();
    for number in 0..5 {
        patients.push(site.patient(&format!("patient {number}")).await);
    }
    (site, patients)
}

/// Full and read-only in turns: every push is refused whole with its own code, nothing gets a
/// receipt that is not on the disk, reading goes on, and all of it arrives afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_08_a_server_that_cannot_write_stores_nothing_by_halves_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (site, mut patients) = site(800, &folder).await;
    let store = site.server.store.clone();
    for days_offline in [0, 30] {
        site.clock.advance_ms(days_offline * 86_400_000);
        for patient in &mut patients {
            patient.client.sync().await.unwrap();
            let chart = patient.chart();
            patient.client.capture(chart, note(&"a long day ".repeat(2_000))).await.unwrap();
            patient.client.attach(chart, vec![5; 300_000].as_slice(), "image/png", "scan").await.unwrap();
        }
        let held = store.olog_size().await.unwrap();
        store.set_read_only(true);
        for patient in &mut patients {
            let report = patient.client.sync().await.unwrap();
            assert_eq!((report.pushed, report.unsent), (0, 2), "{report:?}");
            assert!(refused_with(&report.problems, ErrorCode::ReadOnly), "{report:?}");
            assert_eq!(patient.client.status().unwrap().saved_here, 2);
        }
        store.set_read_only(false);
        let now = store.stats().await.unwrap();
        // A few pages for tokens; no room for blobs of 300 kB.
        store.set_max_bytes(Some(now.store_bytes + 4 * u64::from(PAGE_BYTES))).await.unwrap();
        let (mut full, mut fitted) = (0, 0);
        for patient in &mut patients {
            let report = patient.client.sync().await.unwrap();
            assert_eq!(report.pushed + report.unsent, 2, "whole pushes or nothing: {report:?}");
            fitted += report.pushed;
            full += usize::from(refused_with(&report.problems, ErrorCode::StorageFull));
        }
        assert_eq!(full, 5, "no blob and few pushes fit");
        assert_eq!(store.olog_size().await.unwrap(), held + fitted, "nothing was half stored");
        assert!(store.integrity_check().await.unwrap().is_sound());
        store.set_max_bytes(None).await.unwrap();
        for patient in &mut patients {
            // Tokens that could not be renewed meanwhile are replaced at the first meeting.
            patient.client.sync().await.unwrap();
            patient.sync().await;
            assert_eq!(patient.client.status().unwrap().saved_here, 0);
        }
        assert_eq!(store.olog_size().await.unwrap(), held + 10);
        assert!(store.integrity_check().await.unwrap().is_sound());
    }
}
