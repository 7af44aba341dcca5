"""A rate limit is one for all nodes, with a bound to what somebody gains who goes to all of them at once."""

from __future__ import annotations

from random import Random

from tests.conformance.buses import Hub
from tests.conformance.transports.street import Neighbour, pass_everywhere, street

BURST = 5


def town(hub: Hub) -> list[Neighbour]:
    houses = street(3, hub=hub, limit_exempt="", write_burst=BURST, write_rate=0.1)
    for house in houses:
        house.ask("GET", "/v1/rooms/lobby/events?wait=0")
    return houses


def written(house: Neighbour) -> int:
    """Write until it is refused; return how often that went well."""
    for number in range(100):
        status, _ = house.ask("POST", "/v1/rooms/lobby/messages", body={"text": "x"})
        if status == 429:
            return number
        assert status == 201
    raise AssertionError("there is no limit")


def test_a_burst_on_one_node_is_a_burst_on_all() -> None:
    houses = town(Hub(Random(1)))
    assert written(houses[0]) == BURST
    pass_everywhere(houses, 0.6)
    assert [written(house) for house in houses] == [0, 0, 0]
    pass_everywhere(houses, 10)
    assert sum(written(house) for house in houses[:1]) == 1
    pass_everywhere(houses, 0.6)
    assert [written(house) for house in houses] == [0, 0, 0]


def test_whoever_goes_to_all_nodes_at_once_has_a_burst_on_each_once_and_pays_it_back() -> None:
    houses = town(Hub(Random(1)))
    assert [written(house) for house in houses] == [BURST] * 3
    pass_everywhere(houses, 40)
    assert [written(house) for house in houses] == [0, 0, 0]
    pass_everywhere(houses, 70)
    assert written(houses[0]) >= 1


def test_a_bus_that_is_silent_leaves_each_node_its_own_limit() -> None:
    houses = town(Hub(Random(1), drop=1))
    assert written(houses[0]) == BURST
    pass_everywhere(houses, 0.6)
    assert [written(house) for house in houses] == [0, BURST, BURST]
