-- What the staff of a chart set beside what an admin or the server set, each ending by itself.

CREATE TABLE staff_suspension (
    device BLOB PRIMARY KEY CHECK (length(device) = 16),
    until INTEGER NOT NULL,
    reason INTEGER NOT NULL CHECK (reason BETWEEN 1 AND 5),
    by_device BLOB CHECK (length(by_device) = 16)
) STRICT, WITHOUT ROWID;
