"""Lists of tasks, each by an index: newest first, the open ones, those of a job. Everything here blocks."""

import heapq
from collections.abc import Callable, Iterable, Sequence

from ...domain.document import Document, Selection
from .database import Database
from .diskcache_adapter import JOB_ID_OF, PROVIDER_OF, WORKER_OF, Row
from .documents import TASK_PREFIX, kind_and_state, tag_prefix, task_key

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
    " WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT ?"
)
_SELECT_TAGGED_KEYS = (
    "SELECT key FROM Cache INDEXED BY rushes_tag WHERE tag = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
)
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
_SELECT_NEXT_TAG = "SELECT MIN(tag) FROM Cache INDEXED BY rushes_tag WHERE tag > ? AND tag < ?"
_COUNT_TAGS = "SELECT tag, COUNT(*) FROM Cache INDEXED BY rushes_tag WHERE tag IS NOT NULL GROUP BY tag"


def newest(db: Database, selection: Selection, *, limit: int) -> list[Document]:
    """What the selection shows, whatever its words. A row that cannot be read is logged and left out."""
    first, before = bounds_of(selection)
    if selection.owner is None and selection.state is None and selection.kind is None:
        return _filled(db, limit, before, lambda key, count: db.cache.rows(_SELECT_NEWEST, (first, key, count)))
    tags = tags_of(db, selection)
    return _filled(db, limit, before, lambda key, count: newest_tagged(db, tags, first, key, count))


def bounds_of(selection: Selection) -> tuple[str, str]:
    """The first key that a list may show, and the one before which it ends."""
    first = TASK_PREFIX if selection.since is None else task_key(selection.since)
    before = selection.before
    return first, LAST_KEY if before is None else task_key(before.encode("ascii", "replace").decode())


def tags_of(db: Database, selection: Selection) -> list[str]:
    """The tags that the selection's tasks may have."""
    return [tag for tag in _tags(db, selection.owner) if _fits(tag, selection)]


def _tags(db: Database, owner: str | None) -> Iterable[str]:
    """Every tag in use: one step through the index for each, however many tasks have it."""
    for is_open in (True, False):
        prefix = tag_prefix(is_open=is_open, owner=owner)
        end = prefix[:-1] + "0"  # "0" follows "/"
        tag: object = prefix
        while isinstance(tag, str):
            ((tag,),) = db.cache.rows(_SELECT_NEXT_TAG, (tag, end))
            if isinstance(tag, str):
                yield tag


def _fits(tag: str, selection: Selection) -> bool:
    if tag.count("/") != 3:
        return False
    kind, state = kind_and_state(tag)
    return selection.state in (None, state) and selection.kind in (None, kind)


def newest_tagged(db: Database, tags: Sequence[str], first: str, before: str, count: int) -> list[Row]:
    """The newest rows with one of the tags, and keys from `first` on and before `before`."""
    keys = (key for tag in tags for key in tagged_keys(db, tag, first, before, count))
    return [row for key in heapq.nlargest(count, keys) for row in db.cache.rows(_SELECT_ONE, (key,))]


def tagged_keys(db: Database, tag: str, first: str, before: str, count: int) -> list[str]:
    """The last keys with that tag."""
    rows = db.cache.rows(_SELECT_TAGGED_KEYS, (tag, first, before, count))
    return [key for (key,) in rows if isinstance(key, str)]


def _filled(db: Database, limit: int, start: str, select: Callable[[str, int], list[Row]]) -> list[Document]:
    """Up to `limit` readable documents; a row that cannot be read is skipped, and makes no page short."""
    found: list[Document] = []
    key = start
    while len(found) < limit:
        wanted = limit - len(found)
        rows = select(key, wanted)
        found.extend(document for document in map(db.readable, rows) if document is not None)
        last = rows[-1][0] if len(rows) == wanted else None
        if not isinstance(last, str):
            break
        key = last
    return found


def open_documents(db: Database, *, limit: int = 1000, after: str | None = None) -> list[Document]:
    """Documents with `open` true, oldest first, from the one after the task id `after` on.

    A row that cannot be read is logged and left out.
    """
    return _filled(db, limit, task_key(after or ""), lambda key, count: db.cache.rows(_SELECT_OPEN, (key, count)))


def open_workers(db: Database) -> list[str | None]:
    """Whom the documents with `open` true name as their worker, each once, in no order."""
    return [each for (each,) in db.cache.rows(_SELECT_WORKERS) if isinstance(each, str | None)]


def open_ids(db: Database, worker: str | None, *, limit: int = 1000, after: str | None = None) -> list[str]:
    """Ids of this worker's tasks with `open` true, oldest first, from the one after `after` on."""
    rows = db.cache.rows(_SELECT_OPEN_KEYS, (worker, task_key(after or ""), limit))
    return [key.removeprefix(TASK_PREFIX) for (key,) in rows if isinstance(key, str)]


def tasks_of_job(db: Database, provider: str, job_id: str) -> list[str]:
    """Ids of the tasks that hold this job of the provider, newest first."""
    keys = (key for (key,) in db.cache.rows(_SELECT_OF_JOB, (job_id, provider)))
    return [key.removeprefix(TASK_PREFIX) for key in keys if isinstance(key, str)]


def jobs_since(db: Database, provider: str, first_id: str) -> list[str]:
    """Ids of the jobs of this provider's tasks from the task id `first_id` on, in no order."""
    jobs = (job for (job,) in db.cache.rows(_SELECT_JOBS, (task_key(first_id), provider)))
    return [job for job in jobs if isinstance(job, str)]


def without_job(db: Database, provider: str, first_id: str) -> list[Document]:
    """Documents of this provider's tasks from the task id `first_id` on that have no job, and are `open` or in
    state `unknown`, oldest first.

    A row that cannot be read is logged and left out.
    """
    rows = db.cache.rows(_SELECT_WITHOUT_JOB, (task_key(first_id), provider))
    return [document for row in rows if (document := db.readable(row)) is not None]


def count(db: Database) -> dict[str, int]:
    """How many documents there are in each state."""
    totals: dict[str, int] = {}
    for tag, number in db.cache.rows(_COUNT_TAGS):
        if isinstance(tag, str) and isinstance(number, int) and tag.count("/") == 3:
            _, state = kind_and_state(tag)
            totals[state] = totals.get(state, 0) + number
    return totals
