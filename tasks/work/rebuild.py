"""Tasks from what lies beside the store, for when that is lost: finished ones from sidecars, others from receipts."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from ...domain.document import Document, migrated, number_of
from ...domain.errors import StoreDamaged, StoreTooNew
from ...domain.record import SCHEMA, TaskRecord
from .. import life
from ..clock import SystemClock
from ..journal import TaskJournal, from_document, to_document
from ..migrations import MIGRATIONS
from ..money.ledger import lines_between
from ..ports import Journal, MediaStore, ReceiptFile
from .keep import SIDECAR_FORMAT
from .receipt_book import ReceiptBook

logger = logging.getLogger(__name__)

_DOCUMENT: TypeAdapter[Document] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did."""

    restored: tuple[str, ...]
    """Ids of the tasks that are back."""
    present: int
    """Tasks that the store still had."""
    unreadable: int
    """Sidecars that do not hold a task."""
    unfinished: tuple[str, ...] = ()
    """Ids of the tasks that are back from the receipts of their jobs, and go on."""


async def lost_jobs(store: Journal, receipts: ReceiptFile) -> list[str]:
    """Ids of the tasks whose accepted job has a receipt, and that the store does not know."""
    return await _book(store, receipts).lost()


def _book(store: Journal, receipts: ReceiptFile) -> ReceiptBook:
    clock = SystemClock()
    return ReceiptBook(receipts, TaskJournal(store, "doctor", clock, lines_of=lines_between), clock)


async def rebuild(store: Journal, media: MediaStore, receipts: ReceiptFile | None = None) -> Rebuilt:
    """Put the tasks of all sidecars back that the store does not have, or whose rows cannot be read any more; then the
    unfinished ones that only receipts know of."""
    records, unreadable = records_of([pair async for pair in media.sidecars()])
    restored_ids: list[str] = []
    for task_id in sorted(records):
        record = records[task_id]
        unsound = await _unsound(store, task_id)
        if await store.restore(to_document(record), unsound=unsound, lines=lines_between(None, record)):
            restored_ids.append(task_id)
    unfinished = [] if receipts is None else await _book(store, receipts).take_up()
    return Rebuilt(tuple(restored_ids), len(records) - len(restored_ids), unreadable, tuple(unfinished))


async def _unsound(store: Journal, task_id: str) -> int | None:
    """The revision of the task's stored document where that is no record; what is no document the store sees itself."""
    try:
        document = await store.get(task_id)
    except (StoreDamaged, StoreTooNew):
        return None
    return None if document is None or _is_sound(document) else number_of(document, "revision")


def _is_sound(document: Document) -> bool:
    try:
        from_document(document)
    except StoreDamaged:
        return False
    return True


async def restored(media: MediaStore, record: TaskRecord) -> TaskRecord | None:
    """The finished record of one task, from its sidecars; `None` where there are none."""
    found = [pair async for pair in media.sidecars(of=record.task_id.lower())]
    return records_of(found)[0].get(record.task_id)


def records_of(sidecars: Iterable[tuple[Path, Document]]) -> tuple[dict[str, TaskRecord], int]:
    """Records by task id, with every output whose sidecar was found, and how many sidecars could not be read."""
    records: dict[str, TaskRecord] = {}
    unreadable = 0
    for path, document in sidecars:
        try:
            record, index, file = _read(path, document)
        except (ValidationError, StoreDamaged, ValueError) as error:
            logger.warning("sidecar left out", extra={"path": path, "problem": type(error).__name__})
            unreadable += 1
            continue
        known = records.get(record.task_id, record)
        records[record.task_id] = life.from_sidecar(life.found_again(known, index, file, known.updated_at))
    return records, unreadable


def _read(path: Path, document: Document) -> tuple[TaskRecord, int, str]:
    if document.get("format") != SIDECAR_FORMAT:
        raise ValueError("not a sidecar of rushes")
    record = from_document(migrated(_DOCUMENT.validate_python(document.get("record")), SCHEMA, MIGRATIONS))
    index = document.get("index")
    if not isinstance(index, int) or not 0 <= index < len(record.outputs):
        raise ValueError("no such output")
    return record, index, str(path.with_name(Path(str(document.get("file"))).name))
