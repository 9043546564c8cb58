-- The number of a blob is given once. A request that ends an upload was answered from what stood there
-- before; under a number that was given again it would end the upload of somebody else.

CREATE TABLE blob_number (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT;
INSERT INTO blob_number (one, last) SELECT 1, ifnull(max(id), 0) FROM blob;
