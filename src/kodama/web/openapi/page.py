"""The API for people: the OpenAPI document as a page of plain HTML, and what each error means.

Decided here: it is made once at start, out of the same document that programs read, and works
without scripts; so it needs no policy beyond its own style sheet, and a screen reader gets
headings, tables and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

import msgspec

from kodama.core.errors import Refused
from kodama.http.message import Answer, Fields, Request
from kodama.web.answers import FIELDS
from kodama.web.assets import Asset
from kodama.web.openapi.operating import describe
from kodama.wire.problem import STATUSES

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_COMMON: Final[Fields] = (
    ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Vary", "Accept-Encoding"),
)  # fmt: skip
_HTML: Final[Fields] = (*_COMMON, ("Content-Security-Policy", _POLICY), ("X-Frame-Options", "DENY"))
_DOCUMENT: Final[Fields] = (  # below /v1, and so with what all answers there carry
    *((name, f"{value}, Accept-Encoding" if name == "Vary" else value) for name, value in FIELDS),
    ("Access-Control-Allow-Origin", "*"),
)
_CODE: Final = re.compile(r"`+([^`]+)`+")

Json = Mapping[str, Any]


class Documents:
    """The three documents, encoded once."""

    def __init__(self) -> None:
        described = describe()
        self._openapi = Asset(msgspec.json.encode(described), "application/json", fields=_DOCUMENT)
        self._api = _page("API of Kodama", _api(described))
        self._errors = _page("Errors of Kodama", _errors())

    def openapi(self, request: Request) -> Answer:
        """``GET /v1/openapi.json``."""
        return self._openapi.answer(request)

    def api(self, request: Request) -> Answer:
        """``GET /docs/api``."""
        return self._api.answer(request)

    def errors(self, request: Request) -> Answer:
        """``GET /docs/errors``: where a problem's ``type`` leads."""
        return self._errors.answer(request)


def _page(title: str, body: Iterable[str]) -> Asset:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/docs.css">'
        "</head><body>"
        f'<a class="skip" href="#content">Skip to the content</a>{"".join(body)}</body></html>'
    )
    return Asset(text.encode(), "text/html; charset=utf-8", fields=_HTML)


def _api(described: Json) -> Iterator[str]:
    about = described["info"]
    yield f"<header><h1>{escape(about['title'])}, API version {escape(about['version'])}</h1>"
    yield f"<p>{escape(about['summary'])}</p><p>{_words(about['description'])}</p>"
    yield '<p><a href="/v1/openapi.json">OpenAPI 3.1 document</a> · <a href="/docs/errors">Errors</a>'
    yield ' · <a href="/">Chat</a></p></header>'
    tagged = {tag["name"]: list(_operations(described, tag["name"])) for tag in described["tags"]}
    yield '<nav aria-label="Operations">'
    for name, operations in tagged.items():
        yield f"<h2>{escape(name)}</h2><ul>"
        for method, path, one in operations:
            yield f'<li><a href="#{one["operationId"]}"><b>{method.upper()}</b> {escape(path)}</a></li>'
        yield "</ul>"
    yield '</nav><main id="content">'
    for tag in described["tags"]:
        yield f"<section><h2>{escape(tag['name'])}</h2><p>{_words(tag['description'])}</p>"
        for method, path, one in tagged[tag["name"]]:
            yield from _operation(method, path, one)
        yield "</section>"
    yield "<section><h2>Shapes</h2>"
    for name, schema in described["components"]["schemas"].items():
        yield from _shape(name, schema)
    yield "</section></main>"


def _operations(described: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            if tag in one["tags"]:
                yield method, path, one


def _operation(method: str, path: str, one: Json) -> Iterator[str]:
    yield f'<article id="{one["operationId"]}"><h3>{escape(one["summary"])}</h3>'
    yield f'<p class="line"><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code></p>'
    yield f"<p>{_words(one['description'])}</p><p>{_who(one['security'])}</p>"
    if parameters := one.get("parameters"):
        yield from _table(
            "Parameters", ("Name", "In", "Kind", "Meaning"),
            (
                (_code(each["name"]), escape(each["in"]), _kind(each["schema"]), _words(each["description"]))
                for each in parameters
            ),
        )  # fmt: skip
    if body := one.get("requestBody"):
        yield "<h4>Body</h4>"
        yield from _contents(body["content"])
    yield "<h4>Answers</h4><dl>"
    for status, reply in one["responses"].items():
        yield f"<dt>{status}</dt><dd><p>{_words(reply['description'])}</p>"
        if not status.startswith(("4", "5")):
            yield from _contents(reply.get("content", {}))
        yield "</dd>"
    yield "</dl></article>"


def _contents(contents: Json) -> Iterator[str]:
    for media, content in contents.items():
        yield f"<p><code>{escape(media)}</code>: {_kind(content['schema'])}</p>"
        if "example" in content:
            example = content["example"]
            shown = example if isinstance(example, str) else _json(example)
            yield f'<pre tabindex="0"><code>{escape(shown)}</code></pre>'


def _shape(name: str, schema: Json) -> Iterator[str]:
    yield f'<article id="shape-{name}"><h3>{escape(name)}</h3><p>{_words(schema.get("description", ""))}</p>'
    needed = schema.get("required", ())
    yield from _table(
        "Fields", ("Name", "Kind", "Always there", "Meaning"),
        (
            (_code(field), _kind(kind), "yes" if field in needed else "", _words(kind.get("description", "")))
            for field, kind in schema.get("properties", {}).items()
        ),
    )  # fmt: skip
    yield "</article>"


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">'
    yield f"<table><caption>{caption}</caption>"
    yield "<thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    for first, *rest in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _kind(schema: Json) -> str:
    """Return a schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    for word in ("anyOf", "allOf"):
        if word in schema:
            return " or ".join(_kind(one) for one in schema[word])
    if "enum" in schema:
        return " or ".join(_code(str(one)) for one in schema["enum"])
    if "const" in schema:
        return _code(str(schema["const"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"), ("maximum", "to"), ("minLength", "at least"), ("maxLength", "at most"),
            ("default", "default"),
        )
        if key in schema
    ]  # fmt: skip
    return escape(", ".join([str(schema.get("type", "any JSON")), *bounds]))


def _errors() -> Iterator[str]:
    meanings = dict(_meanings(Refused))
    yield "<header><h1>Errors</h1><p>Every refusal is <code>application/problem+json</code> (RFC 9457)."
    yield ' Its <code>code</code> is stable. <a href="/docs/api">The API</a></p></header>'
    yield '<main id="content"><dl>'
    for code, (status, title) in STATUSES.items():
        meaning = _words(meanings.get(code, ""))
        yield f'<dt id="{code}"><code>{code}</code> {status} {escape(title)}</dt><dd>{meaning}</dd>'
    yield "</dl></main>"


def _meanings(family: type[Refused]) -> Iterator[tuple[str, str]]:
    for child in family.__subclasses__():
        yield child.code, " ".join((child.__doc__ or "").split())
        yield from _meanings(child)


def _who(security: list[Json]) -> str:
    if not security:
        return "For everybody."
    return "Anybody, or with a session." if {} in security else "Needs a session."


def _words(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()), quote=False))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
