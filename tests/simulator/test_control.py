"""Steering and records: what is armed, held back and remembered, and how the process starts and ends."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest

from tests.gateways.client import NotSteered, RunningGateways, start_gateways

from .caller import Caller, JsonObject, text_at

pytestmark = pytest.mark.anyio

CREATE = "/api/v1/generateTask/veo-3-1"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def apixo(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "apixo")


def video(prompt: str) -> JsonObject:
    return {"input": {"mode": "fast", "prompt": prompt, "generationType": "TEXT_2_VIDEO"}}


async def test_an_armed_behaviour_acts_so_many_times(apixo: Caller, gateways: RunningGateways) -> None:
    await gateways.set_behaviour("apixo", "http:503", times=2)
    answers = [await apixo.post(CREATE, video("a cat")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]


async def test_an_armed_poll_fault_hits_the_next_polls_of_the_gateway(apixo: Caller, gateways: RunningGateways) -> None:
    task_id = text_at((await apixo.post(CREATE, video("a cat"))).json(), "data", "taskId")
    await gateways.set_behaviour("apixo", "poll-http:500:2")
    answers = [await apixo.get("/api/v1/statusTask/veo-3-1", taskId=task_id) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 200]


async def test_a_behaviour_that_the_gateway_does_not_have_cannot_be_armed(gateways: RunningGateways) -> None:
    with pytest.raises(NotSteered, match="404"):
        await gateways.set_behaviour("apixo", "data-removed")


async def test_a_held_answer_comes_after_its_job_is_known(apixo: Caller, gateways: RunningGateways) -> None:
    await gateways.hold("apixo")
    answers: list[httpx.Response] = []
    held: list[str] = []

    async def submit() -> None:
        answers.append(await apixo.post(CREATE, video("a cat")))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit)
            held += await gateways.wait_held("apixo")
            assert answers == []
            assert [job.job_id for job in await gateways.jobs()] == held
            await gateways.release("apixo")
    assert text_at(answers[0].json(), "data", "taskId") == held[0]


async def test_a_held_answer_can_be_cut_instead(apixo: Caller, gateways: RunningGateways) -> None:
    await gateways.hold("apixo")

    async def submit() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await apixo.post(CREATE, video("a cat"))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit)
            await gateways.wait_held("apixo")
            await gateways.release("apixo", cut=True)
    assert (await gateways.charges()).total == 1


async def test_equal_submissions_are_charges_of_one_content(apixo: Caller, gateways: RunningGateways) -> None:
    for prompt in ("a cat", "a cat", "a dog"):
        await apixo.post(CREATE, video(prompt))
    charges = await gateways.charges()
    assert charges.total == 3
    assert [(charge.prompt, len(charge.job_ids)) for charge in charges.paid_twice] == [("a cat", 2)]


async def test_a_record_has_everything_but_the_key(apixo: Caller, gateways: RunningGateways) -> None:
    await apixo.post(CREATE, video("a cat"))
    (entry,) = await gateways.requests("apixo")
    (job,) = await gateways.jobs()
    assert (entry.method, entry.path, entry.authorization, entry.status) == ("POST", CREATE, "valid", 200)
    assert (entry.body, entry.job_id) == (video("a cat"), job.job_id)
    assert entry.headers["authorization"] == "(hidden)"
    assert apixo.key not in entry.model_dump_json()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/models"), ("GET", CREATE), ("POST", CREATE + "/"), ("DELETE", CREATE)]
)
async def test_an_undocumented_path_is_404_and_a_violation(
    apixo: Caller, gateways: RunningGateways, method: str, path: str
) -> None:
    headers = {"Authorization": f"Bearer {apixo.key}"}
    answer = await gateways.http.request(method, apixo.base_url + path, headers=headers)
    assert answer.status_code == 404
    assert [(found.kind, found.detail) for found in await gateways.violations()] == [
        ("undocumented-path", f"{method} {path}")
    ]


async def test_a_key_outside_its_header_or_at_another_gateway_is_a_violation(
    apixo: Caller, gateways: RunningGateways
) -> None:
    await apixo.post(CREATE, video(f"my key is {apixo.key}"))
    await apixo.get("/api/v1/apikeys/current-balance", key=apixo.key)
    await Caller(gateways, "routeany").post("/v1/predictions/x/cancel", None, Authorization=f"Bearer {apixo.key}")
    kinds = [(found.kind, found.gateway) for found in await gateways.violations()]
    assert kinds.count(("key-elsewhere", "apixo")) == 2
    assert kinds.count(("key-elsewhere", "routeany")) == 1


async def test_the_closed_port_refuses(gateways: RunningGateways) -> None:
    with pytest.raises(httpx.ConnectError):
        await gateways.http.get(gateways.closed_url)


def test_it_stops_when_its_input_ends() -> None:
    started = start_gateways("apixo")
    assert set(started.environment) == {
        "APIXO_BASE_URL", "APIXO_API_KEY", "GATEWAYS_CONTROL_URL", "GATEWAYS_MEDIA_URL", "GATEWAYS_CLOSED_URL",
    }  # fmt: skip
    assert started.stop() == 0


def test_it_stops_at_the_end_of_its_life() -> None:
    started = start_gateways("apixo", max_seconds=0.1)
    assert started.process.wait(timeout=20) == 0
    started.stop()


def test_it_serves_in_the_background_until_it_is_terminated() -> None:
    command = [sys.executable, "-m", "tests.gateways", "--gateway", "apixo", "--max-seconds", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        _, *assignments = shlex.split(process.stdout.readline())
        settings = dict(part.split("=", 1) for part in assignments)
        assert httpx.get(f"{settings['GATEWAYS_CONTROL_URL']}/jobs", trust_env=False).json() == []
        process.terminate()
        assert process.wait(timeout=20) == -signal.SIGTERM


def test_it_lists_its_behaviours() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "tests.gateways", "--behaviours"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in ("lost-after-accept", "[poll-http:STATUS]", "data-removed", "[output-redirect-private:HOST]"):
        assert name in listing


async def test_a_tls_handshake_with_the_plain_port_fails(gateways: RunningGateways) -> None:
    with pytest.raises(httpx.ConnectError):
        await gateways.http.get(gateways.tls_failing_url("apixo"))
