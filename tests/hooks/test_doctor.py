"""`rushes doctor` on callbacks: the address, whether it leads here, and who will use it."""

from typing import Any

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA
from rushes.server.doctor.report import examine
from rushes.server.preparation import prepared_settings
from rushes.tasks.migrations import MIGRATIONS

from ..gateways.client import RunningGateways
from .houses import a_house, set_up

pytestmark = pytest.mark.anyio


async def callbacks(*, offline: bool = False) -> dict[str, tuple[str, str]]:
    """State and message of each check, by its name."""
    report = await examine(offline=offline)
    return {check.name: (check.state, check.message) for check in report.checks if check.topic == "callbacks"}


async def test_without_an_address_nothing_is_said() -> None:
    assert await callbacks() == {}


async def test_it_says_that_its_own_hook_arrived_and_who_will_call(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo", "yuto"):
        found = await callbacks()
    assert found["hooks"] == ("ok", "a hook to ourselves arrived")
    assert found["apixo"][0] == "ok"
    assert found["yuto"] == ("note", "cannot be asked to call back: rushes looks by itself")
    assert found["address"][0] == "note"
    assert "sandbox" not in found


async def test_it_says_that_nothing_arrived_where_nobody_listens(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(gateways, monkeypatch, "apixo", public_url=gateways.closed_url)
    state, message = (await callbacks())["hooks"]
    assert (state, "did not arrive" in message) == ("broken", True)


async def test_it_tells_another_server_from_a_rushes_of_this_home(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    async with a_house(gateways, monkeypatch, "apixo"):
        monkeypatch.setenv("RUSHES_HOME", str(tmp_path / "another"))
        state, message = (await callbacks())["hooks"]
    assert (state, "something else" in message) == ("broken", True)


async def test_it_tells_that_another_server_answers_at_the_address(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(gateways, monkeypatch, "apixo", public_url=gateways.base_url("shuyou"))
    state, message = (await callbacks())["hooks"]
    assert (state, "answered with HTTP 40" in message) == ("broken", True), message


async def test_an_address_that_is_not_https_or_has_no_such_host_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_PUBLIC_URL", "http://rushes.invalid")
    monkeypatch.setenv("APIXO_API_KEY", "apx_0123456789")
    monkeypatch.setenv("APIXO_BASE_URL", "https://apixo.invalid")
    found = await callbacks()
    assert (found["address"][0], found["name"][0], found["apixo"][0]) == ("broken", "broken", "warning")


async def test_a_gateway_whose_hooks_do_not_come_is_named(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(gateways, monkeypatch, "apixo", public_url="http://127.0.0.1:9")
    async with TaskStore.opened(prepared_settings().cache_dir, schema=SCHEMA, migrations=MIGRATIONS) as store:
        await store.set_value("hooks missed/apixo", 3)
    with anyio.fail_after(20):
        state, message = (await callbacks(offline=True))["apixo"]
    assert (state, "3 jobs in a row ended without" in message) == ("warning", True)
