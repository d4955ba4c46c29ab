"""The gateways' lists of prices are brought to the models before a price is asked for, and not for each call anew."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import anyio
import pytest
from pydantic import JsonValue

from rushes.domain.model_facts import ModelFacts
from rushes.tasks.intake.routing import Configured
from rushes.tasks.money import price_lists
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
        await lists.join("gate", START + timedelta(seconds=seconds), decides=True)
        assert values.reads == reads, seconds
    assert gateway.refreshes == 1


@pytest.mark.parametrize("decides", [True, False])
async def test_calls_that_come_at_once_read_a_list_once(decides: bool) -> None:
    gateway = ScriptedProvider(live=())
    lists = PriceLists([Configured(gateway)], Values())
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(partial(lists.join, "gate", START, decides=decides))
    assert gateway.refreshes == 1


async def test_a_list_that_does_not_come_holds_no_call_up_whose_price_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent(ScriptedProvider):
        async def refresh_models(self) -> Sequence[ModelFacts] | None:
            self.refreshes += 1
            await anyio.sleep_forever()
            return None

    monkeypatch.setattr(price_lists, "UNDECIDED_SECONDS", 0.0)
    gateway = Silent()
    lists = PriceLists([Configured(gateway)], Values())
    with anyio.fail_after(10):
        for _ in range(2):
            await lists.join("gate", START, decides=False)
    assert gateway.refreshes == 1


async def test_a_list_that_has_become_too_old_is_read_anew() -> None:
    values, gateway = Values(), ScriptedProvider(live=())
    lists = PriceLists([Configured(gateway)], values)
    for days in (0, 2):
        await lists.join("gate", START + timedelta(days=days), decides=True)
    assert gateway.refreshes == 2
