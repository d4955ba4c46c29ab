"""The balance of a soak: each gateway's account against rushes' records and files, and what agents were told."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from rushes.cache.embedded.store import TaskStore
from rushes.domain.document import Selection
from rushes.domain.record import FINAL, SCHEMA, TaskRecord
from rushes.tasks.journal import from_document
from rushes.tasks.migrations import MIGRATIONS

from ..crash.account import Account
from ..gateways.client import RunningGateways
from ..gateways.views import JobView, RequestView
from .asking import NO_RESULT, Asked

PAGE = 200


@dataclass
class Line:
    """A gateway's line in the report."""

    prompts: int = 0
    jobs: int = 0
    kept: int = 0
    told: int = 0


@dataclass
class Balance:
    """What came of everything, and each thing that must not be."""

    lines: dict[str, Line] = field(default_factory=dict[str, Line])
    came: Counter[str] = field(default_factory=Counter[str])
    mismatches: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Books:
    """The accounts of both sides, by gateway and prompt."""

    jobs: Mapping[tuple[str, str], Sequence[JobView]]
    posts: Mapping[tuple[str, str], Sequence[RequestView]]
    records: Mapping[tuple[str, str], Sequence[TaskRecord]]


async def records_of(home: Path) -> AsyncIterator[TaskRecord]:
    """Every record of a home, newest first."""
    async with TaskStore.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        before: str | None = None
        while page := [from_document(document) for document in await store.page(Selection(before=before), limit=PAGE)]:
            for record in page:
                yield record
            before = page[-1].task_id


async def books_of(gateways: RunningGateways, homes: Iterable[Path]) -> Books:
    """Both sides' accounts, when everything is at rest."""
    jobs, posts = (
        defaultdict[tuple[str, str], list[JobView]](list),
        defaultdict[tuple[str, str], list[RequestView]](list),
    )
    records = defaultdict[tuple[str, str], list[TaskRecord]](list)
    for job in await gateways.jobs():
        jobs[job.gateway, job.prompt].append(job)
    for home in homes:
        async for record in records_of(home):
            records[record.provider, record.request.prompt].append(record)
    for request in await gateways.requests():
        prompt = _prompt_in(request)
        if request.method == "POST" and prompt is not None:
            posts[request.gateway, prompt].append(request)
    return Books(jobs, posts, records)


def _prompt_in(request: RequestView) -> str | None:
    """The prompt of a submission, whatever field of whatever depth holds it."""
    found: list[JsonValue] = [request.body]
    while found:
        value = found.pop()
        if isinstance(value, str) and value.startswith("a red fox no. "):
            return value
        if isinstance(value, dict):
            found.extend(value.values())
        elif isinstance(value, list):
            found.extend(value)
    return None


def balance_of(asked: Iterable[Asked], books: Books) -> Balance:
    """Match them."""
    balance = Balance()
    known: set[tuple[str, str]] = set()
    for each in asked:
        name = (each.ground.gateway, each.prompt)
        known.add(name)
        one = _One(each, books.jobs.get(name, ()), books.posts.get(name, ()), books.records.get(name, ()))
        line = balance.lines.setdefault(each.ground.gateway, Line())
        line.prompts += 1
        line.jobs += len(one.jobs)
        came = one.came()
        balance.came[came] += 1
        line.kept += came.startswith("kept")
        line.told += came not in {"kept", "kept late", "lost", "untrue", "nothing"}
        balance.mismatches += [f"{each.ground.name}, {each.prompt!r} ({each.trouble}): {m}" for m in one.mismatches()]
    for name in [*books.jobs, *books.records]:
        if name not in known:
            balance.mismatches.append(f"{name[0]}, {name[1]!r}: nobody asked for this")
    _claimed_once(books, balance)
    return balance


def _claimed_once(books: Books, balance: Balance) -> None:
    real = {(job.gateway, job.job_id) for jobs in books.jobs.values() for job in jobs}
    of_records = [record for records in books.records.values() for record in records]
    claims = Counter((record.provider, record.job.job_id) for record in of_records if record.job is not None)
    twice = [(*name, number) for name, number in claims.items() if number > 1 and name in real]
    balance.mismatches += [f"job {job_id} of {gateway} is on {number} records" for gateway, job_id, number in twice]


@dataclass(frozen=True)
class _One:
    """One prompt's accounts."""

    asked: Asked
    jobs: Sequence[JobView]
    posts: Sequence[RequestView]
    records: Sequence[TaskRecord]

    def came(self) -> str:
        """As `Account.came`, of the record that has to do with the job, or of the newest."""
        if not self.records:
            return "lost" if self.jobs else "nothing"
        record = next((r for r in self.records if r.job is not None), None) or self.records[0]
        if record.state == "unknown" or not self.jobs:
            record = next((r for r in self.records if r.state == "unknown"), record)
        account = Account(tuple(self.jobs), tuple(self.posts), (record,))
        if self._failed_there(record):
            return "failed job"
        if self.asked.trouble == NO_RESULT and record.phase == "done" and _says_why(record):
            return "no result"
        failure = record.failure
        if record.phase == "done" and failure is not None and (failure.reason, failure.charged) == ("internal", "yes"):
            # Paid for, and neither folder had room for it: that is what is said, and equal calls are held back.
            return "not written"
        return account.came

    def _failed_there(self, record: TaskRecord) -> bool:
        return record.state == "failed" and record.failure is not None and [j.phase for j in self.jobs] == ["failed"]

    def mismatches(self) -> Iterable[str]:
        came = self.came()
        shown = [_shown(record) for record in self.records]
        if came in {"lost", "untrue"}:
            yield f"{came}: jobs {[job.job_id for job in self.jobs]}, records {shown}"
        if len(self.jobs) > 1:
            yield f"paid {len(self.jobs)} times: records {shown}"
        allowed = sum(1 + (record.hold.tries if record.hold is not None else 0) for record in self.records)
        if len(self.posts) > allowed:
            yield f"{len(self.posts)} POSTs for {len(self.records)} records"
        yield from self._told_wrongly()

    def _told_wrongly(self) -> Iterable[str]:
        """What agents were told that is not so, or was not to change."""
        records = {record.task_id: record for record in self.records}
        refused = sum(told.costs_nothing for told in self.asked.answers)
        if len(self.jobs) > self.asked.calls - refused:
            yield f"{refused} of {self.asked.calls} calls were told that nothing was charged; jobs {len(self.jobs)}"
        for told in (*self.asked.answers, *self.asked.later):
            if told.task_id is None:
                continue
            record = records.get(told.task_id)
            if record is None:
                yield f"task {told.task_id} was told of and is not on record"
            elif told.state in FINAL and told.state != record.state:
                yield f"task {told.task_id} was told to be {told.state} and is {record.state}"


def _shown(record: TaskRecord) -> str:
    failure = record.failure
    why = "" if failure is None else f", {failure.reason}, charged {failure.charged}"
    kept = "".join(f", output {output.keeping.status}" for output in record.outputs)
    return f"{record.task_id} {record.state} ({record.phase}{why}{kept})"


def _says_why(record: TaskRecord) -> bool:
    return bool(record.outputs) and all(
        output.keeping.status == "kept" or (output.keeping.status == "failed" and output.keeping.problem)
        for output in record.outputs
    )


def keys_in(folder: Path, keys: Iterable[str]) -> Iterable[str]:
    """Files below the folder that hold a key."""
    secrets = [key.encode() for key in keys]
    for file in sorted(folder.rglob("*")):
        if file.is_file() and any(secret in file.read_bytes() for secret in secrets):
            yield str(file.relative_to(folder))
