"""A generation's life through the service, with a scripted gateway, a real store and real files."""

import json
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import (
    GatewayUnavailable,
    OutputExpired,
    OutputUnavailable,
    RequestRefused,
    SubmissionLost,
    SubmissionRefused,
    TaskNotFound,
)
from rushes.domain.failure import failure
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks.engine import Engine, Limits
from rushes.tasks.service import MediaSource

from .engines import QUICK, a_wish, an_engine
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

JOB = Job(job_id="job:1", model="m1")
ACCEPTED = Submission(job=JOB, observation=Observation(state="queued", poll_after_seconds=0.01))
RUNNING = Observation(state="running", progress=0.5, poll_after_seconds=0.01)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png"),))


def _image_gateway(**changes: object) -> ScriptedProvider:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING, DONE], downloads=[PNG])
    for name, value in changes.items():
        setattr(gateway, name, value)
    return gateway


async def _ended(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(10):
        return await engine.wait(task_id, seconds=10, principal=LOCAL)


async def test_a_task_is_journaled_submitted_once_polled_and_kept(tmp_path: Path) -> None:
    gateway = _image_gateway()
    async with an_engine(tmp_path, gateway) as engine:
        answer = await engine.generate(a_wish(kind="image"))
        assert (answer.record.state, answer.record.job, answer.deduplicated) == ("queued", JOB, False)
        record = await _ended(engine, answer.record.task_id)
    output = record.outputs[0]
    assert (record.state, record.phase, record.progress) == ("succeeded", "done", 1.0)
    assert output.keeping.status == "kept" and output.kept is not None
    measured = (output.kept.mime_type, output.kept.width, output.kept.height, output.kept.bytes)
    assert measured == ("image/png", 1, 1, len(PNG))
    assert len(gateway.plans) == 1
    assert Path(output.path or "").read_bytes() == PNG
    sidecar = json.loads(Path(f"{output.path}.json").read_text(encoding="utf-8"))
    assert (sidecar["prompt"], sidecar["job_id"], sidecar["sha256"]) == ("a red fox", "job:1", output.kept.sha256)


async def test_the_record_is_on_disk_before_the_post_leaves(tmp_path: Path) -> None:
    gateway = _image_gateway(hold=anyio.Event())
    submitting = anyio.Event()
    gateway.submitted = submitting.set
    async with (
        an_engine(tmp_path, gateway) as engine,
        an_engine(tmp_path, gateway) as other,
        anyio.create_task_group() as group,
    ):
        group.start_soon(engine.generate, a_wish(kind="image"))
        with anyio.fail_after(5):
            await submitting.wait()
        page = await other.list_tasks(principal=LOCAL)
        assert [record.phase for record in page.records] == ["submitting"]
        assert gateway.hold is not None
        gateway.hold.set()


async def test_a_cancelled_call_does_not_harm_the_submission(tmp_path: Path) -> None:
    gateway = _image_gateway(hold=anyio.Event())
    async with an_engine(tmp_path, gateway) as engine:
        submitting = anyio.Event()
        gateway.submitted = submitting.set
        async with anyio.create_task_group() as group:
            group.start_soon(engine.generate, a_wish(kind="image"))
            with anyio.fail_after(5):
                await submitting.wait()
            group.cancel_scope.cancel()
        assert gateway.hold is not None
        gateway.hold.set()
        task_id = (await engine.list_tasks(principal=LOCAL)).records[0].task_id
        assert (await _ended(engine, task_id)).state == "succeeded"
    assert len(gateway.plans) == 1


async def test_an_answer_in_time_does_not_wait_for_a_slow_gateway(tmp_path: Path) -> None:
    gateway = _image_gateway(hold=anyio.Event())
    async with an_engine(tmp_path, gateway) as engine:
        answer = await engine.generate(a_wish(kind="image"), answer_within_seconds=0.05)
        assert (answer.record.state, answer.record.phase) == ("queued", "submitting")
        assert gateway.hold is not None
        gateway.hold.set()
        assert (await _ended(engine, answer.record.task_id)).state == "succeeded"


async def test_equal_calls_at_once_in_two_processes_homes_pay_once(tmp_path: Path) -> None:
    gateway = _image_gateway()
    answers: list[str] = []
    async with an_engine(tmp_path, gateway) as one, an_engine(tmp_path, gateway) as two:

        async def call(engine: Engine) -> None:
            answers.append((await engine.generate(a_wish(kind="image"))).record.task_id)

        async with anyio.create_task_group() as group:
            for engine in (one, two) * 5:
                group.start_soon(call, engine)
    assert len(set(answers)) == 1
    assert len(gateway.plans) == 1


async def test_force_new_and_another_seed_are_new_tasks(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[DONE], downloads=[PNG] * 4)
    async with an_engine(tmp_path, gateway) as engine:
        first = await engine.generate(a_wish(kind="image"))
        await _ended(engine, first.record.task_id)
        same = await engine.generate(a_wish(kind="image"))
        assert same.deduplicated
        assert same.record.task_id == first.record.task_id
        forced = await engine.generate(a_wish(kind="image", force_new=True))
        seeded = await engine.generate(a_wish(kind="image", seed=7))
    assert len({first.record.task_id, forced.record.task_id, seeded.record.task_id}) == 3
    assert len(gateway.plans) == 3


async def test_a_failed_task_does_not_answer_for_an_equal_call(tmp_path: Path) -> None:
    gateway = _image_gateway(answers=[SubmissionRefused("rate_limited", "slow down"), ACCEPTED], looks=[DONE])
    async with an_engine(tmp_path, gateway) as engine:
        refused = await engine.generate(a_wish(kind="image"))
        assert refused.record.failure is not None
        assert (refused.record.failure.reason, refused.record.failure.charged) == ("rate_limited", "no")
        assert refused.record.failure.retry_safe
        again = await engine.generate(a_wish(kind="image"))
        assert not again.deduplicated


async def test_the_next_provider_is_tried_only_after_a_refusal_it_could_cure(tmp_path: Path) -> None:
    poor = ScriptedProvider(name="poor", answers=[SubmissionRefused("insufficient_credits", "no credit")])
    strict = ScriptedProvider(name="strict", answers=[SubmissionRefused("content_violation", "not that")])
    rich = _image_gateway()
    async with an_engine(tmp_path / "a", poor, rich) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert (record.provider, record.tried[0].provider) == ("gate", "poor")
    async with an_engine(tmp_path / "b", strict, rich) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert (record.state, record.provider) == ("failed", "strict")
    assert len(rich.plans) == 1


async def test_a_lost_answer_is_never_sent_to_the_next_provider(tmp_path: Path) -> None:
    deaf = ScriptedProvider(name="deaf", answers=[SubmissionLost("the connection broke")])
    other = _image_gateway()
    async with an_engine(tmp_path, deaf, other) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert record.failure is not None
        assert (record.state, record.failure.charged, record.failure.retry_safe) == ("unknown", "unknown", False)
        again = await engine.generate(a_wish(kind="image"))
        assert (again.deduplicated, again.record.task_id) == (True, record.task_id)
    assert (len(deaf.plans), len(other.plans)) == (1, 0)


async def test_a_lost_answer_is_reconciled_where_jobs_can_be_listed(tmp_path: Path) -> None:
    gateway = _image_gateway(
        traits=Traits(finds_jobs=True), answers=[SubmissionLost("the connection broke")], listed=[JOB]
    )
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert (ended.state, ended.job) == ("succeeded", JOB)
    assert len(gateway.plans) == 1


async def test_a_gateway_without_a_list_shows_a_lost_job_as_little_as_an_empty_list(tmp_path: Path) -> None:
    gateway = _image_gateway(
        traits=Traits(finds_jobs=True),
        answers=[SubmissionLost("the connection broke")],
        listed=[GatewayUnavailable("not_found", "HTTP 404")] * 50,
    )
    # It is looked for in the list for three minutes; a look for tasks of others each 0.05 s of them takes long.
    limits = replace(QUICK, takeover_seconds=2.0)
    async with an_engine(tmp_path, gateway, limits=limits) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.reason, ended.failure.charged) == ("unknown", "outcome_unknown", "unknown")


