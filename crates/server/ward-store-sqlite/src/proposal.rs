//! Membership entries that wait for a second person's signature.

use crate::SqliteStore;
use crate::columns::{all, change, instant, one, single, uint};
use crate::fault::Fault;
use crate::sql;
use rusqlite::{Connection, Row, params};
use ward_id::{DeviceId, MlogEntryHash, Subject, TimestampMs};
use ward_store::limits::{DEVICE_MAX_PROPOSALS, PROPOSAL_MAX_LIFE_MS, SITE_MAX_PROPOSALS};
use ward_store::{ProposalError, ProposalStore, StoreError, StoredProposal};

fn add(conn: &Connection, new: &StoredProposal) -> Result<Result<(), ProposalError>, Fault> {
    if one(conn, sql::PROPOSAL_EXISTS, [new.hash.as_bytes()], |_| Ok(()))?.is_some() {
        return Ok(Ok(()));
    }
    let ran_out = new.received_at.plus_ms(-PROPOSAL_MAX_LIFE_MS);
    change(conn, sql::PROPOSALS_PURGE, [ran_out.0])?;
    let waiting = single(conn, sql::PROPOSAL_COUNT, [], |row| uint(row, 0))?;
    if waiting >= SITE_MAX_PROPOSALS as u64 {
        return Ok(Err(ProposalError::TooMany));
    }
    let own = single(conn, sql::PROPOSAL_COUNT_OF, [new.proposer.as_bytes()], |row| uint(row, 0))?;
    if own >= DEVICE_MAX_PROPOSALS as u64 {
        return Ok(Err(ProposalError::TooManyOfProposer));
    }
    let (hash, subject, proposer) = (new.hash.as_bytes(), new.subject.as_bytes(), new.proposer.as_bytes());
    change(conn, sql::PROPOSAL_INSERT, params![hash, subject, proposer, new.received_at.0, new.bytes])?;
    Ok(Ok(()))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredProposal> {
    Ok(StoredProposal {
        hash: MlogEntryHash::from_bytes(row.get(0)?),
        subject: Subject::from_bytes(row.get(1)?),
        proposer: DeviceId::from_bytes(row.get(2)?),
        received_at: instant(row, 3)?,
        bytes: row.get(4)?,
    })
}

impl ProposalStore for SqliteStore {
    async fn add_proposal(&self, proposal: StoredProposal) -> Result<(), ProposalError> {
        self.inner.writer.write(proposal.bytes.len(), move |conn| add(conn, &proposal)).await?
    }

    async fn proposals(&self) -> Result<Vec<StoredProposal>, StoreError> {
        self.inner.readers.read(|conn| all(conn, sql::PROPOSALS, [], stored)).await
    }

    async fn purge_proposals(&self, before: TimestampMs) -> Result<u64, StoreError> {
        let purge = move |conn: &Connection| change(conn, sql::PROPOSALS_PURGE, [before.0]);
        Ok(self.inner.writer.write(0, purge).await? as u64)
    }

    async fn remove_proposal(&self, hash: MlogEntryHash) -> Result<bool, StoreError> {
        let remove = move |conn: &Connection| change(conn, sql::PROPOSAL_REMOVE, [hash.as_bytes()]);
        Ok(self.inner.writer.write(0, remove).await? > 0)
    }
}
