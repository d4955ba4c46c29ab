"""A task of which processes die is set aside, so that its neighbours live."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from rushes.cache.workers.leases import ProcessLease
from rushes.cache.workers.marks import StepMarks, marked
from rushes.domain.failure import failure
from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.server.doctor.checks import tasks_set_aside
from rushes.tasks import life
from rushes.tasks.journal import from_document, to_document
from rushes.tools import task_of

from ..clocks import SteppedClock
from ..forks import Ran, ran
from ..tasks.engines import a_wish, an_engine, at_rest
from ..tasks.makers import a_record, polling
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG, RUNNING
from .dying import PoisonedProvider

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _lived(home: Path, *arguments: str) -> Ran:
    return ran("tests.hostile.dying", str(home), *arguments)


async def _begin(home: Path, *prompts: str) -> dict[str, str]:
    """Tasks that nobody has looked at yet, by their prompts."""
    begun: dict[str, str] = {}
    async with an_engine(home, PoisonedProvider(), clock=SteppedClock()) as engine:
        for prompt in prompts:
            begun[prompt] = (await engine.generate(a_wish(prompt))).record.task_id
    return begun


async def test_a_task_under_whose_step_two_processes_died_is_set_aside_and_its_neighbour_lives(tmp_path: Path) -> None:
    begun = await _begin(tmp_path, "poison", "neighbour")
    assert _lived(tmp_path, "--hold").code == -signal.SIGKILL
    assert _lived(tmp_path).code == -signal.SIGKILL
    third = _lived(tmp_path)
    assert third.code == 0, third.err
    told = json.loads(third.out)
    assert told["poison"] == ["running", True]
    assert told["neighbour"][1] is False

    cured = PoisonedProvider(looks=[DONE], downloads=[PNG])
    async with an_engine(tmp_path, cured) as engine:
        record = await engine.get(begun["poison"], principal=LOCAL)
        shown = task_of(record)
        assert (shown.state, shown.next) == ("running", None)
        assert any("--resume" in warning and "do not make it again" in warning for warning in shown.warnings)
        again = await engine.generate(a_wish("poison"))
        assert (again.deduplicated, again.record.task_id) == (True, begun["poison"])


async def test_a_task_that_was_set_aside_goes_on_when_a_person_takes_it_up(tmp_path: Path) -> None:
    begun = await _begin(tmp_path, "harmless")
    async with an_engine(tmp_path, PoisonedProvider(hold_others=True), clock=SteppedClock()) as engine:
        records = engine._journal  # pyright: ignore[reportPrivateUsage]
        for _ in range(life.DEATHS_MAX):
            await records.change(begun["harmless"], lambda r: life.died_in_step(r, NOW), as_worker=False)
    async with an_engine(tmp_path, PoisonedProvider()) as engine:
        assert (await engine.get(begun["harmless"], principal=LOCAL)).set_aside_at is not None
        await engine.attach(begun["harmless"], "harmless", principal=LOCAL)
        with anyio.fail_after(10):
            ended = await engine.wait(begun["harmless"], seconds=9, principal=LOCAL)
    assert (ended.state, ended.set_aside_at) == ("succeeded", None)


async def test_a_suspect_that_survives_a_look_is_looked_at_again_soon_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        records = engine._journal  # pyright: ignore[reportPrivateUsage]
        with anyio.fail_after(10):
            while record.state != "running":
                record = await records.changed(record, seconds=1)
        for _ in range(life.DEATHS_MAX):
            await records.change(record.task_id, lambda r: life.died_in_step(r, NOW), as_worker=False)
    later = ScriptedProvider(looks=[RUNNING, RUNNING, DONE], downloads=[PNG])
    async with an_engine(tmp_path, later, clock=SteppedClock(ahead=timedelta(hours=-2))) as engine:
        assert record.job is not None
        taken_up = await engine.attach(record.task_id, record.job.job_id, principal=LOCAL)
        # Nobody waits for it through the engine: looks that change nothing are then not written.
        with anyio.fail_after(10):
            ended = await at_rest(engine, taken_up)
    assert (ended.state, ended.deaths_in_step) == ("succeeded", 0)


def test_one_death_makes_a_suspect_and_a_step_that_ends_well_clears_it() -> None:
    once = life.died_in_step(a_record(), NOW)
    assert (once.deaths_in_step, once.set_aside_at, once.settled) == (1, None, False)
    twice = life.died_in_step(once, NOW)
    assert (twice.set_aside_at, twice.settled, twice.open) == (NOW, True, True)
    assert life.survived(once).deaths_in_step == 0
    again = life.taken_up(twice, "me", NOW)
    assert (again.set_aside_at, again.worker) == (None, "me")
    assert life.died_in_step(again, NOW).set_aside_at == NOW


def test_what_ends_a_suspect_clears_it_in_the_same_write_so_that_nothing_is_written_after_its_end() -> None:
    suspect = life.died_in_step(polling(), NOW)
    for ended in (
        life.cancelled(suspect, NOW, at_gateway=True, ended=True, charged="no"),
        life.observed(suspect, Observation(state="failed", failure=failure("internal", "it broke", charged="no")), NOW),
    ):
        assert ended.phase == "done"
        assert life.survived(ended) is ended


def test_a_record_from_before_loads_as_one_that_nothing_died_of() -> None:
    document = to_document(a_record())
    del document["deaths_in_step"]
    document.pop("set_aside_at", None)  # what is null is left out
    assert from_document(document) == a_record()


def test_the_doctor_names_what_is_set_aside_and_how_it_goes_on() -> None:
    aside: TaskRecord = life.died_in_step(life.died_in_step(a_record(), NOW), NOW)
    (check,) = tasks_set_aside([aside])
    assert check.state == "warning"
    assert aside.task_id in check.message
    assert f"rushes check {aside.task_id} --resume" in (check.hint or "")


def test_the_marks_name_the_steps_under_way_and_no_other(tmp_path: Path) -> None:
    marks = StepMarks(tmp_path / "1-abc.steps")
    for task_id in ("A" * 26, "B" * 26, "C" * 26):
        marks.begun(task_id)
    marks.ended("A" * 26)
    marks.ended("C" * 26)
    marks.begun("D" * 26)
    assert marked(tmp_path / "1-abc.steps") == {"B" * 26, "D" * 26}


def test_a_process_that_dies_in_no_step_leaves_no_marks(tmp_path: Path) -> None:
    marks = StepMarks(tmp_path / "1-abc.steps")
    marks.begun("A" * 26)
    marks.ended("A" * 26)
    assert marked(tmp_path / "1-abc.steps") == set()
    assert list(tmp_path.iterdir()) == []


def test_steps_go_on_where_marks_cannot_be_written(tmp_path: Path) -> None:
    marks = StepMarks(tmp_path / "no such folder" / "1-abc.steps")
    marks.begun("A" * 26)
    marks.ended("A" * 26)


async def test_a_lease_that_ends_well_takes_its_marks_along(tmp_path: Path) -> None:
    async with ProcessLease.held(tmp_path) as lease:
        lease.step_begun("A" * 26)
        assert await lease.died_in(lease.worker_id) == {"A" * 26}
    assert list(tmp_path.iterdir()) == []


async def test_the_marks_of_a_dead_process_are_there_for_the_next_one(tmp_path: Path) -> None:
    worker = "123-aaaaaaaaaaaa"
    StepMarks(tmp_path / f"{worker}.steps").begun("A" * 26)
    async with ProcessLease.held(tmp_path) as lease:
        assert await lease.dead({worker}) == {worker}
        assert await lease.died_in(worker) == {"A" * 26}
        assert await lease.died_in("../../etc/passwd") == set()
