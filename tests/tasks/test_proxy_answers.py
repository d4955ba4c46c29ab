"""What proxies answer to a paid POST while the gateway works on: it says nothing about money, so nothing is sent again.

Every answer of `tests/gateways/proxies.py`, at every gateway, with the job taken and without, through `auto` over two
gateways whose accounts are both counted, and then by an equal call.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import Kind
from rushes.providers.provider import Provider
from rushes.providers.registry import build_provider, default_settings
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine
from rushes.tasks.ports import Clock
from rushes.tasks.service import Wish

from ..gateways.client import RunningGateways
from ..gateways.proxies import PROXY_ANSWERS, ProxyAnswer
from .engines import a_wish, an_engine

pytestmark = pytest.mark.anyio

GATEWAYS = ("routeany", "yuto", "shuyou", "llmgateway", "apixo")
NEXT = {"routeany": "shuyou", "yuto": "apixo", "shuyou": "llmgateway", "llmgateway": "apixo", "apixo": "shuyou"}
"""Where `auto` would go after a refusal."""

SURE_REFUSALS = {
    "routeany": ("http:429", "http:503", "rate-limit", "no-credits", "http:400"),
    "yuto": ("http:429", "http:503", "no-quota-403", "upstream-busy", "bad-key-chinese"),
    "shuyou": ("http:429", "http:503", "no-credits", "bad-key-403", "unknown-model"),
    "llmgateway": ("http:429", "overloaded", "no-credits", "bad-key-403", "unsupported-model"),
    "apixo": ("http:429", "unavailable", "no-credits", "in-body-error", "in-body-rate-limit"),
}


@asynccontextmanager
async def engine_over(
    home: Path, gateways: RunningGateways, *names: str, clock: Clock | None = None
) -> AsyncGenerator[Engine]:
    """An engine over these gateways, in this order."""
    async with AsyncExitStack() as stack:
        providers: list[Provider] = []
        for name in names:
            known = next(each for each in default_settings() if each.name == name)
            key = SecretStr(gateways.environment[f"{name.upper()}_API_KEY"])
            changes = {"base_url": gateways.base_url(name), "api_key": key, "timeout_seconds": 30.0}
            provider = build_provider(known.model_copy(update=changes))
            stack.push_async_callback(provider.aclose)
            providers.append(provider)
        yield await stack.enter_async_context(an_engine(home, *providers, clock=clock))


def wish_for(answer: ProxyAnswer, *, accepted: bool, kind: Kind = "video") -> Wish:
    timing = "after" if accepted else "before"
    model = "veo-3.1" if kind == "video" else "auto"
    purpose = "speech" if kind == "audio" else None
    return a_wish(f"a red fox [{answer.name}-{timing}-accept]", kind=kind, model=model, purpose=purpose)


async def posts(gateways: RunningGateways, name: str) -> int:
    return [request.method for request in await gateways.requests(name)].count("POST")


async def made(engine: Engine, wish: Wish) -> TaskRecord:
    """The task of a call, once a search for its job has found it; an equal call is answered with the same."""
    record = (await engine.generate(wish)).record
    again = await engine.generate(wish)
    assert (again.deduplicated, again.record.task_id) == (True, record.task_id)
    return again.record


async def found(engine: Engine, record: TaskRecord) -> TaskRecord:
    while record.job is None:
        record = await engine.wait(record.task_id, seconds=0.2, principal=LOCAL)
    return record


async def made_by_all(engine: Engine, wishes: list[Wish]) -> list[TaskRecord]:
    records: dict[int, TaskRecord] = {}

    async def call(index: int) -> None:
        records[index] = await made(engine, wishes[index])

    async with anyio.create_task_group() as calls:
        for index in range(len(wishes)):
            calls.start_soon(call, index)
    return [records[index] for index in range(len(wishes))]


def told(record: TaskRecord) -> tuple[str, str | None]:
    return record.state, record.failure.charged if record.failure is not None else None


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_an_answer_that_says_nothing_is_paid_nowhere_else_and_not_again(
    gateway: str, accepted: bool, gateways: RunningGateways, tmp_path: Path
) -> None:
    answers = [each for each in PROXY_ANSWERS if accepted or not each.names_the_job]
    wishes = [wish_for(each, accepted=accepted) for each in answers]
    with anyio.fail_after(60):
        async with engine_over(tmp_path, gateways, gateway, NEXT[gateway]) as engine:
            records = await made_by_all(engine, wishes)
            if gateway == "routeany" and accepted:
                records = [await found(engine, record) for record in records]
    assert {record.provider for record in records} == {gateway}
    if gateway != "routeany":
        wrong = {a.name: told(r) for a, r in zip(answers, records, strict=True) if told(r) != ("unknown", "unknown")}
        assert wrong == {}
    elif accepted:
        assert {record.phase for record in records} <= {"polling", "keeping", "done"}
    else:
        assert {(record.phase, record.failure) for record in records} == {("reconciling", None)}
    assert (await posts(gateways, gateway), await posts(gateways, NEXT[gateway])) == (len(answers), 0)
    assert (len(await gateways.jobs(gateway)), len(await gateways.jobs(NEXT[gateway]))) == (len(answers) * accepted, 0)


@pytest.mark.parametrize("kind", ["image", "audio"])
async def test_an_answer_that_says_nothing_is_unknown_where_the_answer_would_have_been_the_medium(
    kind: Kind, gateways: RunningGateways, tmp_path: Path
) -> None:
    answers = [each for each in PROXY_ANSWERS if not each.names_the_job]
    with anyio.fail_after(60):
        # Nothing here waits for the clock; one that jumps would busy the process while the gateway is waited for.
        async with engine_over(tmp_path, gateways, "llmgateway", "shuyou", clock=SystemClock()) as engine:
            records = await made_by_all(engine, [wish_for(each, accepted=True, kind=kind) for each in answers])
    assert {told(record) for record in records} == {("unknown", "unknown")}
    assert (await posts(gateways, "llmgateway"), await posts(gateways, "shuyou")) == (len(answers), 0)


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_server_error_in_the_gateways_own_form_does_not_say_that_nothing_was_charged(
    gateway: str, status: int, gateways: RunningGateways, tmp_path: Path
) -> None:
    wish = a_wish(f"a red fox [http-after-accept:{status}]", model="veo-3.1")
    with anyio.fail_after(30):
        async with engine_over(tmp_path, gateways, gateway, NEXT[gateway]) as engine:
            record = await made(engine, wish)
            if gateway == "routeany":
                record = await found(engine, record)
    assert (len(await gateways.jobs(gateway)), await posts(gateways, NEXT[gateway])) == (1, 0)
    assert await posts(gateways, gateway) == 1
    assert gateway == "routeany" or told(record) == ("unknown", "unknown")


@pytest.mark.parametrize(("gateway", "word"), [(name, word) for name, words in SURE_REFUSALS.items() for word in words])
async def test_a_refusal_in_the_gateways_own_form_costs_nothing_there(
    gateway: str, word: str, gateways: RunningGateways, tmp_path: Path
) -> None:
    await gateways.set_behaviour(gateway, word)
    with anyio.fail_after(30):
        async with engine_over(tmp_path, gateways, gateway, NEXT[gateway]) as engine:
            record = (await engine.generate(a_wish("a red fox", model="veo-3.1"))).record
    assert await gateways.jobs(gateway) == []
    if word == "http:400":
        assert told(record) == ("failed", "no")
    else:
        assert record.provider == NEXT[gateway]
        assert [attempt.failure.charged for attempt in record.tried] == ["no"]


async def test_a_prompt_that_routeany_forbids_is_not_shown_to_the_next_gateway(
    gateways: RunningGateways, tmp_path: Path
) -> None:
    await gateways.set_behaviour("routeany", "safety-403")
    with anyio.fail_after(30):
        async with engine_over(tmp_path, gateways, "routeany", "shuyou") as engine:
            record = (await engine.generate(a_wish("a red fox", model="veo-3.1"))).record
    assert record.failure is not None
    assert (record.failure.reason, record.failure.charged) == ("content_violation", "no")
    assert await posts(gateways, "shuyou") == 0


async def test_an_answer_with_the_id_of_a_job_tells_it(gateways: RunningGateways, tmp_path: Path) -> None:
    with anyio.fail_after(30):
        async with engine_over(tmp_path, gateways, "apixo") as engine:
            wish = a_wish("a red fox [no-credits-with-id-after-accept]", model="veo-3.1")
            record = (await engine.generate(wish)).record
    (job,) = await gateways.jobs("apixo")
    assert record.failure is not None
    assert job.job_id in record.failure.message
