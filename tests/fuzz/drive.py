"""What all fuzz targets share: rounds that a seed repeats, for a while or for a number.

A target has ``check(rng)``: one round, drawn from ``rng``, that raises if its invariant is broken.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from time import monotonic

Check = Callable[[random.Random], None]
BATCH = 500


def run(check: Check, *, seed: int, rounds: int) -> None:
    """Do a number of rounds that can be repeated with the same seed."""
    rng = random.Random(seed)
    for _ in range(rounds):
        check(rng)


def batches(check: Check, *, seconds: float, seed: int) -> int:
    """Do batches until the time is up and return how many; the seed of one that fails is printed."""
    end = monotonic() + seconds
    done = 0
    while monotonic() < end:
        try:
            run(check, seed=seed + done, rounds=BATCH)
        except BaseException:
            sys.stderr.write(f"failed with --seed {seed + done}\n")
            raise
        done += 1
    return done


def main(check: Check, *, about: str | None) -> None:
    """Fuzz from the command line."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = options.parse_args()
    done = batches(check, seconds=given.seconds, seed=given.seed)
    sys.stdout.write(f"{done} batches of {BATCH} passed from seed {given.seed}\n")


def spliced(data: bytes, words: tuple[bytes, ...], rng: random.Random) -> bytes:
    """Return ``data`` with a few bytes or words put in, taken out or changed."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(changed) + 1)
        changed[at : at + rng.choice((0, 0, 1, 3))] = rng.choice((rng.choice(words), rng.randbytes(2), b""))
    return bytes(changed)
