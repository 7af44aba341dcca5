"""A Twisted reactor on uvloop with native TCP servers; it knows nothing of chat.

Decides which reactor is best here: ours where uvloop can be imported, else Twisted's default.
"""

from __future__ import annotations


def install_best() -> str:
    """Install the fastest reactor there is and return its name."""
    try:
        import uvloop  # noqa: F401  # only whether it is there
    except ImportError:
        from twisted.internet import default

        default.install()
        return "default"
    from kodama.reactor.uvloop import install

    install()
    return "kodama-uvloop"
