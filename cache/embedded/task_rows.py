"""A task's row: made once, changed by compare-and-set, put back where it was lost. Everything here blocks."""

import logging
from collections.abc import Sequence
from typing import Unpack

from pydantic import JsonValue

from ...domain.document import Counting, Creating, Document, Line, Replacing, number_of
from ...domain.errors import JobTaken, StoreDamaged, StoreTooNew
from ...domain.record import FINAL
from . import ledger_rows, lineage, word_index
from .database import Database
from .diskcache_adapter import PutRow
from .documents import checked, decode, document_of, encode, tag_of, task_key, text_of
from .ledger_sums import check_bounds
from .task_lists import tasks_of_job

logger = logging.getLogger(__name__)

_SELECT_KEY = "SELECT 1 FROM Cache WHERE key = ? AND raw = 1"
_SET_ASIDE = "UPDATE Cache SET key = 'damaged:' || rowid || ':' || key, tag = NULL WHERE key = ? AND raw = 1"


def create(db: Database, document: Document, **how: Unpack[Creating]) -> tuple[Document, bool]:
    """Keep a new document, unless an equal one counts: returns (document, True), or (the earlier one, False).

    One transaction looks up the documents that `fingerprint` leads to, newest first, sees which of them count, and
    writes the new one with revision 1 where none does, or where it is wanted `anew`; so equal calls at once, in any
    process, make one document. Those that count are led to on.

    Raises:
        ValueError: the document lacks an index field, or its `task_id` is taken.
        OverBudget: with its line of the ledger more would be spent and reserved than a bound of `within` allows.
        StoreTooNew, StoreDamaged: the document that the fingerprint leads to cannot be read, so that nobody
            knows whether it still counts; nothing was written.
    """
    fingerprint, counting, anew = how.get("fingerprint"), how.get("counting"), how.get("anew", False)
    equal_ones = [each for each in _earlier(db, fingerprint) if _counts(each, counting, anew=anew)]
    if equal_ones and not anew:
        return equal_ones[0], False
    new: Document = {**checked(document), "schema": db.schema, "revision": 1}
    task_id = text_of(new, "task_id")
    check_bounds(db.cache, how.get("within", ()), how.get("lines", ()))
    if not db.cache.insert(task_key(task_id), encode(new), tag_of(new)):
        raise ValueError(f"a record of task {task_id!r} exists already")
    beside = [*lineage.rows_of(new), *ledger_rows.rows_of(how.get("lines", ()))]
    if fingerprint is not None:
        # An earlier one that still counts has to be found again when the new one no longer does.
        ids: list[JsonValue] = [task_id, *(text_of(each, "task_id") for each in equal_ones)]
        beside.append(PutRow(f"fp:{fingerprint}", encode(ids if equal_ones else task_id)))
    db.cache.put(*beside)
    return new, True


def equal(db: Database, fingerprint: str, counting: Counting | None = None) -> Document | None:
    """The document that `create` would answer with instead of a new one; None where it would make one.

    Raises:
        StoreTooNew, StoreDamaged: the document that the fingerprint leads to cannot be read.
    """
    return next((each for each in _earlier(db, fingerprint) if _counts(each, counting)), None)


def _earlier(db: Database, fingerprint: str | None) -> list[Document]:
    """The documents that the fingerprint leads to, newest first."""
    key = f"fp:{fingerprint}"
    text = None if fingerprint is None else db.cache.text_of(key)
    if text is None:
        return []
    named = decode(text, key)
    listed = named if isinstance(named, list) else [named]
    ids = [each for each in listed if isinstance(each, str)]
    if not ids or len(ids) < len(listed):
        raise StoreDamaged(f"The row {key!r} of the task store names no task.")
    found = (get(db, task_id) for task_id in ids)
    return [document for document in found if document is not None]


def _counts(document: Document, counting: Counting | None, *, anew: bool = False) -> bool:
    try:
        return counting is None or counting.counts(document)
    except StoreDamaged:
        # Nobody knows whether it counts; whoever asks for a new one gets it.
        if anew:
            return False
        raise


def get(db: Database, task_id: str) -> Document | None:
    """The document of a task, brought up to this store's schema.

    Raises:
        StoreTooNew: a newer rushes wrote it.
        StoreDamaged: its row is not what rushes wrote.
    """
    stored = _stored(db, task_id)
    return None if stored is None else db.current(stored)


