"""The models of all providers, by canonical name, joined with the gateways' live lists (cached in the store)."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

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


def offers(
    configured: Sequence[Configured], *, kind: Kind | None, provider: str | None, query: str | None
) -> Sequence[ModelOffer]:
    """Models by canonical name; those that can be used now come first, then by kind and name.

    Raises:
        RequestRefused: there is no provider of this name.
    """
    names = [entry.provider.name for entry in configured]
    if provider is not None and provider.lower() not in names:
        raise RequestRefused("unsupported", f"There is no provider {provider!r}{meant_or_known(provider, names)}.")
    found: dict[tuple[str, Kind], list[tuple[str, ModelFacts, bool]]] = {}
    for entry in configured:
        if provider is not None and entry.provider.name != provider.lower():
            continue
        for row in entry.provider.models():
            if (kind is None or row.kind == kind) and _matches(row, query):
                offer = (entry.provider.name, row, entry.problem is None)
                found.setdefault((row.name, row.kind), []).append(offer)
    models = [ModelOffer(name, made, tuple(rows)) for (name, made), rows in found.items()]
    return sorted(models, key=lambda m: (not any(usable for _, _, usable in m.offers), m.kind, m.name))


def _matches(row: ModelFacts, query: str | None) -> bool:
    if not query:
        return True
    text = " ".join((row.name, row.id, *row.aliases)).lower()
    return all(word in text for word in query.lower().split())
