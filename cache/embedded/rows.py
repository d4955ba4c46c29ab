"""What the task store can do with one connection, on the thread that owns it."""

import heapq
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from ...domain.document import Counting, Document, Line, Migration, migrated, number_of
from ...domain.errors import JobTaken, StoreDamaged, StoreError, StoreTooNew
from ...domain.money import Bound
from ...domain.record import FINAL
from . import lineage, word_index
from .diskcache_adapter import JOB_ID_OF, PROVIDER_OF, WORKER_OF, Row, TaskCache
from .documents import (
    TASK_PREFIX,
    checked,
    decode,
    document_of,
    encode,
    kind_and_state,
    tag_of,
    tag_prefix,
    task_key,
    text_of,
)
from .ledger_rows import check_bounds

logger = logging.getLogger(__name__)

LAST_KEY = "task;"  # the first text after every key that begins with "task:"

_COLUMNS = "key, raw, mode, filename, value"

_SELECT_OPEN = (
    f"SELECT {_COLUMNS} FROM Cache INDEXED BY rushes_open"  # noqa: S608
    " WHERE tag >= 'open/' AND tag < 'open0' AND key > ? ORDER BY key LIMIT ?"
)
_SELECT_WORKERS = (
    f"SELECT DISTINCT {WORKER_OF} FROM Cache INDEXED BY rushes_worker"  # noqa: S608
    " WHERE tag >= 'open/' AND tag < 'open0'"
)
_SELECT_OPEN_KEYS = (
    "SELECT key FROM Cache INDEXED BY rushes_worker"  # noqa: S608
    f" WHERE {WORKER_OF} IS ? AND tag >= 'open/' AND tag < 'open0' AND key > ? ORDER BY key LIMIT ?"
)
_SELECT_NEWEST = (
    f"SELECT {_COLUMNS} FROM Cache INDEXED BY Cache_key_raw"  # noqa: S608
    " WHERE key >= 'task:' AND key < ? AND raw = 1 ORDER BY key DESC LIMIT ?"
)
_SELECT_LINES = (
    f"SELECT {_COLUMNS} FROM Cache INDEXED BY Cache_key_raw"  # noqa: S608
    " WHERE key > ? AND key < ? AND raw = 1 ORDER BY key LIMIT ?"
)
SELECT_TAGGED_KEYS = "SELECT key FROM Cache INDEXED BY rushes_tag WHERE tag = ? AND key < ? ORDER BY key DESC LIMIT ?"
_SELECT_OF_JOB = (
    f"SELECT key FROM Cache INDEXED BY rushes_job WHERE {JOB_ID_OF} = ?"  # noqa: S608
    f" AND key >= 'task:' AND key < 'task;' AND {PROVIDER_OF} = ? ORDER BY key DESC"
)
_SELECT_JOBS = (
    f"SELECT {JOB_ID_OF} FROM Cache INDEXED BY Cache_key_raw"  # noqa: S608
    f" WHERE key >= ? AND key < 'task;' AND raw = 1 AND {PROVIDER_OF} = ?"
)
_SELECT_WITHOUT_JOB = (
    f"SELECT {_COLUMNS} FROM Cache INDEXED BY rushes_job WHERE {JOB_ID_OF} IS NULL"  # noqa: S608
    f" AND key >= 'task:' AND key < 'task;' AND key >= ? AND {PROVIDER_OF} = ?"
    " AND (tag >= 'open/' AND tag < 'open0' OR tag LIKE '%/unknown') ORDER BY key"
)
_SELECT_ONE = f"SELECT {_COLUMNS} FROM Cache WHERE key = ? AND raw = 1"  # noqa: S608
_SELECT_FROM = f"SELECT {_COLUMNS} FROM Cache WHERE key >= ? AND key < ? AND raw = 1"  # noqa: S608
_SELECT_KEY = "SELECT 1 FROM Cache WHERE key = ? AND raw = 1"
_SELECT_NEXT_TAG = "SELECT MIN(tag) FROM Cache INDEXED BY rushes_tag WHERE tag > ? AND tag < ?"
_SET_ASIDE = "UPDATE Cache SET key = 'damaged:' || rowid || ':' || key, tag = NULL WHERE key = ? AND raw = 1"
_COUNT_TAGS = "SELECT tag, COUNT(*) FROM Cache INDEXED BY rushes_tag WHERE tag IS NOT NULL GROUP BY tag"


