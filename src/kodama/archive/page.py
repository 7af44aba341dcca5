"""A room as one HTML file that needs nothing else: to be read, searched and printed, off line.

Decided here: the file holds only escaped text, one style and one script, and a policy that admits
just that script by its hash; so what people wrote cannot run wherever the file is opened.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from typing import Final

import msgspec

from kodama.core.event import Entry, Message, Reaction, Topic, decode
from kodama.core.room import RoomFacts
from kodama.web.html import linked

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 0 .75rem 2rem; overflow-wrap: anywhere; }
header { position: sticky; top: 0; background: Canvas; padding: .5rem 0; border-bottom: 1px solid; }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .25rem .5rem; }
article { padding: .3rem 0; } article > div { white-space: pre-wrap; }
article:target { outline: 2px solid Highlight; } time, small, .gone { opacity: .75; }
[hidden] { display: none; }
"""
_SCRIPT: Final = """
const field = document.querySelector("input");
const shown = document.querySelector("output");
const rows = [...document.querySelectorAll("article")].map((row) =>
  ({ row, text: row.textContent.normalize("NFKC").toLowerCase() }));
field.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.normalize("NFKC").toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const { row, text } of rows) {
    row.hidden = !words.every((word) => text.includes(word));
    count += row.hidden ? 0 : 1;
  }
  for (const day of document.querySelectorAll("section")) {
    day.hidden = !day.querySelector("article:not([hidden])");
  }
  shown.textContent = words.length ? `${count} / ${rows.length}` : "";
});
"""
_HASH: Final = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'"


def page_of(facts: RoomFacts, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the pieces of a room's page. ``entries`` are read once and their reactions are kept."""
    title = escape(facts.title or facts.name)
    messages, reactions = _folded(entries)
    yield f"""<!doctype html>
<html lang="und"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><style>{_STYLE}</style></head>
<body><header><h1 dir="auto">{title}</h1><p dir="auto">{escape(facts.topic)}</p>
<input type="search" hidden aria-label="Search / 検索" placeholder="Search / 検索">
<output></output></header><main>
"""
    day = ""
    for message in messages:
        if message.time[:10] != day:
            yield ("</section>\n" if day else "") + f"<section><h2>{message.time[:10]}</h2>\n"
            day = message.time[:10]
        yield _row(message, reactions.get(message.offset, Counter()))
    yield ("</section>" if day else "") + f"</main><script>{_SCRIPT}</script></body></html>\n"


def _folded(entries: Iterable[Entry]) -> tuple[list[Message], dict[int, Counter[str]]]:
    messages: list[Message] = []
    reactions: dict[int, Counter[str]] = {}
    for entry in entries:
        match decode(entry.json):
            case Message() as message:
                messages.append(message)
            case Reaction() as reaction:
                count = reactions.setdefault(reaction.target, Counter())
                count[reaction.emoji] += 1 if reaction.op == "add" else -1
            case Topic():
                pass
    return messages, reactions


def _row(message: Message, reactions: Counter[str]) -> str:
    if message.deleted is True:
        said = '<i class="gone">—</i>'
    elif isinstance(message.text, str):
        said = linked(message.text)
    else:
        said = f"<code>{escape(_data(message))}</code>"
    edited = " <small>(edited)</small>" if message.edited is True else ""
    given = " ".join(f"{escape(emoji)} {count}" for emoji, count in reactions.items() if count > 0)
    below = f"<small>{given}</small>" if given else ""
    place, when = f"m{message.offset}", message.time
    return (
        f'<article id="{place}"><b dir="auto">{escape(message.author.name)}</b> '
        f'<a href="#{place}"><time datetime="{when}">{when[11:16]}</time></a>{edited}'
        f'<div dir="auto">{said}</div>{below}</article>\n'
    )


def _data(message: Message) -> str:
    return msgspec.json.encode(message.data).decode()
