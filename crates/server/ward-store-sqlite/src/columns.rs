//! Between columns and values. SQLite's integers are signed and 64 bits wide.

use crate::fault::Fault;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use ward_id::TimestampMs;
use ward_store::StoreError;

/// An unsigned number for a column; too large a one is refused, never wrapped.
pub(crate) fn int(number: u64, what: &'static str) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::TooLarge { what, limit: i64::MAX as usize })
}

/// The end of a range: beyond what a column holds there is nothing.
pub(crate) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An unsigned number from a column.
pub(crate) fn uint(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// An instant from a column.
pub(crate) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<TimestampMs> {
    row.get(column).map(TimestampMs)
}

/// At most one row of a constant statement.
pub(crate) fn one<T>(
    conn: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Fault> {
    Ok(conn.prepare_cached(sql)?.query_row(params, read).optional()?)
}

/// Exactly one row.
pub(crate) fn single<T>(
    conn: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, Fault> {
    Ok(conn.prepare_cached(sql)?.query_row(params, read)?)
}

/// All rows.
pub(crate) fn all<T>(
    conn: &Connection,
    sql: &'static str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
}

/// Changes rows; says how many.
pub(crate) fn change(conn: &Connection, sql: &'static str, params: impl Params) -> Result<usize, Fault> {
    Ok(conn.prepare_cached(sql)?.execute(params)?)
}
