"""A lost job that a person found at the gateway is handed back to its task."""

from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import GatewayUnavailable, RequestRefused, SubmissionLost
from rushes.domain.failure import failure
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks import life
from rushes.tasks.engine import Engine

from .engines import a_wish, an_engine
from .makers import JOB, START, a_record, polling
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
RUNNING = Observation(state="running")
DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://c.example/1.png"),))
LOST = SubmissionLost("the connection broke")


def _gateway(*looks: Observation | GatewayUnavailable, **fields: object) -> ScriptedProvider:
    return ScriptedProvider(
        answers=[LOST, Submission(job=JOB, observation=RUNNING)], looks=[*looks], downloads=[PNG] * 5
    )


async def _lost(engine: Engine, prompt: str = "a red fox") -> TaskRecord:
    record = (await engine.generate(a_wish(prompt, kind="image"))).record
    assert record.state == "unknown"
    return record


async def _settled(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(20):
        while not (record := await engine.wait(task_id, seconds=1, principal=LOCAL)).settled:
            pass
    return record


async def test_a_job_handed_back_is_followed_and_kept_without_a_second_post(tmp_path: Path) -> None:
    gateway = _gateway(RUNNING, DONE)
    async with an_engine(tmp_path, gateway) as engine:
        record = await _lost(engine)
        attached = await engine.attach(record.task_id, " job-9 ", principal=LOCAL)
        assert (attached.state, attached.phase, attached.finished_at, attached.failure) == (
            "running",
            "polling",
            None,
            None,
        )
        again = await engine.generate(a_wish(kind="image"))
        assert (again.deduplicated, again.record.task_id) == (True, record.task_id)
        ended = await _settled(engine, record.task_id)
    assert (ended.state, ended.job) == ("succeeded", Job(job_id="job-9", model="m1"))
    assert ended.outputs[0].kept is not None
    assert len(gateway.plans) == 1


async def test_handing_it_back_again_changes_nothing(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gateway(RUNNING)) as engine:
        record = await _lost(engine)
        await engine.attach(record.task_id, "job-9", principal=LOCAL)
        again = await engine.attach(record.task_id, "job-9", principal=LOCAL)
    assert again.warnings == ("The job job-9 was handed back to this task, so it went on.",)


async def test_a_job_that_the_gateway_does_not_show_is_refused(tmp_path: Path) -> None:
    gateway = _gateway(GatewayUnavailable("not_found", "HTTP 404"))
    async with an_engine(tmp_path, gateway) as engine:
        record = await _lost(engine)
        with pytest.raises(RequestRefused, match="does not show a job 'job-9'") as refusal:
            await engine.attach(record.task_id, "job-9", principal=LOCAL)
        assert (await engine.get(record.task_id, principal=LOCAL)).state == "unknown"
    assert (refusal.value.reason, refusal.value.charged) == ("not_found", "unknown")


async def test_a_refused_id_is_repeated_as_it_was_given(tmp_path: Path) -> None:
    gateway = _gateway(GatewayUnavailable("not_found", "HTTP 404.", provider_code="404"))
    async with an_engine(tmp_path, gateway) as engine:
        record = await _lost(engine)
        with pytest.raises(RequestRefused) as refusal:
            await engine.attach(record.task_id, "a..b", principal=LOCAL)
    assert "a job 'a..b' of" in refusal.value.message
    assert refusal.value.message.endswith("HTTP 404.")


async def test_a_look_that_fails_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gateway(GatewayUnavailable("provider_error", "HTTP 502"))) as engine:
        record = await _lost(engine)
        with pytest.raises(RequestRefused, match="could not be looked at"):
            await engine.attach(record.task_id, "job-9", principal=LOCAL)
        assert (await engine.get(record.task_id, principal=LOCAL)).state == "unknown"


async def test_the_job_of_another_task_is_refused(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gateway(RUNNING)) as engine:
        record = await _lost(engine)
        other = (await engine.generate(a_wish("a blue fox", kind="image"))).record
        assert other.job == JOB
        with pytest.raises(RequestRefused, match=f"belongs to task {other.task_id}"):
            await engine.attach(record.task_id, JOB.job_id, principal=LOCAL)


async def test_of_two_tasks_that_are_handed_one_job_at_once_only_one_gets_it(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[LOST], looks=[RUNNING])
    refusals: list[str] = []
    async with an_engine(tmp_path, gateway) as engine:
        records = [await _lost(engine, f"fox {n}") for n in range(4)]

        async def hand(record: TaskRecord) -> None:
            try:
                await engine.attach(record.task_id, "job-9", principal=LOCAL)
            except RequestRefused as refusal:
                refusals.append(refusal.message)

        async with anyio.create_task_group() as group:
            for record in records:
                group.start_soon(hand, record)
        holders = [r for r in (await engine.list_tasks(principal=LOCAL)).records if r.job is not None]
    assert (len(holders), len(refusals)) == (1, 3)
    assert all(holders[0].task_id in refusal for refusal in refusals)


@pytest.mark.parametrize("job_id", ["", "  ", "a\nb", "x" * 2000])
async def test_what_is_no_id_is_refused(tmp_path: Path, job_id: str) -> None:
    async with an_engine(tmp_path, _gateway(RUNNING)) as engine:
        record = await _lost(engine)
        with pytest.raises(RequestRefused, match="no id"):
            await engine.attach(record.task_id, job_id, principal=LOCAL)


UNSURE = failure("timeout", "too late", charged="unknown")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (a_record(), "its submission is still under way"),
        (polling(), "its job is 'job-1'"),
        (a_record(state="succeeded", phase="done"), "it has succeeded"),
        (a_record(state="failed", phase="done", failure=failure("invalid_input", "no", charged="no")), "it has failed"),
        (a_record(state="unknown", phase="done"), None),
        (a_record(phase="reconciling"), None),
        (a_record(state="failed", phase="done", failure=UNSURE), None),
        (a_record(state="cancelled", phase="done", failure=UNSURE), None),
    ],
)
def test_only_a_task_that_lost_its_job_takes_one(record: TaskRecord, why: str | None) -> None:
    assert life.why_not_attached(record, "job-9") == why
    after = life.attached(record, Job(job_id="job-9", model="veo"), START, worker="w2")
    assert (after is record) == (why is not None)


def test_a_failed_task_whose_money_is_unknown_goes_on_with_its_own_job_and_a_new_deadline() -> None:
    late = START + timedelta(days=1)
    failed = polling(state="failed", failure=UNSURE, finished_at=START, worker="gone").model_copy()
    after = life.attached(failed, JOB, late, worker="w2")
    assert (after.state, after.phase, after.failure, after.worker) == ("running", "polling", None, "w2")
    assert after.deadline_at == late + timedelta(hours=1)
    assert life.why_not_attached(failed, "another") == "its job is 'job-1'"


def test_a_cancelled_task_stays_cancelled_and_its_result_is_kept() -> None:
    cancelled = a_record(state="cancelled", phase="done", failure=UNSURE, finished_at=START)
    after = life.attached(cancelled, JOB, START, worker="w2")
    assert (after.state, after.phase) == ("cancelled", "watching")
    assert life.observed(after, DONE, START).phase == "keeping"


async def test_a_search_under_way_takes_the_job_that_is_handed_back(tmp_path: Path) -> None:
    gateway = _gateway(RUNNING)
    gateway.traits = Traits(finds_jobs=True)
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert record.phase == "reconciling"
        attached = await engine.attach(record.task_id, "job-9", principal=LOCAL)
        assert (attached.state, attached.phase) == ("running", "polling")
