"""Tasks are found again over MCP: by words, and by when they were made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from pydantic import TypeAdapter

from rushes.domain.principal import LOCAL
from rushes.tools import moment

from ..clocks import JumpingClock
from ..server.clients import connected, document
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG
from .fake_service import FakeService

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("7d", False, NOW - timedelta(days=7)),
        ("12h", False, NOW - timedelta(hours=12)),
        ("30 min ago", True, NOW - timedelta(minutes=30)),
        ("2w", False, NOW - timedelta(weeks=2)),
        ("2026-11-20T14:00Z", False, datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("2026-11-20T14:00+02:00", False, datetime(2026, 11, 20, 12, tzinfo=UTC)),
    ],
)
def test_moments_are_dates_or_how_long_ago(text: str, end: bool, expected: datetime) -> None:
    assert moment(text, NOW, end=end) == expected


def test_a_day_is_one_of_this_machines_zone_and_ends_with_its_last_moment() -> None:
    begins = datetime(2026, 11, 20).astimezone()
    ends = datetime(2026, 11, 21).astimezone()
    assert moment("2026-11-20", NOW, end=False) == begins
    assert moment("2026-11-20", NOW, end=True) == ends
    today = NOW.astimezone().date()
    assert moment("yesterday", NOW, end=True) == moment("today", NOW, end=False) == moment(f"{today}", NOW, end=False)


async def test_what_is_no_moment_is_refused_with_the_forms() -> None:
    async with connected(FakeService()) as client:
        result = await client.call_tool("list_tasks", {"since": "last summer"})
    assert result.is_error
    assert "since must be a date or how long ago: 2026-11-20" in str(result.structured_content)


async def test_yesterday_is_one_call() -> None:
    service = FakeService()
    async with connected(service) as client:
        await client.call_tool("list_tasks", {"query": "fox", "since": "yesterday", "until": "yesterday"})
    assert service.searched is not None
    query, since, until = service.searched
    assert query == "fox"
    assert since is not None and until is not None
    assert timedelta(hours=22) < until - since < timedelta(hours=26)
    assert until <= datetime.now(UTC)


async def test_tasks_are_found_by_words_and_time_through_the_whole_service(tmp_path: Path) -> None:
    clock = JumpingClock()
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG] * 3)
    async with an_engine(tmp_path, gateway, clock=clock) as engine, connected(engine) as client:
        ids: list[str] = []
        for prompt in ("a fox in snow", "a badger", "a fox in rain"):
            ids.append((await engine.generate(a_wish(prompt, kind="image"))).record.task_id)
            with anyio.fail_after(10):
                await engine.wait(ids[-1], seconds=10, principal=LOCAL)
            await clock.sleep(3600)
        found = document(await client.call_tool("list_tasks", {"query": "fox"}))
        page = document(await client.call_tool("list_tasks", {"query": "fox", "limit": 1}))
        cursor = str(page["next_cursor"])
        rest = document(await client.call_tool("list_tasks", {"query": "fox", "limit": 1, "cursor": cursor}))
        since = await engine.list_tasks(principal=LOCAL, since=clock.now() - timedelta(hours=2, minutes=30))
        until = await engine.list_tasks(principal=LOCAL, until=clock.now() - timedelta(hours=2, minutes=30))
    shown = str(found)
    assert ids[0] in shown and ids[2] in shown and ids[1] not in shown
    assert ids[2] in str(page) and ids[0] in str(rest) and "next_cursor" not in rest
    assert [record.task_id for record in since.records] == [ids[2], ids[1]]
    assert [record.task_id for record in until.records] == [ids[0]]


async def test_the_arguments_of_a_task_make_the_very_same_request(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG] * 3)
    gateway.facts_changes = {"image_forms": ("url", "data")}
    async with an_engine(tmp_path, gateway) as engine, connected(engine) as client:
        first = document(await client.call_tool("generate_image", {"prompt": "a fox", "wait_seconds": 10}))
        asked = {"prompt": "again", "model": "m1", "seed": 7, "images": [f"task:{first['task_id']}#1"]}
        made = document(await client.call_tool("generate_image", asked))
        shown = document(await client.call_tool("check_task", {"task_id": made["task_id"]}))
        again = TypeAdapter(dict[str, object]).validate_python(shown["arguments"])
        same = document(await client.call_tool("generate_image", again))
    assert again == asked
    assert (same["task_id"], same["deduplicated"]) == (made["task_id"], True)
