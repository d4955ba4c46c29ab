"""Hooks as an attacker would send them: nothing is decided by one, and nothing told."""

from datetime import timedelta

import anyio
import httpx
import pytest

from rushes.domain.hooks import HookReading, HookRequest
from rushes.domain.principal import LOCAL
from rushes.server.transports.http import bound, hooks_app, serve_app
from rushes.server.web.hooks import HookDoor
from rushes.tasks.hook_desk import HookDesk
from rushes.tasks.hook_tokens import hash_of, keys_of
from rushes.tasks.hooked import Hooked, hooked
from rushes.tasks.work.hook_silence import HookSilence

from ..clocks import SteppedClock
from ..gateways.client import RunningGateways
from ..gateways.hooks import signed
from ..tasks.makers import JOB, a_record
from .houses import House, a_house
from .test_door import KEY, TASK_ID, TOKEN, NoValues, posted, untouched

pytestmark = pytest.mark.anyio

SLOW = "[manual] a red fox"


def variants(token: str) -> list[str]:
    """Paths that are nearly the right one."""
    right = f"/hooks/apixo/{token}"
    return [
        right.lower(),
        f"/hooks/apixo/{token[:26].lower()}{token[26:]}",
        f"/hooks/apixo/{token.swapcase()}",
        f"/HOOKS/apixo/{token}",
        f"/hooks/APIXO/{token}",
        f"/hooks//apixo/{token}",
        f"/hooks/apixo//{token}",
        f"//hooks/apixo/{token}",
        f"/./hooks/apixo/{token}",
        f"/mcp/../hooks/apixo/{token}",
        f"/hooks/apixo/%2e%2e/apixo/{token}",
        f"{right}/",
        f"{right}/..",
        f"{right};x=1",
        f"{right}%20",
        f"{right}%0a",
        f"{right}%ff",
        f"{right}%c3%28",
        f"/hooks/ap%C4%B1xo/{token}",
        f"/hooks/-/{token}",
        f"/hooks/apixo/{token[:-1]}",
        f"/hooks/apixo/{token}A",
        f"/hooks/apixo/{token[1:]}{token[0]}",
    ]


async def raw(house: House, head: str, body: bytes = b"") -> bytes:
    """All that comes back to bytes on a connection, which the client ends."""
    host, port = house.public_url.removeprefix("http://").split(":")
    answer = b""
    with anyio.fail_after(20):
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(head.replace("\n", "\r\n").encode() + body)
            async for part in stream:
                answer += part
    return answer


async def test_nearly_right_paths_are_refused_in_the_same_words(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", SLOW)
        token = await house.token_of("apixo")
        for path in variants(token):
            answer = await raw(house, f"POST {path} HTTP/1.1\nHost: x\nContent-Length: 0\nConnection: close\n\n")
            assert answer.startswith(b"HTTP/1.1 404 "), path
            assert answer.endswith(b"\r\n\r\nNot found"), path
        await untouched(house, "apixo", record)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "TRACE", "PROPFIND", "post"])
