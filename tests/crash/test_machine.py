"""Any order of calls, answers, looks, races, crashes and takeovers: what must always hold of the records."""

import tempfile
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from rushes.cache.embedded.store import TaskStore
from rushes.domain.errors import OutputExpired, OutputUnavailable
from rushes.domain.failure import failure
from rushes.domain.job import Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.record import FINAL, SCHEMA, KeptMedia, TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.tasks import life
from rushes.tasks.journal import TaskJournal, from_document, open_records, to_document
from rushes.tasks.life.fingerprint import fingerprint
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.ports import Clock

from ..clocks import JumpingClock

WORKERS = st.sampled_from([0, 1])
REFUSAL = failure("rate_limited", "slow down", charged="no")
LOSS = failure("outcome_unknown", "lost", charged="unknown")
OBSERVATIONS = st.sampled_from(
    [
        Observation(state="queued"),
        Observation(state="running", progress=0.5),
        Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png"),)),
        Observation(state="failed", failure=failure("provider_error", "broken", charged="no")),
        Observation(state="cancelled", failure=failure("cancelled", "cancelled", charged="no")),
    ]
)


class Process:
    """One process: its own connections to the shared store, and a worker id that dies with it."""

    def __init__(self, portal: BlockingPortal, folder: Path, clock: Clock, worker: str) -> None:
        opened = TaskStore.opened(folder, schema=SCHEMA, migrations=MIGRATIONS)
        self._context: AbstractContextManager[TaskStore] = portal.wrap_async_context_manager(opened)
        self.store = self._context.__enter__()
        self.records = TaskJournal(self.store, worker, clock)
        self.worker = worker
        self.sent: set[str] = set()
        """Tasks whose POST this process remembers to have sent; what it forgets is in the records or nowhere."""

    def may_send(self, record: TaskRecord) -> bool:
        """As the engine does: what is to be submitted, and mine, and not yet sent by me."""
        mine = record.phase == "submitting" and record.worker == self.worker and not record.final
        return mine and record.task_id not in self.sent

    def close(self) -> None:
        self._context.__exit__(None, None, None)


