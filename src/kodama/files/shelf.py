"""Where the bytes of files are: one folder, each file under its id.

Decided here: a file is written in pieces that come in order, to a name that nobody is ever
served; when it is whole it is cleaned and takes its place at once. What was never finished is thrown away.
All that reads or writes much is called on a thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Final

from kodama.files.pictures import Picture, picture

UNFINISHED: Final = ".part"


class Misplaced(Exception):
    """A piece does not begin where the file ends, or goes beyond its size; ``offset`` is its end."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the file ends at {offset}")
        self.offset = offset


class Shelf:
    """One folder of files, made when it is needed and for this user only."""

    def __init__(self, folder: Path, *, look: Callable[[bytes], Picture | None] = picture) -> None:
        self._folder = folder
        self._look = look

    def begin(self, id: str) -> None:  # noqa: A002 - a file's id
        """Make room for a file."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._part(id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def offset(self, id: str) -> int:  # noqa: A002
        """Return how many bytes have come; raises FileNotFoundError."""
        return self._part(id).stat().st_size

    def add(self, id: str, piece: bytes, *, offset: int, size: int) -> int:  # noqa: A002
        """Write ``piece`` at the end, which must be at ``offset``; return where the end is now.

        Raises `Misplaced`, FileNotFoundError.
        """
        with self._part(id).open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end != offset or end + len(piece) > size:
                raise Misplaced(end)
            file.write(piece)
            return end + len(piece)

    def finish(self, id: str) -> tuple[int, Picture | None]:  # noqa: A002
        """Put a whole file in its place, durably; return its size and, if it is one, the picture."""
        part = self._part(id)
        data = part.read_bytes()
        found = self._look(data)
        body = data if found is None else found.body
        clean = part.with_suffix(".clean")
        with clean.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        clean.replace(self.place(id))
        part.unlink()
        return len(body), found

    def place(self, id: str) -> Path:  # noqa: A002
        """Return where a whole file is."""
        return self._folder / id

    def remove(self, id: str) -> None:  # noqa: A002
        """Forget a file, whole or not; one that is not there is no fault."""
        for path in (self._part(id), self._part(id).with_suffix(".clean"), self.place(id)):
            with suppress(FileNotFoundError):
                path.unlink()

    def close(self) -> None:
        """Let everything be."""

    def sizes(self) -> dict[str, int]:
        """Return how many bytes are there of each file, by its id."""
        found: dict[str, int] = {}
        for one in self._all():
            id = one.name.partition(".")[0]  # noqa: A001 - a file's id
            found[id] = found.get(id, 0) + one.stat().st_size
        return found

    def unfinished(self, *, older: float) -> list[str]:
        """Return the ids of what was last written before ``older`` (s since 1970) and is not whole."""
        return [
            one.name.partition(".")[0] for one in self._all() if one.suffix and one.stat().st_mtime < older
        ]

    def _all(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []

    def _part(self, id: str) -> Path:  # noqa: A002
        return self._folder / f"{id}{UNFINISHED}"


class PassingShelf(Shelf):
    """A folder that goes with a store that forgets."""

    def close(self) -> None:
        """Forget everything."""
        rmtree(self._folder, ignore_errors=True)
