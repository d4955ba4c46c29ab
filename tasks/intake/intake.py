"""The way in: from what was asked for to a record that can be journaled, and to whom it is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from pydantic import JsonValue

from ...domain.chosen import Chosen
from ...domain.errors import OverBudget, RequestRefused
from ...domain.hooks import SECRET_STAND_IN
from ...domain.money import Bound
from ...domain.principal import Principal
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
from ...domain.secret_options import without_secrets
from .. import life
from ..films.sources import FilmSources
from ..hook_tokens import hook_of
from ..ids import new_task_id
from ..journal import TaskJournal
from ..life.fingerprint import fingerprint
from ..money.treasury import Treasury, allowance
from ..parts import Parts
from ..previews.previews import Previews
from ..service import Wish
from . import offers
from .awaited import not_there_yet, with_stand_ins
from .frames import Frames
from .input_media import MediaResolver, parents_of
from .output_folder import output_folder
from .room_check import Room, find_room
from .routing import Candidate, Route, planned_again, route
from .uploads import uploaded


@dataclass(frozen=True)
class Prepared:
    """A task that is not journaled yet, and whom its request may go to, in this order."""

    record: TaskRecord
    candidates: Sequence[Candidate]
    request: GenerationRequest
    """With what no record holds: bytes, and secrets."""
    first: Candidate
    """Of the route, whose price is reserved."""
    within: Sequence[Bound] = ()
    """What the store has to hold its reservation against as it journals it."""


@dataclass(frozen=True)
class Given:
    """What came with a call and stands in no record."""

    media: Mapping[str, bytes]
    """By their hash."""
    options: dict[str, JsonValue] | None = None
    """The gateway's own fields, where secrets are among them."""


NOTHING_GIVEN = Given({})


@dataclass(frozen=True)
class Completed:
    """A request that waited, with all its inputs."""

    request: GenerationRequest
    candidates: Sequence[Candidate]
    answer_folder: Path | None
    chosen: Chosen | None
    hook: str | None
    warnings: tuple[str, ...]


