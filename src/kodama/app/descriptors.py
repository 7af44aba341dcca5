"""Every client is an open file: the process asks for as many as its connections need.

The soft limit of most systems is 1024; it is raised as far as the hard limit lets it, and where
that is not enough, the number of connections is lowered to what there is.
"""

from __future__ import annotations

import resource
from dataclasses import replace
from typing import Final

from twisted.logger import Logger

from kodama.app.settings import Settings

SPARE: Final = 128  # the store, its readers, the log, a backup
_log: Final = Logger()


def fitted(settings: Settings) -> Settings:
    """Return ``settings`` with as many connections as this process may open."""
    wanted = settings.connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings
    most = max(1, soft - SPARE)
    _log.warn("This process may open {soft} files, so {most} connections are the most.", soft=soft, most=most)
    return replace(settings, connections=most)
