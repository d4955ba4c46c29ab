"""Gateways that misbehave for as long as they can: the task goes on, its output is kept, memory is bounded."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.registry import build_provider, default_settings
from rushes.tasks.engine import Engine, Limits

from ..gateways.client import RunningGateways
from ..tasks.engines import an_engine
from .account import account_of
from .crew import Crew
from .gateways import GROUNDS, Ground, address_of
from .orders import Order, Report
from .tally import Tally

pytestmark = pytest.mark.anyio

BYTES_MAX = 3_000_000
MEMORY_GROWTH_MAX = 80_000_000
GROUND: Ground = next(ground for ground in GROUNDS if ground.name == "apixo image")

LOOKS = (
    "poll-http:500:2",
    "poll-http-empty:503",
    "poll-html-502",
    "poll-html-200",
    "poll-empty-200",
    "poll-junk-json",
    "poll-null-json",
    "poll-list-json",
    "poll-deep-json",
    "poll-huge-json:256",
    "poll-bad-utf8",
    "poll-not-http",
    "poll-cut",
    "poll-reset",
    "poll-half-response",
    "poll-redirect:307",
    "poll-retry-after:1:2",
    "poll-retry-after-date:1:2",
    "unknown-state:reticulating:2",
)
SLOW_LOOKS = ("poll-hang", "poll-slow-drip:0.05")

DOWNLOADS = (
    "output-http:503",
    "output-html-200",
    "output-lying-type",
    "output-json",
    "output-empty",
    "output-half-response",
    "output-cut-short",
    "output-cut",
    "output-reset",
    "output-huge:16",
    "output-claims-huge",
    "output-gzip-bomb",
    "output-redirect-loop:7",
    "output-redirect-file",
)
"""Each befalls the first download only."""

DOWNLOADED_AT_ONCE = ("output-wrong-type", "output-no-length", "output-evil-name", "output-moved", "output-expired")


@asynccontextmanager
async def _studio(home: Path, gateways: RunningGateways, timeout_seconds: float = 30.0) -> AsyncGenerator[Engine]:
    known = next(each for each in default_settings() if each.name == GROUND.gateway)
    order = address_of(_order(home, ""), gateways)
    changes = {"base_url": order.base_url, "api_key": order.api_key, "timeout_seconds": timeout_seconds}
    provider = build_provider(known.model_copy(update=changes))
    try:
        async with an_engine(home, provider, limits=Limits(download_bytes_max=BYTES_MAX)) as engine:
            yield engine
    finally:
        await provider.aclose()


def _order(home: Path, word: str) -> Order:
    return Order(order="", home=home, gateway=GROUND.gateway, kind=GROUND.kind, prompt=f"a red fox [{word}]")


async def _at_rest(engine: Engine, record: TaskRecord) -> TaskRecord:
    while record.phase != "done":
        record = await engine.wait(record.task_id, seconds=0.5, principal=LOCAL)
    return record


async def _hold_kept(home: Path, word: str, record: TaskRecord, gateways: RunningGateways, tally: Tally) -> None:
    account = await account_of(_order(home, word), Report(calls=[], records=[record]), gateways)
    kind = "download" if word.startswith("output-") else "look"
    tally.add(f"a {kind} that brings nothing, or too much", account)
    assert (account.came, len(account.jobs)) == ("kept", 1), (word, record)


@pytest.mark.parametrize(("words", "timeout_seconds"), [(LOOKS, 30.0), (SLOW_LOOKS, 0.5)], ids=["looks", "slow looks"])
async def test_a_look_that_brings_nothing_ends_nothing(
    words: tuple[str, ...], timeout_seconds: float, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    async def try_one(engine: Engine, word: str) -> None:
        record = (await engine.generate(_order(tmp_path, word).wish)).record
        await _hold_kept(tmp_path, word, await _at_rest(engine, record), gateways, tally)

    with anyio.fail_after(90):
        async with _studio(tmp_path, gateways, timeout_seconds) as engine, anyio.create_task_group() as group:
            for word in words:
                group.start_soon(try_one, engine, word)


async def test_a_download_that_brings_no_whole_medium_is_told_and_made_again(
    gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    async def try_one(engine: Engine, word: str) -> None:
        record = (await engine.generate(_order(tmp_path, word).wish)).record
        while not record.settled:
            record = await engine.wait(record.task_id, seconds=0.5, principal=LOCAL)
        (output,) = record.outputs
        assert record.state == "succeeded"
        assert output.remote.url is not None
        if word in DOWNLOADS:
            assert (output.keeping.status, output.path) == ("pending", None), word
            assert output.keeping.problem, word
        await _hold_kept(tmp_path, word, await _at_rest(engine, record), gateways, tally)

    with anyio.fail_after(90):
        async with _studio(tmp_path, gateways) as engine, anyio.create_task_group() as group:
            for word in (*DOWNLOADS, *DOWNLOADED_AT_ONCE):
                group.start_soon(try_one, engine, word)
    names = {path.name for path in (tmp_path / "outputs").iterdir()}
    assert not [name for name in names if name.endswith(".part") or "outside" in name]


async def test_thousands_of_outputs_and_enormous_bodies_stay_within_bounds(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    plain = _order(tmp_path / "plain", "polls:1").model_copy(update={"order": "plain", "calls": 1})
    flood = plain.model_copy(
        update={
            "order": "flood",
            "home": tmp_path / "flood",
            "prompt": "a red fox [outputs:3000] [poll-huge-json:128]",
        }
    )
    with anyio.fail_after(60):
        usual = await (await crew.start(address_of(plain, gateways))).ends_well()
        report = await (await crew.start(address_of(flood, gateways))).ends_well()
    account = await account_of(flood, report, gateways)
    tally.add("thousands of outputs, enormous bodies", account)
    (record,) = account.records
    assert account.came == "kept"
    assert len(record.outputs) == 64
    assert any("3000 outputs" in warning for warning in record.warnings), record.warnings
    assert report.peak_bytes - usual.peak_bytes < MEMORY_GROWTH_MAX
