"""The models of all providers, by canonical name, joined with the gateways' live lists (cached in the store)."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import get_args

import anyio
from pydantic import JsonValue, TypeAdapter, ValidationError

from ...domain.errors import GatewayUnavailable, RequestRefused
from ...domain.model_facts import ModelFacts
from ...domain.request import Kind
from ...providers.provider import Provider
from ..ports import SideValues
from ..service import ModelOffer
from .routing import Configured, meant_or_known

logger = logging.getLogger(__name__)

LIVE_LIST_SECONDS = 8.0
"""An agent does not wait longer for a gateway's list."""

LIVE_LIST_AGE_MAX = timedelta(hours=24)
"""Gateways add models by the week, and each asking is a request at every one of them."""
FAILED_LIST_AGE_MAX = timedelta(minutes=10)
"""A list that could not be read is not asked for again before this."""

_ROWS = TypeAdapter(tuple[ModelFacts, ...])


def _key(provider: Provider) -> str:
    return f"models/{provider.name}"


async def refresh(configured: Iterable[Configured], store: SideValues, now: datetime) -> None:
    """Join each usable provider's live list of models, read anew where the cached one is too old."""
    async with anyio.create_task_group() as group:
        for entry in configured:
            if entry.problem is None:
                group.start_soon(_refresh_one, entry.provider, store, now)


async def _refresh_one(provider: Provider, store: SideValues, now: datetime) -> None:
    cached = await store.get_value(_key(provider))
    if cached is not None and now - cached[1] < _age_max(cached[0]):
        _join(provider, cached[0])
        return
    value = await _live_list(provider, cached[0] if cached else None)
    _join(provider, value)
    await store.set_value(_key(provider), value)


async def _live_list(provider: Provider, cached: JsonValue) -> JsonValue:
    """What to cache: the live list, or the last one known where it cannot be read in time."""
    try:
        with anyio.fail_after(LIVE_LIST_SECONDS):
            rows = await provider.refresh_models()
    except (GatewayUnavailable, TimeoutError) as error:
        logger.warning("models not listed", extra={"provider": provider.name, "problem": error})
        return {"failed": True, "rows": _rows_of(cached)}
    return {"failed": False, "rows": _ROWS.dump_python(tuple(rows or ()), mode="json", exclude_none=True)}


def _age_max(value: JsonValue) -> timedelta:
    failed = isinstance(value, dict) and value.get("failed") is True
    return FAILED_LIST_AGE_MAX if failed else LIVE_LIST_AGE_MAX


def _rows_of(value: JsonValue) -> JsonValue:
    return value.get("rows", []) if isinstance(value, dict) else []


def _join(provider: Provider, value: JsonValue) -> None:
    try:
        rows = _ROWS.validate_python(_rows_of(value))
    except ValidationError:
        logger.warning("cached list of models not understood", extra={"provider": provider.name})
        return
    provider.add_models(rows)


async def join_cached(configured: Iterable[Configured], store: SideValues, now: datetime, *, wanted: str) -> None:
    """Join cached live lists of providers whose data do not know the wanted model; nothing is fetched."""
    for entry in configured:
        names = {name for row in entry.provider.models() for name in (row.id, row.name)}
        if wanted == "auto" or wanted in names:
            continue
        cached = await store.get_value(_key(entry.provider))
        if cached is not None and now - cached[1] < LIVE_LIST_AGE_MAX:
            _join(entry.provider, cached[0])


async def join_lists(configured: Iterable[Configured], store: SideValues, now: datetime) -> None:
    """Join cached live lists, for the prices in them; nothing is fetched."""
    for entry in configured:
        cached = await store.get_value(_key(entry.provider))
        if cached is not None and now - cached[1] < LIVE_LIST_AGE_MAX:
            _join(entry.provider, cached[0])


def offers(
    configured: Sequence[Configured], *, kind: Kind | None, provider: str | None, query: str | None
) -> Sequence[ModelOffer]:
    """Models by canonical name, the most telling first: usable now, the closest to the query, what a provider takes by
    itself, offered by many, known for sure; then in the order of the data.

    Raises:
        RequestRefused: there is no provider of this name.
    """
    found: dict[tuple[str, Kind], list[tuple[str, ModelFacts, bool]]] = {}
    ranks: dict[tuple[str, Kind], tuple[int, bool]] = {}
    real: set[tuple[str, Kind]] = set()
    for entry in of_provider(configured, provider):
        defaults = {entry.provider.default_model(each) for each in get_args(Kind)}
        for row in entry.provider.models():
            closeness = matches(row, query) if kind is None or row.kind == kind else None
            if closeness is not None:
                key: tuple[str, Kind] = (row.name, row.kind)
                usable = entry.problem is None
                real |= set() if entry.provider.traits.free else {key}
                found.setdefault(key, []).append((entry.provider.name, row, usable))
                ranks[key] = min(ranks.get(key, (9, True)), (closeness, not (usable and row.id in defaults)))
    models = [(ModelOffer(*key, tuple(rows), stands_in=key not in real), ranks[key]) for key, rows in found.items()]
    return [offer for offer, _ in sorted(models, key=lambda each: _place(*each))]


def _place(offer: ModelOffer, rank: tuple[int, bool]) -> tuple[bool, int, bool, int, int]:
    usable = sum(usable for _, _, usable in offer.offers)
    closeness, is_no_default = rank
    sureness = min(_SURENESS.index(facts.certainty) for _, facts, _ in offer.offers)
    return not usable, closeness, is_no_default, -usable, sureness


_SURENESS = ("documented", "inferred", "guess", "live", "unknown")


def of_provider(configured: Sequence[Configured], provider: str | None) -> Sequence[Configured]:
    """The one of this name, or all.

    Raises:
        RequestRefused: there is none of this name.
    """
    if provider is None or provider.lower() == "auto":
        return configured
    names = [entry.provider.name for entry in configured]
    if provider.lower() not in names:
        raise RequestRefused("unsupported", f"There is no provider {provider!r}{meant_or_known(provider, names)}.")
    return [entry for entry in configured if entry.provider.name == provider.lower()]


def matches(row: ModelFacts, query: str | None) -> int | None:
    """How close a model is to a query, 0 for its name; `None` where a word of the query is in none of its names."""
    if not query:
        return 0
    names = [name.lower() for name in (row.name, row.id, *row.aliases)]
    words, wanted = query.lower().split(), " ".join(query.lower().split())
    if not all(any(word in name for name in names) for word in words):
        return None
    if wanted in names:
        return names.index(wanted) and 1
    return 2 if names[0].startswith(wanted) else 3 if wanted in names[0] else 4