async def test_a_fault_of_the_adapter_after_the_post_is_an_unknown_outcome(tmp_path: Path) -> None:
    gateway = _image_gateway(answers=[ValueError("a bug")])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
    assert record.failure is not None
    assert (record.state, record.failure.charged) == ("unknown", "unknown")
    assert "a bug" not in record.failure.message


async def test_looks_that_fail_are_survived(tmp_path: Path) -> None:
    wish = GatewayUnavailable("provider_error", "502", retry_after_seconds=0.01)
    gateway = _image_gateway(looks=[RUNNING, DONE])
    gateway.looks.insert(1, wish)
    limits = QUICK
    async with an_engine(tmp_path, gateway, limits=limits) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert (await _ended(engine, record.task_id)).state == "succeeded"


async def test_a_failed_job_tells_its_reason_and_money_state(tmp_path: Path) -> None:
    why = failure("content_violation", "the filter\x07 said no", charged="no")
    gateway = _image_gateway(looks=[Observation(state="failed", failure=why)])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert (ended.state, ended.failure) == ("failed", why)


async def test_bytes_in_the_answer_are_on_disk_when_the_task_succeeds(tmp_path: Path) -> None:
    inline = Observation(state="succeeded", outputs=(RemoteOutput(content=PNG), RemoteOutput(content=PNG + b"\0")))
    gateway = _image_gateway(answers=[Submission(job=JOB, observation=inline)])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
    assert record.state == "succeeded"
    assert [Path(output.path or "").is_file() for output in record.outputs] == [True, True]
    assert len({output.path for output in record.outputs}) == 2
    assert "iVBOR" not in record.model_dump_json()


