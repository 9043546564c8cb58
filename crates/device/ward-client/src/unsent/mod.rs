//! Unsent work in a sealed file: the way out for a device that is full, has no network, or may not
//! send any more. The file holds entries with their authors' signatures, drafts, and attachments
//! that the server does not have.

mod export;
mod import;
mod items;

pub use export::{ExportReaders, ExportedWork};
pub use import::{ImportKey, ImportStanding, ImportedEntry, ImportedWork};
