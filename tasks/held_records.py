"""The records that this process works on, kept small: a look at a job then need not read its record from the store."""

import zlib
from datetime import UTC, datetime

from pydantic_core import PydanticSerializationError

from ..domain.record import TaskRecord
from ..domain.request import GenerationRequest

HELD_BYTES_MAX = 64 * 2**20
"""For all of them; beyond it those that were held first are read from the store again."""

UNPACKED_MAX = 500
"""So many are held as they are: while few are in flight, none is packed at all."""

_ENTRY_BYTES = 160
"""What Python takes for one beside its bytes, about."""

_RECORD_BYTES = 8 * 1024

_WINDOW_BITS, _MEMORY_LEVEL = -12, 5
"""No header, and small tables: they are made anew for every record."""


class HeldRecords:
    """Open records of one worker: the last ones as they are, the others as compressed JSON of a third of a KiB each.

    Every read of the store may be overtaken by `forget_all`. So who reads notes the `turn` before and tells it with
    what was read: what is of an earlier turn is not held.
    """

    def __init__(self, worker: str, bytes_max: int = HELD_BYTES_MAX, unpacked_max: int = UNPACKED_MAX) -> None:
        self._worker = worker
        self._bytes_max = bytes_max
        self._unpacked_max = unpacked_max
        self._bytes = 0
        self._held: dict[str, tuple[int, bytes | TaskRecord]] = {}
        """With the revision."""
        self._unpacked: dict[str, None] = {}
        """Those that are held as they are, in the order in which they came."""
        self.turn = 0

    def get(self, task_id: str) -> TaskRecord | None:
        """The record as it was read or written last; `None` where it is not held."""
        entry = self._held.get(task_id)
        if entry is None:
            return None
        kept = entry[1]
        return kept if isinstance(kept, TaskRecord) else TaskRecord.model_validate_json(_unpacked(kept))

    def revision(self, task_id: str) -> int | None:
        """The revision that is held."""
        entry = self._held.get(task_id)
        return None if entry is None else entry[0]

    def keep(self, record: TaskRecord, turn: int) -> None:
        """Hold a record that was read or written just now, unless a later one is held."""
        known = self.revision(record.task_id)
        if turn != self.turn or (known is not None and known > record.revision):
            return
        self.forget(record.task_id)
        if record.open and record.worker == self._worker:
            self._put(record.task_id, record.revision, record)
            self._unpacked[record.task_id] = None
            if len(self._unpacked) > self._unpacked_max:
                self._pack(next(iter(self._unpacked)))
            while self._bytes > self._bytes_max:
                if self._unpacked:
                    self._pack(next(iter(self._unpacked)))
                else:
                    self.forget(next(iter(self._held)))

    def forget(self, task_id: str) -> None:
        """Read it from the store next time."""
        self._unpacked.pop(task_id, None)
        entry = self._held.pop(task_id, None)
        if entry is not None:
            self._bytes -= _size(entry[1])

    def forget_all(self) -> None:
        """Somebody else has written, nobody knows what."""
        self.turn += 1
        self._held.clear()
        self._unpacked.clear()
        self._bytes = 0

    def _put(self, task_id: str, revision: int, kept: bytes | TaskRecord) -> None:
        self._held[task_id] = revision, kept
        self._bytes += _size(kept)

    def _pack(self, task_id: str) -> None:
        del self._unpacked[task_id]
        revision, kept = self._held[task_id]
        if isinstance(kept, TaskRecord):
            try:
                packed = _packed(kept)
            except PydanticSerializationError:
                # Half an emoji in a prompt: JSON cannot say it as UTF-8.
                return
            self._bytes -= _size(kept)
            # In the place where it was: what came first is forgotten first.
            self._held[task_id] = revision, packed
            self._bytes += _size(packed)


def _size(kept: bytes | TaskRecord) -> int:
    return _ENTRY_BYTES + (len(kept) if isinstance(kept, bytes) else _RECORD_BYTES)


def _packed(record: TaskRecord) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return packer.compress(record.model_dump_json(by_alias=True, exclude_none=True).encode()) + packer.flush()


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompressobj(_WINDOW_BITS, _DICTIONARY).decompress(packed)


def _usual() -> bytes:
    """What all records have in common, for the packer to point at."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    record = TaskRecord(
        task_id="01",
        kind="video",
        request=GenerationRequest(kind="video", prompt=""),
        provider="routeany",
        model="",
        phase="polling",
        state="running",
        created_at=moment,
        updated_at=moment,
        deadline_at=moment,
        owner="local",
    )
    return record.model_dump_json(by_alias=True, exclude_none=True).encode()


_DICTIONARY = _usual()