class Life(RuleBasedStateMachine):
    """Two processes on one store, and the account of a gateway that knows nothing of the records."""

    tasks = Bundle("tasks")
    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "cache"
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._clock = JumpingClock(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
        self._born = 0
        self._charged: dict[str, int] = {}
        """POSTs of each task that the gateway took, whether or not its answer came back."""
        self._underway: set[str] = set()
        """Tasks whose job the gateway took and has not told the end of."""
        self._seen: dict[str, TaskRecord] = {}
        self._living: list[Process] = []
        self._stalled: set[str] = set()

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    @initialize()
    def start(self) -> None:
        self._living = [self._new_process(), self._new_process()]

    def teardown(self) -> None:
        for process in self._living:
            process.close()
        self._stack.close()

    def _new_process(self) -> Process:
        self._born += 1
        return Process(self._portal, self._folder, self._clock, f"w{self._born}")

    def _change(self, process: Process, task_id: str, transition: life.Transition) -> TaskRecord | None:
        return self._portal.call(lambda: process.records.change(task_id, transition))

    # what happens

    @rule(target=tasks, who=WORKERS, prompt=st.sampled_from(["fox", "owl"]), force_new=st.booleans())
    def call(self, who: int, prompt: str, force_new: bool) -> object:
        return self._called(self._living[who], prompt, force_new=force_new)

    def _called(self, process: Process, prompt: str, *, force_new: bool = False) -> str:
        request = GenerationRequest(kind="image", prompt=prompt)
        self._born += 1
        record = TaskRecord(
            task_id=f"01TASK{self._born:020}",
            kind="image",
            worker=process.worker,
            request=request,
            fingerprint=fingerprint("local", "gate", request),
            provider="gate",
            model="m1",
            created_at=self._now,
            updated_at=self._now,
            submitted_at=self._now,
            deadline_at=self._now + timedelta(minutes=20),
            owner="local",
        )
        equal = [r.task_id for r in self._all() if r.request == request]
        underway = [task_id for task_id in equal if task_id in self._underway]
        journaled, created = self._portal.call(lambda: process.records.create(record, force_new=force_new))
        assert journaled.request == request
        if created:
            assert force_new or not underway, "the gateway still works on an equal request, and may charge for both"
            self._charged[journaled.task_id] = 0
        else:
            assert not force_new
        return journaled.task_id

    @rule(
        task_id=tasks,
        who=WORKERS,
        answer=st.sampled_from(["accepted", "refused", "refused for now", "lost", "lost, listed"]),
        seen=OBSERVATIONS,
    )
    def post(self, task_id: str, who: int, answer: str, seen: Observation) -> None:
        process = self._living[who]
        if not process.may_send(self._read(task_id)):
            return
        process.sent.add(task_id)
        if not answer.startswith("refused"):
            self._taken(task_id)
        submission = Submission(job=_job(task_id), observation=seen)
        transition: dict[str, life.Transition] = {
            "accepted": lambda r: life.accepted(r, submission, self._now),
            "refused": lambda r: life.refused(r, REFUSAL, self._now),
            "refused for now": lambda r: life.held(r, "slow down", self._now, self._now, asked=True),
            "lost": lambda r: life.lost(r, LOSS, self._now, reconcilable=False),
            "lost, listed": lambda r: life.lost(r, LOSS, self._now, reconcilable=True),
        }
        noted = self._change(process, task_id, transition[answer])
        if noted is None and answer == "accepted":
            self._portal.call(
                lambda: process.records.change(
                    task_id, lambda r: life.accepted_late(r, submission, self._now), as_worker=False
                )
            )
        if answer == "accepted":
            self._told(task_id, seen)

    @rule(task_id=tasks, who=WORKERS)
    def release(self, task_id: str, who: int) -> None:
        """The time is over that a held request waits for: whoever has it sends it."""
        process = self._living[who]
        plan = Plan(provider="gate", model="m1", path="/", body={})
        later = self._now + timedelta(minutes=20)
        released = self._change(process, task_id, lambda r: life.released(r, plan, later, self._now))
        if released is not None and released.phase == "submitting":
            process.sent.discard(task_id)

    def _taken(self, task_id: str) -> None:
        self._charged[task_id] += 1
        self._underway.add(task_id)

    def _told(self, task_id: str, seen: Observation) -> None:
        if seen.state not in ("queued", "running"):
            self._underway.discard(task_id)

    def _read(self, task_id: str) -> TaskRecord:
        record = self._portal.call(lambda: self._living[0].records.read(task_id))
        assert record is not None
        return record

    @rule(task_id=tasks, who=WORKERS, seen=OBSERVATIONS)
    def look(self, task_id: str, who: int, seen: Observation) -> None:
        self._looked(task_id, who, seen)

    def _looked(self, task_id: str, who: int, seen: Observation) -> None:
        self._change(
            self._living[who],
            task_id,
            lambda r: life.timed_out(life.observed(r, seen, self._now), self._now),
        )
        if self._read(task_id).job is not None:
            self._told(task_id, seen)

    @rule(target=tasks, task_id=tasks, who=WORKERS)
    def give_up(self, task_id: str, who: int) -> object:
        """The gateway works on past every deadline, and the same is asked for again."""
        self._clock.seconds += 90_000
        for _ in range(life.OVERDUE_LOOKS):
            self._looked(task_id, who, Observation(state="running"))
        return self._called(self._living[who], self._read(task_id).request.prompt)

    @rule(target=tasks, prompt=st.sampled_from(["fox", "owl"]), who=WORKERS, posted=st.booleans(), lists=st.booleans())
    def die_in_post(self, prompt: str, who: int, posted: bool, lists: bool) -> object:
        """Killed while it sends; the next process takes over, does what is due, and is asked for the same again."""
        task_id = self._called(self._living[who], prompt)
        self._died(who, posted)
        self._taken_over(who, lists)
        if self._living[who].may_send(self._read(task_id)):
            self._taken(task_id)
        return self._called(self._living[who], prompt)

    @rule(task_id=tasks, who=WORKERS, is_listed=st.booleans())
    def search(self, task_id: str, who: int, is_listed: bool) -> None:
        def searched(record: TaskRecord) -> TaskRecord:
            if is_listed and self._charged[task_id]:
                return life.found(record, _job(task_id), self._now)
            return life.not_found(record, LOSS, self._now, next_look_at=self._now)

        self._change(self._living[who], task_id, searched)

    @rule(task_id=tasks, who=WORKERS, ended=st.booleans())
    def cancel(self, task_id: str, who: int, ended: bool) -> None:
        def given_up(record: TaskRecord) -> TaskRecord:
            asked = life.cancel_asked(record, self._now)
            return life.cancelled(asked, self._now, at_gateway=ended, ended=ended, charged="unknown")

        if not ended or self._seen[task_id].job is not None:
            self._portal.call(lambda: self._living[who].records.change(task_id, given_up, as_worker=False))
            # Given up by somebody who was told that it may be charged: the next call is a new wish.
            self._underway.discard(task_id)

    @rule(task_id=tasks, who=WORKERS, came=st.sampled_from(["kept", "gone", "unavailable"]))
    def keep(self, task_id: str, who: int, came: str) -> None:
        def downloaded(record: TaskRecord) -> TaskRecord:
            if record.phase != "keeping":
                return record
            if came == "kept":
                return life.kept(record, 0, KeptMedia(path="/out/1.png"), self._now)
            error = OutputExpired("404") if came == "gone" else OutputUnavailable("502")
            return life.keep_failed(record, 0, error, self._now)

        self._change(self._living[who], task_id, downloaded)

    @rule(who=WORKERS, posted=st.booleans())
    def crash(self, who: int, posted: bool) -> None:
        """The process dies; its POSTs may have left or not, and nobody knows."""
        self._died(who, posted)

    def _died(self, who: int, posted: bool) -> None:
        died = self._living[who]
        for record in self._all():
            if posted and died.may_send(record):
                self._taken(record.task_id)
        died.close()
        self._living[who] = self._new_process()

    @rule(who=WORKERS)
    def stall(self, who: int) -> None:
        """The process hangs for so long that the other takes it for dead; it goes on later all the same."""
        self._stalled.add(self._living[who].worker)

    @rule(who=WORKERS, lists=st.booleans())
    def take_over(self, who: int, lists: bool) -> None:
        """Adopt what dead processes left; a submission found in flight is lost, and never sent."""
        self._taken_over(who, lists)

    def _taken_over(self, who: int, lists: bool) -> None:
        process = self._living[who]
        alive = {each.worker for each in self._living} - self._stalled | {process.worker}
        for record in self._portal.call(open_records, process.store):
            if record.worker not in alive:
                self._adopt(process, record, lists)

    def _adopt(self, process: Process, record: TaskRecord, lists: bool) -> None:
        def take(current: TaskRecord) -> TaskRecord:
            if current.worker != record.worker:
                return current
            return life.adopted(current, process.worker, self._now)

        mine = self._portal.call(lambda: process.records.change(record.task_id, take, as_worker=False))
        if mine is not None and mine.phase == "submitting":
            self._change(process, record.task_id, lambda r: life.lost(r, LOSS, self._now, reconcilable=lists))

    @rule(target=snapshots, task_id=tasks, who=WORKERS)
    def read(self, task_id: str, who: int) -> object:
        """A process reads, and is slow to write."""
        record = self._portal.call(lambda: self._living[who].records.read(task_id))
        assert record is not None
        return record

    @rule(snapshot=consumes(snapshots), who=WORKERS, seen=OBSERVATIONS)
    def write_late(self, snapshot: TaskRecord, who: int, seen: Observation) -> None:
        """What was decided on an old revision is refused."""
        changed = life.observed(snapshot, seen, self._now)
        if changed is snapshot:
            return
        stored = self._portal.call(lambda: self._living[who].store.replace(to_document(changed)))
        current = self._seen[snapshot.task_id]
        assert (stored is None) == (current.revision != snapshot.revision)
        if stored is not None:
            self._told(snapshot.task_id, seen)

    @rule(seconds=st.sampled_from([1, 130, 4000, -4000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self._clock.seconds += seconds

    # what always holds

    def _all(self) -> list[TaskRecord]:
        documents = self._portal.call(lambda: self._living[0].store.page(limit=1000))
        return [from_document(document) for document in documents]

    @invariant()
    def no_task_is_paid_twice(self) -> None:
        assert all(charged <= 1 for charged in self._charged.values())

    @invariant()
    def nobody_is_told_that_a_job_under_way_costs_nothing(self) -> None:
        for record in self._all() if self._living else ():
            if record.task_id in self._underway and record.failure is not None:
                assert record.failure.charged != "no", record

    @invariant()
    def records_only_go_forward(self) -> None:
        for record in self._all() if self._living else ():
            before = self._seen.get(record.task_id, record)
            assert record.revision >= before.revision
            assert record.revision > before.revision or record == before
            if before.state in FINAL:
                assert (record.state, record.finished_at) == (before.state, before.finished_at)
            if before.job is not None:
                assert record.job == before.job
            assert len(record.outputs) >= len(before.outputs)
            if record.state == "unknown" and record.failure is not None:
                assert record.failure.charged != "no"
            self._seen[record.task_id] = record

    @invariant()
    def the_index_of_open_tasks_is_the_phase(self) -> None:
        if self._living:
            unfinished = self._portal.call(lambda: self._living[1].store.open_documents())
            assert {str(d["task_id"]) for d in unfinished} == {r.task_id for r in self._all() if r.phase != "done"}


def _job(task_id: str) -> Job:
    return Job(job_id=f"job of {task_id}", model="m1")


_SETTINGS = settings(
    max_examples=10,
    stateful_step_count=40,
    deadline=None,
    # Real stores make a step slow: the shortest failing history would take minutes to find.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestLife = Life.TestCase
TestLife.settings = _SETTINGS

TestManyLives = pytest.mark.storm(
    type("TestManyLives", (TestLife,), {"settings": settings(_SETTINGS, max_examples=40)})
)
