-- Blobs in chunks, and how much charts and devices store. The server reads neither: chunks are
-- ciphertext under keys that stand in sealed entries.

-- What one device sent of a blob. complete: the chunks were all there and had the address.
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    chart BLOB NOT NULL CHECK (length(chart) = 16),
    address BLOB NOT NULL CHECK (length(address) = 32),
    device BLOB NOT NULL CHECK (length(device) = 16),
    sealed_size INTEGER NOT NULL CHECK (sealed_size >= 16),
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    touched_at INTEGER NOT NULL,
    UNIQUE (chart, address, device)
) STRICT;
CREATE INDEX blob_by_device ON blob (device, complete);
CREATE INDEX blob_by_rest ON blob (complete, touched_at);

CREATE TABLE blob_chunk (
    blob INTEGER NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    chunk INTEGER NOT NULL CHECK (chunk >= 0),
    bytes BLOB NOT NULL,
    PRIMARY KEY (blob, chunk)
) STRICT;

-- kind: 1 chart, 2 device. Bytes of envelopes, and of blobs with those that are still being sent.
CREATE TABLE storage_use (
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    owner BLOB NOT NULL CHECK (length(owner) = 16),
    operation_bytes INTEGER NOT NULL CHECK (operation_bytes >= 0),
    blob_bytes INTEGER NOT NULL CHECK (blob_bytes >= 0),
    PRIMARY KEY (kind, owner)
) STRICT, WITHOUT ROWID;

-- What was stored before. An envelope that was cut lacks 16 bytes of the chart, 16 of the device and
-- 32 of the entry.
INSERT INTO storage_use (kind, owner, operation_bytes, blob_bytes)
SELECT 1, s.chart, sum(length(o.envelope) + CASE WHEN o.cut IS NULL THEN 0 ELSE 64 END), 0
FROM operation o JOIN chart s ON s.id = o.chart GROUP BY s.chart;
INSERT INTO storage_use (kind, owner, operation_bytes, blob_bytes)
SELECT 2, d.device, sum(length(o.envelope) + CASE WHEN o.cut IS NULL THEN 0 ELSE 64 END), 0
FROM operation o JOIN chain c ON c.id = o.chain JOIN device d ON d.id = c.device GROUP BY d.device;
