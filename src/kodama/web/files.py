"""``/v1/rooms/{room}/files``, ``/v1/files/{id}`` and ``/files/{id}/{name}``: putting files into a room, and
fetching them.

Decided here: files come by the tus protocol (1.0, with its extensions creation and termination),
so that a cut costs one piece and there are clients for it in every language. A file is served as
what was found in it, in a sandbox: a picture in place, all else to be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from kodama.core.errors import Conflict, Forbidden, NotFound, UnsupportedMedia
from kodama.core.file import FileFacts, file_id, file_name
from kodama.core.policy import Deed
from kodama.core.room import Access
from kodama.files.keeper import Keeper
from kodama.http.message import Answer, Fields, Request
from kodama.node import Node
from kodama.web.answers import FIELDS, json_answer
from kodama.web.api import media_of
from kodama.web.identity import Caller, Identity
from kodama.web.sending import send_file
from kodama.wire import files as wire
from kodama.wire import queries

TUS: Final = ("Tus-Resumable", "1.0.0")
PIECE_MEDIA: Final = "application/offset+octet-stream"
_SERVED: Final[Fields] = (
    ("Content-Security-Policy", "sandbox; default-src 'none'"), ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, max-age=31536000, immutable"), ("Vary", "Authorization, Cookie"),
)  # fmt: skip


class FileApi:
    """The resources of files. ``fail`` answers a failure."""

    def __init__(
        self, keeper: Keeper, node: Node, identity: Identity, *, reactor: Any, seconds: Callable[[], float],
        now: Callable[[], int], network: Callable[[str], str], fail: Callable[[Request, Failure], None],
    ) -> None:  # fmt: skip
        self._keeper = keeper
        self._node = node
        self._identity = identity
        self._reactor = reactor
        self._seconds = seconds
        self._now = now
        self._network = network
        self._fail = fail

    def begin(self, request: Request, caller: Caller, room: str) -> None:
        """``POST /v1/rooms/{room}/files``: announce a file, or with ``name`` send a small one whole."""
        self._identity.check_write(request, caller, now=self._seconds())
        given = queries.single(queries.parameters(request.line.query), "name")
        whole = given is not None
        if given is not None:
            name, size = file_name(given), len(request.body)
        else:
            name = wire.announced_name(request.headers.get(b"upload-metadata"))
            size = wire.number(request.headers.get(b"upload-length"), "Upload-Length")
        self._identity.check_upload(request.peer, caller, len(request.body))

        async def answer() -> None:
            by, held = await self._writer(request, caller, room)
            id = await self._keeper.begin(room, by=by, name=name, size=size, held=held)  # noqa: A001 - a file's id
            facts = await self._keeper.facts(id)
            if whole or not size:
                _, facts = await self._keeper.add(id, facts, request.body, offset=0)
            at = (("Location", f"/v1/files/{id}"), TUS)
            request.answer(json_answer(201, wire.shown(id, facts, url=_url(id, facts)), fields=at))

        self._run(request, answer())

    def add(self, request: Request, caller: Caller, given: str) -> None:
        """``PATCH /v1/files/{id}``: the next piece, from ``Upload-Offset`` on."""
        self._check_own_page(request, caller)
        if media_of(request) != PIECE_MEDIA:
            raise UnsupportedMedia(f"A piece of a file is {PIECE_MEDIA}.")
        offset = wire.number(request.headers.get(b"upload-offset"), "Upload-Offset")
        self._identity.check_upload(request.peer, caller, len(request.body))

        async def answer() -> None:
            id, facts = await self._own(caller, given)  # noqa: A001 - a file's id
            if facts.whole:
                raise Conflict("The file is whole already.")
            end, _ = await self._keeper.add(id, facts, request.body, offset=offset)
            request.answer(Answer(204, b"", (("Upload-Offset", str(end)), TUS, *FIELDS)))

        self._run(request, answer())

    def show(self, request: Request, caller: Caller, given: str) -> None:
        """``GET`` or ``HEAD /v1/files/{id}``: how much of it is there, and what it is."""
        self._identity.check_read(request.peer, caller)

        async def answer() -> None:
            id, facts = await self._readable(caller, given)  # noqa: A001 - a file's id
            end = facts.size if facts.whole else self._keeper.shelf.offset(id)
            fields = (("Upload-Offset", str(end)), ("Upload-Length", str(facts.size)), TUS)
            request.answer(json_answer(200, wire.shown(id, facts, url=_url(id, facts)), fields=fields))

        self._run(request, answer())

    def remove(self, request: Request, caller: Caller, given: str) -> None:
        """``DELETE /v1/files/{id}``: for whoever put it there, and for moderators."""
        self._identity.check_write(request, caller, now=self._seconds())

        async def answer() -> None:
            id = await self._removable(caller, given)  # noqa: A001 - a file's id
            await self._keeper.remove(id)
            request.answer(Answer(204, b"", (TUS, *FIELDS)))

        self._run(request, answer())

    def serve(self, request: Request, caller: Caller, given: str) -> None:
        """``GET /files/{id}/{name}``: the file itself."""
        self._identity.check_read(request.peer, caller)

        async def answer() -> None:
            id, facts = await self._readable(caller, given)  # noqa: A001 - a file's id
            if not facts.whole:
                raise NotFound("There is no such file.")
            how = "inline" if facts.shown else "attachment"
            fields = (
                ("Content-Type", facts.media),
                ("Content-Disposition", f"{how}; filename*=UTF-8''{quote(facts.name, safe='')}"), *_SERVED,
            )  # fmt: skip
            try:
                await send_file(request, self._keeper.shelf.place(id), fields, reactor=self._reactor)
            except FileNotFoundError:
                raise NotFound("There is no such file.") from None

        self._run(request, answer())

    def _check_own_page(self, request: Request, caller: Caller) -> None:
        """Refuse pieces from foreign pages; a file counted as one write when it was announced."""
        if self._identity.foreign(request, caller) or caller.who.read_only:
            raise Forbidden("Pages of another site, and tokens that only read, put no files here.")

    async def _writer(self, request: Request, caller: Caller, room: str) -> tuple[str, bool]:
        """Return the user id of whoever may say something in the room, and whether that waits for a
        moderator; raises `Forbidden`, `NotFound`."""
        live = self._node.followed(room) or await self._node.room(room)
        network = self._network(self._identity.address(request, caller))
        self._node.policy.check_write(live.facts, caller.who, network=network, now=self._now())
        if not live.exists:
            raise NotFound("There is no such room.")
        if caller.who.user is None:
            raise Forbidden("This needs a session; POST a name to /v1/session to open one.")
        return caller.who.user, self._node.policy.holds(live.facts, caller.who)

    async def _readable(self, caller: Caller, given: str) -> tuple[str, FileFacts]:
        """Return a file of a room that is open to the caller; raises `NotFound`, `Forbidden`."""
        id = file_id(given)  # noqa: A001 - a file's id
        if id is None:
            raise NotFound("There is no such file.")
        facts = await self._keeper.facts(id)
        live = self._node.followed(facts.room) or await self._node.room(facts.room)
        policy = self._node.policy
        if live.facts.access is Access.SECRET and not policy.admits(live.facts, caller.who):
            raise NotFound("There is no such file.")
        policy.admit(live.facts, caller.who)
        if self._keeper.open_to_readers(id, facts) or caller.who.user == facts.by:
            return id, facts
        if not policy.may(live.facts, caller.who, Deed.MODERATE):
            raise NotFound("There is no such file.")
        return id, facts

    async def _own(self, caller: Caller, given: str) -> tuple[str, FileFacts]:
        id, facts = await self._readable(caller, given)  # noqa: A001 - a file's id
        if caller.who.user != facts.by:
            raise Forbidden("This file is somebody else's.")
        return id, facts

    async def _removable(self, caller: Caller, given: str) -> str:
        """Return the id of a file that is the caller's, or that it may remove as a moderator."""
        id, facts = await self._readable(caller, given)  # noqa: A001 - a file's id
        if caller.who.user != facts.by:
            live = self._node.followed(facts.room) or await self._node.room(facts.room)
            self._node.policy.demand(live.facts, caller.who, Deed.DELETE_OTHERS)
        return id

    def _run(self, request: Request, answering: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(answering).addErrback(lambda failure: self._fail(request, failure))


def _url(id: str, facts: FileFacts) -> str:  # noqa: A002 - a file's id
    return f"/files/{id}/{quote(facts.name, safe='')}"
