"""Every route on one page.

A request line is routed once: what came of it is remembered with the line, so that the
thousandth poll with the same line costs one look. Errors are answered here, in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Final
from urllib.parse import unquote_to_bytes

from twisted.logger import Logger
from twisted.python.failure import Failure

from kodama.core.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Overloaded,
    RateLimited,
    Refused,
)  # fmt: skip
from kodama.core.names import room_name
from kodama.core.position import parse_cursor
from kodama.core.who import NOBODY
from kodama.http.message import Answer, Refusal, Request
from kodama.metrics import Metrics
from kodama.store.interface import StoreUnavailable
from kodama.transports.legacy import Door2011
from kodama.transports.longpoll import LongPolls
from kodama.transports.reading import Asked
from kodama.transports.streaming import Streams
from kodama.web.accept import Framing, shared_framing
from kodama.web.accounts import AccountsApi
from kodama.web.admin import AdminApi
from kodama.web.answers import FIELDS, code_answer, json_answer, problem_answer
from kodama.web.api import LOBBY, Api
from kodama.web.assets import Assets
from kodama.web.cors import Sharing, preflight
from kodama.web.embed import Embeds
from kodama.web.files import FileApi
from kodama.web.hooks import HookApi
from kodama.web.html import address
from kodama.web.identity import Caller, Identity
from kodama.web.openapi.page import Documents
from kodama.web.operations import Operations
from kodama.web.order import OrderRoutes
from kodama.web.passkeys import PasskeysApi
from kodama.web.plain import PlainRooms
from kodama.web.presence import PresenceApi
from kodama.web.rooms import RoomsApi
from kodama.web.routes import Methods, Serve, shown
from kodama.web.search import SearchApi
from kodama.web.sessions import Sessions
from kodama.wire import commands
from kodama.wire.jsonp import MEDIA_TYPE as JAVASCRIPT
from kodama.wire.jsonp import call, callback_name
from kodama.wire.problem import Problem, code_of_status, encode_problem, problem, problem_of

OWN: Final = frozenset((
    b"v1", b"r", b"embed", b"docs", b"admin", b"static", b".well-known", b"healthz", b"readyz", b"metrics",
    b"widget.js", b"favicon.ico", b"robots.txt", b"files", b"sw.js", b"manifest.webmanifest",
))  # fmt: skip
RETRY_CONNECTION: Final = 5.0
_DOCUMENTS: Final = frozenset((b"document", b"iframe", b"frame", b"object", b"embed"))
_CANNOT_STORE: Final = "The server cannot store this now; try again with the same nonce."
PATHS_LIMIT: Final = 1024  # a path costs about 1 KB
_CANNOT_READ: Final = "The server cannot read this now."

_log: Final = Logger()


class Route:
    """What a request line leads to; ``asked`` is shared by all polls with the same line."""

    __slots__ = ("asked", "methods")

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.asked: Asked | None = None


class Site:
    """The application: one method, `respond`, for the HTTP channel to call."""

    def __init__(
        self, *, api: Api, searches: SearchApi, sessions: Sessions, accounts: AccountsApi,
        passkeys: PasskeysApi, presence: PresenceApi, polls: LongPolls,
        streams: Mapping[Framing, Streams], door: Door2011, assets: Assets, embeds: Embeds,
        plain: PlainRooms, hooks: HookApi, files: FileApi, documents: Documents,
        operations: Operations, rooms: RoomsApi, order: OrderRoutes,
        identity: Identity, metrics: Metrics, now: Callable[[], int], jsonp: bool, legacy: bool,
        upgrades: Mapping[str, Serve], admin: AdminApi,
    ) -> None:  # fmt: skip
        self._api = api
        self._searches = searches
        self._presence = presence
        self._sessions = sessions
        self._accounts = accounts
        self._passkeys = passkeys
        self._polls = polls
        self._streams = streams
        self._door = door
        self._assets = assets
        self._embeds = embeds
        self._documents = documents
        self._plain = plain
        self._hooks = hooks
        self._files = files
        self._operations = operations
        self._rooms = rooms
        self._order = order
        self._identity = identity
        self._metrics = metrics
        self._now = now
        self._jsonp = jsonp
        self._legacy = legacy
        self._upgrades = upgrades
        self._admin = admin
        self._paths: dict[bytes, Methods] = {}

    def respond(self, request: Request) -> None:
        """Serve one request; every fault of the client is answered."""
        try:
            route = request.line.memo
            if not isinstance(route, Route):
                route = request.line.memo = self._known_route(request.line.path)
            asked = route.asked
            if asked is not None and request.line.method == b"GET":  # a poll that was read before
                known = request.headers.memo
                if isinstance(known, Caller) and known.plain and asked.plain:
                    self._polls.serve(request, asked, NOBODY)
                    return
                caller = self._caller(request, None)
                self._poll(request, caller, asked)
                return
            serve = route.methods.get(request.line.method)
            if serve is None:
                self._other_method(request, route)
            else:
                serve(request, self._caller(request, serve))
        except Refused as error:
            self._refused(request, error)

    def _caller(self, request: Request, serve: Serve | None) -> Caller:
        """Return who asks; a token that is not valid hinders nobody from opening a new session."""
        now = self._now()
        caller = self._identity.caller(request, now=now)
        if caller.sharing and request.channel is not None:
            request.channel = Sharing(request.channel, caller.sharing)
        if b"ticket=" in request.line.query:
            ticket = commands.single(commands.parameters(request.line.query), "ticket")
            if ticket is not None:
                return self._identity.by_ticket(caller, ticket, peer=request.peer, now=now)
        if serve != self._sessions.open and serve != self._accounts.recover:
            self._identity.check_session(caller, now=now)
        return caller

    def refuse(self, refusal: Refusal) -> Answer:
        """Word what the HTTP channel refuses by itself."""
        if refusal.status == 405:
            return problem_answer(MethodNotAllowed(refusal.detail, allow="GET, HEAD, POST, OPTIONS"))
        if refusal.status == 429:
            self._metrics.limit("connection", "refused")
            return problem_answer(RateLimited(refusal.detail, retry_after=RETRY_CONNECTION))
        return code_answer(code_of_status(refusal.status), refusal.detail)

    def fault(self, request: Request, failure: Failure) -> Answer:
        """Log our own fault under an id and tell the client only that id."""
        number = token_hex(6)
        _log.failure("internal error {number} at {at}", failure, number=number, at=shown(request.line.path))
        return code_answer("internal", f"Something went wrong here; it is logged as {number}.")

    def fault_in_stream(self, failure: Failure) -> Problem:
        """Do the same for an answer that has begun."""
        if isinstance(failure.value, StoreUnavailable):
            return problem("overloaded", _CANNOT_READ)
        number = token_hex(6)
        _log.failure("internal error {number} in a stream", failure, number=number)
        return problem("internal", f"Something went wrong here; it is logged as {number}.")

    def fail(self, request: Request, failure: Failure) -> None:
        """Answer a request whose serving failed later."""
        error = failure.value
        if isinstance(error, StoreUnavailable):
            reads = request.line.method in (b"GET", b"HEAD")
            said = _CANNOT_READ if reads else _CANNOT_STORE
            error = Overloaded(said, retry_after=1)
        if isinstance(error, Refused):
            self._refused(request, error)
        else:
            request.answer(self.fault(request, failure))

    def _refused(self, request: Request, error: Refused) -> None:
        self._metrics.refused[error.code] = self._metrics.refused.get(error.code, 0) + 1
        callback = self._jsonp_callback(request)
        if callback is None:
            request.answer(problem_answer(error))
            return
        body = b'{"error":%b}' % encode_problem(problem_of(error))
        request.answer(Answer(200, call(callback, body), (("Content-Type", JAVASCRIPT), *FIELDS)))

    def _jsonp_callback(self, request: Request) -> str | None:
        """Return the callback of a JSONP read whose errors must come as a call, else None."""
        path = request.line.path
        if not self._jsonp or not path.startswith((b"/v1/", b"/r/")):
            return None
        if request.line.method != b"GET" or b"callback" not in request.line.query or _in_document(request):
            return None
        try:
            name = commands.single(commands.parameters(request.line.query), "callback")
            return None if name is None else callback_name(name)
        except Refused:
            return None

    def _other_method(self, request: Request, route: Route) -> None:
        allowed = set(route.methods) | {b"OPTIONS"} | ({b"HEAD"} if b"GET" in route.methods else set())
        allow = b", ".join(sorted(allowed)).decode()
        if request.line.method == b"OPTIONS":
            caller = self._identity.caller(request, now=self._now())
            shared = (*caller.sharing, *preflight(allow)) if caller.sharing else ()
            request.answer(Answer(204, b"", (("Allow", allow), *FIELDS, *shared)))
        elif request.line.method == b"HEAD" and b"GET" in route.methods:
            route.methods[b"GET"](request, self._caller(request, route.methods[b"GET"]))
        else:
            raise MethodNotAllowed("This resource does not have that method.", allow=allow)

    def _known_route(self, path: bytes) -> Route:
        """Route by path; every message makes a new line of a path that was asked for before."""
        methods = self._paths.get(path)
        if methods is None:
            methods = self._route(path).methods
            if len(self._paths) >= PATHS_LIMIT:
                self._paths.clear()
            self._paths[path] = methods
        return Route(methods)

    def _route(self, path: bytes) -> Route:
        try:
            parts = [unquote_to_bytes(part).decode() for part in path.split(b"/")[1:]]
        except UnicodeDecodeError:
            raise BadRequest("The path is not UTF-8.") from None
        if path.split(b"/")[1] not in OWN:
            return Route(self._foreign(path))
        match parts:
            case ["v1", "rooms", name, *rest]:
                return Route(self._room(room_name(name), rest))
            case ["v1", "rooms"]:
                return Route({b"GET": self._rooms.listed})
            case ["v1", "search"]:
                return Route({b"GET": self._searches.search})
            case ["v1", "events"]:
                return Route({b"GET": self._many, b"POST": self._many_by_post})
            case ["v1", "session"]:
                return Route({
                    b"GET": self._sessions.show, b"POST": self._sessions.open, b"DELETE": self._sessions.end,
                })  # fmt: skip
            case ["v1", "accounts"]:
                return Route({
                    b"GET": self._accounts.show, b"POST": self._accounts.make,
                    b"PATCH": self._accounts.change, b"DELETE": self._accounts.forget,
                })  # fmt: skip
            case ["v1", "accounts", "passkeys"]:
                return Route({b"POST": self._passkeys.add})
            case ["v1", "accounts", "passkeys", "new"]:
                return Route({b"POST": self._passkeys.offer})
            case ["v1", "accounts", "passkeys", "challenge"]:
                return Route({b"POST": self._passkeys.ask})
            case ["v1", "accounts", "passkeys", passkey]:
                return Route({
                    b"DELETE": lambda request, caller: self._passkeys.remove(request, caller, passkey)
                })  # fmt: skip
            case ["v1", "accounts", "recover"]:
                return Route({b"POST": self._accounts.recover})
            case ["v1", "connection"]:
                return Route({b"GET": self._connection})
            case ["v1", name] if name in self._upgrades:
                return Route({b"GET": self._upgrades[name]})
            case ["v1", "hooks", token]:
                return Route({b"POST": lambda request, caller: self._hooks.say(request, caller, token)})
            case ["v1", "hooks", token, "slack"]:
                return Route({
                    b"POST": lambda request, caller: self._hooks.say_as_slack(request, caller, token)
                })  # fmt: skip
            case ["v1", "files", file]:
                return Route({
                    b"GET": lambda request, caller: self._files.show(request, caller, file),
                    b"PATCH": lambda request, caller: self._files.add(request, caller, file),
                    b"DELETE": lambda request, caller: self._files.remove(request, caller, file),
                })  # fmt: skip
            case ["files", file, label]:  # noqa: F841 - it is found by its id
                return Route({b"GET": lambda request, caller: self._files.serve(request, caller, file)})
            case ["v1", "tickets"]:
                return Route({b"POST": self._sessions.ticket})
            case ["v1", "openapi.json"]:
                return Route({b"GET": lambda request, _: request.answer(self._documents.openapi(request))})
            case ["docs", "api"]:
                return Route({b"GET": lambda request, _: request.answer(self._documents.api(request))})
            case ["docs", "errors"]:
                return Route({b"GET": lambda request, _: request.answer(self._documents.errors(request))})
            case ["r", name]:
                room = room_name(name)
                return Route({
                    b"GET": lambda request, caller: self._shared_address(request, caller, room),
                    b"POST": lambda request, caller: self._api.publish_text(request, caller, room),
                })  # fmt: skip
            case ["r", name, "plain"]:
                room = room_name(name)
                return Route({
                    b"GET": lambda request, caller: self._plain.page(request, caller, room),
                    b"POST": lambda request, caller: self._plain.say(request, caller, room),
                })  # fmt: skip
            case ["r", name, "plain", "log"]:
                room = room_name(name)
                return Route({b"GET": lambda request, caller: self._plain.log(request, caller, room)})
            case ["embed", name]:
                room = room_name(name)
                return Route({b"GET": lambda request, _: self._embeds.page(request, room)})
            case ["widget.js"]:
                return Route({b"GET": lambda request, _: self._embeds.loader(request)})
            case ["healthz" | "readyz" | "metrics" as name]:
                return Route({b"GET": lambda request, _: request.answer(self._operations.told(name))})
            case ["admin"]:
                return Route({b"GET": lambda request, _: request.answer(self._assets.console(request))})
            case ["v1", "admin", *rest]:
                return Route(self._admin.routes(rest))
            case ["static", *rest]:
                return Route({b"GET": lambda request, _: self._static("/".join(rest), request)})
            case ["favicon.ico" | "robots.txt" | "sw.js" | "manifest.webmanifest" as name]:
                return Route({b"GET": lambda request, _: self._static(name, request)})
        return Route(self._order.top(parts))

    def _room(self, room: str, rest: list[str]) -> Methods:
        api = self._api
        match rest:
            case []:
                return {
                    b"GET": lambda request, caller: self._rooms.show(request, caller, room),
                    b"PUT": lambda request, caller: self._rooms.put(request, caller, room),
                }
            case ["events"]:
                return {b"GET": lambda request, caller: self._read(request, caller, (room,))}
            case ["presence"]:
                return {
                    b"GET": lambda request, caller: self._presence.show(request, caller, room),
                    b"PUT": lambda request, caller: self._presence.mark(request, caller, room),
                    b"DELETE": lambda request, caller: self._presence.depart(request, caller, room),
                }
            case ["files"]:
                return {b"POST": lambda request, caller: self._files.begin(request, caller, room)}
            case ["hooks"]:
                return {
                    b"GET": lambda request, caller: self._hooks.show(request, caller, room),
                    b"POST": lambda request, caller: self._hooks.make(request, caller, room),
                }
            case ["hooks", hook]:
                return {b"DELETE": lambda request, caller: self._hooks.remove(request, caller, room, hook)}
            case ["typing"]:
                return {b"PUT": lambda request, caller: self._presence.type(request, caller, room)}
            case ["messages"]:
                return {
                    b"GET": lambda request, caller: api.history(request, caller, room),
                    b"POST": lambda request, caller: api.publish(request, caller, room),
                }
            case ["messages", number]:
                offset = commands.offset(number)
                return {
                    b"PATCH": lambda request, caller: api.edit(request, caller, room, offset),
                    b"DELETE": lambda request, caller: api.delete(request, caller, room, offset),
                }
            case ["messages", number, "reactions", emoji]:
                offset = commands.offset(number)

                def react(request: Request, caller: Caller) -> None:
                    api.react(request, caller, room, offset, emoji)

                return {b"PUT": react, b"DELETE": react}
        return self._order.in_room(room, rest)

    def _foreign(self, path: bytes) -> Methods:
        page: Serve | None = None
        if path == b"/":
            page = self._front
        if not self._legacy:
            if page is None:
                raise NotFound("There is nothing at this address.")
            return {b"GET": page}

        def read(request: Request, caller: Caller) -> None:
            name = commands.single(commands.parameters(request.line.query), "callback")
            if name is not None:
                if self._identity.nobody is not NOBODY:
                    raise Forbidden("This server takes no guests.")
                self._door.serve(request, callback_name(name))
            elif page is not None:
                page(request, caller)
            else:
                raise BadRequest("Only a GET with a callback is answered here, or a POST of JSON.")

        return {b"GET": read, b"POST": self._api.publish_2011}

    def _read(self, request: Request, caller: Caller, rooms: tuple[str, ...]) -> None:
        route = request.line.memo
        assert isinstance(route, Route)
        asked = route.asked
        if asked is None:
            poll = commands.poll(commands.parameters(request.line.query), rooms=rooms, default="now")
            asked = route.asked = Asked(poll)
        self._poll(request, caller, asked)

    def _poll(self, request: Request, caller: Caller, asked: Asked, framing: Framing | None = None) -> None:
        who = caller.who
        framing = framing or caller.framing
        if caller.plain and framing is Framing.JSON:
            request.headers.cleared = self._polls.clearance
        if asked.poll.callback is not None:
            if not self._jsonp:
                raise Forbidden("JSONP is switched off here.")
            if _in_document(request):
                raise Forbidden("JSONP is for script elements.")
            if caller.by_cookie:
                who = self._identity.nobody  # a cookie would let any page read what its owner may
        elif framing is not Framing.JSON:
            streams = self._streams.get(framing)
            if streams is None:
                raise NotAcceptable(
                    "Events come as application/json, text/event-stream, application/x-ndjson, text/plain."
                )
            self._identity.check_read(request.peer, caller)
            streams.serve(request, _resumed(request, asked) if framing is Framing.SSE else asked, who)
            return
        self._polls.serve(request, asked, who)

    def _many(self, request: Request, caller: Caller) -> None:
        route = request.line.memo
        assert isinstance(route, Route)
        if route.asked is None:
            route.asked = _asked_many(commands.parameters(request.line.query))
        self._poll(request, caller, route.asked)

    def _many_by_post(self, request: Request, caller: Caller) -> None:
        asked = _asked_many(commands.events_body(request.body))
        if asked.poll.ticket is not None:
            caller = self._identity.by_ticket(
                caller, asked.poll.ticket, peer=request.peer, now=self._now()
            )
        self._poll(request, caller, asked)

    def _shared_address(self, request: Request, caller: Caller, room: str) -> None:
        framing = shared_framing(caller.accept)
        if framing is Framing.PAGE and b"callback" not in request.line.query:
            self._shared_page(request, room)
            return
        # Not remembered with the line: what it leads to depends on the header fields too.
        poll = commands.poll(commands.parameters(request.line.query), rooms=(room,), default="last:20")
        self._poll(request, caller, Asked(poll), framing)

    def _front(self, request: Request, caller: Caller) -> None:
        self._shared_page(request, LOBBY)

    def _shared_page(self, request: Request, room: str) -> None:
        """Answer with the page, or the way to the plain one for a browser without JavaScript."""
        if request.line.query == b"plain":
            request.answer(Answer(303, b"", (("Location", address(room)), *FIELDS)))
        else:
            request.answer(self._assets.page(request))

    def _connection(self, request: Request, caller: Caller) -> None:
        request.answer(json_answer(200, self._identity.seen(request, caller)))

    def _static(self, path: str, request: Request) -> None:
        answer = self._assets.static(path, request)
        if answer is None:
            raise NotFound("There is nothing at this address.")
        request.answer(answer)


def _asked_many(found: dict[str, list[str]]) -> Asked:
    rooms = tuple(dict.fromkeys(room_name(name) for name in found.get("room", ())))
    if not 1 <= len(rooms) <= commands.ROOMS_LIMIT:
        raise BadRequest(f"room names 1 to {commands.ROOMS_LIMIT} rooms.")
    return Asked(commands.poll(found, rooms=rooms, default="now"))


def _resumed(request: Request, asked: Asked) -> Asked:
    """Return what a browser asks that connects again: ``Last-Event-ID`` says where it was."""
    given = request.headers.get(b"last-event-id")
    if not given:
        return asked
    text = given.decode("latin-1")
    return Asked(replace(asked.poll, since=parse_cursor(text), text=text))


def _in_document(request: Request) -> bool:
    return request.headers.get(b"sec-fetch-dest") in _DOCUMENTS
