"""Where a server is, read from what a person types; the one place that understands such text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from kodama.client.faults import BadAddress


@dataclass(frozen=True, slots=True)
class Address:
    """A server. ``prefix`` stands before every path if it is mounted below another: ``/chat``, or empty."""

    host: str
    port: int
    secure: bool
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``https://host:port/prefix``; the scheme may be missing. Raises `BadAddress`."""
        try:
            parts = urlsplit(text if "//" in text else f"//{text}", scheme="http")
            port = parts.port
        except ValueError:
            raise BadAddress(text) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not text.isascii():
            raise BadAddress(text)
        secure = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if secure else 80), secure, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """Return what the Host field says (RFC 9112, 3.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"
