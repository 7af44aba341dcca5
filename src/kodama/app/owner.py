"""``kodama owner``: another link that makes somebody the server's owner."""

from __future__ import annotations

from pathlib import Path
from secrets import token_urlsafe

import click

from kodama.app.beside import opened


@click.command()
@click.option(
    "--url", default="http://127.0.0.1:8080", envvar="KODAMA_URL", show_default=True, help="The server."
)
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
def owner(url: str, data: Path | None) -> None:
    """Print a link that makes whoever opens it an owner of the server, once.

    Links that were printed before and not used work no more.
    """
    from kodama.order.members import CODE_BYTES, owner_link

    code = token_urlsafe(CODE_BYTES)
    with opened(data, "records") as (records, transaction):
        records.write(transaction, [owner_link(code)])
    click.echo(f"{url.rstrip('/')}/#owner={code}")
