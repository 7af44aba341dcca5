"""The log in PostgreSQL, shared by any number of nodes."""

from kodama.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
