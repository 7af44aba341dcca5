"""What ``twistd kodama`` calls: options as for ``kodama serve``, the same service."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.application.service import IService
from twisted.python import usage

from kodama.app.settings import BadSetting, Settings


class Options(usage.Options):
    """The options of ``kodama serve``; every setting also as ``KODAMA_…`` in the environment."""

    optParameters = (
        ("host", None, None, "Address to listen on (127.0.0.1)."),
        ("port", None, None, "Port to listen on (8080)."),
        ("data", None, None, "Directory of the store."),
        ("config", None, None, "A TOML file of settings."),
    )


def makeService(options: Options) -> IService:
    """Twisted: return the service; raises `usage.UsageError` for a bad setting."""
    from twisted.internet import reactor

    from kodama.app.assemble import assemble
    from kodama.app.descriptors import fitted

    given = {name: options[name] for name in ("host", "port", "data")}
    config = Path(options["config"]) if options["config"] else None
    try:
        settings = Settings.load(os.environ, config=config, overrides=given)
    except BadSetting as error:
        raise usage.UsageError(str(error)) from None
    if settings.workers > 1:
        raise usage.UsageError("KODAMA_WORKERS: twistd runs one process; several are for kodama serve.")
    service: IService = assemble(fitted(settings), reactor)
    return service