async def test_a_task_succeeds_although_its_file_cannot_be_kept(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[DONE], downloads=[OutputUnavailable("502"), OutputExpired("404")])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert ended.state == "succeeded"
    assert (ended.outputs[0].keeping.status, ended.outputs[0].keeping.problem) == ("pending", "502")
    assert ended.outputs[0].remote.url == "https://cdn.example/1.png"


async def test_keeping_can_be_turned_off(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[DONE])
    async with an_engine(tmp_path, gateway, limits=Limits(keep_outputs=False)) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert (ended.state, ended.outputs[0].keeping.status, ended.outputs[0].path) == ("succeeded", "off", None)
    assert len(gateway.downloads) == 1


async def test_another_process_finishes_what_a_dead_one_began(tmp_path: Path) -> None:
    first = _image_gateway(looks=[RUNNING])
    async with an_engine(tmp_path, first) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    second = _image_gateway(looks=[DONE])
    async with an_engine(tmp_path, second) as engine:
        assert (await _ended(engine, task_id)).state == "succeeded"
    assert len(second.plans) == 0


async def test_a_living_process_takes_over_when_its_neighbour_ends(tmp_path: Path) -> None:
    first, second = _image_gateway(looks=[RUNNING]), _image_gateway(looks=[DONE])
    async with an_engine(tmp_path, second) as survivor:
        async with an_engine(tmp_path, first) as engine:
            task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert (await _ended(survivor, task_id)).state == "succeeded"
    assert len(second.plans) == 0


async def test_a_submission_found_in_flight_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    first = _image_gateway(hold=anyio.Event())
    async with an_engine(tmp_path, first) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.05)).record.task_id
    second = _image_gateway()
    async with an_engine(tmp_path, second) as engine:
        ended = await _ended(engine, task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.reason) == ("unknown", "outcome_unknown")
    assert len(second.plans) == 0


