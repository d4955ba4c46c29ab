"""The book of accepted jobs: a receipt for each beside the store, and the tasks that the store lost back from them."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio
from pydantic import JsonValue, ValidationError

from ...domain.errors import StoreError
from ...domain.job import Job
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
from ..journal import TaskJournal
from ..ports import Clock, Receipt, ReceiptFile
from .shield import uninterrupted

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 600.0
LINE_CHARACTERS = 3600
"""Below what `cache/receipts.py` takes as a line that no other process's write can tear."""

PROMPT_CHARACTERS_MAX = 1000
TEXT_CHARACTERS_MAX = 200
LOOKED_AT_LEAST_FOR = timedelta(minutes=30)
"""A task that comes back may be past its deadline, and its job done: it is looked at for so long at least."""


class ReceiptBook:
    """Writes receipts, and takes up what only they know of. Without a `file` it does nothing."""

    def __init__(self, file: ReceiptFile | None, journal: TaskJournal, clock: Clock) -> None:
        self._file = file
        self._journal = journal
        self._clock = clock
        self._ready = False
        self._preparing = anyio.Lock()

    async def make_ready(self) -> None:
        """Before money: see that a receipt can be written even if the disk is full by the time of the answer."""
        if self._file is None or self._ready:
            return
        # One at a time: two that prepare at once take the reserve's unfinished file from each other.
        async with self._preparing:
            if self._ready:
                return
            try:
                await self._file.prepare()
                self._ready = True
            except StoreError as error:
                logger.warning("no reserve for receipts", extra={"problem": error})

    async def keep(self, record: TaskRecord, job: Job) -> None:
        """A receipt for an accepted job. It is a second copy: where it cannot be written, the log has the id."""
        file = self._file
        if file is None:
            return
        receipt = receipt_of(record, job, self._clock.now())
        try:
            await uninterrupted(lambda: file.keep(receipt))
        except (StoreError, ValueError) as error:
            told = {"task_id": record.task_id, "provider": record.provider, "job": job.job_id, "problem": error}
            logger.error("no receipt", extra=told)

    async def job_of(self, record: TaskRecord) -> Job | None:
        """The job that the record's provider accepted for it, as its receipt says."""
        receipt = (await self._receipts()).get(record.task_id)
        if receipt is None or receipt.get("provider") != record.provider:
            return None
        restored = record_of(receipt, self._clock.now())
        return None if restored is None else restored.job

    async def lost(self) -> list[str]:
        """Ids of the tasks that have a receipt, and that the store does not know.

        Raises:
            StoreError: the store cannot be read.
        """
        receipts = await self._receipts()
        return await self._journal.missing(list(receipts))

    async def take_up(self, task_id: str | None = None) -> list[str]:
        """Put the tasks back (or the one) that only receipts know of; they go on where their job is.

        Raises:
            StoreError: the store cannot be used.
        """
        receipts = await self._receipts()
        wanted = list(receipts) if task_id is None else [each for each in (task_id,) if each in receipts]
        back: list[str] = []
        for each in await self._journal.missing(wanted):
            record = record_of(receipts[each], self._clock.now())
            if record is not None and await self._journal.restore(record):
                logger.warning("task restored from its receipt", extra={"task_id": each, "provider": record.provider})
                back.append(each)
        return back

    async def look_after(self) -> None:
        """Take up what was lost, and drop what is no longer needed, every so often, until cancelled."""
        while self._file is not None:
            try:
                await self.take_up()
                await self._file.tidy(self._needed, self._clock.now())
            except StoreError as error:
                logger.warning("receipts not looked after", extra={"problem": error.message})
            # Housekeeping by real time: no task waits for it.
            await anyio.sleep(LOOK_EVERY_SECONDS)

    async def _needed(self, task_ids: Sequence[str]) -> set[str]:
        """Those whose task is unfinished, or not in the store."""
        needed: set[str] = set(await self._journal.missing(task_ids))
        for task_id in task_ids:
            record = None if task_id in needed else await self._journal.read(task_id)
            if record is not None and record.open:
                needed.add(task_id)
        return needed

    async def _receipts(self) -> dict[str, Receipt]:
        if self._file is None:
            return {}
        try:
            return await self._file.read()
        except StoreError as error:
            logger.warning("receipts cannot be read", extra={"problem": error.message})
            return {}


def receipt_of(record: TaskRecord, job: Job, now: datetime) -> Receipt:
    """What is needed to go on with the job, without media and options: small, and without anybody's secret."""
    asked = record.request.model_dump(mode="json", exclude={"media", "provider_options"}, exclude_none=True)
    asked["prompt"] = record.request.prompt[:PROMPT_CHARACTERS_MAX].encode("utf-8", "replace").decode()
    small = {name: value for name, value in asked.items() if name == "prompt" or len(str(value)) <= TEXT_CHARACTERS_MAX}
    details = job.details if len(str(job.details)) <= PROMPT_CHARACTERS_MAX else {}
    whole: Receipt = {
        "task_id": record.task_id,
        "provider": record.provider,
        "model": record.model,
        "job_id": job.job_id,
        "at": now.isoformat(),
        "kind": record.kind,
        "owner": record.owner,
        "details": details,
        "created_at": record.created_at.isoformat(),
        "deadline_at": record.deadline_at.isoformat(),
        "fingerprint": record.fingerprint,
        "output_name": record.output_name,
        "request": small,
    }
    # A line is written in one piece, so it must be short: of a prompt in many-byte letters less is kept.
    return whole if len(json.dumps(whole)) < LINE_CHARACTERS else {**whole, "request": _few(small)}


def _few(asked: dict[str, JsonValue]) -> dict[str, JsonValue]:
    prompt = str(asked.get("prompt", ""))[: PROMPT_CHARACTERS_MAX // 10]
    return {"kind": asked["kind"], "prompt": prompt}


def record_of(receipt: Receipt, now: datetime) -> TaskRecord | None:
    """The task of a receipt, with its job still to be looked at; `None` where it is not what `receipt_of` made."""
    try:
        if not str(receipt["task_id"]).isalnum():
            # No id of ours, and it would be part of files' names.
            raise ValueError("not an id")
        job_id, model, details = receipt["job_id"], receipt["model"], receipt.get("details") or {}
        deadline = datetime.fromisoformat(str(receipt["deadline_at"]))
        return TaskRecord.model_validate(
            {
                "task_id": receipt["task_id"],
                "owner": receipt["owner"],
                "kind": receipt["kind"],
                "phase": "polling",
                "request": GenerationRequest.model_validate({**_object(receipt["request"]), "kind": receipt["kind"]}),
                "fingerprint": receipt.get("fingerprint"),
                "output_name": receipt.get("output_name"),
                "provider": receipt["provider"],
                "model": model,
                "plan_details": details,
                "job": {"job_id": job_id, "model": model, "details": details},
                "created_at": receipt["created_at"],
                "submitted_at": receipt["at"],
                "updated_at": now,
                "deadline_at": max(deadline, now + LOOKED_AT_LEAST_FOR),
                "next_poll_at": now,
                "warnings": (_RESTORED,),
            }
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        # Times without a zone cannot be compared, among much else that is not ours.
        logger.warning("receipt left out", extra={"task_id": receipt.get("task_id"), "problem": type(error).__name__})
        return None


_RESTORED = (
    "The store had lost this task; it was restored from the receipt of its job, which knows neither its input media "
    "nor its provider_options."
)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
