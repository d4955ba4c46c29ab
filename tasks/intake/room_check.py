"""Room: whether what a request pays for can be kept, which is proven before anything is sent."""

from dataclasses import dataclass
from pathlib import Path

from ...domain.errors import RequestRefused, StoreError, StoreFull
from ...domain.record import TaskRecord
from ..journal import TaskJournal
from ..ports import MediaStore
from .routing import Route


@dataclass(frozen=True)
class Room:
    """Where outputs go now, and what has to be said of it."""

    answer_folder: Path | None = None
    """Where media go that come in the answer to the POST; `None` where a gateway answers with a job."""
    warnings: tuple[str, ...] = ()


async def find_room(
    folder: MediaStore, chosen: Route, journal: TaskJournal, fingerprint: str | None
) -> Room | TaskRecord:
    """Try out the folder of outputs, or the one that takes its place. Where nothing can be begun, the task of an equal
    request that still counts, if `fingerprint` leads to one.

    Raises:
        RequestRefused: media would come in the answer and could not be written; or too little of the disk is free.
    """
    if all(candidate.provider.traits.free for candidate in chosen.candidates):
        return Room()
    delivers = any(not candidate.plan.asynchronous for candidate in chosen.candidates)
    try:
        place = await folder.find_place()
    except StoreError as error:
        if delivers or isinstance(error, StoreFull):
            known = None if fingerprint is None else await journal.equal(fingerprint)
            if known is not None:
                return known
            message = f"Nothing was sent, because the result could not be kept. {error.message}"
            raise RequestRefused("internal", message, hint=error.hint) from error
        return Room(warnings=(f"Outputs cannot be kept now. {error.message} {error.hint or ''}".strip(),))
    told = () if place.problem is None else (f"{place.problem} Outputs are kept in {place.root} for now.",)
    return Room(place.root if delivers else None, told)