class Intake:
    """Resolves media, chooses the provider, proves room and budget; nothing is journaled or paid."""

    def __init__(self, parts: Parts, journal: TaskJournal, previews: Previews, money: Treasury) -> None:
        self._journal = journal
        self._money = money
        self._clock = parts.clock
        self._store, self._folder, self._uploader = parts.store, parts.media, parts.uploader
        self._configured = tuple(parts.providers)
        self._hook_key = None if parts.hooks is None else parts.hooks.key
        self._media = MediaResolver(
            journal,
            parts.media.files,
            parts.clock,
            Frames(parts.media, previews, parts.store),
            roots=parts.input_roots,
            bytes_max=_media_bytes_max(parts),
        )
        self._films = FilmSources(journal, parts.media.files, parts.decoder, roots=parts.input_roots)

    async def prepared(self, wish: Wish) -> Prepared | TaskRecord:
        """The new task, or where nothing new can be begun for want of room or money the equal one that is there.

        Raises:
            RequestRefused, StoreError.
        """
        wish = replace(wish, output_dir=await output_folder(wish, self._media.roots))
        request, chosen = await self.routed(wish)
        identity = fingerprint(wish.principal.name, wish.provider, request)
        same = None if wish.force_new else identity
        try:
            chosen = await self._money.admitted(chosen, wish)
        except RequestRefused:
            equal = None if same is None else await self._journal.equal(same)
            if equal is None:
                raise
            return equal
        first = chosen.candidates[0]
        if any(medium.awaited for medium in request.media):
            waiting = life.begun_waiting(self._new_record(wish, request, chosen, Room(), identity))
            return Prepared(waiting, (), request, first, self._within(wish, first))
        room = await find_room(self._folder, chosen, self._journal, same)
        if isinstance(room, TaskRecord):
            return room
        request, chosen = await self._uploaded(request, chosen)
        return Prepared(
            self._new_record(wish, request, chosen, room, identity),
            chosen.candidates,
            request,
            first,
            self._within(wish, first),
        )

    def _within(self, wish: Wish, first: Candidate) -> Sequence[Bound]:
        return self._money.bounds(wish.principal.name, first.quote)

    async def routed(self, wish: Wish, *, dry_run: bool = False) -> tuple[GenerationRequest, Route]:
        """The request with its media, and who may do it; nothing is written or sent.

        Raises:
            RequestRefused.
        """
        await output_folder(wish, self._media.roots)
        if wish.film is not None:
            return await self._films.routed(wish, self._configured)
        media = await self._media.resolve(
            wish.media, principal=wish.principal, local_files=wish.local_files, host_roots=wish.host_roots
        )
        request = wish.request.model_copy(update={"media": media})
        await self._money.learn(wish.provider, bounded=dry_run or wish.max_cost is not None)
        return request, await self._route(request, wish.provider)

    async def _route(self, request: GenerationRequest, provider: str | None) -> Route:
        """Who may do it. What is awaited is taken for what the provider takes, and judged once it is there."""
        await self._learn_named_models(request, provider)
        prices = self._money.prices
        chosen = route(with_stand_ins(request), self._configured, provider, self._uploader, prospects=prices)
        awaited = tuple(not_there_yet(medium) for medium in request.media if medium.awaited)
        return replace(chosen, warnings=(*chosen.warnings, *awaited))

    async def completed(self, record: TaskRecord, given: Given) -> Completed | None:
        """A request that waited, with its inputs, and whom it may go to; `None` while an input is not there.

        Raises:
            RequestRefused: an input will not come, or nobody takes the request with what came.
            StoreError.
        """
        owner = Principal(record.owner, admin=False)
        if record.request.film_wish is not None:
            request, chosen = await self._films.completed(record, owner, self._configured)
            waits = any(medium.awaited for medium in request.media)
            return None if waits else Completed(request, chosen.candidates, None, None, None, _warnings(chosen, Room()))
        media = await self._media.completed(record.request.media, given.media, principal=owner)
        if media is None:
            return None
        options = record.request.provider_options if given.options is None else given.options
        see_no_stand_in(options)
        request = record.request.model_copy(update={"media": media, "provider_options": options})
        await self._money.learn(record.named_provider, bounded=record.allowed is not None)
        chosen = self._money.still_admitted(await self._route(request, record.named_provider), record)
        room = await find_room(self._folder, chosen, self._journal, None)
        if isinstance(room, TaskRecord):
            raise RequestRefused("internal", "its result could not be kept")
        request, chosen = await self._uploaded(request, chosen)
        return Completed(
            without_secrets(request),
            chosen.candidates,
            room.answer_folder,
            chosen.chosen,
            self._hook(record.task_id, chosen),
            _warnings(chosen, room),
        )

    async def at_hand(self, record: TaskRecord) -> GenerationRequest:
        """The request of a record that another process was to send, as it came but for secrets: see `see_no_stand_in`.

        Raises:
            RequestRefused: something of it is kept nowhere.
        """
        media = await self._media.again(record.request.media, principal=Principal(record.owner, admin=False))
        return record.request.model_copy(update={"media": media})

    def bounds(self, record: TaskRecord, first: Candidate) -> Sequence[Bound]:
        """What the store has to hold a request that waited against."""
        return self._money.bounds(record.owner, first.quote, record.created_at)

    def refusal(self, over: OverBudget, first: Candidate) -> RequestRefused:
        """See `Budgets.refusal`."""
        return self._money.refusal(over, first)

    def _hook(self, task_id: str, chosen: Route) -> str | None:
        return hook_of(self._hook_key, task_id, (candidate.plan for candidate in chosen.candidates))

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

    def _new_record(
        self, wish: Wish, request: GenerationRequest, chosen: Route, room: Room, identity: str
    ) -> TaskRecord:
        now = self._clock.now()
        first: Candidate = chosen.candidates[0]
        task_id = new_task_id(now)
        return TaskRecord(
            task_id=task_id,
            hook=self._hook(task_id, chosen),
            owner=wish.principal.name,
            kind=request.kind,
            worker=self._journal.worker,
            request=without_secrets(request),
            fingerprint=identity,
            output_name=wish.output_name,
            output_dir=wish.output_dir,
            named_provider=wish.provider,
            parents=parents_of(wish.from_task, request.media),
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
            estimate=first.quote.estimate,
            allowed=allowance(chosen, wish),
            measure=first.quote.measure,
            free=first.quote.free,
            warnings=_warnings(chosen, room),
        )


def see_no_stand_in(options: Mapping[str, JsonValue]) -> None:
    """What stands for a secret in a record must not be sent in its place.

    Raises:
        RequestRefused: there is one.
    """
    if SECRET_STAND_IN in json.dumps(options):
        raise RequestRefused("invalid_input", "provider_options hold a secret, and rushes was started anew meanwhile.")


def _warnings(chosen: Route, room: Room) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*chosen.warnings, *chosen.candidates[0].plan.warnings, *room.warnings)))


def _media_bytes_max(parts: Parts) -> int:
    """The most that any model takes; what the chosen one takes is checked once it is known."""
    rows = (row for entry in parts.providers for row in entry.provider.models())
    return max(parts.limits.media_bytes_max, *(row.image_bytes_max or 0 for row in rows), 0)
