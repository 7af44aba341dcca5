-- API keys of bots and backends; `rooms` is a JSON array, null for no limit.

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    name TEXT NOT NULL,
    rooms TEXT,
    read_only INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
