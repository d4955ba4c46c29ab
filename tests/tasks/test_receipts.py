"""The job's id has two homes: what happens to the store does not lose a paid job."""

import json
import logging
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Unpack

import anyio
import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.document import Replacing
from rushes.domain.errors import StoreFull, TaskNotFound
from rushes.domain.job import Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.principal import LOCAL, Principal
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.providers.provider import AnswerSink, Traits
from rushes.tasks.engine import Engine
from rushes.tasks.work.receipt_book import receipt_of, record_of

from .engines import QUICK, a_wish, an_engine
from .makers import START, polling
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
JOB = Job(job_id="pred_1", model="m1", details={"scope": "images"})
RUNNING = Observation(state="running")
DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://c.example/1.png"),))


def _gateway(*looks: Observation, traits: Traits | None = None) -> ScriptedProvider:
    answers = [Submission(job=JOB, observation=RUNNING)]
    return ScriptedProvider(answers=[*answers], looks=[*looks], downloads=[PNG] * 5, traits=traits or Traits())


def _receipts(home: Path) -> list[dict[str, object]]:
    files = (home / "receipts").glob("*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]


async def _settled(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(20):
        while not (record := await engine.wait(task_id, seconds=1, principal=LOCAL)).settled:
            pass
    return record


async def _accepted(home: Path, gateway: ScriptedProvider) -> str:
    async with an_engine(home, gateway) as engine:
        return (await engine.generate(a_wish(kind="image"))).record.task_id


async def test_an_accepted_job_has_a_receipt_and_a_free_one_needs_none(tmp_path: Path) -> None:
    task_id = await _accepted(tmp_path / "paid", _gateway(RUNNING))
    (receipt,) = _receipts(tmp_path / "paid")
    assert (receipt["task_id"], receipt["job_id"], receipt["provider"]) == (task_id, "pred_1", "gate")
    await _accepted(tmp_path / "free", _gateway(RUNNING, traits=Traits(free=True)))
    assert _receipts(tmp_path / "free") == []


async def test_first_submissions_at_once_lay_up_one_reserve(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jobs = [JOB.model_copy(update={"job_id": f"pred_{number}"}) for number in range(10)]
    gateway = ScriptedProvider(answers=[Submission(job=job, observation=RUNNING) for job in jobs], looks=[RUNNING] * 10)
    async with an_engine(tmp_path, gateway) as engine, anyio.create_task_group() as group:
        for job in jobs:
            group.start_soon(engine.generate, a_wish(job.job_id, kind="image"))
    assert [entry.message for entry in caplog.records if "reserve" in entry.message] == []
    assert len(_receipts(tmp_path)) == 10


async def test_a_deleted_store_does_not_lose_a_running_paid_job(tmp_path: Path) -> None:
    task_id = await _accepted(tmp_path, _gateway(RUNNING))
    shutil.rmtree(tmp_path / "cache")
    gateway = _gateway(*[RUNNING] * 3, DONE)
    async with an_engine(tmp_path, gateway) as engine:
        record = await _settled(engine, task_id)
        again = await engine.generate(a_wish(kind="image"))
    assert (record.state, record.job, record.request.prompt) == ("succeeded", JOB, "a red fox")
    assert record.outputs[0].kept is not None
    assert any("restored from the receipt" in warning for warning in record.warnings)
    assert (again.deduplicated, again.record.task_id, len(gateway.plans)) == (True, task_id, 0)


async def test_tasks_that_nobody_asks_for_are_taken_up_too(tmp_path: Path) -> None:
    task_id = await _accepted(tmp_path, _gateway(RUNNING))
    shutil.rmtree(tmp_path / "cache")
    async with an_engine(tmp_path, _gateway(DONE)) as engine:
        with anyio.fail_after(20):
            while not (found := (await engine.list_tasks(principal=LOCAL)).records):  # noqa: ASYNC110 - nothing tells of it
                await anyio.sleep(0.01)
            assert found[0].task_id == task_id


async def test_another_owners_task_is_not_found_by_its_receipt(tmp_path: Path) -> None:
    task_id = await _accepted(tmp_path, _gateway(RUNNING))
    shutil.rmtree(tmp_path / "cache")
    async with an_engine(tmp_path, _gateway(RUNNING)) as engine:
        with pytest.raises(TaskNotFound):
            await engine.get(task_id, principal=Principal("somebody else", admin=False))


def _full_store() -> type[TaskStore]:
    """A store that takes the journal, and then no answer of a gateway any more."""

    class FullStore(TaskStore):
        async def replace(
            self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]
        ) -> Document | None:
            if document["job"] is not None:
                raise StoreFull("the disk is full")
            return await super().replace(document, durable=durable, **how)

    return FullStore


async def test_a_full_store_and_an_end_right_after_the_answer_do_not_lose_the_job(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with an_engine(tmp_path, _gateway(RUNNING), store_type=_full_store(), limits=QUICK) as engine:
            record = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.05)).record
            assert record.phase == "submitting"
            with anyio.fail_after(20):
                while "answer not recorded yet" not in caplog.text:  # noqa: ASYNC110 - nothing tells of it
                    await anyio.sleep(0.01)
    logged = {(getattr(entry, "provider", None), getattr(entry, "job", None)) for entry in caplog.records}
    assert ("gate", "pred_1") in logged
    gateway = _gateway(DONE)
    async with an_engine(tmp_path, gateway) as engine:
        ended = await _settled(engine, record.task_id)
    assert (ended.state, ended.job, len(gateway.plans)) == ("succeeded", JOB, 0)


async def test_room_for_a_receipt_is_laid_up_before_anything_is_paid_for(tmp_path: Path) -> None:
    """A disk may be full by the time of the first answer of all."""

    class Watching(ScriptedProvider):
        async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
            laid_up.append((tmp_path / "receipts" / "reserve").exists())
            return await super().submit(plan, sink=sink)

    laid_up: list[bool] = []
    await _accepted(tmp_path, Watching(answers=[Submission(job=JOB, observation=RUNNING)], looks=[RUNNING]))
    assert laid_up == [True]


async def test_a_flipped_bit_early_in_the_log_does_not_lose_tasks_in_silence(tmp_path: Path) -> None:
    gateway = _gateway(RUNNING)
    ids: list[str] = []
    async with an_engine(tmp_path, gateway) as engine:
        for number in range(8):
            gateway.answers[:] = [Submission(job=Job(job_id=f"pred_{number}", model="m1"), observation=RUNNING)]
            ids.append((await engine.generate(a_wish(f"fox {number}", kind="image"))).record.task_id)
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "cache", copy / "cache")
        shutil.copytree(tmp_path / "receipts", copy / "receipts")
    log = copy / "cache" / "cache.db-wal"
    data = bytearray(log.read_bytes())
    assert len(data) > 8000
    data[100] ^= 1
    log.write_bytes(data)
    async with an_engine(copy, _gateway(DONE)) as engine:
        ended = [await _settled(engine, task_id) for task_id in ids]
    assert [record.state for record in ended] == ["succeeded"] * 8
    assert [record.job and record.job.job_id for record in ended] == [f"pred_{number}" for number in range(8)]


