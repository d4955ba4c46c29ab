"""Keeping: an output becomes a local file with measured facts and a provenance sidecar, because its URL expires."""

import json
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from ...domain.errors import OutputUnavailable, RushesError, StoreError, SubmissionRefused
from ...domain.job import Observation, RemoteOutput
from ...domain.kept_media import Kept
from ...domain.record import KeptMedia, TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal, to_document
from ..ports import AnswerParts, Clock, KeptFile, MediaStore

logger = logging.getLogger(__name__)

SIDECAR_FORMAT = "rushes.output/1"
SLUG_CHARACTERS_MAX = 40


class Keeper:
    """Writes outputs to the media folder. `enabled` false: URLs are left as they are (bytes in an answer are kept)."""

    def __init__(
        self, folder: MediaStore, journal: TaskJournal, clock: Clock, *, enabled: bool, bytes_max: int
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._clock = clock
        self._enabled = enabled
        self._bytes_max = bytes_max

    async def prove_room(self) -> None:
        """Whether media in an answer could be written now.

        Raises:
            SubmissionRefused: they could not, so nothing must be sent.
        """
        try:
            await self._folder.find_place()
        except StoreError as error:
            message = f"Nothing was sent, because the result could not be kept. {error.message}"
            raise SubmissionRefused("internal", message, hint=error.hint) from error

    def answer_parts(self, record: TaskRecord) -> AnswerParts:
        """Where long media in an answer go while it comes; to be closed in the end."""
        return self._folder.answer_parts(record.task_id, self._bytes_max)

    async def keep_answered(self, record: TaskRecord, seen: Observation, kept: dict[int, KeptMedia]) -> life.Kept:
        """Write the outputs whose bytes came in the gateway's answer; their facts by index are put into `kept`, which
        a further attempt starts from.

        Raises:
            StoreError, OutputError: the bytes could not be written; the caller still holds them.
        """
        for index, output in enumerate(seen.outputs):
            if output.delivered and index not in kept:
                media = kept_media(await self._named(record, index, len(seen.outputs), output))
                kept[index] = await self._copied(record, media)
        return kept

    async def _named(self, record: TaskRecord, index: int, count: int, output: RemoteOutput) -> KeptFile:
        name, held = stem(record, index, count), output.held
        if held is not None:
            return await self._folder.keep_part(held, stem=name, kind=record.kind, declared_mime=output.mime_type)
        content = output.content or b""
        try:
            return await self._write(record, index, count, _once(content), output, None)
        except StoreError as error:
            logger.warning("output goes elsewhere", extra={"task_id": record.task_id, "problem": error.message})
            parts = self.answer_parts(record)
            try:
                await parts.begin()
                await parts.write(content)
                part = await parts.end()
                return await self._folder.keep_part(part, stem=name, kind=record.kind, declared_mime=output.mime_type)
            finally:
                await parts.close(discard=True)

    async def write_sidecars(self, record: TaskRecord, answer: str | None = None) -> None:
        """Provenance beside each kept file, enough to restore the finished task from it."""
        told: JsonValue = None if answer is None else json.loads(answer)
        for index, output in enumerate(record.outputs):
            if output.kept is not None:
                await self._folder.write_sidecar(Path(output.kept.path), sidecar(record, index, output.kept, told))

    async def keep_next(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        """Download the pending outputs that are due; the record after it (`None`: another worker has it)."""
        if not self._enabled:
            now = self._clock.now()
            return await self._journal.change(record.task_id, lambda r: life.keeping_off(r, now))
        current: TaskRecord | None = record
        for index, output in enumerate(record.outputs):
            if current is not None and life.keep_due(output, self._clock.now()):
                current = await self._keep_one(current, index, provider)
        return current

    async def _keep_one(self, record: TaskRecord, index: int, provider: Provider) -> TaskRecord | None:
        remote = record.outputs[index].remote
        try:
            async with provider.open_output(remote) as stream:
                last = record.outputs[index].keeping.attempts + 1 >= life.KEEP_REFUSALS_MAX
                file = await self._write(
                    record, index, len(record.outputs), stream, remote, stream.size_bytes, last=last
                )
            media, now = await self._copied(record, kept_media(file)), self._clock.now()
            kept = life.kept(record, index, media, now)
            answer = await self._journal.answer(record.task_id)
            # Before the record: where that says kept, the file can be found again without it.
            await self._folder.write_sidecar(file.path, sidecar(kept, index, media, answer))
        except RushesError as error:
            return await self._not_kept(record, index, error)
        except Exception:
            logger.exception("fault while keeping", extra={"task_id": record.task_id, "index": index})
            return await self._not_kept(record, index, OutputUnavailable("a fault in rushes; see its log"))
        return await self._journal.change(record.task_id, lambda r: life.kept(r, index, media, now))

    async def _copied(self, record: TaskRecord, media: KeptMedia) -> KeptMedia:
        """The file with its copy in the person's project, where one was asked for. It is kept all the same without."""
        if record.output_dir is None:
            return media
        kept = Kept(Path(media.path), media.bytes, media.sha256)
        try:
            copy = await self._folder.copy_into(kept, Path(record.output_dir))
        except (StoreError, OSError) as error:
            problem = error.message if isinstance(error, StoreError) else str(error.strerror or error)
            logger.warning("output not copied", extra={"task_id": record.task_id, "problem": problem})
            return media.model_copy(update={"copy_problem": problem})
        return media.model_copy(update={"copied_to": str(copy)})

    async def _not_kept(self, record: TaskRecord, index: int, problem: RushesError) -> TaskRecord | None:
        logger.warning("output not kept", extra={"task_id": record.task_id, "index": index, "problem": problem.message})
        now = self._clock.now()
        return await self._journal.change(record.task_id, lambda r: life.keep_failed(r, index, problem, now))

    async def nothing_to_keep_from(self, record: TaskRecord) -> TaskRecord | None:
        """The provider is not configured any more, so no output can be fetched now."""
        problem = OutputUnavailable(f"{record.provider} is not configured in the rushes that looks after this task")
        current: TaskRecord | None = record
        for index, output in enumerate(record.outputs):
            if current is not None and life.keep_due(output, self._clock.now()):
                current = await self._not_kept(current, index, problem)
        return current

    async def _write(
        self,
        record: TaskRecord,
        index: int,
        count: int,
        chunks: AsyncIterable[bytes],
        output: RemoteOutput,
        expected_bytes: int | None,
        *,
        last: bool = True,
    ) -> KeptFile:
        return await self._folder.keep(
            stem=stem(record, index, count),
            chunks=aiter(chunks),
            kind=record.kind,
            declared_mime=output.mime_type,
            bytes_max=self._bytes_max,
            expected_bytes=expected_bytes,
            even_cut_off=last,
        )


def keep_pause_seconds(record: TaskRecord, now: datetime) -> float | None:
    """Seconds until the next attempt at a pending output is due; `None` where nothing is pending."""
    pending = [output for output in record.outputs if output.pending]
    if not pending:
        return None
    if any(life.keep_due(output, now) for output in pending):
        return 0.0
    return min((output.keeping.after - now).total_seconds() for output in pending if output.keeping.after)


def stem(record: TaskRecord, index: int, count: int) -> str:
    """File name without ending: its own name or words of the prompt, the task's id, a number if there are more."""
    told = record.job.title if record.job is not None else None
    words = record.output_name or (told if told is not None else record.request.prompt)
    slug = re.sub(r"[^\w]+", "-", words, flags=re.UNICODE).strip("-_").lower()[:SLUG_CHARACTERS_MAX].strip("-_")
    number = f"-{index + 1}" if count > 1 else ""
    return f"{slug or record.kind}-{record.task_id.lower()}{number}"


def sidecar(record: TaskRecord, index: int, media: KeptMedia, answer: JsonValue = None) -> dict[str, JsonValue]:
    """Where a file comes from: request, provider, model, job, times, hashes, the whole record, the gateway's answer."""
    return {
        "format": SIDECAR_FORMAT,
        "task_id": record.task_id,
        "index": index,
        "keeping": "kept",
        "file": Path(media.path).name,
        "mime_type": media.mime_type,
        "bytes": media.bytes,
        "sha256": media.sha256,
        "url": record.outputs[index].remote.url,
        "provider": record.provider,
        "model": record.model,
        "job_id": record.job.job_id if record.job else None,
        "job_page": record.told.page,
        "finished_at": _iso(record.ended_at),
        "seen_at": _iso(record.finished_at),
        "prompt": record.request.prompt,
        "record": to_document(record),
        "answer": answer,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def kept_media(file: KeptFile) -> KeptMedia:
    """What a record says of a kept file."""
    return KeptMedia(
        path=str(file.path),
        mime_type=file.mime_type,
        bytes=file.size_bytes,
        sha256=file.sha256,
        width=file.facts.width,
        height=file.facts.height,
        duration_seconds=file.facts.duration_seconds,
        frame_rate=file.facts.frame_rate,
        has_audio=file.facts.has_audio,
        measure_problem=file.measure_problem,
        cut_off=file.cut_off,
    )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
