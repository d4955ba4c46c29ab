"""What holds for every gateway: a refusal refuses, a fault leaves the jobs that its name says, a switch answers."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
from pydantic import JsonValue

from tests.gateways.behaviours import Behaviour, parse_word
from tests.gateways.client import RunningGateways
from tests.gateways.faults import FAULTS
from tests.gateways.roster import GATEWAYS, behaviours, describe

from .caller import Caller, JsonObject, text_at

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Shape:
    """The smallest create of a gateway, and how to look at its job."""

    create: str
    body: Callable[[str], JsonObject]
    id_path: tuple[str, ...]
    status: str
    ends: str
    """The word of success."""


def prediction(prompt: str) -> JsonObject:
    return {"input": {"prompt": prompt}}


SHAPES = {
    "routeany": Shape(
        "/v1/models/google/veo-3.1/predictions", prediction, ("id",), "/v1/predictions/{}", '"status":"succeeded"'
    ),
    "replicate": Shape(
        "/v1/models/google/veo-3.1/predictions", prediction, ("id",), "/v1/predictions/{}", '"status":"succeeded"'
    ),
    "yuto": Shape(
        "/v2/videos/generations",
        lambda prompt: {"prompt": prompt, "model": "veo3"},
        ("task_id",),
        "/v2/videos/generations/{}",
        '"status":"SUCCESS"',
    ),
    "shuyou": Shape(
        "/v1/predictions",
        lambda prompt: {"model": "veo-3.1-generate-preview", "function": "video", "input": {"prompt": prompt}},
        ("data", "task_id"),
        "/v1/predictions/{}",
        '"task_status":"success"',
    ),
    "llmgateway": Shape(
        "/v1/videos",
        lambda prompt: {"prompt": prompt, "seconds": 4},
        ("id",),
        "/v1/videos/{}",
        '"status":"completed"',
    ),
    "apixo": Shape(
        "/api/v1/generateTask/veo-3-1",
        lambda prompt: {"input": {"mode": "fast", "prompt": prompt, "generationType": "TEXT_2_VIDEO"}},
        ("data", "taskId"),
        "/api/v1/statusTask/veo-3-1?taskId={}",
        '"state":"success"',
    ),
    "openai": Shape(
        "/v1/videos",
        lambda prompt: {"prompt": prompt, "seconds": "4"},
        ("id",),
        "/v1/videos/{}",
        '"status":"completed"',
    ),
}
NAMES = sorted(SHAPES)
ROWS = behaviours()
REFUSALS = [(kind.identity.name, name) for kind in GATEWAYS for name in kind.refusals]
SELECTIVE = {"form-only", "seconds-integer"}
"""Switches that make a gateway refuse the shape here; they have tests of their own."""
SWITCHES = [
    (gateway, row)
    for row in ROWS
    for gateway in row.gateways
    if row.moment in ("switch", "job") and row.name not in SELECTIVE
]
ENDLESS = {"hang", "slow-drip", "late", "huge-json", "gzip-bomb"}


async def create(gateways: RunningGateways, name: str, prompt: str) -> httpx.Response:
    return await Caller(gateways, name).post(SHAPES[name].create, SHAPES[name].body(prompt))


async def look(gateways: RunningGateways, name: str, job_id: str) -> httpx.Response:
    path, _, query = SHAPES[name].status.format(job_id).partition("?")
    return await Caller(gateways, name).get(path, **dict([query.split("=")] if query else []))


async def job_of(gateways: RunningGateways, name: str, prompt: str) -> str:
    return text_at((await create(gateways, name, prompt)).json(), *SHAPES[name].id_path)


def test_every_gateway_has_a_shape_here() -> None:
    assert sorted(kind.identity.name for kind in GATEWAYS) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_a_plain_create_is_one_job_that_ends_well_and_violates_nothing(
    gateways: RunningGateways, name: str
) -> None:
    job_id = await job_of(gateways, name, "a cat")
    looks = [(await look(gateways, name, job_id)).text for _ in range(3)]
    assert [SHAPES[name].ends in seen for seen in looks] == [False, False, True]
    assert [job.job_id for job in await gateways.jobs()] == [job_id]
    assert await gateways.violations() == []


@pytest.mark.parametrize(("name", "refusal"), REFUSALS)
async def test_a_refusal_creates_no_job(gateways: RunningGateways, name: str, refusal: str) -> None:
    answer = await create(gateways, name, f"a cat [{refusal}]")
    in_body = refusal.startswith("in-body")
    assert (answer.status_code == 200) if in_body else (400 <= answer.status_code < 600)
    assert answer.json()
    assert await gateways.jobs() == []
    assert await gateways.violations() == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - ENDLESS))
async def test_a_fault_of_a_create_leaves_the_jobs_that_its_name_says(
    gateways: RunningGateways, name: str, fault: str
) -> None:
    counts: list[int] = []
    for timing in ("before", "after"):
        with suppress(httpx.TransportError):
            await create(gateways, name, f"a cat [{fault}-{timing}-accept]")
        counts.append(len(await gateways.jobs()))
    assert counts == [0, 1]


@pytest.mark.parametrize("name", NAMES)
async def test_polls_survive_every_fault(gateways: RunningGateways, name: str) -> None:
    faults = [fault for fault in FAULTS if fault not in ENDLESS]
    job_id = await job_of(gateways, name, "".join(f"[poll-{fault}]" for fault in faults))
    for _ in faults:
        with suppress(httpx.TransportError):
            await look(gateways, name, job_id)
    assert SHAPES[name].ends in (await look(gateways, name, job_id)).text


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_without_its_id_still_is_a_paid_job(gateways: RunningGateways, name: str) -> None:
    content: JsonValue = (await create(gateways, name, "[no-id]")).json()
    *holders, last = SHAPES[name].id_path
    for holder in holders:
        assert isinstance(content, dict)
        content = content[holder]
    assert isinstance(content, dict)
    assert last not in content
    assert len(await gateways.jobs()) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic eHg6eHg=", ""])
async def test_without_the_right_key_nothing_is_accepted(
    gateways: RunningGateways, name: str, authorization: str
) -> None:
    shape = SHAPES[name]
    answer = await Caller(gateways, name).post(shape.create, shape.body("a cat"), Authorization=authorization)
    assert answer.status_code in (401, 403)
    assert await gateways.jobs() == []


@pytest.mark.parametrize(("name", "row"), SWITCHES, ids=[f"{gateway}-{row.name}" for gateway, row in SWITCHES])
async def test_a_gateway_s_own_word_still_answers_json_to_the_end(
    gateways: RunningGateways, name: str, row: Behaviour
) -> None:
    created = await create(gateways, name, f"a cat [polls:1][{row.name}]")
    (job,) = await gateways.jobs()
    looks = [await look(gateways, name, job.job_id) for _ in range(3)]
    assert created.json()
    assert all(seen.status_code == 200 and seen.json() for seen in looks)


def test_every_behaviour_says_what_it_does_and_who_does_it() -> None:
    assert [row for row in ROWS if not row.meaning or not row.source] == []
    keys = [(row.name, gateway) for row in ROWS for gateway in (row.gateways or NAMES)]
    assert len(keys) == len(set(keys))
    described = describe()
    assert all(f"[{row.name}" in described for row in ROWS)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("poll-500:3", "poll-http", ("500", "3")),
        ("content_violation", "fail", ("content_violation",)),
        ("lost-after-accept", "cut-after-accept", ()),
        ("output-404", "output-http", ("404",)),
        ("http:503", "http", ("503",)),
    ],
)
def test_a_short_form_stands_for_its_word(text: str, name: str, arguments: tuple[str, ...]) -> None:
    word = parse_word(text)
    assert (word.name, word.arguments) == (name, arguments)
