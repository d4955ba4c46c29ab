"""What a gateway tells beside a job's state ends in the record, its sidecar and the result."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from rushes.domain.job import Job, Observation, RemoteOutput, Submission, Told
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine
from rushes.tools import task_of

from ..providers.replies import always, provider
from .engines import a_wish, an_engine
from .makers import START, polling
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

PNG = (
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
        "0000000049454e44ae426082"
    )
    + b"IEND\xae\x42\x60\x82"
)
JOB = Job(job_id="pred_1", model="m1")
PAGE = "https://gate.example/p/pred_1"


def _gateway(*looks: Observation) -> ScriptedProvider:
    first = Observation(state="queued", told=Told(page=PAGE, ids={"trace_id": "tr-1"}))
    answers = [Submission(job=JOB, observation=first)]
    return ScriptedProvider(answers=[*answers], looks=[*looks], downloads=[PNG] * 5)


async def _ended(engine: Engine) -> TaskRecord:
    with anyio.fail_after(20):
        record = (await engine.generate(a_wish(kind="image"))).record
        while not record.settled:
            record = await engine.wait(record.task_id, seconds=1, principal=LOCAL)
    return record


async def test_times_page_and_ids_are_in_the_record_the_sidecar_and_the_result(tmp_path: Path) -> None:
    ended_at = datetime.now(UTC) - timedelta(minutes=3)
    told = Told(finished_at=ended_at, logs="step 9", ids={"trace_id": "of a look"})
    done = Observation(
        state="succeeded", outputs=(RemoteOutput(url="https://c.example/1.png"),), told=told, answer='{"new":"field"}'
    )
    async with an_engine(tmp_path, _gateway(done)) as engine:
        record = await _ended(engine)
        answer = await engine.answer(record.task_id, principal=LOCAL)
    assert record.told == Told(page=PAGE, ids={"trace_id": "tr-1"}, finished_at=ended_at, logs="step 9")
    assert record.finished_at is not None and record.finished_at > ended_at
    shown = task_of(record)
    assert shown.job is not None
    assert (shown.job.id, shown.job.url) == ("pred_1", PAGE)
    assert shown.finished_at is not None and datetime.fromisoformat(shown.finished_at) - ended_at < timedelta(seconds=1)
    sidecar = json.loads(Path(f"{record.outputs[0].path}.json").read_text(encoding="utf-8"))
    assert sidecar["answer"] == answer == {"new": "field"}
    assert (sidecar["job_page"], sidecar["finished_at"]) == (PAGE, ended_at.isoformat())
    assert sidecar["seen_at"] == record.finished_at.isoformat()
    assert "step 9" not in shown.model_dump_json()


async def test_the_answer_that_ended_a_failed_task_can_be_looked_up(tmp_path: Path) -> None:
    gateway = _gateway(
        Observation(state="running", answer='{"status":"working"}'),
        Observation(state="failed", answer='{"status":"failed","new_field":7}'),
    )
    async with an_engine(tmp_path, gateway) as engine:
        record = await _ended(engine)
        assert await engine.answer(record.task_id, principal=LOCAL) == {"status": "failed", "new_field": 7}
    assert "new_field" not in record.model_dump_json()


@pytest.mark.parametrize("apart", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_time_of_the_gateway_that_cannot_be_is_not_shown(apart: timedelta) -> None:
    record = polling(state="succeeded", finished_at=START, told=Told(finished_at=START + apart))
    assert record.ended_at == START


def test_an_older_record_has_nothing_told() -> None:
    older = polling().model_dump(mode="json", by_alias=True)
    del older["told"]
    assert TaskRecord.model_validate(older).told == Told()


async def test_the_ids_of_a_refused_submission_are_kept_for_support(tmp_path: Path) -> None:
    body = {"title": "Bad", "detail": "no", "code": "VALIDATION_INVALID_ARGUMENT", "trace_id": "tr-9"}
    gateway = provider("routeany", always(400, body, x_request_id="rq-9"))
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(model="veo-3.1"))).record
    assert record.state == "failed"
    assert record.told.ids == {"trace_id": "tr-9", "x-request-id": "rq-9"}
    await gateway.aclose()


async def test_the_ids_of_a_lost_answer_are_kept_for_support(tmp_path: Path) -> None:
    gateway = provider("shuyou", always(500, {"message": "Internal server error"}, x_shuyou_requestid="sy-9"))
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(model="veo-3.1"))).record
    assert (record.state, record.told.ids) == ("unknown", {"x-shuyou-requestid": "sy-9"})
    await gateway.aclose()
