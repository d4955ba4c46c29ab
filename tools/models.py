"""`list_models`: what can be generated, where, and within which limits; as short as it can be."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, zip_longest

from pydantic import Field, JsonValue

from ..domain.errors import RequestRefused
from ..domain.money import Balance
from ..domain.request import Kind
from ..domain.value import Value
from ..tasks.service import ModelOffer, PriceGuide
from .answers.result import ToolResult
from .arguments.tool_input import ToolInput
from .arguments.values import KindFilter, Name, Options
from .context import ToolContext
from .model_rows import Entry, fit_row, full_row, is_usable, short_row
from .spec import ANSWERS, READS, ToolSpec
from .wanted import wanted_requests

UNFILTERED_BYTES = 6_000
"""The whole answer without a filter, as JSON."""
FILTERED_BYTES = 12_000

FULL_SHARE = 0.6
"""Of the bytes of a list that is cut: for the first rows, with all that is known of them."""

FITTING_SHOWN = 8
"""Models that fit, best first: a choice, and no catalogue."""

_KINDS: tuple[Kind, ...] = ("video", "image", "audio")


class ListModels(ToolInput):
    """Arguments of `list_models`."""

    kind: KindFilter | None = Field(None)
    provider: Name | None = Field(None)
    query: Name | None = Field(None)
    fits: Options | None = Field(None, description="Inputs to take")
    cursor: Name | None = Field(None)


class ModelList(Value):
    """The answer's shape; `models` entries leave out what is not known."""

    models: list[Entry]
    total: int
    note: str | None = None
    """How to see what was left out."""
    balances: list[Entry] | None = None
    """What is left at the gateways that tell it; on the first page."""
    next_cursor: str | None = None
    """For the rows after these."""


async def list_models(context: ToolContext, arguments: ListModels) -> ToolResult:
    """The models that match, those usable now first; with `fits` those that take such a request, best first.

    Raises:
        RequestRefused: there is no such provider or cursor, or `fits` asks for what no tool takes.
    """
    offset = _offset(arguments.cursor)
    service = await context.opened()
    balances = None if offset else [balance_shown(balance) for balance in await service.balances()] or None
    if arguments.fits is not None:
        shown = await _fitting(context, arguments, arguments.fits, offset)
    else:
        offers = await service.models(kind=arguments.kind, provider=arguments.provider, query=arguments.query)
        filters = {"kind": arguments.kind, "provider": arguments.provider, "query": arguments.query, "fits": None}
        narrower = [name for name, value in filters.items() if value is None]
        bytes_max = UNFILTERED_BYTES if len(narrower) == len(filters) else FILTERED_BYTES
        room = bytes_max - (_size({"balances": [*balances]}) if balances else 0)
        shown = model_list(offers, room, offset=offset, narrower=narrower, prices=service.prices)
    shown = shown.model_copy(update={"balances": balances})
    return ToolResult(document=shown.model_dump(mode="json", exclude_none=True))


async def _fitting(context: ToolContext, arguments: ListModels, fits: dict[str, JsonValue], offset: int) -> ModelList:
    """The models that take a request with these inputs, best first."""
    service = await context.opened()
    requests = wanted_requests(arguments.kind, fits, principal=context.principal)
    found = await service.fitting(requests, provider=arguments.provider, query=arguments.query)
    page = found.fits[offset : offset + FITTING_SHOWN]
    more = offset + len(page) < len(found.fits)
    return ModelList(
        models=[fit_row(fit) for fit in page],
        total=len(found.fits),
        note=found.nearest if not found.fits else None,
        next_cursor=str(offset + len(page)) if more else None,
    )


def balance_shown(balance: Balance) -> Entry:
    return {"provider": balance.provider, "amount": float(balance.amount), "currency": balance.currency}


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 6:
        raise RequestRefused("invalid_input", "The cursor must be the next_cursor of the page before.")
    return int(cursor)


def model_list(
    offers: Sequence[ModelOffer],
    bytes_max: int,
    *,
    offset: int = 0,
    narrower: Sequence[str] = ("kind",),
    prices: PriceGuide | None = None,
) -> ModelList:
    """As many models as fit: with all that is known of them, else the first ones so and the rest in short.

    `narrower` names the filters that could still be given.
    """
    ordered = [*_in_turn(offers)] if "kind" in narrower else sorted(offers, key=lambda offer: not is_usable(offer))
    left = ordered[offset:]
    if not left:
        note = "No model matches; call without filters to see what there is." if not ordered else "No more models."
        return ModelList(models=[], total=len(ordered), note=note)
    note = f"The rest in short: give {_or(narrower)} to see limits and the rest." if narrower else "The rest in short."
    room = bytes_max - _size({"total": len(ordered), "note": note, "next_cursor": "999999", "models": []})
    show = partial(full_row, prices=prices)
    full = _within(map(show, left), room)
    if len(full) == len(left):
        return ModelList(models=full, total=len(ordered))
    short = _within(map(short_row, left), room)
    if len(short) == len(left):
        full = _upgraded(left, short, room, show)
    else:
        full = full[: len(_within(full, int(room * FULL_SHARE)))]
        short = [*full, *_within(map(short_row, left[len(full) :]), room - sum(map(_size, full)))]
    rows = [*full, *short[len(full) :]]
    end = offset + len(rows)
    return ModelList(
        models=rows,
        total=len(ordered),
        note=note,
        next_cursor=str(end) if end < len(ordered) else None,
    )


def _upgraded(
    left: Sequence[ModelOffer], short: Sequence[Entry], room: int, show: Callable[[ModelOffer], Entry]
) -> list[Entry]:
    """The first ones in full, as many as there is room for beside all the others in short."""
    room -= sum(map(_size, short))
    full: list[Entry] = []
    for offer, brief in zip(left, short, strict=True):
        row = show(offer)
        room -= _size(row) - _size(brief)
        if room < 0 or not is_usable(offer):
            break
        full.append(row)
    return full


def _within(rows: "Iterator[Entry] | Sequence[Entry]", room: int) -> list[Entry]:
    kept: list[Entry] = []
    for row in rows:
        room -= _size(row)
        if room < 0:
            break
        kept.append(row)
    return kept


def _size(row: Entry) -> int:
    """Bytes as JSON, with the comma after it."""
    return len(json.dumps(row, ensure_ascii=False).encode()) + 2


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _in_turn(offers: Sequence[ModelOffer]) -> Iterator[ModelOffer]:
    """Usable ones first; the kinds in turn, so that a shortened list shows some of each."""
    for usable in (True, False):
        of_each_kind = [
            [offer for offer in offers if offer.kind == kind and is_usable(offer) is usable] for kind in _KINDS
        ]
        yield from (offer for offer in chain.from_iterable(zip_longest(*of_each_kind)) if offer is not None)


LIST_MODELS = ToolSpec(
    name="list_models",
    title="List models",
    description="Find models: where usable, what each takes.",
    input_model=ListModels,
    call=list_models,
    hints=READS,
    output_schema=ANSWERS,
)
