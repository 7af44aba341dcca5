"""The settings: each with its name, default and reason, from file, environment or command line.

Precedence: command line, ``KODAMA_…`` in the environment, the configuration file (TOML), the
default. A value that cannot be right is refused at start, by name.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from kodama.core.errors import BadRequest
from kodama.core.origins import site_origin

_TAKEN: Final = frozenset(("host", "cookie", "origin", "accept", "authorization", "content-length"))


class BadSetting(Exception):
    """A setting is unknown or its value cannot be right; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: ``read`` turns text into its value or raises ValueError."""

    name: str
    default: object
    help: str
    read: Callable[[str], object]

    @property
    def env(self) -> str:
        """Return the name of its environment variable."""
        return f"KODAMA_{self.name.upper()}"


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"is not between {low:g} and {high:g}")
        return value

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"is not between {low} and {high}")
        return value

    return read


def _yes_or_no(text: str) -> bool:
    known = {
        "yes": True,
        "true": True,
        "on": True,
        "1": True,
        "no": False,
        "false": False,
        "off": False,
        "0": False,
    }
    if text.lower() not in known:
        raise ValueError("is neither yes nor no")
    return known[text.lower()]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _origins(text: str) -> tuple[str, ...]:
    try:
        return tuple(site_origin(one) for one in _list(text))
    except BadRequest as error:
        raise ValueError(f"is not right: {error.detail}") from None


def _networks(text: str) -> tuple[str, ...]:
    found = _list(text)
    for one in found:
        try:
            ip_network(one)
        except ValueError:
            raise ValueError(f"names {one}, which is no network,") from None
    return found


def _site_keys(text: str) -> tuple[str, ...]:
    found = _list(text)
    for one in found:
        if len(one.split()) != 3:
            raise ValueError("names a key that is not ISSUER ALGORITHM SOURCE,")
    return found


def _store(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://")) and text not in ("sqlite", "memory"):
        raise ValueError("is neither sqlite, memory nor a postgresql:// address")
    return text


def _bus(text: str) -> str:
    if text not in ("local", "postgresql") and not text.startswith(("nats://", "tls://", "redis://", "rediss://")):
        raise ValueError("is neither local, postgresql, nor a nats:// or redis:// address")
    return text


def _forwarding(text: str) -> str:
    known = ("x-forwarded-for", "x-real-ip", "forwarded")
    if text.lower() not in known:
        raise ValueError(f"is none of {', '.join(known)}")
    return text.lower()


def _field(text: str) -> str:
    if text and (not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text) or text.lower() in _TAKEN):
        raise ValueError("is no header that could name a user")
    return text.lower()


def _exemption(text: str) -> str:
    if text not in ("", "loopback"):
        raise ValueError("is neither empty nor loopback")
    return text


def default_data(environ: Mapping[str, str]) -> Path:
    """Return the data directory by the XDG base directory specification."""
    home = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", ".")) / ".local" / "share"
    return Path(home) / "kodama"


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("host", "127.0.0.1", "Address to listen on; 0.0.0.0 or :: for everybody.", str),
    Setting("port", 8080, "TCP port; 0 takes any that is free.", _whole(0, 65535)),
    Setting(
        "workers", 1, "Processes that share the port, beside one that writes; 1 is a single process.",
        _whole(1, 64),
    ),
    Setting("tls_cert", "", "PEM file of a certificate and its chain: then TLS ends here.", str),
    Setting("tls_key", "", "PEM file of the certificate's key, without a passphrase.", str),
    Setting("data", None, "Directory of the store; by default kodama below XDG_DATA_HOME.", Path),
    Setting(
        "store", "sqlite",
        "Where events are kept: sqlite, memory (forgets at the end), or postgresql://….", _store,
    ),
    Setting("bus", "local", "How nodes hear of each other: local, postgresql, nats://…, redis://….", _bus),
    Setting("hosts", (), "Names this server answers for, comma-separated; * for all.", _list),
    Setting("origins", (), "Foreign sites (https://example.com) whose pages may write.", _list),
    Setting(
        "embed_sites", (), "Foreign sites (https://example.com) whose pages may show any room in a frame.",
        _origins,
    ),
    Setting(
        "trusted_proxies",
        ("127.0.0.0/8", "::1/128"),
        "Networks whose forwarding headers are believed.",
        _networks,
    ),
    Setting(
        "forwarding_header", "x-forwarded-for",
        "The one header in which proxies are believed: x-forwarded-for, x-real-ip or forwarded.", _forwarding,
    ),
    Setting(
        "user_header", "", "The header in which trusted proxies name their signed-in user; none if empty.",
        _field,
    ),
    Setting("limit_exempt", "loopback", "Who meets no rate limit: loopback, or nobody if empty.", _exemption),
    Setting("guests", default=True, help="Whether people without an account may write.", read=_yes_or_no),
    Setting("accounts", default=True, help="Whether people may make accounts.", read=_yes_or_no),
    Setting(
        "jwt_keys", (),
        "Keys of sites that vouch for their people: ISSUER ALGORITHM SECRET-OR-FILE, or ISSUER JWKS ADDRESS.",
        _site_keys,
    ),
    Setting("jwt_audience", "", "What a site's tokens must name as their audience (aud), if anything.", str),
    Setting("create_rooms", default=True, help="Whether the first message creates a room.", read=_yes_or_no),
    Setting("jsonp", default=True, help="Whether reads are answered as JSONP.", read=_yes_or_no),
    Setting("legacy", default=True, help="Whether the door of 2011 is open.", read=_yes_or_no),
    Setting(
        "hooks_private", default=False, read=_yes_or_no,
        help="Whether webhooks may be sent to addresses that are not public.",
    ),
    Setting(
        "push_private", default=False, read=_yes_or_no,
        help="Whether push services may have addresses that are not public, and no TLS.",
    ),
    Setting("test_echo", default=False, help="Whether /v1/echo echoes WebSocket.", read=_yes_or_no),
    Setting("hold", 25.0, "Seconds a poll waits; below the 30 and 60 s of proxies.", _number(1, 120)),
    Setting("body_limit", 65536, "Bytes of a request's body; above any typed message.", _whole(1024, 2**30)),
    Setting("files", None, "Folder of files that people send; by default files in the data directory.", Path),
    Setting("file_limit", 10 * 1024 * 1024, "Bytes of one such file; 0 takes none.", _whole(0, 2**33)),
    Setting("files_limit", 2**30, "Bytes of all such files together.", _whole(0, 2**50)),
    Setting("files_each", 2**28, "Bytes of the files of one person.", _whole(0, 2**50)),
    Setting("hooks_limit", 1000, "Webhooks of all rooms together.", _whole(0, 10**6)),
    Setting("audit_days", 365, "Days that the audit log is kept.", _whole(1, 10**6)),
    Setting("audit_lines", 10_000, "Lines that are kept of one room's audit log.", _whole(1, 10**9)),
    Setting("tail_memory", 64 * 1024 * 1024, "Bytes of newest events kept in memory.", _whole(0, 2**40)),
    Setting(
        "retention_days", 30, "Days that events are kept, or as many as retention_events.", _whole(0, 10**6)
    ),
    Setting(
        "retention_events", 10_000, "Events that are kept, or as old as retention_days.", _whole(0, 10**9)
    ),
    Setting("write_burst", 60, "Writes at once per session and address.", _whole(1, 10**9)),
    Setting("write_rate", 1.0, "Writes per second after the burst.", _number(0.001, 10**9)),
    Setting("read_burst", 600, "Reads that are answered at once, per session and address.", _whole(1, 10**9)),
    Setting("read_rate", 20.0, "Such reads per second after the burst.", _number(0.001, 10**9)),
    Setting("session_burst", 300, "Sessions opened at once per address.", _whole(1, 10**9)),
    Setting("session_rate", 0.5, "Sessions opened per second after the burst.", _number(0.001, 10**9)),
    Setting("room_burst", 60, "Rooms made at once per session and address.", _whole(1, 10**9)),
    Setting("room_rate", 0.05, "Rooms made per second after the burst.", _number(0.001, 10**9)),
    Setting("upload_burst", 2**26, "Bytes of files at once, per session and address.", _whole(1, 2**50)),
    Setting("upload_rate", 2.0**20, "Such bytes per second after the burst.", _number(1, 2**50)),
    Setting("token_burst", 60, "Tokens that are not valid, at once per address.", _whole(1, 10**9)),
    Setting("token_rate", 1.0, "Such tokens per second after the burst.", _number(0.001, 10**9)),
    Setting("login_burst", 20, "Attempts to sign in at once per login and address.", _whole(1, 10**9)),
    Setting("login_rate", 0.05, "Such attempts per second after the burst.", _number(0.001, 10**9)),
    Setting("rooms", 100_000, "Rooms in all; no further ones are made.", _whole(1, 10**9)),
    Setting("drain", 10.0, "Seconds that a stop may take.", _number(0, 3600)),
    Setting("connections", 15_000, "Connections at a time; more are closed.", _whole(1, 10**6)),
    Setting("address_connections", 1000, "Connections at a time of one address.", _whole(1, 10**6)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their types; see `SETTINGS` for what each means."""

    host: str
    port: int
    workers: int
    tls_cert: str
    tls_key: str
    data: Path
    store: str
    bus: str
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    embed_sites: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    forwarding_header: str
    user_header: str
    limit_exempt: str
    guests: bool
    accounts: bool
    jwt_keys: tuple[str, ...]
    jwt_audience: str
    create_rooms: bool
    jsonp: bool
    legacy: bool
    hooks_private: bool
    push_private: bool
    files: Path | None
    file_limit: int
    files_limit: int
    files_each: int
    hooks_limit: int
    audit_days: int
    audit_lines: int
    test_echo: bool
    hold: float
    body_limit: int
    tail_memory: int
    retention_days: int
    retention_events: int
    write_burst: int
    write_rate: float
    read_burst: int
    read_rate: float
    session_burst: int
    session_rate: float
    room_burst: int
    room_rate: float
    upload_burst: int
    upload_rate: float
    token_burst: int
    token_rate: float
    login_burst: int
    login_rate: float
    rooms: int
    drain: float
    connections: int
    address_connections: int

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str],
        *,
        config: Path | None = None,
        overrides: Mapping[str, object] | None = None,
    ) -> Settings:
        """Return the settings; raises `BadSetting`."""
        values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
        values["data"] = default_data(environ)
        for name, given in (_file(config) if config else {}).items():
            values[name] = _read(_named(name), given, f"{name} in {config}")
        for setting in SETTINGS:
            if setting.env in environ:
                values[setting.name] = _read(setting, environ[setting.env], setting.env)
        for name, given in (overrides or {}).items():
            if given is not None:
                values[name] = _read(_named(name), given, f"--{name}")
        return cls(**{field.name: values[field.name] for field in fields(cls)})


def _file(config: Path) -> dict[str, object]:
    try:
        return tomllib.loads(config.read_text())
    except OSError as error:
        raise BadSetting(f"{config} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{config} is not TOML: {error}.") from None


def _named(name: str) -> Setting:
    for setting in SETTINGS:
        if setting.name == name:
            return setting
    raise BadSetting(f"There is no setting {name}.")


def _read(setting: Setting, given: object, where: str) -> object:
    text = (
        ",".join(map(str, given))
        if isinstance(given, list | tuple)
        else os.fspath(given)
        if isinstance(given, Path)
        else str(given)
    )
    try:
        return setting.read(text)
    except ValueError as error:
        reason = str(error) if str(error).startswith(("is ", "names ")) else "is not of its kind"
        shown = "" if setting.name == "jwt_keys" else f": {text!r}"  # it may hold a secret
        raise BadSetting(f"{where} {reason}{shown}.") from None