async def test_other_methods_are_refused_before_a_body_is_read(
    method: str, gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", SLOW)
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        # The body that its head promises never comes.
        answer = await raw(house, f"{method} {path} HTTP/1.1\nHost: x\nContent-Length: 100\n\n")
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert answer.endswith(b"\r\n\r\n" if method == "HEAD" else b"\r\n\r\nNot found")
        await untouched(house, "apixo", record)


async def test_odd_bodies_are_hooks_as_others_and_decide_nothing(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [b"", b"\xff\xfe\x00", b"null", b"[" * 100_000, b'{"data": NaN}', b'{"data": {"sta']
    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", SLOW)
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        for body in bodies:
            headers = {"content_type": "application/octet-stream", "content_encoding": "gzip"}
            assert (await posted(house, path, body, **headers)).status_code == 200
        head = f"POST {path} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nConnection: close\n\n"
        assert (await raw(house, head, b"2\r\n{}\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        seen = await house.engine.get(record.task_id, principal=LOCAL)
    assert (seen.final, seen.outputs) == (False, ())


@pytest.mark.parametrize("shift", [-360, 360])
async def test_a_signature_of_six_minutes_ago_or_ahead_is_none(
    shift: int, gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        record = await house.begun("llmgateway", SLOW)
        (job,) = await gateways.jobs()
        assert isinstance(job.body, dict)
        key, body = str(job.body["callback_secret"]).encode(), b'{"data": {}}'
        path = f"/hooks/llmgateway/{await house.token_of('llmgateway')}"
        headers = signed(body, "evt_1", key, shift=shift)
        assert (await posted(house, path, body, **headers)).status_code == 404
        await untouched(house, "llmgateway", record)


async def test_a_right_hook_that_is_sent_again_to_a_process_started_anew_brings_a_look_and_no_more(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        record = await house.begun("llmgateway", SLOW)
        (job,) = await gateways.jobs()
        assert isinstance(job.body, dict)
        body = b'{"type": "video.completed"}'
        headers = signed(body, "evt_1", str(job.body["callback_secret"]).encode())
        path = f"/hooks/llmgateway/{await house.token_of('llmgateway')}"
        assert (await posted(house, path, body, **headers)).status_code == 200
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        for _ in range(3):
            assert (await posted(house, path, body, **headers)).status_code == 200
        seen = await house.engine.wait(record.task_id, seconds=0.1, principal=LOCAL)
    assert (seen.final, seen.outputs) == (False, ())


async def test_a_guessed_token_does_not_have_the_store_read() -> None:
    async def read(task_id: str) -> Hooked | None:
        raise AssertionError(task_id)

    clock = SteppedClock()

    async def hear(task_id: str) -> bool:
        raise AssertionError(task_id)

    desk = HookDesk(KEY, {"gate": Reader()}, clock, HookSilence(NoValues(), clock), read=read, hear=hear)
    wrong = keys_of(b"j" * 32, TASK_ID, "gate").token
    assert [await desk.find("gate", token) for token in (wrong, TOKEN[:-1] + "_", TASK_ID + "A" * 43)] == [None] * 3


class Reader:
    def read_hook(self, hook: HookRequest, secret: str, now: object) -> HookReading | None:
        return HookReading()


@pytest.mark.parametrize(
    ("public_url", "path", "status"),
    [
        ("https://a.example", "/hooks/gate/{}", 200),
        ("https://a.example/", "/hooks/gate/{}", 200),
        ("https://a.example/rushes", "/rushes/hooks/gate/{}", 200),
        ("https://a.example/rushes/", "/rushes/hooks/gate/{}", 200),
        ("https://a.example/a%20b/c", "/a%20b/c/hooks/gate/{}", 200),
        ("https://a.example/rushes", "/hooks/gate/{}", 200),
        ("https://a.example/rushes", "/other/hooks/gate/{}", 404),
        ("https://a.example/rushes", "/rushes/rushes/hooks/gate/{}", 404),
        ("https://a.example", "/rushes/hooks/gate/{}", 404),
    ],
)
async def test_a_prefix_of_the_public_address_may_be_left_on_by_a_tunnel_or_taken_away_by_a_proxy(
    public_url: str, path: str, status: int
) -> None:
    clock = SteppedClock()

    async def read(_: str) -> Hooked | None:
        return hooked(a_record(job=JOB, hook=hash_of(TOKEN), phase="polling"))

    async def hear(_: str) -> bool:
        return True

    desk = HookDesk(KEY, {"gate": Reader()}, clock, HookSilence(NoValues(), clock), read=read, hear=hear)
    door = HookDoor(desk, public_url=public_url)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="https://a.example") as client:
        url = httpx.URL(f"https://a.example{path.format(TOKEN)}")
        assert (await client.post(url, content=b"{}")).status_code == status


async def test_a_token_that_is_dead_is_told_from_a_wrong_one_by_nothing() -> None:
    clock = SteppedClock()
    over = a_record(job=JOB, hook=hash_of(TOKEN), phase="done", open=False, state="succeeded", finished_at=clock.now())

    async def read(_: str) -> Hooked | None:
        return hooked(over)

    async def hear(task_id: str) -> bool:
        raise AssertionError(task_id)

    clock.passed = timedelta(hours=25)
    door = HookDoor(HookDesk(KEY, {"gate": Reader()}, clock, HookSilence(NoValues(), clock), read=read, hear=hear))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="https://a.example") as client:
        answers = [await client.post(f"/hooks/gate/{token}") for token in (TOKEN, TOKEN[:-1] + "_")]
    assert len({(answer.status_code, answer.content, tuple(answer.headers.items())) for answer in answers}) == 1


async def test_a_hook_that_has_not_arrived_when_the_server_stops_is_told_to_come_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arrived = anyio.Event()

    async def read(_: str) -> Hooked | None:
        arrived.set()
        return hooked(a_record(job=JOB, hook=hash_of(TOKEN), phase="polling"))

    async def hear(task_id: str) -> bool:
        raise AssertionError(task_id)

    clock = SteppedClock()
    desk = HookDesk(KEY, {"gate": Reader()}, clock, HookSilence(NoValues(), clock), read=read, hear=hear)
    listener = bound("127.0.0.1", 0)
    address: tuple[str, int] = listener.getsockname()[:2]
    answer = b""
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            await group.start(serve_app, hooks_app(HookDoor(desk)), listener, "/hooks")
            async with await anyio.connect_tcp(*address) as stream:
                head = f"POST /hooks/gate/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{"
                await stream.send(head.encode())
                await arrived.wait()
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    async for part in stream:
                        answer += part
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
