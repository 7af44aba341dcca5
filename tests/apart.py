"""A network namespace for one node, with a link of its own to each thing that it talks to: what is cut
here loses packets, as a network does. Linux and root only."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import cache
from itertools import count

_numbers = count(1)


class Link:
    """One link into the namespace. What is cut is lost without a word, in one direction or both."""

    def __init__(self, space: str, number: int, name: str) -> None:
        net = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 256}"
        self.outside, self.inside = f"{net}.{number * 4 + 1}", f"{net}.{number * 4 + 2}"
        self._within = ("ip", "netns", "exec", space)
        self._ends = {"down": f"{name}o", "up": f"{name}i"}  # what leaves by which end
        out, within = self._ends["down"], self._ends["up"]
        _run("ip", "link", "add", out, "type", "veth", "peer", "name", within, "netns", space)
        _run("ip", "addr", "add", f"{self.outside}/30", "dev", out)
        _run("ip", "link", "set", out, "up")
        _run(*self._within, "ip", "addr", "add", f"{self.inside}/30", "dev", within)
        _run(*self._within, "ip", "link", "set", within, "up")

    def cut(self, *ways: str) -> None:
        """Lose all that goes ``up`` (from the node), ``down``, or both."""
        for way in ways or ("up", "down"):
            self._tc(way, "replace", "blackhole")

    def mend(self) -> None:
        """Lose nothing any more."""
        for way in self._ends:
            self._tc(way, "replace", "pfifo")

    def _tc(self, way: str, *order: str) -> None:
        what, kind = order
        within = self._within if way == "up" else ()
        _run(*within, "tc", "qdisc", what, "dev", self._ends[way], "root", kind)


class Apart:
    """A namespace and its links: to clients, to the store, to the bus."""

    def __init__(self) -> None:
        number = next(_numbers)
        self.space = f"kodama{os.getpid()}n{number}"
        _run("ip", "netns", "add", self.space)
        _run("ip", "netns", "exec", self.space, "ip", "link", "set", "lo", "up")
        mark = f"k{os.getpid() % 100_000}n{number}"
        self.links = {
            name: Link(self.space, (number - 1) * 3 + index, f"{mark}{name[0]}")
            for index, name in enumerate(("clients", "store", "bus"))
        }

    @property
    def command(self) -> tuple[str, ...]:
        """What goes before the command of a process that is to be in there."""
        return ("ip", "netns", "exec", self.space)

    def close(self) -> None:
        """Remove it, and its links with it."""
        _run("ip", "netns", "del", self.space)


@cache
def may_be_apart() -> bool:
    """Return whether this machine lets us make namespaces and lose packets; else bytes are held back."""
    try:
        apart = Apart()
        try:
            apart.links["store"].cut()
        finally:
            apart.close()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@cache
def may_mount() -> bool:
    """Return whether this machine lets us make a small file system, which can be full."""
    folder = tempfile.mkdtemp(prefix="kodama-room-")
    try:
        _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
        _run("umount", folder)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        os.rmdir(folder)
    return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
