"""The page about scaling shows what the simulation prints, and the simulation says what the model says."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from benchmarks.scaling import BEGIN, COSTS, END, PAGE, PLANS, Load, background, shares, simulate, table

SMALL = Load("small", 2000, 20, rate=400, cells=1, nodes=4)
ROOM = Load("one room", 1000, 1, rate=1, cells=1, nodes=1)


def test_the_page_shows_the_table_that_the_simulation_prints() -> None:
    page = PAGE.read_text("utf-8")
    assert page.split(BEGIN)[1].split(END)[0].strip() == table()


@pytest.mark.parametrize(
    "load", [SMALL, replace(SMALL, nodes=8), replace(SMALL, rate=1000)], ids=lambda one: repr(one)
)
def test_the_simulation_is_as_busy_as_the_model_says(load: Load) -> None:
    model, seen = shares(load, COSTS), simulate(load, COSTS, messages=3000)
    assert seen.node == pytest.approx(model.node, abs=0.06)
    assert seen.broker == pytest.approx(model.broker, rel=0.15)
    assert (
        0.5 * model.database < seen.database < 1.1 * model.database
    )  # two that come together share a commit


def test_the_last_reader_of_a_quiet_room_waits_for_the_commit_and_for_all_others() -> None:
    seen = simulate(ROOM, COSTS, messages=500)
    alone = (COSTS.message + COSTS.commit + 1000 * COSTS.delivery) / 1000 + COSTS.commit_ms
    assert seen.half_ms == pytest.approx(alone / (1 - background(ROOM, COSTS)), rel=0.03)
    assert not seen.growing


def test_what_is_too_much_by_the_model_is_ever_later_in_the_simulation() -> None:
    busy = replace(ROOM, rate=110)
    assert shares(busy, COSTS).node > 1
    assert simulate(busy, COSTS, messages=2000).growing


def test_every_price_matters() -> None:
    """A price that nothing depends on would be a mistake in the model."""
    load = PLANS[3]
    for one in fields(COSTS):
        dearer = replace(COSTS, **{one.name: getattr(COSTS, one.name) * 2})
        assert shares(load, dearer) != shares(load, COSTS), one.name


@pytest.mark.parametrize(
    "one", [one for one in fields(COSTS) if isinstance(one.default, float)], ids=lambda one: one.name
)
def test_the_page_names_every_measured_price(one: object) -> None:
    price = f"{one.default:g}"
    said = PAGE.read_text("utf-8").split("So a price has two parts:")[1].split("## ")[0]
    assert price in said
