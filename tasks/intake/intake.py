"""The way in: from what was asked for to a record that can be journaled, and to whom it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
from ...domain.secret_options import without_secrets
from ..hook_tokens import hook_of
from ..ids import new_task_id
from ..journal import TaskJournal
from ..life.fingerprint import fingerprint
from ..parts import Parts
from ..service import Wish
from . import offers
from .input_media import MediaResolver
from .room_check import Room, find_room
from .routing import Candidate, Route, planned_again, route
from .uploads import uploaded


@dataclass(frozen=True)
class Prepared:
    """A task that is not journaled yet, and whom its request may go to, in this order."""

    record: TaskRecord
    candidates: Sequence[Candidate]


class Intake:
    """Resolves media, chooses the provider, proves room; nothing is journaled or paid."""

    def __init__(self, parts: Parts, journal: TaskJournal) -> None:
        self._journal = journal
        self._clock = parts.clock
        self._store, self._folder, self._uploader = parts.store, parts.media, parts.uploader
        self._configured = tuple(parts.providers)
        self._hook_key = None if parts.hooks is None else parts.hooks.key
        self._media = MediaResolver(
            journal, parts.media.files, parts.clock, roots=parts.input_roots, bytes_max=_media_bytes_max(parts)
        )

    async def prepared(self, wish: Wish) -> Prepared | TaskRecord:
        """The new task, or where nothing new can be begun for want of room the equal one that is there.

        Raises:
            RequestRefused, StoreError.
        """
        request, chosen = await self.routed(wish)
        same = None if wish.force_new else fingerprint(wish.principal.name, wish.provider, request)
        room = await find_room(self._folder, chosen, self._journal, same)
        if isinstance(room, TaskRecord):
            return room
        request, chosen = await self._uploaded(request, chosen)
        return Prepared(self._new_record(wish, request, chosen, room), chosen.candidates)

    async def routed(self, wish: Wish) -> tuple[GenerationRequest, Route]:
        """The request with its media, and who may do it; nothing is written or sent.

        Raises:
            RequestRefused.
        """
        media = await self._media.resolve(wish.media, principal=wish.principal, local_files=wish.local_files)
        request = wish.request.model_copy(update={"media": media})
        await self._learn_named_models(request, wish.provider)
        return request, route(request, self._configured, wish.provider, self._uploader)

    async def _uploaded(self, request: GenerationRequest, chosen: Route) -> tuple[GenerationRequest, Route]:
        """Give media a URL where the gateway wants one; nothing is journaled or paid yet."""
        media = tuple(medium for candidate in chosen.candidates for medium in candidate.uploads)
        if not media or self._uploader is None:
            return request, chosen
        with_urls = await uploaded(request, media, self._uploader)
        return with_urls, planned_again(chosen, with_urls)

    async def _learn_named_models(self, request: GenerationRequest, provider: str | None) -> None:
        """A model that the data does not know may stand in a cached live list."""
        named = [c for c in self._configured if provider in (None, "auto", c.provider.name)]
        await offers.join_cached(named, self._store, self._clock.now(), wanted=request.model)

    def _new_record(self, wish: Wish, request: GenerationRequest, chosen: Route, room: Room) -> TaskRecord:
        now = self._clock.now()
        first: Candidate = chosen.candidates[0]
        task_id = new_task_id(now)
        return TaskRecord(
            task_id=task_id,
            hook=hook_of(self._hook_key, task_id, (candidate.plan for candidate in chosen.candidates)),
            owner=wish.principal.name,
            kind=request.kind,
            worker=self._journal.worker,
            request=without_secrets(request),
            fingerprint=fingerprint(wish.principal.name, wish.provider, request),
            output_name=wish.output_name,
            provider=first.plan.provider,
            model=first.plan.model,
            chosen=chosen.chosen,
            plan_path=first.plan.path,
            plan_details=first.plan.details,
            answer_folder=None if room.answer_folder is None else str(room.answer_folder),
            created_at=now,
            updated_at=now,
            submitted_at=now,
            deadline_at=now + timedelta(seconds=first.deadline_seconds),
            warnings=tuple(dict.fromkeys((*chosen.warnings, *first.plan.warnings, *room.warnings))),
        )


def _media_bytes_max(parts: Parts) -> int:
    """The most that any model takes; what the chosen one takes is checked once it is known."""
    rows = (row for entry in parts.providers for row in entry.provider.models())
    return max(parts.limits.media_bytes_max, *(row.image_bytes_max or 0 for row in rows), 0)
