-- The store of one site: ciphertext, hashes and the metadata of the protocol. No column holds
-- anything of a person: people are random ids, and what they wrote is sealed.

-- Ids of 16 bytes that come with every operation are kept once and named by a small number.
CREATE TABLE chart (
    id INTEGER PRIMARY KEY,
    chart BLOB NOT NULL UNIQUE CHECK (length(chart) = 16)
) STRICT;

CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    device BLOB NOT NULL UNIQUE CHECK (length(device) = 16)
) STRICT;

-- One chain: a chart, a device and one life of the device's store, with its newest entry.
-- incarnation is an unsigned 64-bit number, kept with the same bits.
CREATE TABLE chain (
    id INTEGER PRIMARY KEY,
    chart INTEGER NOT NULL REFERENCES chart (id),
    device INTEGER NOT NULL REFERENCES device (id),
    incarnation INTEGER NOT NULL,
    head_seq INTEGER NOT NULL CHECK (head_seq >= 1),
    head_entry BLOB NOT NULL CHECK (length(head_entry) = 32),
    UNIQUE (chart, device, incarnation)
) STRICT;

-- The operation log. envelope lacks the chart, the device and the entry id if cut says where they
-- were; then it is joined again when read.
CREATE TABLE operation (
    olog_index INTEGER PRIMARY KEY,
    chart INTEGER NOT NULL REFERENCES chart (id),
    chain INTEGER NOT NULL REFERENCES chain (id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    received_at INTEGER NOT NULL,
    entry_id BLOB NOT NULL CHECK (length(entry_id) = 32),
    envelope_hash BLOB NOT NULL CHECK (length(envelope_hash) = 32),
    cut BLOB CHECK (length(cut) = 3),
    envelope BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX operation_by_place ON operation (chain, seq);
CREATE INDEX operation_by_chart ON operation (chart);

-- The membership log.
CREATE TABLE mlog_entry (
    mlog_index INTEGER PRIMARY KEY,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    entry_hash BLOB NOT NULL UNIQUE CHECK (length(entry_hash) = 32),
    received_at INTEGER NOT NULL,
    entry BLOB NOT NULL
) STRICT;

CREATE TABLE epoch_package (
    chart BLOB NOT NULL CHECK (length(chart) = 16),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    package_hash BLOB NOT NULL CHECK (length(package_hash) = 32),
    mlog_index INTEGER NOT NULL REFERENCES mlog_entry (mlog_index),
    package BLOB NOT NULL,
    PRIMARY KEY (chart, epoch)
) STRICT;
CREATE INDEX epoch_package_by_entry ON epoch_package (mlog_index);

-- log: 1 membership, 2 operations. kind: 1 signed, 2 cosigned.
CREATE TABLE checkpoint (
    log INTEGER NOT NULL CHECK (log IN (1, 2)),
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB NOT NULL,
    PRIMARY KEY (log, kind)
) STRICT, WITHOUT ROWID;

-- Full tiles in four parts of 64 hashes: a whole tile would fill half a page and waste the rest.
CREATE TABLE tile (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL CHECK (log IN (1, 2)),
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 63),
    tile_index INTEGER NOT NULL CHECK (tile_index >= 0),
    part INTEGER NOT NULL CHECK (part BETWEEN 0 AND 3),
    hashes BLOB NOT NULL CHECK (length(hashes) = 2048),
    UNIQUE (log, level, tile_index, part)
) STRICT;

-- state: 1 open, 2 redeemed, 3 certified, 4 declined, 5 void, 6 burnt, 7 expired.
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY,
    ticket BLOB NOT NULL UNIQUE CHECK (length(ticket) = 16),
    issuer BLOB NOT NULL CHECK (length(issuer) = 16),
    sealed_srv BLOB NOT NULL,
    role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 255),
    chart BLOB CHECK (length(chart) = 16),
    not_after INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
    wrong_proofs INTEGER NOT NULL CHECK (wrong_proofs >= 0),
    blob BLOB,
    redeemed_at INTEGER
) STRICT;
CREATE INDEX ticket_by_issuer ON ticket (issuer);
CREATE INDEX ticket_by_state ON ticket (state, not_after);

CREATE TABLE refresh_family (
    family BLOB PRIMARY KEY CHECK (length(family) = 16),
    device BLOB NOT NULL CHECK (length(device) = 16),
    jkt BLOB NOT NULL CHECK (length(jkt) = 32),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_family_by_device ON refresh_family (device);
CREATE INDEX refresh_family_by_end ON refresh_family (expires_at);

CREATE TABLE refresh_token (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    family BLOB NOT NULL REFERENCES refresh_family (family) ON DELETE CASCADE,
    generation INTEGER NOT NULL CHECK (generation >= 0),
    used_at INTEGER,
    UNIQUE (family, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_session (
    device BLOB PRIMARY KEY CHECK (length(device) = 16),
    session_version INTEGER NOT NULL CHECK (session_version >= 0)
) STRICT, WITHOUT ROWID;

-- reason: 1 lost, 2 stolen, 3 suspected misuse, 4 containment, 5 requested.
CREATE TABLE device_suspension (
    device BLOB PRIMARY KEY CHECK (length(device) = 16),
    until INTEGER NOT NULL,
    reason INTEGER NOT NULL CHECK (reason BETWEEN 1 AND 5),
    by_device BLOB CHECK (length(by_device) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposal (
    id INTEGER PRIMARY KEY,
    entry_hash BLOB NOT NULL UNIQUE CHECK (length(entry_hash) = 32),
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    proposer BLOB NOT NULL CHECK (length(proposer) = 16),
    received_at INTEGER NOT NULL,
    entry BLOB NOT NULL
) STRICT;

-- The server's own values, sealed where they are secret.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
