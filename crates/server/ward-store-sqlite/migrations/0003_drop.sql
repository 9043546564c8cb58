-- The drop box: entries that devices which may not seal handed over, sealed to staff devices.
-- state: 1 waiting, 2 adopted, 3 declined. A decided row stays for some time as evidence.
CREATE TABLE dropped (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chart BLOB NOT NULL CHECK (length(chart) = 16),
    device BLOB NOT NULL CHECK (length(device) = 16),
    entry_id BLOB NOT NULL CHECK (length(entry_id) = 32),
    received_at INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    decided_at INTEGER,
    decided_by BLOB CHECK (length(decided_by) = 16),
    envelope BLOB NOT NULL,
    UNIQUE (device, entry_id)
) STRICT;
CREATE INDEX dropped_by_chart ON dropped (chart, state);
CREATE INDEX dropped_by_device ON dropped (device, state);
CREATE INDEX dropped_by_decision ON dropped (decided_at);
