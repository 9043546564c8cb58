//! The local store: what the rows hold, and how they are sealed.

mod batch;
mod blob_records;
mod drop_records;
mod memory_records;
mod records;
mod sealed_rows;
mod table;

pub(crate) use batch::Batch;
pub(crate) use blob_records::*;
pub(crate) use drop_records::*;
pub(crate) use memory_records::*;
pub(crate) use records::*;
pub(crate) use sealed_rows::SealedRows;
pub(crate) use table::Table;
