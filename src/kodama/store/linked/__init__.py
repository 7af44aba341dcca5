"""The log of another process of this machine, over the link: one writer, many nodes."""

from kodama.store.linked.store import LinkedStore
from kodama.store.linked.writer import StoreLinks

__all__ = ["LinkedStore", "StoreLinks"]