class Rows:
    """The records in one open database. Every method blocks; writes belong into a transaction of the caller."""

    def __init__(self, cache: TaskCache, schema: int, migrations: Mapping[int, Migration]) -> None:
        self.cache = cache
        self._schema = schema
        self._migrations = migrations

    def create(
        self,
        document: Document,
        fingerprint: str | None = None,
        counting: Counting | None = None,
        *,
        anew: bool = False,
        lines: Sequence[Line] = (),
        within: Sequence[Bound] = (),
    ) -> tuple[Document, bool]:
        """See `TaskStore.create`."""
        equal = [each for each in self._earlier(fingerprint) if _counts(each, counting, anew=anew)]
        if equal and not anew:
            return equal[0], False
        new: Document = {**checked(document), "schema": self._schema, "revision": 1}
        task_id = text_of(new, "task_id")
        if not self.cache.insert(task_key(task_id), encode(new), tag_of(new)):
            raise ValueError(f"a record of task {task_id!r} exists already")
        lineage.note(self.cache, new)
        if fingerprint is not None:
            # An earlier one that still counts has to be found again when the new one no longer does.
            ids: list[JsonValue] = [task_id, *(text_of(each, "task_id") for each in equal)]
            self.cache.put(f"fp:{fingerprint}", encode(ids if equal else task_id))
        self._write(lines)
        check_bounds(self.cache, within, task_id)
        return new, True

    def _write(self, lines: Sequence[Line]) -> None:
        """What belongs to a record's write, in the transaction that the caller has open for that."""
        for line in lines:
            self.cache.put(f"{line.book}:{line.key}", encode(line.value))

    def lines(self, book: str, after: str, limit: int) -> list[Line]:
        """See `TaskStore.lines`."""
        start, end = f"{book}:{after}", f"{book};"  # ";" follows ":"
        found: list[Line] = []
        for row in self.cache.rows(_SELECT_LINES, (start, end, limit)):
            key, text = self.cache.text(*row)
            found.append(Line(book, key.removeprefix(f"{book}:"), decode(text, key)))
        return found

    def add_lines(self, lines: Sequence[Line]) -> None:
        """See `TaskStore.add_lines`."""
        for line in lines:
            self.cache.add(f"{line.book}:{line.key}", encode(line.value))

    def equal(self, fingerprint: str, counting: Counting | None = None) -> Document | None:
        """See `TaskStore.equal`."""
        return next((each for each in self._earlier(fingerprint) if _counts(each, counting)), None)

    def _earlier(self, fingerprint: str | None) -> list[Document]:
        """The documents that the fingerprint leads to, newest first."""
        key = f"fp:{fingerprint}"
        text = None if fingerprint is None else self.cache.text_of(key)
        if text is None:
            return []
        named = decode(text, key)
        listed = named if isinstance(named, list) else [named]
        ids = [each for each in listed if isinstance(each, str)]
        if not ids or len(ids) < len(listed):
            raise StoreDamaged(f"The row {key!r} of the task store names no task.")
        found = (self.get(task_id) for task_id in ids)
        return [document for document in found if document is not None]

    def get(self, task_id: str) -> Document | None:
        """See `TaskStore.get`."""
        stored = self._stored(task_id)
        return None if stored is None else migrated(stored, self._schema, self._migrations)

    def _stored(self, task_id: str) -> Document | None:
        if not task_id.isascii():
            return None
        key = task_key(task_id)
        text = self.cache.text_of(key)
        return None if text is None else document_of(text, key)

    def tasks_of_job(self, provider: str, job_id: str) -> list[str]:
        """See `TaskStore.tasks_of_job`."""
        keys = (key for (key,) in self.cache.rows(_SELECT_OF_JOB, (job_id, provider)))
        return [key.removeprefix(TASK_PREFIX) for key in keys if isinstance(key, str)]

    def jobs_since(self, provider: str, first_id: str) -> list[str]:
        """See `TaskStore.jobs_since`."""
        jobs = (job for (job,) in self.cache.rows(_SELECT_JOBS, (task_key(first_id), provider)))
        return [job for job in jobs if isinstance(job, str)]

    def without_job(self, provider: str, first_id: str) -> list[Document]:
        """See `TaskStore.without_job`."""
        rows = self.cache.rows(_SELECT_WITHOUT_JOB, (task_key(first_id), provider))
        return [document for row in rows if (document := self.readable(row)) is not None]

    def missing(self, task_ids: Sequence[str]) -> list[str]:
        """See `TaskStore.missing`."""
        return [each for each in task_ids if not self.cache.rows(_SELECT_KEY, (task_key(each),))]

    def answer(self, task_id: str) -> JsonValue:
        """See `TaskStore.answer`."""
        key = _answer_key(task_id)
        text = self.cache.text_of(key)
        return None if text is None else decode(text, key)

    def replace(
        self,
        document: Document,
        *,
        claims_job: bool = False,
        reopens: bool = False,
        answer: str | None = None,
        lines: Sequence[Line] = (),
        within: Sequence[Bound] = (),
    ) -> Document | None:
        """See `TaskStore.replace`."""
        task_id = text_of(checked(document), "task_id")
        stored = self._stored(task_id)
        # Somebody wrote since this document was read: the caller decides again, on what is there now.
        if stored is None or number_of(stored, "revision") != document.get("revision"):
            return None
        current = migrated(stored, self._schema, self._migrations)
        if claims_job:
            self._claim_job(document)
        # The last guard: whatever fault there is above, a final state stays.
        if current.get("state") in FINAL and document["state"] != current["state"] and not reopens:
            raise ValueError(f"task {task_id!r} ended as {current['state']!r} and cannot become {document['state']!r}")
        new: Document = {**document, "schema": self._schema, "revision": number_of(stored, "revision") + 1}
        self.cache.put(task_key(task_id), encode(new), tag_of(new))
        if answer is not None:
            self.cache.put(_answer_key(task_id), answer)
        self._write(lines)
        check_bounds(self.cache, within, task_id)
        return new

    def _claim_job(self, document: Document) -> None:
        # In the transaction that writes, so that of two tasks that find one job only one gets it.
        job, task_id = document.get("job"), text_of(document, "task_id")
        job_id = job.get("job_id") if isinstance(job, dict) else None
        if isinstance(job_id, str):
            for other in self.tasks_of_job(str(document.get("provider")), job_id):
                if other != task_id:
                    raise JobTaken(job_id, other)

    def restore(self, document: Document, is_sound: Callable[[Document], bool], lines: Sequence[Line] = ()) -> bool:
        """See `TaskStore.restore`."""
        task_id = text_of(checked(document), "task_id")
        try:
            stored = self.get(task_id)
            if stored is not None and is_sound(stored):
                return False
        except StoreTooNew:
            return False
        except StoreDamaged as error:
            logger.warning("a damaged row is set aside", extra={"task_id": task_id, "problem": error.message})
        self.cache.rows(_SET_ASIDE, (task_key(task_id),))
        self.create(document, lines=lines)
        self._lead_to(document)
        word_index.begin_again(self.cache)
        return True

    def _lead_to(self, document: Document) -> None:
        """Have the fingerprint of a restored document lead to it too, after those that it led to already."""
        fingerprint, task_id = document.get("fingerprint"), text_of(document, "task_id")
        if not isinstance(fingerprint, str):
            return
        try:
            ids: list[JsonValue] = [text_of(each, "task_id") for each in self._earlier(fingerprint)]
        except (StoreDamaged, StoreTooNew):
            return
        if task_id not in ids:
            self.cache.put(f"fp:{fingerprint}", encode([*ids, task_id]))

    def open_documents(self, limit: int, after: str | None) -> list[Document]:
        """See `TaskStore.open_documents`."""
        return self._filled(
            limit, task_key(after or ""), lambda key, count: self.cache.rows(_SELECT_OPEN, (key, count))
        )

    def open_workers(self) -> list[str | None]:
        """See `TaskStore.open_workers`."""
        return [each for (each,) in self.cache.rows(_SELECT_WORKERS) if isinstance(each, str | None)]

    def open_ids(self, worker: str | None, limit: int, after: str | None) -> list[str]:
        """See `TaskStore.open_ids`."""
        rows = self.cache.rows(_SELECT_OPEN_KEYS, (worker, task_key(after or ""), limit))
        return [key.removeprefix(TASK_PREFIX) for (key,) in rows if isinstance(key, str)]

    def foreign_writes(self) -> int:
        """See `TaskStore.foreign_writes`; of the writer's connection."""
        ((version,),) = self.cache.rows("PRAGMA data_version")
        if not isinstance(version, int):
            raise StoreError("SQLite does not tell whether others have written.")
        return version

    def page(
        self, *, owner: str | None, state: str | None, kind: str | None, limit: int, before: str | None
    ) -> list[Document]:
        """See `TaskStore.page`."""
        start = LAST_KEY if before is None else task_key(before.encode("ascii", "replace").decode())
        if owner is None and state is None and kind is None:
            return self._filled(limit, start, lambda key, count: self.cache.rows(_SELECT_NEWEST, (key, count)))
        tags = [tag for tag in self.tags(owner) if fits(tag, state=state, kind=kind)]
        return self._filled(limit, start, lambda key, count: self.newest_tagged(tags, key, count))

    def newest_tagged(self, tags: Sequence[str], before_key: str, count: int) -> list[Row]:
        keys = (
            key
            for tag in tags
            for (key,) in self.cache.rows(SELECT_TAGGED_KEYS, (tag, before_key, count))
            if isinstance(key, str)
        )
        newest = heapq.nlargest(count, keys)
        return [row for key in newest for row in self.cache.rows(_SELECT_ONE, (key,))]

    def tags(self, owner: str | None) -> Iterable[str]:
        """Every tag in use: one step through the index for each, however many tasks have it."""
        for is_open in (True, False):
            prefix = tag_prefix(is_open=is_open, owner=owner)
            end = prefix[:-1] + "0"  # "0" follows "/"
            tag: object = prefix
            while isinstance(tag, str):
                ((tag,),) = self.cache.rows(_SELECT_NEXT_TAG, (tag, end))
                if isinstance(tag, str):
                    yield tag

    def _filled(self, limit: int, start: str, select: Callable[[str, int], list[Row]]) -> list[Document]:
        """Up to `limit` readable documents; a row that cannot be read is skipped, and makes no page short."""
        found: list[Document] = []
        key = start
        while len(found) < limit:
            wanted = limit - len(found)
            rows = select(key, wanted)
            found.extend(document for document in map(self.readable, rows) if document is not None)
            last = rows[-1][0] if len(rows) == wanted else None
            if not isinstance(last, str):
                break
            key = last
        return found

    def readable(self, row: Row) -> Document | None:
        try:
            key, text = self.cache.text(*row)
            return migrated(document_of(text, key), self._schema, self._migrations)
        except (StoreDamaged, StoreTooNew) as error:
            logger.warning("left out of a list", extra={"problem": error})
            return None

    def count(self) -> dict[str, int]:
        """See `TaskStore.count`."""
        totals: dict[str, int] = {}
        for tag, number in self.cache.rows(_COUNT_TAGS):
            if isinstance(tag, str) and isinstance(number, int) and tag.count("/") == 3:
                _, state = kind_and_state(tag)
                totals[state] = totals.get(state, 0) + number
        return totals

    def get_value(self, key: str) -> tuple[JsonValue, datetime] | None:
        """See `TaskStore.get_value`."""
        row_key = f"value:{key}"
        text = self.cache.text_of(row_key)
        if text is None:
            return None
        kept = decode(text, row_key)
        try:
            if isinstance(kept, dict):
                return kept["value"], datetime.fromisoformat(str(kept["stored_at"]))
        except (KeyError, ValueError) as error:
            raise StoreDamaged(f"The row {row_key!r} of the task store has no value and time.") from error
        raise StoreDamaged(f"The row {row_key!r} of the task store has no value and time.")

    def set_value(self, key: str, value: JsonValue) -> None:
        """See `TaskStore.set_value`."""
        self.cache.put(f"value:{key}", encode({"value": value, "stored_at": datetime.now(UTC).isoformat()}))

    def get_values(self, prefix: str) -> dict[str, JsonValue]:
        """See `TaskStore.get_values`."""
        first = f"value:{prefix}"
        found: dict[str, JsonValue] = {}
        for row in self.cache.rows(_SELECT_FROM, (first, f"{first}\U0010ffff")):
            try:
                key, text = self.cache.text(*row)
                kept = decode(text, key)
            except StoreDamaged as error:
                logger.warning("left out of a list", extra={"problem": error})
                continue
            if isinstance(kept, dict) and "value" in kept:
                found[key.removeprefix("value:")] = kept["value"]
        return found

    def journal_mode(self) -> str:
        """SQLite's own word for how it keeps transactions; `wal` unless the file system cannot."""
        ((mode,),) = self.cache.rows("PRAGMA journal_mode")
        if not isinstance(mode, str):
            raise StoreError("SQLite does not tell its journal mode.")
        return mode


def _counts(document: Document, counting: Counting | None, *, anew: bool = False) -> bool:
    try:
        return counting is None or counting.counts(document)
    except StoreDamaged:
        # Nobody knows whether it counts; whoever asks for a new one gets it.
        if anew:
            return False
        raise


def _answer_key(task_id: str) -> str:
    return f"answer:{task_id}"


def fits(tag: str, *, state: str | None, kind: str | None) -> bool:
    if tag.count("/") != 3:
        return False
    tag_kind, tag_state = kind_and_state(tag)
    return (state is None or state == tag_state) and (kind is None or kind == tag_kind)
