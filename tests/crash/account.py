"""What came of a task, by the gateway's own account and by rushes' records and files; and whether that may be."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rushes.domain.record import Output, TaskRecord

from ..gateways.client import RunningGateways
from ..gateways.views import JobView, RequestView
from .orders import Order, Report

Came = Literal["nothing", "kept", "unknown", "cancelled", "refused", "kept late", "untrue", "lost"]


@dataclass(frozen=True)
class Account:
    """One task at its end."""

    jobs: tuple[JobView, ...]
    """What the gateway accepted, and so charged."""
    posts: tuple[RequestView, ...]
    """The submissions that reached it."""
    records: tuple[TaskRecord, ...]

    @property
    def came(self) -> Came:
        """What came of it. Two must never be: `lost`, a paid job with neither its file nor a word about it, and
        `untrue`, a record that says that a job which the gateway charged cost nothing."""
        if not self.records:
            return "lost" if self.jobs else "nothing"
        record = self.records[0]
        if record.phase != "done":
            return "lost"
        if record.state == "succeeded":
            return "kept" if _all_kept(record) else "lost"
        if self.jobs and record.failure is not None and record.failure.charged == "no":
            return "untrue"
        charged = record.failure.charged if record.failure is not None and record.failure.hint else None
        if record.state == "unknown" and charged == "unknown" and record.outputs:
            # What had come of the answer is kept, and whether that is all is not known.
            return "unknown" if _all_kept(record) else "lost"
        if record.outputs:
            return "kept late" if charged == "yes" and _all_kept(record) else "lost"
        if record.state == "unknown":
            return "unknown" if charged == "unknown" else "lost"
        if record.state == "failed" and charged == "no":
            return "refused"
        return "cancelled" if record.state == "cancelled" and charged is not None else "lost"

    @property
    def paid_twice(self) -> bool:
        return len(self.jobs) > 1


@dataclass(frozen=True)
class Printed(Account):
    """One task by what a command said of it."""

    posts: tuple[RequestView, ...] = ()
    records: tuple[TaskRecord, ...] = ()
    printed: Came = "nothing"

    @property
    def came(self) -> Came:
        return self.printed


async def account_of(order: Order, report: Report, gateways: RunningGateways) -> Account:
    """The account of the one task that an order's prompt stands for."""
    records = tuple(record for record in report.records if record.request.prompt == order.prompt)
    if order.gateway == "sandbox":
        return Account((), (), records)
    return Account(*await accepted(order, gateways), records)


async def accepted(order: Order, gateways: RunningGateways) -> tuple[tuple[JobView, ...], tuple[RequestView, ...]]:
    """Jobs and submissions of an order's prompt, as the gateway tells."""
    jobs = tuple(job for job in await gateways.jobs(order.gateway) if job.prompt == order.prompt)
    requests = await gateways.requests(order.gateway)
    posts = tuple(r for r in requests if r.method == "POST" and order.prompt in json.dumps(r.body))
    return jobs, posts


def _all_kept(record: TaskRecord) -> bool:
    return bool(record.outputs) and all(_is_kept(output, record.task_id) for output in record.outputs)


def _is_kept(output: Output, task_id: str) -> bool:
    """The file is there, is what the record says, and its sidecar names the task."""
    if output.keeping.status != "kept" or output.kept is None:
        return False
    file = Path(output.kept.path)
    content = file.read_bytes()
    sidecar = json.loads(Path(f"{file}.json").read_text(encoding="utf-8"))
    whole = (len(content), hashlib.sha256(content).hexdigest()) == (output.kept.bytes, output.kept.sha256)
    return whole and (sidecar["task_id"], sidecar["sha256"]) == (task_id, output.kept.sha256)
