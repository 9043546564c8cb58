-- How many operations charts and devices store: a device holds a chart up to a number of entries.

ALTER TABLE storage_use ADD COLUMN operations INTEGER NOT NULL DEFAULT 0 CHECK (operations >= 0);

-- What was stored before.
UPDATE storage_use SET operations = (
    SELECT count(*) FROM operation o JOIN chart s ON s.id = o.chart WHERE s.chart = storage_use.owner
) WHERE kind = 1;
UPDATE storage_use SET operations = (
    SELECT count(*) FROM operation o JOIN chain c ON c.id = o.chain JOIN device d ON d.id = c.device
    WHERE d.device = storage_use.owner
) WHERE kind = 2;
