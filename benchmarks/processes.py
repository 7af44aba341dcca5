"""What a server's processes cost: CPU time of all their threads and the memory that is theirs.

CPU comes from schedstat (nanoseconds) rather than stat (hundredths of a second), because one pair lasts
a second or two.
"""

from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for known in found:
        found.extend(child for child, parent in parents.items() if parent == known)
    return found


def cpu_ns(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        for thread in (PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                total += int((thread / "schedstat").read_text().split()[0])
    return total


def memory_bytes(pids: list[int]) -> int:
    """Anonymous and shared memory, shared pages by share.

    File pages are left out: how many of them count as ours changes when anybody else maps the same library.
    """
    total = 0
    for pid in pids:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += int(line.split()[1]) * 1024
    return total
