"""What an operation is, and how a table of them becomes an OpenAPI 3.1 document.

Decided here: schemas come from the structs that decode and encode (`msgspec.json`), refusals from
the table of codes; an operation adds only words, places and examples. What every request can meet
is added to each, so that no operation can forget it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from kodama.wire.problem import MEDIA_TYPE as PROBLEM
from kodama.wire.problem import STATUSES, Problem

JSON: Final = "application/json"
REFERENCE: Final = "#/components/schemas/{name}"
ANYWHERE: Final = ("bad_request", "misdirected", "headers_too_large", "timeout", "internal")
WITH_A_TOKEN: Final = ("unauthorized",)
WITH_A_BODY: Final = ("too_large",)

Json = dict[str, Any]

_FIELDS: Final = {
    401: ("WWW-Authenticate", "How to be somebody: `Bearer`."),
    429: ("Retry-After", "Seconds to wait."),
    503: ("Retry-After", "Seconds to wait."),
}


NOBODY: Final[tuple[Json, ...]] = ()  # whose request an operation takes: it looks at nobody's token
ANYBODY: Final[tuple[Json, ...]] = ({}, {"token": []}, {"cookie": []})
SIGNED_IN: Final[tuple[Json, ...]] = ANYBODY[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: ``place`` is ``query``, ``path`` or ``header``."""

    name: str
    text: str
    schema: Mapping[str, Any]
    place: str = "query"
    example: object = None

    def described(self) -> Json:
        """Return it as an OpenAPI Parameter Object."""
        described: Json = {"name": self.name, "in": self.place, "description": self.text}
        if self.place == "path":
            described["required"] = True
        if self.schema.get("type") == "array":
            described |= {"required": True, "style": "form", "explode": True}
        described["schema"] = dict(self.schema)
        if self.example is not None:
            described["example"] = self.example
        return described


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A media type with its shape: a struct, or a JSON schema where no struct is."""

    media: str = JSON
    shape: Any = None
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: object = None

    def described(self, schemas: Mapping[Any, Json]) -> Json:
        """Return it as an OpenAPI Media Type Object."""
        schema = dict(self.schema) if self.shape is None else schemas[self.shape]
        return {"schema": schema} | ({} if self.example is None else {"example": self.example})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer that is not a refusal."""

    status: int
    text: str
    content: tuple[Content, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def described(self, schemas: Mapping[Any, Json]) -> Json:
        """Return it as an OpenAPI Response Object."""
        described: Json = {"description": self.text}
        if self.fields:
            described["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in self.fields.items()
            }
        if self.content:
            described["content"] = {one.media: one.described(schemas) for one in self.content}
        return described


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. ``codes`` are the refusals beyond those that every request can meet."""

    method: str
    path: str
    name: str
    tag: str
    title: str
    text: str
    replies: tuple[Reply, ...]
    parameters: tuple[Parameter, ...] = ()
    body: tuple[Content, ...] = ()
    codes: tuple[str, ...] = ()
    security: tuple[Json, ...] = ANYBODY

    @property
    def all_codes(self) -> tuple[str, ...]:
        """Return every refusal that this operation can give."""
        codes = (*self.codes, *ANYWHERE)
        if self.security:
            codes += WITH_A_TOKEN
        if self.body:
            codes += WITH_A_BODY
        return tuple(sorted(set(codes), key=lambda code: (STATUSES[code][0], code)))

    def described(self, schemas: Mapping[Any, Json]) -> Json:
        """Return it as an OpenAPI Operation Object."""
        described: Json = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.title,
            "description": self.text,
            "security": list(self.security),
        }
        if self.parameters:
            described["parameters"] = [one.described() for one in self.parameters]
        if self.body:
            content = {one.media: one.described(schemas) for one in self.body}
            described["requestBody"] = {"required": True, "content": content}
        replies = {str(one.status): one.described(schemas) for one in self.replies}
        described["responses"] = replies | _refusals(self.all_codes, schemas)
        return described


def document(
    operations: Sequence[Operation], *, about: Mapping[str, Any], tags: Mapping[str, str], security: Json
) -> Json:
    """Return the OpenAPI document of ``operations``."""
    shapes = list(dict.fromkeys([Problem, *_shapes(operations)]))
    found, components = msgspec.json.schema_components(shapes, ref_template=REFERENCE)
    schemas = dict(zip(shapes, found, strict=True))
    paths: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = one.described(schemas)
    return {
        "openapi": "3.1.0",
        "info": dict(about),
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": security},
    }


def _shapes(operations: Iterable[Operation]) -> Iterable[Any]:
    for one in operations:
        for content in (*one.body, *(content for reply in one.replies for content in reply.content)):
            if content.shape is not None:
                yield content.shape


def _refusals(codes: Iterable[str], schemas: Mapping[Any, Json]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUSES[code][0], []).append(code)
    refusals: Json = {}
    for status, group in by_status.items():
        schema = {"allOf": [schemas[Problem]], "properties": {"code": {"enum": group}}}
        refusals[str(status)] = _with_field(status) | {
            "description": "; ".join(f"{STATUSES[code][1]} (`{code}`)" for code in group) + ".",
            "content": {PROBLEM: {"schema": schema}},
        }
    return refusals


def _with_field(status: int) -> Json:
    """Return the field that goes with refusals of this status."""
    name, text = _FIELDS.get(status, ("", ""))
    return {"headers": {name: {"description": text, "schema": {"type": "string"}}}} if name else {}
