"""How much one sender may do: token buckets, and which addresses count as one sender."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

SENDERS_REMEMBERED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_second`` for ever."""

    burst: int
    per_second: float


class Buckets:
    """One token bucket per sender; the ones longest unused are forgotten first.

    A forgotten bucket comes back full: with more than 50,000 senders at a time that is the
    price of bounded memory. ``taken``, if it is not None, counts the tokens given.
    """

    __slots__ = ("_levels", "_limit", "_rate", "taken")

    def __init__(self, rate: Rate, *, limit: int = SENDERS_REMEMBERED) -> None:
        self._rate = rate
        self._limit = limit
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self.taken: dict[str, int] | None = None

    def take(self, sender: str, *, now: float, ahead: float = 0.0, tokens: int = 1) -> float:
        """Take ``tokens`` and return 0, or return the seconds until there are so many; more than a
        burst cannot be waited for and count as one.

        What comes within ``ahead`` seconds is taken already; whoever asked is to wait for it.
        """
        tokens = min(tokens, self._rate.burst)
        level, since = self._levels.pop(sender, (float(self._rate.burst), now))
        level = min(self._rate.burst, level + max(0.0, now - since) * self._rate.per_second)
        wait = max(0.0, (tokens - level) / self._rate.per_second)
        granted = wait <= ahead
        self._levels[sender] = (level - tokens if granted else level, now)
        if len(self._levels) > self._limit:
            self._levels.popitem(last=False)
        if granted and self.taken is not None:
            self.taken[sender] = self.taken.get(sender, 0) + tokens
        return wait

    def wait(self, sender: str, *, now: float) -> float:
        """Return the seconds until ``sender`` has a token, and take none."""
        level, since = self._levels.get(sender, (float(self._rate.burst), now))
        level += max(0.0, now - since) * self._rate.per_second
        return max(0.0, (1.0 - level) / self._rate.per_second)

    @property
    def burst(self) -> int:
        """Return how many tokens a sender has that has been quiet."""
        return self._rate.burst

    def owe(self, sender: str, tokens: int, *, now: float) -> None:
        """Take tokens that were given elsewhere already, down to a burst below nothing."""
        burst = float(self.burst)
        level, since = self._levels.pop(sender, (burst, now))
        level = min(burst, level + max(0.0, now - since) * self._rate.per_second)
        self._levels[sender] = (max(-burst, level - tokens), now)
        if len(self._levels) > self._limit:
            self._levels.popitem(last=False)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return the network that counts as one sender: an IPv4 address itself, of IPv6 its /64.

    An address of neither kind (a UNIX socket) is returned as it is.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 6:
        mapped = ip.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((ip, 64), strict=False))
    return str(ip)
