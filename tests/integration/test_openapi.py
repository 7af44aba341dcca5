"""The OpenAPI document against the server it describes: the same routes, and shapes that hold."""

from __future__ import annotations

import ast
import inspect
import json
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import msgspec
import pytest

from kodama.web import admin as admin_module
from kodama.web import order as order_module
from kodama.web import table as table_module
from kodama.web.openapi.operating import OPERATIONS, describe
from kodama.wire import answers
from kodama.wire.problem import STATUSES
from tests.integration.test_site import EVENTS, MESSAGES, Kodama

DOCUMENT = describe()
SAMPLES = {
    "{room}": "lobby", "{offset}": "1", "{emoji}": "x", "{token}": "kdh_x", "{hook}": "9f2c", "{person}": "g_1",
    "{code}": "c", "{id}": "x", "{file}": "A" * 22, "{label}": "cat.png",
    "{passkey}": "x",
}  # fmt: skip
NOT_OF_THE_API = {  # pages and files
    "/docs/api", "/docs/errors", "/static/*", "/favicon.ico", "/robots.txt", "/sw.js", "/manifest.webmanifest", "/v1/{room}",
    "/admin", "/widget.js", "/embed/{room}", "/r/{room}/plain", "/r/{room}/plain/log",
}  # fmt: skip
VOID = {"meta", "link", "br"}


@pytest.fixture(scope="module")
def server() -> Kodama:
    return Kodama()


def _paths_of(function: str, prefix: str, module: ModuleType = table_module) -> set[str]:
    """Return the paths that a ``match`` of the site takes, read from its source."""
    tree = ast.parse(inspect.getsource(module))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for case in ast.walk(node):
                if isinstance(case, ast.MatchSequence):
                    found |= {prefix + "/".join(parts) for parts in _expanded(case.patterns)}
    return found


def _expanded(patterns: list[ast.pattern]) -> list[list[str]]:
    paths: list[list[str]] = [[]]
    for pattern in patterns:
        paths = [[*path, word] for path in paths for word in _words(pattern)]
    return paths


def _words(pattern: ast.pattern) -> list[str]:
    match pattern:
        case ast.MatchValue(value=ast.Constant(value=str(word))):
            return [word]
        case ast.MatchStar():
            return ["*"]
        case ast.MatchOr(patterns=patterns) | ast.MatchAs(pattern=ast.MatchOr(patterns=patterns)):
            return [word for one in patterns for word in _words(one)]
        case ast.MatchAs(name=name):
            return ["{" + {"name": "room", "number": "offset"}.get(str(name), str(name)) + "}"]
    raise AssertionError(ast.dump(pattern))


def test_every_route_of_the_site_is_described_and_no_other() -> None:
    routes = {path.rstrip("/") for path in _paths_of("_room", "/v1/rooms/{room}/")}
    routes |= _paths_of("methods", "/") - {"/v1/rooms/{room}/*", "/v1/admin/*"}
    routes |= _paths_of("routes", "/v1/admin/", admin_module)
    routes |= _paths_of("_lists", "/v1/admin/", admin_module)
    routes |= _paths_of("in_room", "/v1/rooms/{room}/", order_module)
    routes |= _paths_of("_seen", "/v1/rooms/{room}/", order_module)
    routes |= _paths_of("_moderated", "/v1/rooms/{room}/", order_module) | _paths_of("top", "/", order_module)
    routes |= {"/v1/ws"}  # upgrades are routed by a table
    described = set(DOCUMENT["paths"]) - {"/"}
    assert described == routes - NOT_OF_THE_API
    assert {path.split("*")[0] for path in NOT_OF_THE_API & routes}, "the source was read"


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_every_method_of_a_path_is_described_and_no_other(server: Kodama, path: str) -> None:
    target = path
    for name, sample in SAMPLES.items():
        target = target.replace(name, sample)
    allowed = set(server.ask("OPTIONS", target).got.fields["allow"].split(", ")) - {"OPTIONS", "HEAD"}
    assert allowed == {method.upper() for method in DOCUMENT["paths"][path]}


def test_every_code_is_given_by_some_operation_and_has_its_status() -> None:
    given = {code for one in OPERATIONS for code in one.all_codes}
    elsewhere = {"method_not_allowed"}  # where no operation is
    assert given | elsewhere == STATUSES.keys()
    for one in OPERATIONS:
        responses = DOCUMENT["paths"][one.path][one.method.lower()]["responses"]
        for code in one.all_codes:
            schema = responses[str(STATUSES[code][0])]["content"]["application/problem+json"]["schema"]
            assert code in schema["properties"]["code"]["enum"]


