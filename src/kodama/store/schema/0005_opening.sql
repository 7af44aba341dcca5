-- One row: the epoch of the newest opening for writing. Whoever opened the file before that and wakes
-- up now finds another one here, in its own transaction, and writes nothing.
CREATE TABLE opening (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
) STRICT;

INSERT INTO opening VALUES (1, '');
