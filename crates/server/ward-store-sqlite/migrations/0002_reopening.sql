-- Operation logs that were opened again after a restore. The newest row's leaf stands at place 0 of
-- the log that counts now; operations come after it.
CREATE TABLE reopening (
    number INTEGER PRIMARY KEY CHECK (number >= 2),
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;