async def test_a_free_submission_found_in_flight_is_made_again(tmp_path: Path) -> None:
    free = Traits(repeatable=True, free=True, cancels=True)
    first = _image_gateway(hold=anyio.Event(), traits=free)
    async with an_engine(tmp_path, first) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.05)).record.task_id
    second = _image_gateway(traits=free)
    async with an_engine(tmp_path, second) as engine:
        assert (await _ended(engine, task_id)).state == "succeeded"


async def test_cancel_reaches_the_gateway_where_it_can(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[RUNNING], traits=Traits(cancels=True))
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        record = await engine.cancel(task_id, principal=LOCAL)
    assert record.failure is not None
    assert (record.state, record.failure.reason, gateway.cancels) == ("cancelled", "cancelled", 1)


async def test_cancel_says_plainly_where_the_gateway_cannot_and_abandon_still_keeps_a_late_result(
    tmp_path: Path,
) -> None:
    gateway = _image_gateway(looks=[RUNNING])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        told = await engine.cancel(task_id, principal=LOCAL)
        assert told.state in ("queued", "running")
        assert "abandon" in told.warnings[0]
        given_up = await engine.cancel(task_id, abandon=True, principal=LOCAL)
        assert (given_up.state, given_up.phase) == ("cancelled", "watching")
    gateway.looks = [DONE]
    async with an_engine(tmp_path, gateway) as engine:
        with anyio.fail_after(10):
            while (record := await engine.get(task_id, principal=LOCAL)).phase != "done":
                await anyio.lowlevel.checkpoint()
    assert record.state == "cancelled"
    assert Path(record.outputs[0].path or "").is_file()


async def test_an_earlier_output_can_be_an_input(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[DONE])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _ended(engine, task_id)
        for text in (f"task:{task_id}", f"task:{task_id}#1"):
            wish = a_wish("again", kind="image", media=[MediaSource("input_image", text)], force_new=True)
            medium = (await engine.generate(wish)).record.request.media[0]
            assert (medium.mime_type, medium.url) == ("image/png", "https://cdn.example/1.png")
        for text in (f"task:{task_id}#2", "task:01NOTHING", "task:", f"task:{task_id}#x"):
            with pytest.raises(RequestRefused) as refused:
                await engine.generate(a_wish("again", kind="image", media=[MediaSource("input_image", text)]))
            assert refused.value.reason == "invalid_media"


async def test_an_unknown_id_is_not_found(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _image_gateway()) as engine:
        for task_id in ("01KNOTHING", "../../etc/passwd", "", "fp:abc"):
            with pytest.raises(TaskNotFound):
                await engine.get(task_id, principal=LOCAL)


async def test_a_preview_writes_and_sends_nothing(tmp_path: Path) -> None:
    gateway = _image_gateway()
    async with an_engine(tmp_path, gateway) as engine:
        shown = await engine.preview(a_wish(kind="image"))
        assert (shown.provider, shown.payload) == ("gate", {"prompt": "a red fox"})
        assert (await engine.list_tasks(principal=LOCAL)).records == ()
    assert gateway.plans == []


async def test_tasks_are_listed_newest_first_in_pages(tmp_path: Path) -> None:
    gateway = _image_gateway(looks=[RUNNING])
    async with an_engine(tmp_path, gateway) as engine:
        ids = [(await engine.generate(a_wish(f"fox {n}", kind="image"))).record.task_id for n in range(5)]
        first = await engine.list_tasks(limit=3, principal=LOCAL)
        rest = await engine.list_tasks(limit=3, cursor=first.next_cursor, principal=LOCAL)
    assert [record.task_id for record in (*first.records, *rest.records)] == sorted(ids, reverse=True)
    assert rest.next_cursor is None


@pytest.mark.parametrize("cursor", ["zzz", "", "2", "é" * 26, "z" * 26])
async def test_a_cursor_that_no_page_gave_is_refused_rather_than_answered_with_the_first_page(
    tmp_path: Path, cursor: str
) -> None:
    async with an_engine(tmp_path, _image_gateway()) as engine:
        with pytest.raises(RequestRefused, match="next_cursor"):
            await engine.list_tasks(cursor=cursor, principal=LOCAL)
