"""The log in one SQLite file: one thread writes in groups, a few read, nobody waits for the disk."""

from kodama.store.sqlite.backup import backup, restore
from kodama.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "backup", "restore"]
