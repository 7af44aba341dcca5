"""What counts as an order to a bot."""

from __future__ import annotations

import pytest

from kodama.client.bot import order_in


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("deploy", ("deploy", "")), ("  deploy  web now ", ("deploy", "web now")), ("!deploy web", ("deploy", "web")),
        ("／deploy　web", ("deploy web", "")), ("！Deploy web", ("deploy", "web")), ("@Ops deploy web", ("deploy", "web")),
        ("@ops: deploy web", ("deploy", "web")), ("＠ops deploy", ("deploy", "")), ("@other deploy", ("@other", "deploy")),
        ("deploy\nweb now", ("deploy", "web now")), ("", ("", "")), ("@ops", ("", "")),
    ],
)  # fmt: skip
def test_the_first_word_is_the_order(text: str, order: tuple[str, str]) -> None:
    assert order_in(text, name="Ops") == order
