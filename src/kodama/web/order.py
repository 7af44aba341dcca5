"""Every route of people in rooms on one page: members, moderation, invitations, being called."""

from __future__ import annotations

from kodama.core.errors import NotFound
from kodama.web.belonging import BelongingApi
from kodama.web.members import MembersApi
from kodama.web.moderation import ModerationApi
from kodama.web.notify import NotifyApi
from kodama.web.routes import Methods
from kodama.web.seeing import SeeingApi
from kodama.wire.moderation import record_name
from kodama.wire.order import user_id
from kodama.wire.queries import offset


class OrderRoutes:
    """What the site does not route by itself."""

    def __init__(
        self, *, members: MembersApi, moderation: ModerationApi, seeing: SeeingApi,
        belonging: BelongingApi, notify: NotifyApi,
    ) -> None:  # fmt: skip
        self._members = members
        self._moderation = moderation
        self._seeing = seeing
        self._belonging = belonging
        self._notify = notify

    def top(self, parts: list[str]) -> Methods:
        """Return the methods of a path that is not in a room; raises `NotFound`."""
        match parts:
            case ["v1", "owner"]:
                return {b"POST": self._members.own_server}
            case ["v1", "direct"]:
                return {b"POST": self._belonging.direct}
            case ["v1", "unread"]:
                return {b"GET": self._belonging.unread}
            case ["v1", "push"]:
                call = self._notify
                return {b"GET": call.push, b"POST": call.subscribe, b"DELETE": call.unsubscribe}
            case ["v1", "push", "test"]:
                return {b"POST": self._notify.test}
            case ["v1", "invites", code]:
                return self._invitation(record_name(code))
        raise NotFound("There is nothing at this address.")

    def in_room(self, room: str, rest: list[str]) -> Methods:
        """Return the methods of a path in a room; raises `NotFound`."""
        match rest:
            case ["members"]:
                return {b"GET": lambda request, caller: self._members.listed(request, caller, room)}
            case ["members", person]:
                return self._member(room, user_id(person))
            case ["invites"]:
                return {
                    b"GET": lambda request, caller: self._belonging.invites(request, caller, room),
                    b"POST": lambda request, caller: self._belonging.invite(request, caller, room),
                }
            case ["invites", code]:
                name = record_name(code)
                api = self._belonging
                return {b"DELETE": lambda request, caller: api.revoke(request, caller, room, name)}
            case ["read"]:
                return {
                    b"GET": lambda request, caller: self._belonging.mark(request, caller, room),
                    b"PUT": lambda request, caller: self._belonging.move(request, caller, room),
                    b"DELETE": lambda request, caller: self._belonging.forget(request, caller, room),
                }
            case ["notify"]:
                return {
                    b"GET": lambda request, caller: self._notify.level(request, caller, room),
                    b"PUT": lambda request, caller: self._notify.choose(request, caller, room),
                }
        return self._moderated(room, rest)

    def _moderated(self, room: str, rest: list[str]) -> Methods:
        """Return the methods of what moderators do about people; raises `NotFound`."""
        match rest:
            case ["bans"]:
                return {b"GET": lambda request, caller: self._moderation.bans(request, caller, room)}
            case ["bans", person]:
                return self._ban(room, user_id(person))
            case ["mutes"]:
                return {b"GET": lambda request, caller: self._moderation.mutes(request, caller, room)}
            case ["mutes", person]:
                return self._mute(room, user_id(person))
            case ["kick"]:
                return {b"POST": lambda request, caller: self._moderation.kick(request, caller, room)}
            case ["purge"]:
                return {b"POST": lambda request, caller: self._moderation.purge(request, caller, room)}
        return self._seen(room, rest)

    def _seen(self, room: str, rest: list[str]) -> Methods:
        """Return the methods of what moderators look through; raises `NotFound`."""
        see = self._seeing
        match rest:
            case ["held"]:
                return {b"GET": lambda request, caller: see.held(request, caller, room)}
            case ["held", id]:
                name = record_name(id)
                return {b"POST": lambda request, caller: see.settle(request, caller, room, name)}
            case ["messages", number, "report"]:
                at = offset(number)
                return {b"POST": lambda request, caller: see.report(request, caller, room, at)}
            case ["reports"]:
                return {b"GET": lambda request, caller: see.reports(request, caller, room)}
            case ["reports", id]:
                name = record_name(id)
                return {b"DELETE": lambda request, caller: see.dismiss(request, caller, room, name)}
            case ["audit"]:
                return {b"GET": lambda request, caller: see.audit(request, caller, room)}
        raise NotFound("There is nothing at this address.")

    def _ban(self, room: str, user: str) -> Methods:
        api = self._moderation
        return {
            b"PUT": lambda request, caller: api.ban(request, caller, room, user),
            b"DELETE": lambda request, caller: api.lift(request, caller, room, user),
        }

    def _mute(self, room: str, user: str) -> Methods:
        api = self._moderation
        return {
            b"PUT": lambda request, caller: api.mute(request, caller, room, user),
            b"DELETE": lambda request, caller: api.unmute(request, caller, room, user),
        }

    def _invitation(self, code: str) -> Methods:
        api = self._belonging
        return {
            b"GET": lambda request, caller: api.show(request, caller, code),
            b"POST": lambda request, caller: api.accept(request, caller, code),
        }

    def _member(self, room: str, user: str) -> Methods:
        api = self._members
        return {
            b"PUT": lambda request, caller: api.put(request, caller, room, user),
            b"DELETE": lambda request, caller: api.remove(request, caller, room, user),
        }
