"""The records that this process works on, kept small: a look at a job then need not read its record from the store."""

import json
import zlib
from datetime import UTC, datetime

from pydantic import JsonValue

from ..domain.record import TaskRecord
from ..domain.request import GenerationRequest

HELD_BYTES_MAX = 64 * 2**20
"""For all of them; beyond it those that were held first are read from the store again."""

_ENTRY_BYTES = 160
"""What Python takes for one beside its bytes, about."""

_RECORD_BYTES = 8 * 1024

_WINDOW_BITS, _MEMORY_LEVEL = -12, 5
"""No header, and small tables: they are made anew for every record."""


class HeldRecords:
    """Open records of one worker, as compressed JSON of a third of a KiB each.

    Every read of the store may be overtaken by `forget_all`. So who reads notes the `turn` before and tells it with
    what was read: what is of an earlier turn is not held.
    """

    def __init__(self, worker: str, bytes_max: int = HELD_BYTES_MAX) -> None:
        self._worker = worker
        self._bytes_max = bytes_max
        self._bytes = 0
        self._packed: dict[str, tuple[int, bytes | TaskRecord]] = {}
        """Revision and text; a submission under way as it is, for there are few, and it is wanted at once."""
        self.turn = 0

    def get(self, task_id: str) -> TaskRecord | None:
        """The record as it was read or written last; `None` where it is not held."""
        entry = self._packed.get(task_id)
        if entry is None:
            return None
        kept = entry[1]
        return kept if isinstance(kept, TaskRecord) else TaskRecord.model_validate(_unpacked(kept))

    def keep(self, record: TaskRecord, document: dict[str, JsonValue], turn: int) -> None:
        """Hold a record that was read or written just now, with its document, unless a later one is held."""
        entry = self._packed.get(record.task_id)
        if turn != self.turn or (entry is not None and entry[0] > record.revision):
            return
        self.forget(record.task_id)
        if record.open and record.worker == self._worker:
            kept = record if record.phase == "submitting" else _packed(document)
            self._packed[record.task_id] = record.revision, kept
            self._bytes += _size(kept)
            while self._bytes > self._bytes_max:
                self.forget(next(iter(self._packed)))

    def forget(self, task_id: str) -> None:
        """Read it from the store next time."""
        entry = self._packed.pop(task_id, None)
        if entry is not None:
            self._bytes -= _size(entry[1])

    def forget_all(self) -> None:
        """Somebody else has written, nobody knows what."""
        self.turn += 1
        self._packed.clear()
        self._bytes = 0


def _size(kept: bytes | TaskRecord) -> int:
    return _ENTRY_BYTES + (len(kept) if isinstance(kept, bytes) else _RECORD_BYTES)


def _packed(document: dict[str, JsonValue]) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return packer.compress(json.dumps(document, separators=(",", ":")).encode()) + packer.flush()


def _unpacked(packed: bytes) -> object:
    return json.loads(zlib.decompressobj(_WINDOW_BITS, _DICTIONARY).decompress(packed))


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
    return record.model_dump_json(by_alias=True).encode()


_DICTIONARY = _usual()