def _stored(db: Database, task_id: str) -> Document | None:
    if not task_id.isascii():
        return None
    key = task_key(task_id)
    text = db.cache.text_of(key)
    return None if text is None else document_of(text, key)


def missing(db: Database, task_ids: Sequence[str]) -> list[str]:
    """Those of the ids that the store has no row of."""
    return [each for each in task_ids if not db.cache.rows(_SELECT_KEY, (task_key(each),))]


def answer(db: Database, task_id: str) -> JsonValue:
    """The gateway's answer that `replace` kept last for a task; None where there is none."""
    key = _answer_key(task_id)
    text = db.cache.text_of(key)
    return None if text is None else decode(text, key)


def _answer_key(task_id: str) -> str:
    return f"answer:{task_id}"


def replace(db: Database, document: Document, **how: Unpack[Replacing]) -> Document | None:
    """Compare and set: write `document` with the next revision if its `revision` is still the stored one.

    Returns the document as stored, or None where somebody else was quicker.

    Raises:
        OverBudget: see `create`.
        ValueError: it lacks an index field, or would change a final state without `reopens`.
        JobTaken: another task has the job; nothing was written.
        StoreTooNew, StoreDamaged: the stored one cannot be read; it was left as it is.
    """
    task_id = text_of(checked(document), "task_id")
    stored = _stored(db, task_id)
    # Somebody wrote since this document was read: the caller decides again, on what is there now.
    if stored is None or number_of(stored, "revision") != document.get("revision"):
        return None
    current = db.current(stored)
    if how.get("claims_job"):
        _claim_job(db, document)
    # The last guard: whatever fault there is above, a final state stays.
    if current.get("state") in FINAL and document["state"] != current["state"] and not how.get("reopens"):
        raise ValueError(f"task {task_id!r} ended as {current['state']!r} and cannot become {document['state']!r}")
    check_bounds(db.cache, how.get("within", ()), how.get("lines", ()), written=task_id)
    new: Document = {**document, "schema": db.schema, "revision": number_of(stored, "revision") + 1}
    told = how.get("answer")
    db.cache.put(
        PutRow(task_key(task_id), encode(new), tag_of(new)),
        *(() if told is None else [PutRow(_answer_key(task_id), told)]),
        *ledger_rows.rows_of(how.get("lines", ())),
    )
    if how.get("reopens"):
        word_index.reopened(db, task_key(task_id))
    return new


def _claim_job(db: Database, document: Document) -> None:
    # In the transaction that writes, so that of two tasks that find one job only one gets it.
    job, task_id = document.get("job"), text_of(document, "task_id")
    job_id = job.get("job_id") if isinstance(job, dict) else None
    if isinstance(job_id, str):
        for other in tasks_of_job(db, str(document.get("provider")), job_id):
            if other != task_id:
                raise JobTaken(job_id, other)


def restore(db: Database, document: Document, *, unsound: int | None = None, lines: Sequence[Line] = ()) -> bool:
    """Keep a document again that a copy elsewhere still held; False where the store has a good one of its task.

    A row that is not what rushes wrote gives way to it, and so does the one of the revision that its reader found
    `unsound`: it stays in the database under another key. The record of a newer rushes stays as it is.

    Raises:
        ValueError: the document lacks an index field.
    """
    task_id = text_of(checked(document), "task_id")
    try:
        stored = get(db, task_id)
        if stored is not None and stored["revision"] != unsound:
            return False
    except StoreTooNew:
        return False
    except StoreDamaged as error:
        logger.warning("a damaged row is set aside", extra={"task_id": task_id, "problem": error.message})
    db.cache.rows(_SET_ASIDE, (task_key(task_id),))
    create(db, document, lines=lines)
    _lead_to(db, document)
    word_index.begin_again(db)
    return True


def _lead_to(db: Database, document: Document) -> None:
    """Have the fingerprint of a restored document lead to it too, after those that it led to already."""
    fingerprint, task_id = document.get("fingerprint"), text_of(document, "task_id")
    if not isinstance(fingerprint, str):
        return
    try:
        ids: list[JsonValue] = [text_of(each, "task_id") for each in _earlier(db, fingerprint)]
    except (StoreDamaged, StoreTooNew):
        return
    if task_id not in ids:
        db.cache.put(PutRow(f"fp:{fingerprint}", encode([*ids, task_id])))
