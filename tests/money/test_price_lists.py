"""The gateways' lists of prices are brought to the models before a price is asked for, and not for each call anew."""

from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue

from rushes.tasks.intake.routing import Configured
from rushes.tasks.money.price_lists import PriceLists

from ..tasks.makers import START
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio


class Values:
    """The store's side values, in memory."""

    def __init__(self) -> None:
        self.reads = 0
        self._values: dict[str, tuple[JsonValue, datetime]] = {}

    async def get_value(self, key: str) -> tuple[JsonValue, datetime] | None:
        self.reads += 1
        return self._values.get(key)

    async def set_value(self, key: str, value: JsonValue) -> None:
        self._values[key] = (value, START)

    async def get_values(self, prefix: str) -> dict[str, JsonValue]:
        return {key: value for key, (value, _) in self._values.items() if key.startswith(prefix)}


async def test_a_list_that_was_just_joined_is_not_read_for_the_next_call() -> None:
    values, gateway = Values(), ScriptedProvider(live=())
    lists = PriceLists([Configured(gateway)], values)
    for seconds, reads in ((0, 1), (5, 1), (59, 1), (61, 2), (62, 2), (-300, 3)):
        await lists.join("gate", START + timedelta(seconds=seconds), fetch=True)
        assert values.reads == reads, seconds
    assert gateway.refreshes == 1


async def test_a_list_that_has_become_too_old_is_read_anew() -> None:
    values, gateway = Values(), ScriptedProvider(live=())
    lists = PriceLists([Configured(gateway)], values)
    for days in (0, 2):
        await lists.join("gate", START + timedelta(days=days), fetch=True)
    assert gateway.refreshes == 2
