"""A gateway's documented rate: looks and submissions together keep inside of it, submissions first."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.job import Job, Observation, Submission
from rushes.providers.provider import AnswerSink, ProviderSettings, Traits
from rushes.providers.registry import build_provider, default_settings
from rushes.server.settings.file import parse
from rushes.tasks.work.rates import LOOKS_SHARE, Rates

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running", poll_after_seconds=1)
ACCEPTED = Submission(job=Job(job_id="job:1", model="m1"), observation=RUNNING)


class Counted(ScriptedProvider):
    """Notes when it was asked for what."""

    clock: JumpingClock

    def start(self, clock: JumpingClock) -> None:
        self.clock, self.looked, self.sent = clock, list[float](), list[float]()
        self.submitted = lambda: self.sent.append(clock.elapsed())

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        self.looked.append(self.clock.elapsed())
        return await super().poll(job, sink=sink)

    def most_in_a_minute(self) -> int:
        times = sorted([*self.looked, *self.sent])
        return max(sum(start <= time < start + 60 for time in times) for start in times)


def _gateway(clock: JumpingClock, rate: int | None) -> Counted:
    gateway = Counted(answers=[ACCEPTED], looks=[RUNNING], traits=Traits(requests_per_minute=rate))
    gateway.start(clock)
    return gateway


async def test_looks_and_submissions_together_keep_inside_the_rate_and_no_submission_waits_for_looks(
    tmp_path: Path,
) -> None:
    clock = JumpingClock()
    gateway = _gateway(clock, 20)
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        with anyio.fail_after(30):
            for number in range(5):
                await engine.generate(a_wish(f"{number}", kind="image"))
            while clock.elapsed() < 300:
                await anyio.lowlevel.checkpoint()
            for number in range(5, 9):
                record = (await engine.generate(a_wish(f"{number}", kind="image"))).record
                assert (record.phase, record.hold) == ("polling", None)
            while clock.elapsed() < 600:
                await anyio.lowlevel.checkpoint()
    assert gateway.most_in_a_minute() <= 20
    assert len(gateway.looked) > 0.5 * LOOKS_SHARE * 20 * 10


async def test_more_submissions_than_the_rate_wait_for_their_minute_and_go_out_once_each(tmp_path: Path) -> None:
    clock = JumpingClock()
    gateway = _gateway(clock, 10)
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        with anyio.fail_after(30):
            for number in range(25):
                await engine.generate(a_wish(f"{number}", kind="image"))
            while len(gateway.sent) < 25:
                await anyio.lowlevel.checkpoint()
    assert gateway.most_in_a_minute() <= 10
    assert sorted(str(plan.body["prompt"]) for plan in gateway.plans) == sorted(f"{number}" for number in range(25))


async def test_a_submission_beyond_the_rate_is_told_its_own_moment_and_looks_yield_to_it() -> None:
    clock = JumpingClock()
    rates = Rates({"gate": _gateway(clock, 10)}, clock)
    assert [rates.submit_in("gate", f"{n}") for n in range(10)] == [0.0] * 10
    assert [rates.submit_in("gate", f"{n}") for n in range(10, 13)] == [60.0] * 3
    assert rates.look_in("gate", "look") >= 60.0
    clock.seconds += 60
    assert [rates.submit_in("gate", f"{n}") for n in range(10, 13)] == [0.0] * 3


async def test_where_no_rate_is_known_nothing_waits() -> None:
    clock = JumpingClock()
    rates = Rates({"gate": _gateway(clock, None)}, clock)
    assert {rates.look_in("gate", f"{n}") for n in range(1000)} == {0.0}
    assert {rates.submit_in("gate", f"{n}") for n in range(1000)} == {0.0}


def _known(name: str) -> ProviderSettings:
    return next(each for each in default_settings() if each.name == name)


@pytest.mark.parametrize(("name", "rate"), [("llmgateway", 120), ("routeany", None), ("apixo", None)])
def test_the_documented_rate_is_a_fact_and_can_be_set(name: str, rate: int | None) -> None:
    known = _known(name)
    assert build_provider(known).traits.requests_per_minute == rate
    own = known.model_copy(update={"requests_per_minute": 2400})
    assert build_provider(own).traits.requests_per_minute == 2400


def test_the_rate_is_set_in_the_configuration_file(tmp_path: Path) -> None:
    file = parse("[providers.llmgateway]\nrequests_per_minute = 240\n", tmp_path / "rushes.toml")
    assert file.providers["llmgateway"].requests_per_minute == 240
