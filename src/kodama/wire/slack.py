"""What programs send to Slack's incoming webhooks, as text of ours.

Decided here: whatever is readable in ``text``, ``attachments`` and ``blocks`` is kept, in their
order, as our own markup; what is only for Slack (buttons, colours, menus) is left out. A part of
an unknown kind says nothing and is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from kodama.core.errors import BadJson, BadRequest
from kodama.wire.commands import MessageBody, checked
from kodama.wire.strict import any_json

_CODE: Final = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_ANGLES: Final = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_BOLD: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_STRUCK: Final = re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")


def slack_body(body: bytes, *, form: str) -> MessageBody:
    """Read a message that was meant for Slack, with ``username`` as its name.

    ``form`` is the media type: JSON, or a form whose field ``payload`` is JSON. Raises `BadJson`,
    `BadRequest`.
    """
    if form == "application/x-www-form-urlencoded":
        try:
            found = parse_qs(body.decode("ascii"), max_num_fields=8, errors="strict")
        except ValueError:
            raise BadRequest("This is not a form with the field payload.") from None
        body = "".join(found.get("payload", ())[:1]).encode()
    given = any_json(body)
    if not isinstance(given, dict):
        raise BadJson("A message is a JSON object.")
    text = slack_text(given)
    if not text:
        raise BadRequest("There is nothing to read in this message.")
    name = given.get("username")
    return checked(MessageBody(text=text, name=name if isinstance(name, str) and name.strip() else None))


def slack_text(given: Mapping[str, Any]) -> str:
    """Return all that is readable in a message for Slack."""
    blocks = [part for block in _dicts(given.get("blocks")) for part in _block(block)]
    parts = [*blocks] if blocks else [_mrkdwn(_text(given.get("text")))]
    for attachment in _dicts(given.get("attachments")):
        parts += _attachment(attachment)
    return "\n".join(part for part in parts if part).strip()


def _attachment(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an attachment; its ``fallback`` only if there is nothing else."""
    lines = [_mrkdwn(_text(given.get("pretext"))), _text(given.get("author_name"))]
    title, link = _text(given.get("title")), _text(given.get("title_link"))
    lines.append(_link(link, title) if link and title else title)
    lines.append(_mrkdwn(_text(given.get("text"))))
    lines += [
        f"**{_text(field.get('title'))}**: {_mrkdwn(_text(field.get('value')))}"
        for field in _dicts(given.get("fields"))
    ]
    for block in _dicts(given.get("blocks")):
        lines += _block(block)
    lines += [_text(given.get("image_url")), _text(given.get("footer"))]
    readable = [line for line in lines if line]
    yield from readable or [_text(given.get("fallback"))]


def _block(given: Mapping[str, Any]) -> list[str]:
    """Return the lines of a block."""
    elements = list(_dicts(given.get("elements")))
    match given.get("type"):
        case "section":
            return [_object(given.get("text")), *map(_object, _dicts(given.get("fields")))]
        case "header":
            return [f"**{_object(given.get('text'))}**"]
        case "context":
            return [" ".join(filter(None, map(_element, elements)))]
        case "divider":
            return ["---"]
        case "image":
            return [_element(given)]
        case "rich_text":
            return [_rich(one) for one in elements]
    return []


def _rich(given: Mapping[str, Any]) -> str:
    """Return a section, list, quotation or code of rich text."""
    elements = list(_dicts(given.get("elements")))
    if given.get("type") == "rich_text_list":
        return "\n".join(f"- {_rich(one)}" for one in elements)
    said = "".join(map(_inline, elements))
    match given.get("type"):
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in said.split("\n"))
        case "rich_text_preformatted":
            return f"```\n{said}\n```"
    return said


def _inline(given: Mapping[str, Any]) -> str:
    match given.get("type"):
        case "link":
            return _link(_text(given.get("url")), _text(given.get("text")))
        case "user":
            return f"@{_text(given.get('user_id'))}"
        case "channel":
            return f"#{_text(given.get('channel_id'))}"
        case "broadcast":
            return f"@{_text(given.get('range'))}"
        case "emoji":
            return f":{_text(given.get('name'))}:"
    return _styled(_text(given.get("text")), given.get("style"))


def _styled(text: str, style: object) -> str:
    if not text.strip() or not isinstance(style, dict):
        return text
    for name, mark in (("code", "`"), ("italic", "_"), ("strike", "~~"), ("bold", "**")):
        if style.get(name) is True:
            text = f"{mark}{text}{mark}"
    return text


def _element(given: Mapping[str, Any]) -> str:
    if given.get("type") == "image":
        return _link(_text(given.get("image_url")), _text(given.get("alt_text")))
    return _object(given)


def _object(given: object) -> str:
    """Return a text object: Slack's markup, or plain text."""
    if not isinstance(given, dict):
        return ""
    text = _text(given.get("text"))
    return text if given.get("type") == "plain_text" else _mrkdwn(text)


def _mrkdwn(text: str) -> str:
    """Return Slack's markup as ours; code is left as it is but for its escapes."""
    parts = _CODE.split(text)
    for at in range(0, len(parts), 2):
        parts[at] = _STRUCK.sub(r"~~\1~~", _BOLD.sub(r"**\1**", _ANGLES.sub(_angle, parts[at])))
    return "".join(parts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _angle(found: re.Match[str]) -> str:
    """Return what stands in angles: a mention, a room, or an address with its label."""
    target, label = found[1], found[2] or ""
    match target[0]:
        case "!":
            return label or f"@{target[1:].partition('^')[0]}"
        case "@" | "#":
            return f"{target[0]}{label or target[1:]}"
    return _link(target, label)


def _link(target: str, label: str) -> str:
    return f"[{label}]({target})" if label and label != target else target


def _text(given: object) -> str:
    return given if isinstance(given, str) else str(given) if isinstance(given, int | float) else ""


def _dicts(given: object) -> Iterator[dict[str, Any]]:
    """Yield the objects in a list; nothing else is of use."""
    if isinstance(given, list):
        yield from (one for one in given if isinstance(one, dict))
