"""Callbacks, on the side of the process that works on a task: gateways are asked for them, and what comes brings a look
forward. It decides nothing."""

import logging
from collections.abc import Container, Mapping

import anyio

from ...domain.errors import StoreError
from ...domain.hooks import CALLS_BACK, asking_to_call
from ...domain.job import Plan
from ...domain.record import TaskRecord
from ...providers.provider import Provider, ReadsHooks
from ..hook_desk import HookDesk
from ..hook_ports import HookParts, Nudges
from ..hook_tokens import is_right, keys_of
from ..hooked import Hooked, hooked, reading
from ..ports import Clock, Store, WorkQueue
from .hook_cadence import Heard, pause_with_hook
from .hook_silence import HookSilence

logger = logging.getLogger(__name__)


class Callbacks:
    """Those of one process; without `parts` no gateway is asked to call.

    `submitting` holds the ids of the submissions under way, `queue` is where steps are planned, once there is one.
    """

    queue: WorkQueue

    def __init__(self, parts: HookParts | None, store: Store, clock: Clock, submitting: Container[str]) -> None:
        self._parts = parts
        self._store = store
        self._clock = clock
        self._submitting = submitting
        self.silence = HookSilence(store, clock)
        self._heard: dict[str, Heard] = {}
        self._expected: dict[str, Hooked] = {}
        """What this process works on and is to be called for, as it last saw it."""
        self._wanted = anyio.Event()

    def desk(self, providers: Mapping[str, Provider]) -> HookDesk | None:
        """Where hooks arrive in this process."""
        if self._parts is None:
            return None
        readers = {name: each for name, each in providers.items() if isinstance(each, ReadsHooks)}
        return HookDesk(
            self._parts.key,
            readers,
            self._clock,
            self.silence,
            read=reading(self._store),
            hear=self.hear,
            known=self._expected.get,
        )

    async def asking(self, record: TaskRecord, plan: Plan) -> Plan:
        """The plan as it is sent: with the task's own address for hooks, where its gateway can call back."""
        if self._parts is None or not plan.callback:
            self._expected.pop(record.task_id, None)
            return plan
        keys = keys_of(self._parts.key, record.task_id, plan.provider)
        if not is_right(keys.token, record.hook):
            return plan
        self._expect(record)
        await self.silence.meet(plan.provider)
        return asking_to_call(plan, keys)

    async def meet(self, record: TaskRecord) -> None:
        """Read what is known of the hooks of the record's gateway, before a step."""
        if calls_back(record) and self._parts is not None:
            self._expect(record)
            await self.silence.meet(record.provider)

    def stands(self, record: TaskRecord) -> None:
        """A step has brought the record so far."""
        if record.task_id in self._expected:
            self._expect(record)

    def pause_seconds(self, record: TaskRecord, usual: float, elapsed: float, median: float) -> float:
        """The pause before the next look: longer than the usual one where a hook will bring it."""
        counts_on_it = self._parts is not None and calls_back(record) and not self.silence.is_silent(record.provider)
        if not counts_on_it or record.poll_errors or self._clock.now() >= record.deadline_at:
            return usual
        heard = self._heard.get(record.task_id)
        since = None if heard is None else max(0.0, self._clock.elapsed() - heard.look_at)
        return max(usual, pause_with_hook(elapsed, median, since))

    def was_heard(self, task_id: str) -> bool:
        """Whether a hook of the task came to this process, or word of one."""
        return task_id in self._heard

    async def hear(self, task_id: str) -> bool:
        """A hook of an unfinished task came: have whoever works on it look. False where that is about to be done.

        Raises:
            StoreError: another process has the task, and no word can be left for it.
        """
        if self._in_hand(task_id):
            return self._nudge(task_id)
        return self._parts is not None and await self._parts.nudges.leave(task_id)

    async def pass_on(self, task_id: str) -> None:
        """The task turned out to be another process's: what was heard of it here is for that one."""
        if self._parts is None or not self.was_heard(task_id):
            return
        try:
            await self._parts.nudges.leave(task_id)
        except StoreError as error:
            logger.warning("word of a hook not passed on", extra={"task_id": task_id, "problem": error.message})

    async def ended(self, record: TaskRecord) -> None:
        """Learn from a job that has ended by itself, as a look has just shown."""
        if self._parts is None or not calls_back(record) or record.state not in ("succeeded", "failed"):
            return
        if self.was_heard(record.task_id):
            await self.silence.came(record.provider)
        else:
            await self.silence.ended(record.provider)

    def forget(self, task_id: str) -> None:
        """Nothing is left to do for the task here."""
        self._heard.pop(task_id, None)
        self._expected.pop(task_id, None)

    async def run(self) -> None:
        """Take word from other processes, while hooks are expected, until cancelled."""
        if self._parts is None:
            return
        while True:
            while not self._expected:
                self._wanted = anyio.Event()
                await self._wanted.wait()
            try:
                await self._take_word(self._parts.nudges)
            except StoreError as error:
                logger.warning("word of hooks not read", extra={"problem": error.message})
            await self._clock.sleep(self._parts.watch_seconds)

    async def _take_word(self, nudges: Nudges) -> None:
        ours = [task_id for task_id in await nudges.waiting() if self._in_hand(task_id)]
        try:
            # First: word that comes from here on is of what the look may not have seen, and waits for the next time.
            if ours:
                await nudges.take(ours)
        finally:
            for task_id in ours:
                self._nudge(task_id)

    def _in_hand(self, task_id: str) -> bool:
        return task_id in self.queue or task_id in self._submitting

    def _nudge(self, task_id: str) -> bool:
        now = self._clock.elapsed()
        before = self._heard.get(task_id)
        heard = Heard(now) if before is None else before.again(now)
        self._heard[task_id] = heard
        if heard is before:
            return False
        self.queue.schedule(task_id, heard.look_at - now)
        return True

    def _expect(self, record: TaskRecord) -> None:
        self._expected[record.task_id] = hooked(record)
        self._wanted.set()


def calls_back(record: TaskRecord) -> bool:
    """Whether the gateway was asked to call when the record's job ends."""
    return record.job is not None and record.job.details.get(CALLS_BACK) is True