def test_operations_have_names_of_their_own_and_words_worth_reading() -> None:
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS)
    for one in OPERATIONS:
        assert len(one.title) > 5, one
        assert len(one.text) > 10, one
        assert one.tag in {tag["name"] for tag in DOCUMENT["tags"]}
        named = {"{" + each.name + "}" for each in one.parameters if each.place == "path"}
        assert named == {part for part in one.path.split("/") if part.startswith("{")}


def test_every_reference_of_the_document_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    for reference in set(text.split('"$ref": "')[1:]):
        name = reference.split('"')[0].removeprefix("#/components/schemas/")
        assert name in DOCUMENT["components"]["schemas"]


def test_every_example_of_an_answer_is_of_the_shape_that_is_said() -> None:
    for one in OPERATIONS:
        for content in (*one.body, *(content for reply in one.replies for content in reply.content)):
            if content.shape is not None and content.example is not None:
                msgspec.convert(content.example, content.shape)


def test_what_is_put_together_as_bytes_is_of_the_shape_that_is_said(server: Kodama) -> None:
    who = server.sign_in("Aiko")
    server.ask("POST", MESSAGES, body={"text": "one"}, **who)
    server.ask("PATCH", f"{MESSAGES}/1", body={"text": "two"}, **who)
    server.ask("PUT", f"{MESSAGES}/1/reactions/x", **who)
    server.ask("DELETE", f"{MESSAGES}/1", **who)
    server.ask("PUT", "/v1/rooms/lobby/presence", body={"state": "idle"}, **who)
    held = server.ask("GET", f"{EVENTS}?presence=1", **who)
    server.pass_seconds(2)
    shapes: list[tuple[Any, bytes]] = [
        (answers.Events, server.get(f"{EVENTS}?since=all").body),
        (answers.Events, server.get("/v1/rooms/other/events?since=k1.other~zzzz~5").body),
        (answers.Events, held.got.body),
        (answers.HistoryPage, server.get(MESSAGES).body),
    ]
    for shape, body in shapes:
        got = msgspec.json.decode(body, type=shape)
        assert json.loads(msgspec.json.encode(got)) == json.loads(body), "nothing is said that is not described"


def test_the_document_is_served_as_it_is_and_kept_by_whoever_has_it(server: Kodama) -> None:
    got = server.get("/v1/openapi.json")
    assert got.json == json.loads(json.dumps(DOCUMENT))
    assert got.fields["content-type"] == "application/json"
    assert server.get("/v1/openapi.json", If_None_Match=got.fields["etag"]).status == 304
    other = server.get("/v1/rooms").fields
    for name in ("cache-control", "x-accel-buffering", "x-content-type-options", "referrer-policy"):
        assert got.fields[name] == other[name], "as every answer below /v1"
    assert set(other["vary"].split(", ")) < set(got.fields["vary"].split(", "))


class Outline(HTMLParser):
    """What a screen reader walks along: headings, places to link to, and whether all is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.open += [] if tag in VOID else [tag]
        self.scripts += tag == "script" or any(name.startswith("on") or name == "style" for name in given)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if given.get("href") else []
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.levels.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/docs/api", "/docs/errors"])
def test_the_pages_for_people_are_whole_and_need_no_script(server: Kodama, path: str) -> None:
    got = server.get(path)
    outline = Outline()
    outline.feed(got.body.decode())
    outline.close()
    assert (got.status, outline.open, outline.scripts) == (200, [], 0)
    assert outline.levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    for link in outline.links:
        assert not link.startswith(("http:", "https:", "//")), "nothing of others"
        if link.startswith("#"):
            assert link[1:] in outline.ids
        else:
            assert server.get(link, Accept="*/*").status == 200, link
    assert "default-src 'none'" in got.fields["content-security-policy"]


def test_the_page_names_every_operation_and_the_errors_every_code(server: Kodama) -> None:
    page = server.get("/docs/api").body.decode()
    assert all(f'<article id="{one.name}">' in page for one in OPERATIONS)
    errors = server.get("/docs/errors").body.decode()
    assert all(f'<dt id="{code}">' in errors for code in STATUSES)
