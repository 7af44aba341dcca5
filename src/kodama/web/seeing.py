"""``…/held``, ``…/reports``, ``…/audit``: what moderators look through."""

from __future__ import annotations

from kodama.core.event import timestamp
from kodama.http.message import Answer, Request
from kodama.order.held import Held, HeldMessages
from kodama.order.houses import Deeds
from kodama.order.reports import Report, Reports
from kodama.web.acting import DONE, Acting
from kodama.web.answers import json_answer
from kodama.web.identity import Caller
from kodama.wire import answers, queries
from kodama.wire import moderation as wire


class SeeingApi:
    """The lists that moderators keep an eye on."""

    def __init__(self, acting: Acting, held: HeldMessages, reports: Reports) -> None:
        self._acting = acting
        self._held = held
        self._reports = reports

    def held(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/held``."""

        async def answer() -> Answer:
            held = await self._held.listed(room, caller.who)
            return json_answer(200, wire.HeldList([_held(name, one) for name, one in held]))

        self._acting.ask(request, caller, answer)

    def settle(self, request: Request, caller: Caller, room: str, name: str) -> None:
        """``POST /v1/rooms/{room}/held/{id}``."""
        do = wire.held_body(request.body).do

        async def answer() -> Answer:
            if do == "refuse":
                await self._held.refuse(room, caller.who, name)
                return DONE
            stored = await self._held.release(room, caller.who, name)
            entry = stored.entry
            value = answers.Published(
                id=stored.id, room=room, offset=entry.offset, epoch=entry.epoch, time=timestamp(entry.time)
            )
            return json_answer(200, value)

        self._acting.act(request, caller, answer)

    def report(self, request: Request, caller: Caller, room: str, offset: int) -> None:
        """``POST /v1/rooms/{room}/messages/{offset}/report``."""
        reason = wire.report_body(request.body).reason

        async def answer() -> Answer:
            name, report = await self._reports.report(room, caller.who, offset, reason=reason)
            return json_answer(201, _report(name, report))

        self._acting.act(request, caller, answer)

    def reports(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/reports``."""

        async def answer() -> Answer:
            reports = await self._reports.listed(room, caller.who)
            return json_answer(200, wire.ReportList([_report(name, one) for name, one in reports]))

        self._acting.ask(request, caller, answer)

    def dismiss(self, request: Request, caller: Caller, room: str, name: str) -> None:
        """``DELETE /v1/rooms/{room}/reports/{id}``."""

        async def answer() -> Answer:
            await self._reports.dismiss(room, caller.who, name)
            return DONE

        self._acting.act(request, caller, answer)

    def audit(self, request: Request, caller: Caller, room: str) -> None:
        """``GET /v1/rooms/{room}/audit``."""
        found = queries.parameters(request.line.query)
        limit = queries.page_limit(found)
        given = queries.single(found, "before")
        before = "" if given is None else wire.record_name(given)

        async def answer() -> Answer:
            lines, more = await self._reports.audit(room, caller.who, before=before, limit=limit)
            return json_answer(200, wire.AuditPage([_line(name, one) for name, one in lines], more))

        self._acting.ask(request, caller, answer)


def _held(name: str, held: Held) -> wire.HeldShown:
    return wire.HeldShown(
        held=name, time=timestamp(held.time), author=held.author, text=held.text, data=held.data
    )


def _report(name: str, report: Report) -> wire.ReportShown:
    return wire.ReportShown(
        report=name, offset=report.offset, author=report.author, by=report.by,
        time=timestamp(report.time), reason=report.reason,
    )  # fmt: skip


def _line(name: str, line: Deeds) -> wire.AuditLine:
    return wire.AuditLine(
        id=name, time=timestamp(line.time), by=line.by, did=line.did, user=line.user, offset=line.offset,
        until=wire.moment(line.until), note=line.note,
    )  # fmt: skip
