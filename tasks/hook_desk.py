"""The desk at which hooks arrive: says which are a gateway's, and has the task looked at. Nothing else comes of one.

It needs no engine: the process that receives a hook and the one that works on its task may be two.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..domain.hooks import HookRequest
from ..providers.provider import ReadsHooks
from .hook_tokens import hash_of, is_right, proof_of, secret_of, task_id_in, token_of
from .hooked import Hooked
from .ports import Clock
from .work.hook_silence import HookSilence

logger = logging.getLogger(__name__)

ALIVE_AFTER_END = timedelta(days=1)
"""A token is good for so long after its task's end: for gateways that try again."""

DELIVERIES_MAX = 10_000
"""Ids of signed hooks that are remembered; older ones are refused for their time."""

PROBE = "-"
"""In place of a provider's name: `rushes doctor` asks whether its own address leads here. No provider is called so."""


def _none_known(_task_id: str) -> Hooked | None:
    """Of no task without the store."""
    return None


@dataclass(frozen=True)
class Expected:
    """A task of which hooks may come, and who reads them."""

    task: Hooked
    reader: ReadsHooks


class HookDesk:
    """`hear` brings the next look of an unfinished task forward, in whichever process, and says whether that was news.

    `known` tells of the tasks that this process works on, `read` of all.
    """

    def __init__(
        self,
        key: bytes,
        readers: Mapping[str, ReadsHooks],
        clock: Clock,
        silence: HookSilence,
        *,
        read: Callable[[str], Awaitable[Hooked | None]],
        hear: Callable[[str], Awaitable[bool]],
        known: Callable[[str], Hooked | None] = _none_known,
    ) -> None:
        self._key = key
        self._readers = readers
        self._clock = clock
        self._silence = silence
        self._read = read
        self._hear = hear
        self._known = known
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
        # Nobody has the store read who does not know a token.
        if reader is None or task_id is None or not is_right(token, hash_of(token_of(self._key, task_id))):
            return None
        task = self._known(task_id) or await self._read(task_id)
        if task is None or task.provider != provider or not is_right(token, task.hook):
            return None
        over = task.over_since
        if over is not None and self._clock.now() - over > ALIVE_AFTER_END:
            return None
        return Expected(task, reader)

    async def receive(self, expected: Expected, hook: HookRequest) -> bool:
        """Take a hook in; false for one that is not its gateway's.

        Raises:
            StoreError: nobody can be told now; the gateway may send it again.
        """
        task = expected.task
        secret = secret_of(self._key, task.task_id, task.provider)
        reading = expected.reader.read_hook(hook, secret, self._clock.now())
        if reading is None:
            return False
        if reading.goes_on or (reading.delivery is not None and self._is_repeated(task.task_id, reading.delivery)):
            return True
        if task.phase in ("keeping", "done"):
            await self._silence.came(task.provider)
        elif task.phase != "held" and await self._hear(task.task_id):
            logger.info("hook", extra={"task_id": task.task_id, "provider": task.provider})
        if reading.delivery is not None:
            self._remember(task.task_id, reading.delivery)
        return True

    def _is_repeated(self, task_id: str, delivery: str) -> bool:
        return (task_id, delivery) in self._deliveries

    def _remember(self, task_id: str, delivery: str) -> None:
        self._deliveries[task_id, delivery] = None
        while len(self._deliveries) > DELIVERIES_MAX:
            self._deliveries.popitem(last=False)
