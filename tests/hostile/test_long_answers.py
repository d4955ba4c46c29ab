"""Answers as long as rushes reads them, full of texts: whoever else is served meanwhile does not wait for them."""

import json
import threading
from collections.abc import Callable, Coroutine

import anyio
import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.errors import GatewayUnavailable, SubmissionLost
from rushes.domain.job import Job, Observation, Plan, Submission
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.http import READ_BYTES_MAX
from rushes.providers.client.inline_media import HEAD_BYTES, MediaScanner
from rushes.providers.client.reply import Reply
from rushes.providers.fact_files import load_facts
from rushes.providers.format import Fault
from rushes.providers.formats.routeany import RouteAny

from ..providers.replies import job, make_format, plan_of, reply, settings
from ..providers.requests import request

pytestmark = pytest.mark.anyio

JOB = job("pred_1", "google/veo-3.1")
WORDS = "Your prompt & others' were not understood, 100% of them. "
PATIENCE_SECONDS = 5


class Heard(RouteAny):
    """Reads on when somebody else was served in the meantime; `alone` tells of the times when nobody was."""

    def __init__(self) -> None:
        super().__init__(settings("routeany"))
        self.reading = threading.Event()
        self.served = threading.Event()
        self.alone = 0
        self.at_once = self.at_once_max = 0

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        self._wait()
        return super().fault(reply, submitting=submitting, given=given)

    def observation(self, job: Job, reply: Reply) -> Observation:
        self._wait()
        return super().observation(job, reply)

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        self._wait()
        return super().submission(plan, reply)

    def _wait(self) -> None:
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        self.reading.set()
        self.alone += not self.served.wait(PATIENCE_SECONDS)
        self.at_once -= 1


def answering(format_: RouteAny, told: JsonValue, status: int) -> HttpProvider:
    body = json.dumps(told).encode()
    assert len(body) < READ_BYTES_MAX

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": "application/json"})

    made = settings("routeany")
    return HttpProvider(made, format_, load_facts("routeany"), transport=httpx.MockTransport(answer))


async def looked(provider: HttpProvider) -> None:
    assert (await provider.poll(JOB)).state == "failed"


async def refused(provider: HttpProvider) -> None:
    with pytest.raises(GatewayUnavailable, match="The gateway says"):
        await provider.poll(JOB)


async def submitted(provider: HttpProvider) -> None:
    assert (await provider.submit(plan_of("routeany", request(), "veo-3.1"))).job.job_id == "pred_1"


async def lost(provider: HttpProvider) -> None:
    with pytest.raises(SubmissionLost, match="The gateway says"):
        await provider.submit(plan_of("routeany", request(), "veo-3.1"))


LONG = 10_000 * WORDS
CASES = pytest.mark.parametrize(
    ("told", "status", "act"),
    [
        ({"id": "pred_1", "status": "failed", "error": LONG}, 200, looked),
        ({"title": LONG, "code": "INTERNAL"}, 500, refused),
        ({"id": "pred_1", "status": "starting", "logs": LONG}, 201, submitted),
        ({"title": LONG, "code": "INTERNAL"}, 500, lost),
    ],
    ids=["a look", "an error", "a submission", "a lost submission"],
)


@CASES
async def test_others_are_served_while_a_long_answer_is_read(
    told: JsonValue, status: int, act: Callable[[HttpProvider], Coroutine[None, None, None]]
) -> None:
    format_ = Heard()
    provider = answering(format_, told, status)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(act, provider)
            while not format_.reading.is_set():
                await anyio.lowlevel.checkpoint()
            format_.served.set()
    await provider.aclose()
    assert format_.alone == 0


async def test_of_a_gateways_long_answers_one_is_read_at_a_time() -> None:
    format_ = Heard()
    provider = answering(format_, {"id": "pred_1", "status": "failed", "error": LONG}, 200)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(looked, provider)
            while not format_.reading.is_set():
                await anyio.lowlevel.checkpoint()
            format_.served.set()
    await provider.aclose()
    assert format_.at_once_max == 1


async def test_of_thousands_of_errors_of_fields_the_first_are_read() -> None:
    rows: list[JsonValue] = [{"field": f"f{number}", "message": f"m{number} is wrong"} for number in range(50_000)]
    fault = make_format("routeany").fault(reply({"title": LONG, "errors": [{}] * 50 + rows}, 400), submitting=True)
    assert fault is not None
    assert "is wrong" not in fault.message
    fault = make_format("routeany").fault(reply({"title": "No.", "errors": rows}, 400), submitting=True)
    assert fault is not None
    assert fault.message == "No.; f0: m0 is wrong; f1: m1 is wrong; f2: m2 is wrong"


@pytest.mark.parametrize("wire", ["llmgateway", "unified", "openai-videos"])
async def test_a_number_of_hundreds_of_digits_makes_no_answer_unreadable(wire: str) -> None:
    told: dict[str, JsonValue] = {"id": "job-1", "object": "video", "status": "in_progress", "progress": 10**400}
    body: JsonValue = told if wire != "unified" else {"code": "success", "data": {**told, "task_id": "job-1"}}
    assert make_format(wire).observation(job(), reply(body)).progress == 1.0


@pytest.mark.parametrize("before", [0, 1, 1000, 40_000])
@pytest.mark.parametrize("piece", [1000, HEAD_BYTES, 4 * HEAD_BYTES])
async def test_strings_before_and_after_a_medium_stay_as_they_are(before: int, piece: int) -> None:
    short = json.dumps(['"\\', "é", "", 'a"b'] * before).encode()
    medium = b'"' + b"iVBORw0KGgoAAAANSUhEUgAA" * (HEAD_BYTES // 12) + b'"'
    text = b"[%b,%b,%b]" % (short, medium, short)
    scanner = MediaScanner()
    events = [event for at in range(0, len(text), piece) for event in scanner.feed(text[at : at + piece])]
    assert events.count("begin") == 1
    first, token, last = json.loads(bytes(scanner.rest))
    assert first == last == json.loads(short)
    assert token.startswith("rushes-held:")
