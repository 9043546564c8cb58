//! Schedules that once broke a promise. Each file is named after what it broke.

use std::path::Path;
use ward_testkit::sim::{Fault, Rows, Schedule, Template, run, schedule};

#[tokio::test]
async fn kept_schedules_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/sim");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "schedule"));
    paths.sort();
    assert!(!paths.is_empty(), "there are kept schedules");
    let template = Template::in_memory().await;
    for path in paths {
        let kept: Schedule = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let outcome = run(&template, &kept, Rows::Memory).await;
        assert_eq!(outcome.failure, None, "{}", path.display());
    }
}

#[tokio::test]
async fn the_same_schedule_gives_the_same_outcome_in_memory_and_in_files() {
    let template = Template::in_memory().await;
    let folder = tempfile::tempdir().unwrap();
    for seed in [3, 200] {
        let made = schedule(seed, Fault::ALL);
        let first = run(&template, &made, Rows::Memory).await;
        let again = run(&template, &made, Rows::Memory).await;
        assert_eq!((&first.tally, &first.failure), (&again.tally, &again.failure));
        let files = run(&template, &made, Rows::Files(folder.path().to_path_buf())).await;
        assert_eq!((&first.tally, &first.failure), (&files.tally, &files.failure));
        assert!(first.tally.requests > 50 && first.tally.entries >= 30, "{:?}", first.tally);
    }
}

#[tokio::test]
async fn a_schedule_without_a_fault_has_none_in_its_tally() {
    let template = Template::in_memory().await;
    let quiet: Schedule =
        "ward schedule 1\nseed 7\nwrite phone note\nsync phone\nsync nurse\nwrite nurse plan\nsync nurse\n"
            .parse()
            .unwrap();
    let outcome = run(&template, &quiet, Rows::Memory).await;
    assert_eq!(outcome.failure, None);
    assert_eq!((outcome.tally.entries, outcome.tally.faults_happened()), (2, 0));
}