def test_a_receipt_is_short_whatever_was_asked_and_holds_no_options() -> None:
    asked = GenerationRequest(
        kind="video",
        prompt="\U0001f98a" * 30_000,
        voice="v" * 5000,
        provider_options={"callback_secret": "whsec_123"},
    )
    record = polling(request=asked, output_name="fox", fingerprint="f" * 64)
    job = Job(job_id="j" * 1000, model="veo", details={"input": {"prompt": "p" * 5000}})
    line = json.dumps(receipt_of(record, job, START))
    assert len(line) < 4096 and "whsec" not in line
    restored = record_of(json.loads(line), START)
    assert restored is not None and restored.job is not None
    assert (restored.job.job_id, restored.task_id, restored.kind) == (job.job_id, record.task_id, "video")


def test_a_restored_task_is_looked_at_for_a_while_though_its_deadline_is_past() -> None:
    later = START + timedelta(days=3)
    restored = record_of(receipt_of(polling(), JOB, START), later)
    assert restored is not None and restored.deadline_at > later


@pytest.mark.parametrize("spoilt", [{"job_id": None}, {"request": []}, {"kind": "smell"}, {"deadline_at": "x"}])
def test_what_is_no_receipt_makes_no_task(spoilt: dict[str, object]) -> None:
    receipt = receipt_of(polling(), JOB, START)
    assert record_of({**receipt, **spoilt}, START) is None  # type: ignore[dict-item]
