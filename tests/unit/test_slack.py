"""Messages made for Slack lose their decoration, and none of their words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import BadJson, BadRequest
from kodama.wire.hooks import hook_command, hook_message
from kodama.wire.slack import slack_body, slack_text

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [
            {"type": "text", "text": "see ", "style": {"bold": True, "italic": True}},
            {"type": "link", "url": "https://a.example", "text": "this"},
            {"type": "text", "text": " "},
            {"type": "user", "user_id": "U1"}, {"type": "channel", "channel_id": "C1"},
            {"type": "broadcast", "range": "here"}, {"type": "emoji", "name": "tada"},
            {"type": "text", "text": " ", "style": {"code": True}},
            {"type": "text", "text": "x", "style": {"code": True, "strike": False}},
        ]},
        {"type": "rich_text_list", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "two", "style": {"strike": True}}]},
        ]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a\nb"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"text": "hello"}, "hello"),
        ({"text": "<https://a.example|the page>, <https://b.example>"}, "[the page](https://a.example), https://b.example"),
        ({"text": "<https://a.example|https://a.example>"}, "https://a.example"),
        ({"text": "<@U1> <@U1|aiko> <#C1|tea> <!here> <!subteam^S1|ops> <!date^1|today>"}, "@U1 @aiko #tea @here ops today"),
        ({"text": "<!subteam^S1>"}, "@subteam"),
        ({"text": "*bold* _so_ ~old~ 2*3*4 a ~ b"}, "**bold** _so_ ~~old~~ 2*3*4 a ~ b"),
        ({"text": "a &lt;b&gt; &amp;amp; `*x* <y|z>`"}, "a <b> &amp; `*x* <y|z>`"),
        ({"text": "```*x*\n<a|b>``` *y*"}, "```*x*\n<a|b>``` **y**"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Release *42*"}}]}, "**Release *42***"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*ok*"}, "fields": [{"text": "f"}]}]}, "**ok**\nf"),
        ({"blocks": [{"type": "context", "elements": [{"type": "image", "image_url": "https://i.example/x.png", "alt_text": "x"}, {"type": "mrkdwn", "text": "by"}]}]}, "[x](https://i.example/x.png) by"),
        ({"blocks": [{"type": "section"}, {"type": "divider"}, {"type": "actions", "elements": []}, 7]}, "---"),
        ({"blocks": [{"type": "image", "image_url": "https://i.example/x.png"}]}, "https://i.example/x.png"),
        ({"text": "said otherwise", "blocks": [{"type": "section", "text": {"text": "in blocks"}}]}, "in blocks"),
        ({"text": "said", "blocks": [{"type": "actions"}]}, "said"),
        ({"attachments": [{"fallback": "only this"}]}, "only this"),
        ({"text": 7, "attachments": [{"pretext": "*p*", "author_name": "CI", "title": "T", "title_link": "https://t.example", "text": "x", "fields": [{"title": "Env", "value": 3}], "footer": "f", "fallback": "no"}]}, "7\n**p**\nCI\n[T](https://t.example)\nx\n**Env**: 3\nf"),
        ({"attachments": [{"title": "T", "blocks": [{"type": "section", "text": {"text": "b"}}], "image_url": "https://i.example"}]}, "T\nb\nhttps://i.example"),
        ({"attachments": "no list", "blocks": None}, ""),
        ({"blocks": [RICH]}, "**_see _**[this](https://a.example) @U1#C1@here:tada: `x`\n- one\n- ~~two~~\n> a\n> b\n```\ncode\n```"),
    ],
)  # fmt: skip
def test_what_is_readable_is_kept(given: dict[str, Any], text: str) -> None:
    assert slack_text(given) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["text", "type", "blocks", "attachments", "elements", "fields", "title", "value", "style", "url"]), inner)))
def test_nothing_that_is_json_breaks_it(given: Any) -> None:
    with suppress(BadJson, BadRequest):
        assert slack_body(json.dumps(given).encode(), form=JSON).text


def test_a_username_is_the_name_and_a_form_has_it_in_payload() -> None:
    body = urlencode({"payload": json.dumps({"text": "hi", "username": "CI"})}).encode()
    given = slack_body(body, form=FORM)
    assert (given.text, given.name) == ("hi", "CI")
    assert slack_body(b'{"text":"hi","username":" "}', form=JSON).name is None


@pytest.mark.parametrize(
    ("body", "form"),
    [(b"[]", JSON), (b"{}", JSON), (b"{", JSON), (b'{"text":"a\\u0000"}', JSON), (b"payload=%ff", FORM), (b"\xff", FORM), (b"other=1", FORM)],
)  # fmt: skip
def test_what_says_nothing_is_refused(body: bytes, form: str) -> None:
    with pytest.raises((BadRequest, BadJson)):
        slack_body(body, form=form)


def test_a_webhook_takes_our_messages_text_and_slacks() -> None:
    assert hook_message(b"plain *text*\n", form="text/plain").text == "plain *text*"
    assert hook_message(b'{"text":"*ours*","nonce":"n1"}', form=JSON).nonce == "n1"
    assert hook_message(b'{"text":"*theirs*","attachments":[]}', form=JSON).text == "**theirs**"
    assert hook_message(b"payload=%7B%22text%22%3A%22x%22%7D", form=FORM).text == "x"
    with pytest.raises(BadRequest):
        hook_message(b"[1]", form=JSON)


def test_a_webhook_is_asked_for_with_a_name_and_an_address() -> None:
    assert hook_command(b'{"kind":"incoming","name":" CI "}').name == "CI"
    made = hook_command(b'{"kind":"outgoing","name":"CI","url":"https://a.example/x","word":"deploy"}')
    assert (made.url, made.word) == ("https://a.example/x", "deploy")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "other", "name": "x"}, {"kind": "incoming"}, {"kind": "incoming", "name": "x", "url": "https://a.example"},
        {"kind": "outgoing", "name": "x"}, {"kind": "outgoing", "name": "x", "url": "ftp://a.example"},
        {"kind": "outgoing", "name": "x", "url": "https://me:secret@a.example"},
        {"kind": "outgoing", "name": "x", "url": "https://a.example:99999"},
        {"kind": "outgoing", "name": "x", "url": "https://a.example/\r\nX: y"},
        {"kind": "outgoing", "name": "x", "url": "https://ä.example"},
        {"kind": "outgoing", "name": "x", "url": "https://a.example", "word": "two words"},
    ],
)  # fmt: skip
def test_a_webhook_that_cannot_be_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises((BadRequest, BadJson)):
        hook_command(json.dumps(body).encode())
