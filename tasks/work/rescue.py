"""What had come of an answer that broke off: it is paid for, and exists nowhere else."""

import logging
from pathlib import Path

from ...domain.errors import OutputError, RushesError
from ...domain.record import Keeping, Output, TaskRecord
from ..life import NOTHING_RESCUED, Rescue
from ..ports import FoundPart, KeptFile, MediaStore
from .keep import Keeper, kept_media, stem

logger = logging.getLogger(__name__)


class Rescuer:
    """Keeps the media of a lost answer that had come whole, and names what was cut off so that a person finds it."""

    def __init__(self, folder: MediaStore, keeper: Keeper) -> None:
        self._folder = folder
        self._keeper = keeper

    async def rescue(self, record: TaskRecord) -> Rescue:
        """What there is of the answer to this record's submission, under names of its own.

        It can be done again after it was cut short itself. What cannot be written now stays where it is.
        """
        try:
            return await self._rescue(record)
        except RushesError as error:
            logger.error("not rescued", extra={"task_id": record.task_id, "problem": error.message})
            files = Path(record.answer_folder or self._folder.root) / f".{record.task_id}-*"
            return Rescue(notes=(f"What came of the answer is in {files}; it could not be renamed: {error.message}",))

    async def write_sidecars(self, after: TaskRecord | None, found: Rescue) -> None:
        """Provenance beside what was rescued. Only once the record says how the task ended: a sidecar is believed."""
        if after is None or not found.outputs:
            return
        try:
            await self._keeper.write_sidecars(after)
        except RushesError as error:
            logger.warning("sidecars not written", extra={"task_id": after.task_id, "problem": error.message})

    async def _rescue(self, record: TaskRecord) -> Rescue:
        named = [path for path in await self._folder.find(stem(record, 0, 1)) if ".incomplete" not in path.suffixes]
        kept = [await self._folder.measured(path, record.kind) for path in named]
        notes: list[str] = []
        elsewhere = Path(record.answer_folder) if record.answer_folder else None
        for part in await self._folder.parts_of(record.task_id, elsewhere):
            found = await self._named(record, part)
            if isinstance(found, Path):
                notes.append(f"Of the answer there is also a file that is cut off, or no {record.kind}: {found}")
            elif all(found.path != known.path for known in kept):
                kept.append(found)
        if not kept and not notes:
            return NOTHING_RESCUED
        if kept:
            media = "one medium" if len(kept) == 1 else f"{len(kept)} media"
            notes.insert(0, f"The answer of {record.provider} broke off; {media} had come whole and can be used.")
        status = Keeping(status="kept")
        return Rescue(tuple(Output(kept=kept_media(file), keeping=status) for file in kept), tuple(notes))

    async def _named(self, record: TaskRecord, part: FoundPart) -> KeptFile | Path:
        name = stem(record, part.number - 1, 2)
        if part.whole:
            try:
                return await self._folder.keep_part(part.path, stem=name, kind=record.kind, declared_mime=None)
            except OutputError as error:
                logger.warning("no output", extra={"task_id": record.task_id, "problem": error.message})
        return await self._folder.set_aside(part.path, stem=name)
