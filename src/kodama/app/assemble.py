"""Settings in, a service out: every part is made here, and told of the others."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from secrets import token_hex
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from kodama.accounts.book import Accounts
from kodama.accounts.cuts import Cuts
from kodama.accounts.forgetting import Forgetting, Traces
from kodama.accounts.hashing import Hashing
from kodama.accounts.passkeys import Passkeys
from kodama.app.ground import Ground, ground_of, shelf_of, wall_clock
from kodama.app.service import KodamaService
from kodama.app.settings import Settings
from kodama.app.shown import resident, settings_shown
from kodama.app.trust import certificate, key_sets, policy_of, rates_of, site_keys
from kodama.bill import Bill
from kodama.core.returning import Returns
from kodama.core.room import Access, Retention
from kodama.files.keeper import Keeper, Room
from kodama.hooks.outlets import Outlets
from kodama.http.echo import Echoes
from kodama.http.factory import HttpFactory
from kodama.http.fanout import Fanout
from kodama.http.limits import Limits
from kodama.http.outgoing import Outgoing
from kodama.http.websocket import SocketLimits
from kodama.lookout import Lookout
from kodama.metrics import Metrics
from kodama.node import Company, Node
from kodama.order.directs import Directs, is_direct
from kodama.order.held import HeldMessages
from kodama.order.houses import KNOWN, MEMBER, SERVER_OWNER, Houses
from kodama.order.invites import Invites
from kodama.order.marks import READ, Marks
from kodama.order.members import Members
from kodama.order.moderation import Moderation
from kodama.order.pruning import Pruning
from kodama.order.reports import Reports
from kodama.people import People
from kodama.push.sender import Sender
from kodama.push.subscriptions import PUSH, Subscriptions
from kodama.push.teller import NOTIFY, Teller
from kodama.registry import Registry
from kodama.transports.followers import Followers
from kodama.transports.legacy import Door2011
from kodama.transports.longpoll import LongPolls
from kodama.transports.ndjson import Ndjson
from kodama.transports.reading import Transport
from kodama.transports.sse import Sse
from kodama.transports.streaming import HttpFraming, Streams, Wrap
from kodama.transports.text import Text
from kodama.transports.websocket import WebSockets
from kodama.web.accept import Framing
from kodama.web.accounts import AccountsApi
from kodama.web.acting import Acting
from kodama.web.admin import AdminApi
from kodama.web.answers import FIELDS
from kodama.web.api import Api
from kodama.web.assets import Assets
from kodama.web.belonging import BelongingApi
from kodama.web.census import Census
from kodama.web.desk import Desks
from kodama.web.embed import Embeds
from kodama.web.files import FileApi
from kodama.web.hooks import HookApi
from kodama.web.identity import Identity
from kodama.web.members import MembersApi
from kodama.web.moderation import ModerationApi
from kodama.web.notify import NotifyApi
from kodama.web.openapi.page import Documents
from kodama.web.operations import Operations
from kodama.web.order import OrderRoutes
from kodama.web.passkeys import PasskeysApi
from kodama.web.plain import PlainRooms
from kodama.web.presence import PresenceApi
from kodama.web.reads import Reads
from kodama.web.rooms import RoomsApi
from kodama.web.search import SearchApi
from kodama.web.seeing import SeeingApi
from kodama.web.sessions import Sessions
from kodama.web.site import Site
from kodama.web.sites import Sites
from kodama.web.table import Table
from kodama.web.tokens import Tokens
from kodama.web.upgrades import Serve, opening, upgrading
from kodama.wire.queries import CLIENT_PART

ECHO_LIMIT: Final = 16 * 1024 * 1024  # what the largest case of Autobahn's suite sends
LOOK_SECONDS: Final = 0.8  # so that what was revoked elsewhere is known here within a second


def assemble(
    settings: Settings, reactor: Any, *, inherited: int | None = None, ground: Ground | None = None,
    now: Callable[[], int] = wall_clock,
) -> KodamaService:  # fmt: skip
    """Return the server that ``settings`` describe, ready to be started; on the listening socket
    ``inherited`` instead of host and port, if a supervisor has handed one over, and on ``ground``
    instead of the store and bus of the settings. ``now`` tells the time in ms since 1970."""
    metrics = Metrics()
    fanout: Fanout | None = getattr(reactor, "fanout", None)
    store, bus, shared, worker = ground or ground_of(settings, reactor, now)
    retention = Retention(settings.retention_days, settings.retention_events)
    node = Node(
        store, bus, clock=reactor, metrics=metrics,
        tail_memory=settings.tail_memory, retention=retention,
        company=Company.OTHERS if shared else Company.NONE,
    )  # fmt: skip
    node.unborn = lambda room: (
        Access.PUBLIC if settings.create_rooms and not is_direct(room) else Access.SECRET
    )
    registry = Registry(node)

    def revoked() -> None:
        today = now()
        for transport in transports:
            transport.review(lambda who: tokens.verdict(who, now=today))
        people.review(lambda who: tokens.verdict(who, now=today))

    sets = key_sets(settings, reactor, changed=lambda: tokens.forget_proofs())
    sites = Sites(site_keys(settings), sources=sets, audience=settings.jwt_audience)
    cuts = Cuts(registry)
    cuts.ended = revoked
    tokens = Tokens(store, sites, cuts, revoke=node.revoke, revoked=revoked)
    node.revoked = lambda session, _: tokens.ended(session)
    rates = rates_of(settings, metrics)
    identity = Identity(policy_of(settings), tokens, rates, seconds=reactor.seconds)
    bills = (Bill(node, rates.buckets, clock=reactor).tell,) if shared else ()
    people = People(node, clock=reactor, now=now, name=token_hex(4))
    node.changed = people.changed
    polls = LongPolls(
        node, people=people, hold=settings.hold, clock=reactor, now=now, fields=FIELDS,
        fail=lambda request, failure: site.fail(request, failure),
        random=Random(),  # noqa: S311 - it spreads holds, and is asked at every poll
        ticket=lambda who: tokens.ticket(who, now=now()), delay=identity.read_delay,
    )  # fmt: skip
    kinds: dict[Framing, Callable[[Wrap], HttpFraming]] = {
        Framing.SSE: lambda wrap: Sse(wrap, random=Random()),  # noqa: S311 - it spreads returns
        Framing.NDJSON: Ndjson,
        Framing.TEXT: Text,
    }
    streams = {
        framing: Streams(
            kind, node, people, clock=reactor, now=now, fields=FIELDS,
            fail=lambda request, failure: site.fail(request, failure),
            fault=lambda failure: site.fault_in_stream(failure), fanout=fanout,
        )
        for framing, kind in kinds.items()
    }  # fmt: skip
    door = Door2011(
        node, fields=FIELDS, fail=lambda request, failure: site.fail(request, failure),
        count=identity.read_delay,
    )  # fmt: skip
    sockets = WebSockets(
        node,
        Followers(
            node, people, clock=reactor, now=now,
            fault=lambda failure: site.fault_in_stream(failure), fanout=fanout,
        ),
        now=now,
    )  # fmt: skip
    transports: tuple[Transport, ...] = (polls, door, sockets, *streams.values())
    forgetting = Forgetting(
        node, registry, Traces(own=(SERVER_OWNER,), by_room=(MEMBER, KNOWN, NOTIFY), by_user=(READ, PUSH))
    )
    hashing = Hashing(reactor)
    book = Accounts(store, registry, hashing, cuts, now=now)
    passkeys = Passkeys(store, book, hashing, now=now)
    accounts = AccountsApi(
        book, forgetting, tokens, identity,
        now=now, seconds=reactor.seconds, fail=lambda request, failure: site.fail(request, failure),
        open_to_all=settings.accounts,
    )  # fmt: skip
    passkeys_api = PasskeysApi(passkeys, accounts, identity)
    sessions = Sessions(
        node, identity, tokens, accounts, passkeys_api, now=now, seconds=reactor.seconds,
        guests=settings.guests,
        fail=lambda request, failure: site.fail(request, failure),
    )  # fmt: skip
    houses = Houses(node, registry, people, now=now, barred=polls.look_again)
    members, moderation = Members(houses), Moderation(houses)
    held, reports = HeldMessages(houses), Reports(houses)
    census = Census(store, metrics, most=settings.rooms, seconds=reactor.seconds)
    directs, marks = Directs(houses), Marks(houses)
    acting = Acting(
        identity, census, seconds=reactor.seconds, fail=lambda request, failure: site.fail(request, failure)
    )
    api = Api(
        identity, houses, members, moderation, held, census, now=now, seconds=reactor.seconds,
        fail=lambda request, failure: site.fail(request, failure),
        guests=settings.guests, create_rooms=settings.create_rooms,
    )  # fmt: skip
    searches = SearchApi(node, identity, fail=lambda request, failure: site.fail(request, failure))
    presence = PresenceApi(
        houses, people, identity, seconds=reactor.seconds,
        fail=lambda request, failure: site.fail(request, failure), guests=settings.guests,
    )  # fmt: skip
    operations = Operations(
        metrics, store,
        waiting=lambda: {
            "longpoll": polls.waiting, "legacy": door.waiting, "websocket": sockets.waiting,
            **{framing.name.lower(): one.waiting for framing, one in streams.items()},
        },
        connections=lambda: factory.connections, present=lambda: people.numbers,
        bus=bus.counts, blind=lambda: node.blind, memory=resident, worker=worker,
    )  # fmt: skip
    echoes = Echoes(SocketLimits(message=ECHO_LIMIT))
    desks = Desks(api, presence, identity, now=now)
    chat = opening(sockets, desks, message=settings.body_limit)
    upgrades: dict[str, Serve] = {
        "ws": upgrading(chat, allow=identity.check_read, foreign=identity.foreign)
    }
    if settings.test_echo:
        upgrades["echo"] = upgrading(
            lambda request, asked, _: echoes.serve(request, asked),
            allow=identity.check_read, foreign=identity.foreign,
        )  # fmt: skip
    plain = PlainRooms(
        node, api, polls, identity, tokens, now=now, seconds=reactor.seconds, guests=settings.guests,
        fail=lambda request, failure: site.fail(request, failure),
    )  # fmt: skip
    shelf = shelf_of(settings)
    pruning = Pruning(store, registry, days=settings.audit_days, lines=settings.audit_lines, now=now)
    keeper = Keeper(
        shelf, node, registry, reactor=reactor, now=now,
        room=Room(one=settings.file_limit, all=settings.files_limit, each=settings.files_each),
    )  # fmt: skip
    held.refused = keeper.refused
    files = FileApi(
        keeper, node, identity, reactor=reactor, seconds=reactor.seconds, now=now,
        network=houses.network,
        fail=lambda request, failure: site.fail(request, failure),
    )  # fmt: skip
    outgoing = Outgoing(reactor, private=settings.hooks_private)
    outlets = Outlets(
        node, registry, post=outgoing.post, clock=reactor, now=now,
        random=Random(),  # noqa: S311 - it spreads tries
        name=token_hex(6), alone=not shared,
    )  # fmt: skip
    hooks = HookApi(
        node, registry, outlets, api, identity, now=now, seconds=reactor.seconds,
        fail=lambda request, failure: site.fail(request, failure), most=settings.hooks_limit,
    )  # fmt: skip
    assets = Assets()
    subscriptions = Subscriptions(
        registry, refused=lambda who: tokens.verdict(who, now=now()), now=now
    )
    calling = Sender(
        post=Outgoing(reactor, private=settings.push_private).post, secret=store.secret, clock=reactor,
        now=now, count=metrics.push,
    )  # fmt: skip
    teller = Teller(node, registry, people, subscriptions, calling, clock=reactor)
    reads = Reads(identity, polls, streams, now=now, jsonp=settings.jsonp)
    table = Table(
        api=api, reads=reads, searches=searches, sessions=sessions, accounts=accounts, passkeys=passkeys_api,
        presence=presence, door=door, assets=assets,
        embeds=Embeds(assets, node.policy, sites=settings.embed_sites),
        plain=plain, hooks=hooks, files=files, documents=Documents(), operations=operations,
        rooms=RoomsApi(acting, houses, members, people, marks),
        order=OrderRoutes(
            members=MembersApi(acting, members), moderation=ModerationApi(acting, moderation, held),
            seeing=SeeingApi(acting, held, reports),
            belonging=BelongingApi(acting, Invites(houses), directs, marks),
            notify=NotifyApi(acting, houses, teller, subscriptions, plain=settings.push_private),
        ),
        admin=AdminApi(
            acting, houses, members, hooks, operations, tokens, settings=settings_shown(settings)
        ),
        identity=identity, upgrades=upgrades, legacy=settings.legacy,
    )  # fmt: skip
    site = Site(table, reads, polls, identity, metrics=metrics, now=now, jsonp=settings.jsonp)
    limits = Limits(
        body=settings.body_limit, connections=settings.connections, together=settings.address_connections
    )
    factory = HttpFactory(
        site.respond, refuse=site.refuse, fault=site.fault, clock=reactor, limits=limits,
        own=CLIENT_PART, party=identity.party, fanout=fanout,
    )  # fmt: skip

    def watch() -> Deferred[None]:
        for one in sets:
            one.watch()
        return succeed(None)

    def draining() -> None:
        operations.draining = True
        returns = Returns(factory.connections, Random().random)  # noqa: S311 - it spreads them
        for transport in transports:
            transport.drain(returns)
        echoes.drain()
        outlets.drain()
        teller.drain()
        shelf.close()

    return KodamaService(
        reactor=reactor, node=node, factory=factory, host=settings.host, port=settings.port,
        certificate=certificate(settings, reactor), drain=settings.drain,
        started=(tokens.start, houses.start, registry.start, outlets.start, teller.start, keeper.start,
                 forgetting.start, passkeys.start),
        draining=draining,
        watch=(watch, houses.tick, keeper.look, pruning.look, forgetting.watch, *bills), inherited=inherited,
        look=Lookout(node, registry, keys=tokens.watch).look, look_seconds=LOOK_SECONDS,
        owner_code=members.owner_code,
    )  # fmt: skip
