"""What may come to the address of hooks, and what comes of it: at most one look at a job."""

import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import anyio
import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.hooks import HookReading, HookRequest
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.server.transports.http import bound, hooks_app, serve_app
from rushes.server.web.hooks import HOOK_BYTES_MAX, HookDoor
from rushes.tasks.hook_desk import HookDesk
from rushes.tasks.hook_tokens import hash_of, keys_of, task_id_in
from rushes.tasks.hooked import Hooked, hooked
from rushes.tasks.work.hook_silence import HookSilence

from ..clocks import SteppedClock, a_moment
from ..gateways.client import RunningGateways
from ..gateways.hooks import signed
from ..tasks.makers import JOB, a_record, polling
from .houses import House, a_house, token_of

pytestmark = pytest.mark.anyio

SLOW = "[manual] a red fox"
KEY = b"k" * 32
TASK_ID = a_record().task_id
TOKEN = keys_of(KEY, TASK_ID, "gate").token
PLAIN = HookReading()


# Over HTTP, at a gateway that signs and at one that does not


async def posted(house: House, path: str, body: bytes = b"{}", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await house.gateways.http.post(f"{house.public_url}{path}", content=body, headers=named)


async def untouched(house: House, gateway: str, before: TaskRecord) -> None:
    """Nothing of the task has changed, and nobody looked at its job."""
    assert await house.engine.get(before.task_id, principal=LOCAL) == before
    assert [job.polls for job in await house.gateways.jobs(gateway)] == [0]


async def test_everything_that_is_no_hook_of_a_task_is_refused_in_the_same_words_and_changes_nothing(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo", "shuyou") as house:
        record = await house.begun("apixo", SLOW)
        token = await house.token_of("apixo")
        wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
        answers = [
            await posted(house, f"/hooks/apixo/{wrong}"),
            await posted(house, f"/hooks/apixo/{record.task_id}"),
            await posted(house, f"/hooks/shuyou/{token}"),
            await posted(house, f"/hooks/nobody/{token}"),
            await posted(house, f"/hooks/apixo/{token}/more"),
            await posted(house, f"/hooks/apixo/{token}%00"),
            await posted(house, f"/hooks/apixo/{'x' * 8000}"),
            await posted(house, "/hooks/-/short"),
            await posted(house, f"/hooks/apixo/{token}", b" " * (HOOK_BYTES_MAX + 1)),
            *[
                await gateways.http.request(method, f"{house.public_url}/hooks/apixo/{token}")
                for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH")
            ],
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(404, "Not found")}
        await untouched(house, "apixo", record)


async def test_a_body_that_grows_beyond_a_mebibyte_is_refused_whatever_its_head_says(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", SLOW)
        url = f"{house.public_url}/hooks/apixo/{await house.token_of('apixo')}"
        try:
            answer = await gateways.http.post(url, content=endless())
        except (httpx.WriteError, httpx.ReadError):
            pass  # The connection was closed before all of it was sent.
        else:
            assert (answer.status_code, answer.text) == (404, "Not found")
        await untouched(house, "apixo", record)


async def test_at_a_gateway_that_signs_only_its_own_hook_counts_and_only_once(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        record = await house.begun("llmgateway", SLOW)
        path = f"/hooks/llmgateway/{await house.token_of('llmgateway')}"
        (job,) = await gateways.jobs()
        assert isinstance(job.body, dict)
        key = str(job.body["callback_secret"]).encode()
        body = json.dumps({"object": "event", "type": "video.completed", "data": {"id": job.job_id}}).encode()
        right = signed(body, "evt_1", key)
        shifted = {**right, "webhook-timestamp": str(int(time.time()) - 301)}
        forged = [
            await posted(house, path, body),
            await posted(house, path, body, **signed(body, "evt_1", b"another")),
            await posted(house, path, body + b" ", **right),
            await posted(house, path, body, **shifted),
            await posted(house, path, body, **{**right, "webhook-id": "evt_2"}),
        ]
        assert {(answer.status_code, answer.text) for answer in forged} == {(404, "Not found")}
        await untouched(house, "llmgateway", record)

        async def looks(count: int) -> None:
            with anyio.fail_after(10):
                while (await gateways.jobs())[0].polls < count:
                    await a_moment()

        for _ in range(3):
            assert (await posted(house, path, body, **right)).status_code == 200
        await looks(1)
        heard = await house.engine.get(record.task_id, principal=LOCAL)
        assert (heard.state, heard.outputs) == (record.state, ())
        await gateways.set_phase("llmgateway", job.job_id, "succeeded")
        assert (await posted(house, path, body, **signed(body, "evt_3", key))).status_code == 200
        done = await house.ended(record.task_id)
    assert done.state == "succeeded"


async def test_a_hook_that_claims_the_end_ends_nothing(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", SLOW)
        lie = {
            "code": 200,
            "data": {"taskId": "other", "state": "success", "resultJson": '{"resultUrls":["http://x/"]}'},
        }
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        assert (await posted(house, path, json.dumps(lie).encode())).status_code == 200
        with anyio.fail_after(10):
            while (await gateways.jobs())[0].polls == 0:
                await a_moment()
        seen = await house.engine.wait(record.task_id, seconds=0.1, principal=LOCAL)
    assert (seen.final, seen.outputs, seen.job) == (False, (), record.job)


async def test_a_flood_of_hooks_of_one_task_has_few_looks_made(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        await house.begun("apixo", SLOW)
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        for _ in range(60):
            assert (await posted(house, path)).status_code == 200
        assert (await gateways.jobs())[0].polls <= 3


async def test_a_body_that_does_not_come_in_time_is_refused(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house, anyio.create_task_group() as group:
        record = await house.begun("apixo", SLOW)
        door, listener = HookDoor(house.desk), bound("127.0.0.1", 0)
        door.bounds.seconds = 0.1
        await group.start(serve_app, hooks_app(door), listener, "/hooks")
        head = (
            f"POST /hooks/apixo/{await token_of(gateways, 'apixo')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{{"
        )
        with anyio.fail_after(10):
            async with await anyio.connect_tcp(*listener.getsockname()[:2]) as stream:
                await stream.send(head.encode())
                answer = b""
                async for part in stream:
                    answer += part
        assert answer.startswith(b"HTTP/1.1 404 ")
        await untouched(house, "apixo", record)
        group.cancel_scope.cancel()


async def test_a_foreign_host_name_is_right_for_hooks_and_for_nothing_else(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        await house.begun("apixo", SLOW)
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        assert (await posted(house, path, host="hooks.example")).status_code == 200
        assert (await posted(house, "/mcp", host="hooks.example")).status_code == 404


# The desk alone


class Reader:
    """Takes what it is told to."""

    def __init__(self, reading: HookReading | None) -> None:
        self.reading = reading
        self.secrets: list[str] = []

    def read_hook(self, hook: HookRequest, secret: str, now: object) -> HookReading | None:
        self.secrets.append(secret)
        return self.reading


class NoValues:
    async def get_value(self, key: str) -> None:
        return None

    async def get_values(self, prefix: str) -> dict[str, JsonValue]:
        del prefix
        return {}

    async def set_value(self, key: str, value: object) -> None:
        raise AssertionError(key)


def a_desk(
    record: TaskRecord | None, reading: HookReading | None = PLAIN, clock: SteppedClock | None = None
) -> tuple[HookDesk, list[str], Reader]:
    told: list[str] = []
    reader, clock = Reader(reading), clock or SteppedClock()

    async def read(task_id: str) -> Hooked | None:
        assert task_id == TASK_ID
        return None if record is None else hooked(record)

    async def hear(task_id: str) -> bool:
        told.append(task_id)
        return True

    return HookDesk(KEY, {"gate": reader}, clock, HookSilence(NoValues(), clock), read=read, hear=hear), told, reader


async def taken(desk: HookDesk, token: str = TOKEN) -> bool:
    expected = await desk.find("gate", token)
    return expected is not None and await desk.receive(expected, HookRequest({}, b""))


@pytest.mark.parametrize("reading", [None, HookReading(goes_on=True)])
async def test_nobody_is_told_of_what_is_not_the_gateways_or_of_a_job_that_goes_on(reading: HookReading | None) -> None:
    desk, told, reader = a_desk(polling(hook=hash_of(TOKEN)), reading)
    assert await taken(desk) is (reading is not None)
    assert told == []
    assert reader.secrets == [keys_of(KEY, TASK_ID, "gate").secret]


@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        lambda: polling(),
        lambda: polling(hook=hash_of("another")),
        lambda: polling(hook=hash_of(TOKEN), provider="another"),
    ],
)
async def test_a_token_that_is_not_the_records_is_no_token(make: Callable[[], TaskRecord | None]) -> None:
    desk, told, _ = a_desk(make())
    assert not await taken(desk)
    assert told == []


@pytest.mark.parametrize("phase", ["submitting", "polling", "reconciling", "watching"])
async def test_word_is_passed_on_while_there_is_something_to_look_at(phase: str) -> None:
    desk, told, _ = a_desk(a_record(job=JOB, hook=hash_of(TOKEN), phase=phase))
    assert await taken(desk)
    assert told == [TASK_ID]


@pytest.mark.parametrize("phase", ["held", "keeping", "done"])
async def test_word_is_passed_on_of_nothing_where_no_look_is_due(phase: str) -> None:
    desk, told, _ = a_desk(a_record(job=JOB, hook=hash_of(TOKEN), phase=phase))
    assert await taken(desk)
    assert told == []


async def test_a_token_is_dead_a_day_after_its_tasks_end() -> None:
    clock = SteppedClock()
    ended = a_record(job=JOB, hook=hash_of(TOKEN), phase="done", open=False, state="succeeded", finished_at=clock.now())
    desk, _, _ = a_desk(ended, clock=clock)
    clock.passed = timedelta(hours=23)
    assert await taken(desk)
    clock.passed = timedelta(hours=25)
    assert not await taken(desk)


async def test_a_repeated_delivery_is_told_once() -> None:
    desk, told, _ = a_desk(polling(hook=hash_of(TOKEN)), HookReading("evt_1"))
    assert [await taken(desk) for _ in range(3)] == [True, True, True]
    assert told == [TASK_ID]


def test_a_token_says_whose_it_is_and_shows_nothing_of_the_key() -> None:
    assert task_id_in(TOKEN) == TASK_ID
    assert [task_id_in(text) for text in ("", TASK_ID, TOKEN[:-1], TOKEN + "x", "é" * 69)] == [None] * 5
    assert len({keys_of(KEY, TASK_ID, "a").secret, keys_of(KEY, TASK_ID, "b").secret, TOKEN[26:]}) == 3
    assert keys_of(b"j" * 32, TASK_ID, "gate").token != TOKEN
