"""Every route on one page: what a path leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from kodama.core.errors import BadRequest, Forbidden, NotFound
from kodama.core.names import room_name
from kodama.core.who import NOBODY
from kodama.http.message import Answer, Request
from kodama.transports.legacy import Door2011
from kodama.web.accept import Framing, shared_framing
from kodama.web.accounts import AccountsApi
from kodama.web.admin import AdminApi
from kodama.web.answers import FIELDS, json_answer
from kodama.web.api import LOBBY, Api
from kodama.web.assets import Assets
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
from kodama.web.reads import Reads
from kodama.web.rooms import RoomsApi
from kodama.web.routes import Methods, Serve
from kodama.web.search import SearchApi
from kodama.web.sessions import Sessions
from kodama.wire import queries
from kodama.wire.jsonp import callback_name

OWN: Final = frozenset((
    b"v1", b"r", b"embed", b"docs", b"admin", b"static", b".well-known", b"healthz", b"readyz", b"metrics",
    b"widget.js", b"favicon.ico", b"robots.txt", b"files", b"sw.js", b"manifest.webmanifest",
))  # fmt: skip


class Table:
    """The routes. What begins with none of `OWN` is the door of 2011, open if ``legacy``."""

    def __init__(
        self, *, api: Api, reads: Reads, searches: SearchApi, sessions: Sessions, accounts: AccountsApi,
        passkeys: PasskeysApi, presence: PresenceApi, door: Door2011, assets: Assets, embeds: Embeds,
        plain: PlainRooms, hooks: HookApi, files: FileApi, documents: Documents, operations: Operations,
        rooms: RoomsApi, order: OrderRoutes, admin: AdminApi, identity: Identity,
        upgrades: Mapping[str, Serve], legacy: bool,
    ) -> None:  # fmt: skip
        self._api = api
        self._reads = reads
        self._searches = searches
        self._sessions = sessions
        self._accounts = accounts
        self._passkeys = passkeys
        self._presence = presence
        self._door = door
        self._assets = assets
        self._embeds = embeds
        self._plain = plain
        self._hooks = hooks
        self._files = files
        self._documents = documents
        self._operations = operations
        self._rooms = rooms
        self._order = order
        self._admin = admin
        self._identity = identity
        self._upgrades = upgrades
        self._legacy = legacy
        self.entrances = (sessions.open, accounts.recover)  # a token that is not valid shuts nobody out there

    def methods(self, path: bytes) -> Methods:
        """Return what ``path`` leads to. Raises `BadRequest`, `NotFound`, `BadRoomName`."""
        if path == b"*":
            return {}
        if path.split(b"/")[1] not in OWN:
            return self._foreign(path)
        parts = _decoded(path)
        match parts:
            case ["v1", "rooms", name, *rest]:
                return self._room(room_name(name), rest)
            case ["v1", "rooms"]:
                return {b"GET": self._rooms.listed}
            case ["v1", "search"]:
                return {b"GET": self._searches.search}
            case ["v1", "events"]:
                return {b"GET": self._reads.of_many, b"POST": self._reads.of_many_by_post}
            case ["v1", "session"]:
                return {
                    b"GET": self._sessions.show, b"POST": self._sessions.open, b"DELETE": self._sessions.end,
                }
            case ["v1", "accounts"]:
                return {
                    b"GET": self._accounts.show, b"POST": self._accounts.make,
                    b"PATCH": self._accounts.change, b"DELETE": self._accounts.forget,
                }
            case ["v1", "accounts", "passkeys"]:
                return {b"POST": self._passkeys.add}
            case ["v1", "accounts", "passkeys", "new"]:
                return {b"POST": self._passkeys.offer}
            case ["v1", "accounts", "passkeys", "challenge"]:
                return {b"POST": self._passkeys.ask}
            case ["v1", "accounts", "passkeys", passkey]:
                return {
                    b"DELETE": lambda request, caller: self._passkeys.remove(request, caller, passkey)
                }
            case ["v1", "accounts", "recover"]:
                return {b"POST": self._accounts.recover}
            case ["v1", "connection"]:
                return {b"GET": self._connection}
            case ["v1", name] if name in self._upgrades:
                return {b"GET": self._upgrades[name]}
            case ["v1", "hooks", token]:
                return {b"POST": lambda request, caller: self._hooks.say(request, caller, token)}
            case ["v1", "hooks", token, "slack"]:
                return {
                    b"POST": lambda request, caller: self._hooks.say_as_slack(request, caller, token)
                }
            case ["v1", "files", file]:
                return {
                    b"GET": lambda request, caller: self._files.show(request, caller, file),
                    b"PATCH": lambda request, caller: self._files.add(request, caller, file),
                    b"DELETE": lambda request, caller: self._files.remove(request, caller, file),
                }
            case ["files", file, label]:  # noqa: F841 - named so in the API; it is found by its id
                return {b"GET": lambda request, caller: self._files.serve(request, caller, file)}
            case ["v1", "tickets"]:
                return {b"POST": self._sessions.ticket}
            case ["v1", "openapi.json"]:
                return {b"GET": lambda request, _: request.answer(self._documents.openapi(request))}
            case ["docs", "api"]:
                return {b"GET": lambda request, _: request.answer(self._documents.api(request))}
            case ["docs", "errors"]:
                return {b"GET": lambda request, _: request.answer(self._documents.errors(request))}
            case ["r", name]:
                room = room_name(name)
                return {
                    b"GET": lambda request, caller: self._shared_address(request, caller, room),
                    b"POST": lambda request, caller: self._api.publish_text(request, caller, room),
                }
            case ["r", name, "plain"]:
                room = room_name(name)
                return {
                    b"GET": lambda request, caller: self._plain.page(request, caller, room),
                    b"POST": lambda request, caller: self._plain.say(request, caller, room),
                }
            case ["r", name, "plain", "log"]:
                room = room_name(name)
                return {b"GET": lambda request, caller: self._plain.log(request, caller, room)}
            case ["embed", name]:
                room = room_name(name)
                return {b"GET": lambda request, _: self._embeds.page(request, room)}
            case ["widget.js"]:
                return {b"GET": lambda request, _: self._embeds.loader(request)}
            case ["healthz" | "readyz" | "metrics" as name]:
                return {b"GET": lambda request, _: request.answer(self._operations.told(name))}
            case ["admin"]:
                return {b"GET": lambda request, _: request.answer(self._assets.console(request))}
            case ["v1", "admin", *rest]:
                return self._admin.routes(rest)
            case ["static", *rest]:
                return {b"GET": lambda request, _: self._static("/".join(rest), request)}
            case ["favicon.ico" | "robots.txt" | "sw.js" | "manifest.webmanifest" as name]:
                return {b"GET": lambda request, _: self._static(name, request)}
        return self._order.top(parts)

    def _room(self, room: str, rest: list[str]) -> Methods:
        api = self._api
        match rest:
            case []:
                return {
                    b"GET": lambda request, caller: self._rooms.show(request, caller, room),
                    b"PUT": lambda request, caller: self._rooms.put(request, caller, room),
                }
            case ["events"]:
                return {b"GET": lambda request, caller: self._reads.of_rooms(request, caller, (room,))}
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
                offset = queries.offset(number)
                return {
                    b"PATCH": lambda request, caller: api.edit(request, caller, room, offset),
                    b"DELETE": lambda request, caller: api.delete(request, caller, room, offset),
                }
            case ["messages", number, "reactions", emoji]:
                offset = queries.offset(number)

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
            name = queries.single(queries.parameters(request.line.query), "callback")
            if name is not None:
                if self._identity.nobody is not NOBODY:
                    raise Forbidden("This server takes no guests.")
                self._door.serve(request, callback_name(name))
            elif page is not None:
                page(request, caller)
            else:
                raise BadRequest("Only a GET with a callback is answered here, or a POST of JSON.")

        return {b"GET": read, b"POST": self._api.publish_2011}

    def _shared_address(self, request: Request, caller: Caller, room: str) -> None:
        framing = shared_framing(caller.accept)
        if framing is Framing.PAGE and b"callback" not in request.line.query:
            self._shared_page(request, room)
        else:
            self._reads.shared(request, caller, room, framing)

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


def _decoded(path: bytes) -> list[str]:
    """Return the segments of ``path``. Raises `BadRoomName` or `BadRequest` if one is not UTF-8."""
    parts = [unquote_to_bytes(part) for part in path.split(b"/")[1:]]
    try:
        return [part.decode() for part in parts]
    except UnicodeDecodeError:
        match parts:
            case [b"v1", b"rooms", name, *_] | [b"r" | b"embed", name, *_]:
                room_name(name.decode(errors="replace"))
        raise BadRequest("The path is not UTF-8.") from None
