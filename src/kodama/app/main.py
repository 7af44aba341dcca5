"""The command ``kodama``. The only file that touches the global reactor."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from kodama import __version__
from kodama.app.accounts import account
from kodama.app.archive import export_command, import_command
from kodama.app.doctor import doctor
from kodama.app.greeting import code, reachable
from kodama.app.keys import key
from kodama.app.owner import owner
from kodama.app.settings import BadSetting, Settings
from kodama.app.verify import verify_command
from kodama.app.words import Spoken, said
from kodama.client import Client, ClientFault, CursorFile, Event, Wants

if TYPE_CHECKING:  # they bring the reactor with them, and so wait until there is one to serve
    from kodama.app.service import KodamaService
    from kodama.app.workers.part import Part

DEFAULT_URL = "http://127.0.0.1:8080"
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


@click.group(cls=Spoken, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kodama")
def main() -> None:
    """A chat and live-event server that never loses a message.

    \b
    kodama serve                    open a room at http://127.0.0.1:8080/
    kodama send lobby "hello"       say something
    kodama tail lobby               listen
    kodama doctor URL               examine a server through its proxies
    """  # noqa: D301 - a backspace, by which click keeps lines as they are


main.add_command(key)
main.add_command(owner)
main.add_command(account)
main.add_command(doctor)
main.add_command(export_command)
main.add_command(import_command)


@main.command()
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (8080; 0 takes a free one).")
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
@click.option("--workers", type=int, help="Processes that share the port (1).")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file of settings.")
def serve(
    host: str | None, port: int | None, data: Path | None, workers: int | None, config: Path | None
) -> None:
    """Open the server and serve until it is told to stop (SIGTERM, Ctrl-C).

    Every setting can also be given as KODAMA_… in the environment.
    """
    try:
        settings = Settings.load(
            os.environ, config=config,
            overrides={"host": host, "port": port, "data": data, "workers": workers},
        )
    except BadSetting as error:
        _fail(str(error))
    sys.exit(_serve(settings))


@main.command()
@click.argument("room")
@click.argument("text")
@click.option("--url", default=DEFAULT_URL, envvar="KODAMA_URL", show_default=True, help="The server.")
@click.option("--name", help="Name to speak under.")
def send(room: str, text: str, url: str, name: str | None) -> None:
    """Send TEXT to ROOM; - reads the text from standard input.

    It is sent again, under one nonce, until the server has it: never lost, never doubled.
    """
    words = sys.stdin.read().rstrip("\n") if text == "-" else text
    try:
        with Client(url, name=name, tries=5) as client:
            client.room(room).send(words)
    except ClientFault as error:
        _fail(said("Not sent: {error}", error=error))


@main.command()
@click.argument("room")
@click.option("--url", default=DEFAULT_URL, envvar="KODAMA_URL", show_default=True, help="The server.")
@click.option("--since", default="last:20", show_default=True, help="now, all, last:N, 10m, or a cursor.")
@click.option("--json", "lines", flag_value="json", default=None, help="One event per line as JSON.")
@click.option("--no-follow", "follow", flag_value="no", default="yes", help="End when all is shown.")
@click.option("--state", type=click.Path(path_type=Path), help="File that keeps the cursor between runs.")
def tail(room: str, url: str, since: str, lines: str | None, follow: str, state: Path | None) -> None:
    """Show what is said in ROOM, and go on, through restarts of the server."""
    wants = Wants(since=since, cursor_file=None if state is None else CursorFile(state))
    try:
        with Client(url, tries=5) as client:
            reading = client.room(room).read(wants)
            for event in reading if follow == "yes" else reading.catch_up():
                line = _json(event) if lines else _line(event)
                if line:
                    click.echo(line)
    except ClientFault as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
def backup(target: Path, data: Path | None) -> None:
    """Write a copy of the store to the file TARGET, also while the server runs."""
    from kodama.store.interface import StoreDamaged, StoreUnavailable
    from kodama.store.sqlite import backup as copy

    try:
        copy(_store_file(data), target)
    except (BadSetting, StoreDamaged, StoreUnavailable, OSError) as error:
        _fail(said("No backup was made: {error}", error=error))
    _out.print(said("Copied to {target}.", target=escape(str(target))))


@main.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), help="Directory of the store.")
def restore(source: Path, data: Path | None) -> None:
    """Put the backup SOURCE in the place of the store; the server must not be running."""
    from kodama.store.interface import StoreDamaged, StoreUnavailable
    from kodama.store.sqlite import restore as put_back

    try:
        put_back(source, _store_file(data))
    except (BadSetting, StoreDamaged, StoreUnavailable, OSError) as error:
        _fail(said("Nothing was restored: {error}", error=error))
    _out.print(said("Restored from {source}.", source=escape(str(source))))


main.add_command(verify_command)


def _serve(settings: Settings) -> int:
    from kodama.app import systemd
    from kodama.app.workers.part import part_of

    part = part_of(os.environ)
    try:
        given = systemd.inherited(os.environ, process=os.getpid())  # before Twisted takes the variables
    except OSError as problem:
        _fail(str(problem))
    if part is not None:
        return _serve_part(settings, part)
    if settings.workers > 1:
        return _supervise(settings, given)
    return _serve_alone(settings, given)


def _serve_alone(settings: Settings, given: int | None) -> int:
    from kodama.reactor import install_best

    install_best()
    from twisted.internet import reactor
    from twisted.python import log

    from kodama.app import systemd
    from kodama.app.assemble import assemble
    from kodama.app.descriptors import fitted
    from kodama.app.process import Process

    log.startLogging(sys.stderr, setStdout=False)
    process = Process(reactor)

    def begin() -> None:
        service = assemble(fitted(settings), reactor, inherited=given)
        process.at_the_end(lambda: _stop(service))
        service.startService()
        systemd.notify("READY=1", os.environ)
        _welcome(service)

    return process.run(begin)


def _serve_part(settings: Settings, part: Part) -> int:
    """Be one process of several."""
    from kodama.reactor import install_best

    install_best()
    from twisted.internet import reactor

    from kodama.app.process import Process
    from kodama.app.workers.part import WRITER, log_as
    from kodama.app.workers.worker import run_worker
    from kodama.app.workers.writer import run_writer

    log_as(part.name, sys.stderr)
    if part.number == WRITER:
        return run_writer(settings, part, Process(reactor))
    return run_worker(settings, part, Process(reactor), greet=_welcome)


def _supervise(settings: Settings, given: int | None) -> int:
    from twisted.internet import reactor

    from kodama.app.process import Process
    from kodama.app.workers.family import run_family

    try:
        return run_family(settings, Process(reactor), inherited=given)
    except BadSetting as problem:
        _fail(str(problem))
        raise


def _stop(service: KodamaService) -> Any:
    from kodama.app import systemd

    systemd.notify("STOPPING=1", os.environ)
    return service.stopService() if service.running else None


def _welcome(service: KodamaService) -> None:
    """Say where the server is and, while nobody owns it, how to."""
    from twisted.python import log

    _greet(service.address())
    offering: Any = service.owner_code()
    offering.addCallback(_offer, reachable(service.address()) or service.address()).addErrback(log.err)


def _greet(address: str) -> None:
    """Say where the server is, and to others on the network how to get there."""
    _out.print(said("Kodama is open at [bold]{address}[/]", address=address))
    others = reachable(address)
    if others is not None:
        _out.print(said("Others on your network: [bold]{address}[/]", address=others))
        click.echo(code(others))
    sys.stdout.flush()


def _offer(code: str | None, address: str) -> None:
    """Print the link that makes somebody the server's owner, once, while nobody is."""
    if code is not None:
        _out.print(
            said(
                "To own it, open this once, as whoever you want to be there: {address}#owner={code}",
                address=address, code=code,
            )
        )  # fmt: skip
        sys.stdout.flush()


def _store_file(data: Path | None) -> Path:
    from kodama.app.ground import STORE_FILE

    return Path(Settings.load(os.environ, overrides={"data": data}).data) / STORE_FILE


def _line(event: Event) -> str | None:
    if event.type == "gap":
        first, last = event.lost
        return said("--- missing: {first} to {last} ({reason})", first=first, last=last, reason=event.reason)
    if event.type != "message" or event.deleted:
        return None
    words = event.text if event.text is not None else json.dumps(event.data, ensure_ascii=False)
    return f"{event.time[11:16]} {_plain(event.author.name)}: {_plain(words)}"


def _json(event: Event) -> str:
    """Return the event as JSON with readable letters, but nothing that a terminal would obey."""
    text = json.dumps(event.raw, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _plain(text: str) -> str:
    """Return ``text`` without what a terminal would obey; further lines are indented."""
    return "".join(
        char if char.isprintable() else "\n      " if char == "\n" else f"\\x{ord(char):02x}" for char in text
    )


def _fail(sentence: str) -> Any:
    _err.print(f"[red]kodama:[/] {escape(sentence)}")
    sys.exit(1)
