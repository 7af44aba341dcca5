"""Real PostgreSQL, NATS and Redis servers for tests, from Debian's packages: started on free
loopback ports when first asked for, stopped when the tests end."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import pytest

from tests.ports import free_port

PATIENCE = 60.0
_numbers = count(1)


def until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    """Wait until ``condition`` holds; fail by name if it never does."""
    end = monotonic() + patience
    while not condition():
        if monotonic() > end:
            pytest.fail(f"{what} did not happen within {patience:g} s")
        sleep(0.02)


def answers(port: int) -> bool:
    """Return whether somebody listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """One PostgreSQL server with a data directory of its own; of ``primary``, if one is given, a replica
    without which that one acknowledges nothing."""

    def __init__(self, *, primary: Postgres | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kodama-pg-"))
        self.port = free_port()
        self._bin = _newest_postgres()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.room: Path | None = None
        if primary is None:
            self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "kodama", "-E", "UTF8", "--no-sync")
        else:
            moved = [] if primary.room is None else ["-T", f"{primary.room}={self.folder}/room"]
            self._run("pg_basebackup", "-D", str(self.folder / "data"), "-h", "127.0.0.1", "-p", str(primary.port),
                      "-U", "kodama", "-R", "-c", "fast", "--no-sync", *moved)
        self.start()
        if primary is not None:
            primary.wait_for_a_replica()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop the server: ``fast``, or ``immediate`` as a crash would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def promote(self) -> None:
        """Let the database go on as a recovered copy of itself does: on a new timeline."""
        self.stop()
        self._run("sh", "-c", f"echo \"restore_command = 'false'\" >> {self.folder}/data/postgresql.auto.conf && "
                              f"touch {self.folder}/data/recovery.signal")
        self.start()
        until(lambda: self._ask("SELECT pg_is_in_recovery()") == "f", "the promotion")

    def wait_for_a_replica(self) -> None:
        """Acknowledge nothing from now on that a replica has not got, too."""
        self._ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._ask("SELECT pg_reload_conf()")
        until(lambda: self._ask("SELECT sync_state FROM pg_stat_replication") == "sync", "a replica that keeps up")

    def take_over(self) -> None:
        """Be no replica any more, but the database itself."""
        self._ask("ALTER SYSTEM RESET synchronous_standby_names")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "promote")
        until(lambda: self._ask("SELECT pg_is_in_recovery()") == "f", "the promotion")

    def make_room(self, size: str) -> str:
        """Return the name of a tablespace on a file system of its own that holds ``size``; needs root."""
        self.room = self.folder / "room"
        self.room.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.room)], check=True)
        shutil.chown(self.room, "postgres")
        self._ask(f"CREATE TABLESPACE room LOCATION '{self.room}'")
        return "room"

    def log_statements(self) -> None:
        """Write every statement to the server's log from now on, whoever is connected already, too."""
        self._ask("ALTER SYSTEM SET log_statement = 'all'")
        self._ask("SELECT pg_reload_conf()")
        until(lambda: self._ask("SHOW log_statement") == "all", "the reading of the settings")

    @property
    def pid(self) -> int:
        """The server's main process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def schema(self, *, tablespace: str = "") -> str:
        """Return the URL of a new, empty schema, whose tables are made in ``tablespace``."""
        name = f"t{os.getpid()}_{next(_numbers)}"
        base = f"postgresql://kodama@127.0.0.1:{self.port}/postgres"
        self._run("psql", "-q", "-c", f"CREATE SCHEMA {name}", base)
        options = f"-csearch_path={name} -cdefault_tablespace={tablespace}"
        return f"{base}?options={quote(options, safe='')}"

    def _ask(self, question: str) -> str:
        base = f"postgresql://kodama@127.0.0.1:{self.port}/postgres"
        command = [*self._as, str(self._bin / "psql"), "-qAt", "-c", question, base]
        return subprocess.run(command, cwd="/", text=True, capture_output=True, check=False).stdout.strip()

    def close(self) -> None:
        """Stop the server and remove what it kept."""
        try:
            if (self.folder / "data" / "postmaster.pid").exists():  # else it is stopped already
                self.stop("immediate")
        finally:
            if self.room is not None:
                subprocess.run(["umount", str(self.room)], check=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, program if program == "sh" else str(self._bin / program), *arguments], cwd="/", text=True, check=False,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, f"{program} failed: {done.stdout}"


@cache
def postgres() -> Postgres:
    """Return the tests' PostgreSQL server. Debian's package `postgresql` brings it."""
    server = Postgres()
    atexit.register(server.close)
    return server


def _newest_postgres() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1]


class Daemon:
    """One broker process, from a Debian package, on a port of its own."""

    def __init__(self, scheme: str, *command: str) -> None:
        self.port = free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        if shutil.which(command[0]) is None:
            pytest.fail(f"{command[0]} is not installed: apt-get install {command[0]}")
        self._command = [part.replace("PORT", str(self.port)) for part in command]
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.process = subprocess.Popen(self._command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: answers(self.port), f"the start of {self._command[0]}")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


def nats_server() -> Daemon:
    """Return a NATS server of one's own. Debian's package `nats-server` brings it."""
    return Daemon("nats", "nats-server", "-a", "127.0.0.1", "-p", "PORT")


def redis_server() -> Daemon:
    """Return a Redis server of one's own. Debian's package `redis-server` brings it."""
    return Daemon("redis", "redis-server", "--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
