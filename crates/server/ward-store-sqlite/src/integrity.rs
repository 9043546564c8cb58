//! Reads everything back and compares it: the file, the references, each hash, each place, the
//! heads.

use crate::columns::all;
use crate::fault::Fault;
use crate::log_state::log_size;
use crate::mlog::entries;
use crate::olog::operations_from;
use crate::reopening::reopened;
use crate::sql;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use ward_store::limits::FINDINGS_MAX;
use ward_store::{IntegrityReport, LogName};

/// Operations compared at a time.
const STEP: u32 = 1_000;

/// Checks the whole store in one snapshot.
pub(crate) fn check(conn: &Connection) -> Result<IntegrityReport, Fault> {
    let mut report = IntegrityReport::default();
    file(conn, &mut report)?;
    operations(conn, &mut report)?;
    membership(conn, &mut report)?;
    heads(conn, &mut report)?;
    report.findings.truncate(FINDINGS_MAX);
    Ok(report)
}

fn note(report: &mut IntegrityReport, finding: String) {
    // One more than the limit is enough to know that there are more.
    if report.findings.len() <= FINDINGS_MAX {
        report.findings.push(finding);
    }
}

fn file(conn: &Connection, report: &mut IntegrityReport) -> Result<(), Fault> {
    for line in all(conn, sql::FILE_CHECK, [], |row| row.get::<_, String>(0))? {
        if line != "ok" {
            note(report, format!("file: {line}"));
        }
    }
    for table in all(conn, sql::REFERENCE_CHECK, [], |row| row.get::<_, String>(0))? {
        note(report, format!("{table}: a row refers to nothing"));
    }
    for chain in all(conn, sql::CHAIN_CHECK, [], |row| row.get::<_, i64>(0))? {
        note(report, format!("chain {chain}: its operations do not lead to its head"));
    }
    Ok(())
}

fn operations(conn: &Connection, report: &mut IntegrityReport) -> Result<(), Fault> {
    // A log that was opened again begins with the end of the one before it.
    report.operations = u64::from(reopened(conn)?.is_some());
    loop {
        let step = operations_from(conn, report.operations, STEP)?;
        for operation in &step {
            if operation.index != report.operations {
                note(report, format!("operation {}: it is missing", report.operations));
            }
            if Sha256::digest(&operation.bytes).as_slice() != operation.envelope_hash.as_bytes() {
                note(report, format!("operation {}: the bytes are not those of the leaf", operation.index));
            }
            report.operations = operation.index + 1;
        }
        if step.len() < STEP as usize {
            return Ok(());
        }
    }
}

fn membership(conn: &Connection, report: &mut IntegrityReport) -> Result<(), Fault> {
    loop {
        let step = entries(conn, report.mlog_entries, u64::MAX)?;
        if step.is_empty() {
            return Ok(());
        }
        for entry in &step {
            if entry.index != report.mlog_entries {
                note(report, format!("membership entry {}: it is missing", report.mlog_entries));
            }
            if Sha256::digest(&entry.bytes).as_slice() != entry.entry_hash.as_bytes() {
                note(
                    report,
                    format!("membership entry {}: the bytes are not those of the leaf", entry.index),
                );
            }
            report.mlog_entries = entry.index + 1;
        }
    }
}

fn heads(conn: &Connection, report: &mut IntegrityReport) -> Result<(), Fault> {
    for log in [LogName::Mlog, LogName::Olog] {
        let size = log_size(conn, log)?;
        for head in crate::log_state::head_sizes(conn, log)? {
            if head > size {
                note(
                    report,
                    format!("{}: a head of {head} leaves was signed, {size} are there", log.as_str()),
                );
            }
        }
    }
    Ok(())
}
