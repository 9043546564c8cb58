//! Opening the operation log again, and mending envelopes that the disk damaged.

use crate::columns::{change, int, one, uint};
use crate::fault::Fault;
use crate::olog::operations_from;
use crate::sql;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use ward_id::EnvelopeHash;
use ward_store::ReopenedLog;

/// The log that counts now, if it is not the first.
pub(crate) fn reopened(conn: &Connection) -> Result<Option<ReopenedLog>, Fault> {
    let newest =
        one(conn, sql::REOPENED, [], |row| Ok((uint(row, 0)?, EnvelopeHash::from_bytes(row.get(1)?))))?;
    let Some((number, leaf)) = newest else { return Ok(None) };
    let number = u32::try_from(number).map_err(|_| Fault::corrupt("the number of a log"))?;
    Ok(Some(ReopenedLog { number, leaf }))
}

/// Begins the next log: its leaf comes before all operations, and nothing that was derived from the
/// old one stays. All in one transaction; the same log again changes nothing.
pub(crate) fn reopen(conn: &Connection, log: ReopenedLog) -> Result<(), Fault> {
    let known = reopened(conn)?;
    if known.is_some_and(|known| known.number >= log.number) {
        return Ok(());
    }
    if known.is_none() {
        // By way of the negative numbers, so that no two rows ever want one place.
        change(conn, sql::OPERATIONS_STEP_ASIDE, [])?;
        change(conn, sql::OPERATIONS_STEP_BACK, [])?;
    }
    change(conn, sql::OLOG_HEADS_FORGET, [])?;
    change(conn, sql::OLOG_TILES_FORGET, [])?;
    let number = int(u64::from(log.number), "the number of a log")?;
    change(conn, sql::REOPENING_INSERT, params![number, log.leaf.as_bytes()])?;
    Ok(())
}

/// Puts the right bytes in place of damaged ones; says whether they are those of the leaf.
pub(crate) fn repair(conn: &Connection, index: u64, bytes: &[u8]) -> Result<bool, Fault> {
    let place = int(index, "the operation log")?;
    let leaf: Option<[u8; 32]> = one(conn, sql::OPERATION_LEAF, [place], |row| row.get(0))?;
    let right: [u8; 32] = Sha256::digest(bytes).into();
    if leaf != Some(right) {
        return Ok(false);
    }
    let kept = operations_from(conn, index, 1).ok().and_then(|found| found.into_iter().next());
    if kept.is_none_or(|kept| kept.bytes != bytes) {
        change(conn, sql::OPERATION_MEND, params![place, bytes])?;
    }
    Ok(true)
}
