"""What one write of a record says has happened, and who hears of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.errors import OutputRejected
from rushes.domain.events import (
    Accepted,
    CancelAsked,
    Cancelled,
    ChargeTold,
    CostTold,
    Done,
    Event,
    Failed,
    GivenBack,
    Held,
    Looked,
    Lost,
    OutputKept,
    OutputNotKept,
    OutputsOffered,
    Refused,
    Reopened,
    Restored,
    Running,
    SetAside,
    Submitted,
    Succeeded,
    TakenOver,
    Unknown,
    Warned,
    events_between,
)
from rushes.domain.failure import failure
from rushes.domain.job import Cost, Job, Observation, Plan, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, KeptMedia, TaskRecord
from rushes.tasks import life
from rushes.tasks.clock import SystemClock
from rushes.tasks.followers import Change
from rushes.tasks.journal import TaskJournal

from .engines import a_wish, an_engine
from .makers import ACCEPTED, CANCELLED, FAILED, JOB, QUEUED, RUNNING, START, SUCCEEDED, a_record, polling
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

NO = failure("invalid_input", "no such voice", charged="no")
LOST = failure("outcome_unknown", "the line went dead", charged="unknown")
OTHER = Plan(provider="other", model="veo-2", path="/v", body={})
KEPT = KeptMedia(path="/outputs/1.mp4", mime_type="video/mp4")
PAID = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.4"))})


def lost(record: TaskRecord) -> TaskRecord:
    return life.lost(record, LOST, START, reconcilable=False)


def searching() -> TaskRecord:
    return life.lost(a_record(), LOST, START, reconcilable=True)


def keeping() -> TaskRecord:
    return life.observed(polling(), SUCCEEDED, START)


def given_up() -> TaskRecord:
    why = failure("timeout", "too late", charged="unknown")
    return a_record(job=JOB, state="failed", phase="watching", failure=why, finished_at=START)


@dataclass(frozen=True)
class Step:
    before: TaskRecord
    step: Callable[[TaskRecord], TaskRecord]
    events: tuple[type[Event], ...]


STEPS = {
    "the gateway takes the job": Step(a_record(), lambda r: life.accepted(r, ACCEPTED, START), (Accepted, Looked)),
    "the gateway refuses": Step(a_record(), lambda r: life.refused(r, NO, START), (Refused, Failed, Done)),
    "the next gateway is tried": Step(
        a_record(), lambda r: life.rerouted(r, NO, OTHER, START, START), (Refused, Submitted)
    ),
    "the gateway asks to wait": Step(
        a_record(), lambda r: life.held(r, "busy", START + timedelta(seconds=9), START, asked=True), (Held,)
    ),
    "a held request is sent": Step(
        a_record(phase="held"), lambda r: life.released(r, OTHER, START, START), (Submitted,)
    ),
    "the answer is lost": Step(a_record(), lost, (Lost, Unknown, Done)),
    "the answer is lost where jobs are listed": Step(
        a_record(), lambda r: life.lost(r, LOST, START, reconcilable=True), (Lost,)
    ),
    "the list shows the job": Step(searching(), lambda r: life.found(r, JOB, START), (Accepted, Warned)),
    "the job was another's": Step(
        life.found(searching(), JOB, START),
        lambda r: life.given_back(r, START, next_look_at=START),
        (GivenBack,),
    ),
    "the job is handed back": Step(
        lost(a_record()), lambda r: life.attached(r, JOB, START, worker="w1"), (Accepted, Reopened, Warned)
    ),
    "another process takes over": Step(polling(), lambda r: life.adopted(r, "w2", START), (TakenOver,)),
    "the job runs": Step(polling(), lambda r: life.observed(r, RUNNING, START), (Looked, Running)),
    "the job runs on": Step(
        life.observed(polling(), RUNNING, START), lambda r: life.observed(r, RUNNING, START), (Looked,)
    ),
    "the job succeeds": Step(
        polling(), lambda r: life.observed(r, PAID, START), (Looked, CostTold, OutputsOffered, Succeeded)
    ),
    "the answer holds the output": Step(
        polling(), lambda r: life.observed(r, SUCCEEDED, START, {0: KEPT}), (Looked, OutputKept, Succeeded, Done)
    ),
    "the job fails": Step(polling(), lambda r: life.observed(r, FAILED, START), (Looked, Failed, Done)),
    "the gateway cancels": Step(polling(), lambda r: life.observed(r, CANCELLED, START), (Looked, Cancelled, Done)),
    "a cancel is asked for": Step(polling(), lambda r: life.cancel_asked(r, START), (CancelAsked,)),
    "it turns out what was charged": Step(
        given_up(), lambda r: life.observed(r, FAILED, START), (Looked, ChargeTold, Done)
    ),
    "an output is kept": Step(keeping(), lambda r: life.kept(r, 0, KEPT, START), (OutputKept, Done)),
    "an output is not kept": Step(
        keeping(), lambda r: life.keep_failed(r, 0, OutputRejected("text"), START), (OutputNotKept,)
    ),
    "two processes died of it": Step(polling(deaths_in_step=1), lambda r: life.died_in_step(r, START), (SetAside,)),
    "the next look is planned": Step(polling(), lambda r: life.poll_due(r, START, START), ()),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_told_as_what_happened(name: str) -> None:
    step = STEPS[name]
    happened = events_between(step.before, step.step(step.before))
    assert tuple(type(event) for event in happened) == step.events


def test_events_carry_what_a_listener_needs() -> None:
    after = life.observed(polling(), PAID, START)
    assert events_between(polling(), after) == (
        Looked(1),
        CostTold(Cost(amount=Decimal("0.4"))),
        OutputsOffered(1),
        Succeeded(1),
    )
    assert events_between(a_record(), life.accepted(a_record(), ACCEPTED, START))[0] == Accepted(
        "gate", "job-1", searched=False
    )


def test_a_first_record_was_submitted_or_restored() -> None:
    assert events_between(None, a_record()) == (Submitted("gate", "veo"),)
    assert events_between(None, polling()) == (Restored("gate"),)


async def test_every_write_of_a_life_is_told_once_and_in_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="rushes.tasks.followers")
    job = Job(job_id="job:1", model="m1")
    gateway = ScriptedProvider(
        answers=[Submission(job=job, observation=QUEUED)],
        looks=[RUNNING, Observation(state="failed", failure=NO)],
    )
    async with an_engine(tmp_path, gateway) as engine:
        answer = await engine.generate(a_wish())
        await engine.wait(answer.record.task_id, seconds=60, principal=LOCAL)
    task_id = answer.record.task_id
    told = [record for record in caplog.records if vars(record).get("task_id") == task_id]
    words = [record.getMessage() for record in told]
    assert words == ["submitted", "accepted", "running", "failed", "done"]
    assert {"reason": "invalid_input", "charged": "no"}.items() <= vars(told[3]).items()


class StoreThatCountsReads(TaskStore):
    reads = 0

    async def get(self, task_id: str) -> Document | None:
        self.reads += 1
        return await super().get(task_id)


async def test_a_waiter_hears_of_a_write_of_its_own_process_without_looking_into_the_store(tmp_path: Path) -> None:
    async with StoreThatCountsReads.opened(tmp_path, schema=SCHEMA) as store:
        records = TaskJournal(store, "w1", SystemClock())
        record, _ = await records.create(a_record(worker="w1"), force_new=True)
        await records.read_mine(record.task_id)
        reads = store.reads
        seen: list[TaskRecord] = []

        async def wait() -> None:
            seen.append(await records.changed(record, seconds=60))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                group.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                await records.change(record.task_id, lambda r: life.cancel_asked(r, START))
        assert store.reads == reads
        assert [each.cancel_requested_at for each in seen] == [START, START]
        assert seen[0] == await records.read(record.task_id)


async def test_a_follower_that_fails_harms_neither_the_write_nor_other_followers(tmp_path: Path) -> None:
    heard: list[Change] = []

    def fails(_change: Change) -> None:
        raise RuntimeError("a follower's own fault")

    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        records = TaskJournal(store, "w1", SystemClock())
        with records.followers.following(fails), records.followers.following(heard.append):
            record, _ = await records.create(a_record(), force_new=True)
            await records.change(record.task_id, lambda r: life.cancel_asked(r, START))
        await records.change(record.task_id, lambda r: life.adopted(r, "w2", START))
    assert [change.events for change in heard] == [(Submitted("gate", "veo"),), (CancelAsked(),)]


async def test_what_was_not_written_is_not_told(tmp_path: Path) -> None:
    heard: list[Change] = []
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        records = TaskJournal(store, "w1", SystemClock())
        record, _ = await records.create(a_record(fingerprint="f"), force_new=False)
        with records.followers.following(heard.append):
            await records.create(a_record(task_id="01KABCDEFGHJKMNPQRSTVWXYZ1", fingerprint="f"), force_new=False)
            await records.change(record.task_id, lambda r: r)
            await records.restore(record)
    assert heard == []
