-- Records: small facts beside the log, each kind with the number of its changes. Whoever writes
-- holds the lock of the kind's row.

CREATE TABLE kodama_kinds (
    kind TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE kodama_records (
    kind TEXT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (kind, key)
);
