"""The desk at which hooks arrive: says which are a gateway's, and has the task looked at. Nothing else comes of one.

It needs no engine: the process that receives a hook and the one that works on its task may be two.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..domain.hooks import HookRequest
from ..domain.record import TaskRecord
from ..providers.provider import ReadsHooks
from .hook_tokens import is_right, keys_of, proof_of, task_id_in
from .ports import Clock
from .work.hook_silence import HookSilence

logger = logging.getLogger(__name__)

ALIVE_AFTER_END = timedelta(days=1)
"""A token is good for so long after its task's end: for gateways that try again."""

DELIVERIES_MAX = 10_000
"""Ids of signed hooks that are remembered; older ones are refused for their time."""

PROBE = "-"
"""In place of a provider's name: `rushes doctor` asks whether its own address leads here. No provider is called so."""


@dataclass(frozen=True)
class Expected:
    """A task of which hooks may come, and who reads them."""

    record: TaskRecord
    reader: ReadsHooks


class HookDesk:
    """`read` gives a task's record; `hear` brings the next look of an unfinished one forward, in whichever process."""

    def __init__(
        self,
        key: bytes,
        readers: Mapping[str, ReadsHooks],
        clock: Clock,
        silence: HookSilence,
        *,
        read: Callable[[str], Awaitable[TaskRecord | None]],
        hear: Callable[[str], Awaitable[None]],
    ) -> None:
        self._key = key
        self._readers = readers
        self._clock = clock
        self._silence = silence
        self._read = read
        self._hear = hear
        self._deliveries: OrderedDict[tuple[str, str], None] = OrderedDict()

    def proof(self, provider: str, nonce: str) -> str | None:
        """The answer to a probe, by which a process of this home is known; `None` where it is none."""
        return proof_of(self._key, nonce) if provider == PROBE and 16 <= len(nonce) <= 64 else None

    async def find(self, provider: str, token: str) -> Expected | None:
        """The task that a token is of; `None` for one that is wrong, dead, or of another provider's job.

        Raises:
            StoreError: the store cannot be read.
        """
        reader, task_id = self._readers.get(provider), task_id_in(token)
        if reader is None or task_id is None:
            return None
        record = await self._read(task_id)
        if record is None or record.provider != provider or not is_right(token, record.hook):
            return None
        ended = record.finished_at
        if ended is not None and not record.open and self._clock.now() - ended > ALIVE_AFTER_END:
            return None
        return Expected(record, reader)

    async def receive(self, expected: Expected, hook: HookRequest) -> bool:
        """Take a hook in; false for one that is not its gateway's.

        Raises:
            StoreError: nobody can be told now; the gateway may send it again.
        """
        record, now = expected.record, self._clock.now()
        secret = keys_of(self._key, record.task_id, record.provider).secret
        reading = expected.reader.read_hook(hook, secret, now)
        if reading is None:
            return False
        if reading.goes_on or (reading.delivery is not None and self._is_repeated(record.task_id, reading.delivery)):
            return True
        if record.phase in ("keeping", "done"):
            await self._silence.came(record.provider)
        elif record.phase != "held":
            logger.info("hook", extra={"task_id": record.task_id, "provider": record.provider})
            await self._hear(record.task_id)
        if reading.delivery is not None:
            self._remember(record.task_id, reading.delivery)
        return True

    def _is_repeated(self, task_id: str, delivery: str) -> bool:
        return (task_id, delivery) in self._deliveries

    def _remember(self, task_id: str, delivery: str) -> None:
        self._deliveries[task_id, delivery] = None
        while len(self._deliveries) > DELIVERIES_MAX:
            self._deliveries.popitem(last=False)
