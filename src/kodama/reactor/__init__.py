"""A Twisted reactor on uvloop; it knows nothing of chat."""

from __future__ import annotations


def install_best() -> str:
    """Install the fastest reactor there is and return its name.

    uvloop's loop under Twisted's asyncio reactor where uvloop runs, else Twisted's default.
    """
    try:
        import uvloop
    except ImportError:
        from twisted.internet import default

        default.install()
        return "default"
    from twisted.internet import asyncioreactor

    asyncioreactor.install(uvloop.new_event_loop())
    return "uvloop"
