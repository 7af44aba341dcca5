-- API keys of bots and backends; `rooms` is a JSON array, null for no limit.

CREATE TABLE kodama_keys (
    id TEXT PRIMARY KEY,
    digest BYTEA NOT NULL,
    name TEXT NOT NULL,
    rooms TEXT,
    read_only BOOLEAN NOT NULL,
    created BIGINT NOT NULL
);
