-- The log of all rooms, and what must stay unique, ended or secret across starts.

CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    topic TEXT NOT NULL,
    access TEXT NOT NULL,
    owner TEXT,
    days INTEGER NOT NULL,
    events INTEGER NOT NULL,
    -- The last event that retention took away: what keeps offsets and time from going back.
    swept INTEGER NOT NULL DEFAULT 0,
    swept_time INTEGER NOT NULL DEFAULT 0
) STRICT;

-- No index by time: within a room time never decreases and offsets have no holes, so the
-- place of a moment is found by halving.
CREATE TABLE events (
    room_id INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    target INTEGER,
    mark TEXT,
    json BLOB NOT NULL,
    PRIMARY KEY (room_id, offset)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_aimed ON events (room_id, target, mark) WHERE target IS NOT NULL;

CREATE TABLE epochs (
    room_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    PRIMARY KEY (room_id, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE nonces (
    room_id INTEGER NOT NULL,
    sender TEXT NOT NULL,
    nonce TEXT NOT NULL,
    id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    time INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (room_id, sender, nonce)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocations (
    session TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    purpose TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;
