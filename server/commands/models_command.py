"""`rushes models`: what can be generated, where, and within which limits."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ...tools import LIST_MODELS, ListModels, ToolContext, ToolResult, call_tool, model_list
from .answer import Document, complaints, end
from .document_view import view_of
from .options import AsJson, with_options_of
from .session import run
from .words import amount_text

if TYPE_CHECKING:
    from rich.console import RenderableType

EVERYTHING = 1 << 30
"""Bytes; only an agent's context needs a short answer."""


async def _all_models(context: ToolContext, arguments: ListModels) -> ToolResult:
    if arguments.fits is not None or arguments.cursor is not None:
        return await LIST_MODELS.call(context, arguments)
    service = await context.opened()
    offers = await service.models(kind=arguments.kind, provider=arguments.provider, query=arguments.query)
    shown = model_list(offers, EVERYTHING, prices=service.prices)
    return ToolResult(document=shown.model_dump(mode="json", exclude_none=True))


def _models(typed: dict[str, object], as_json: AsJson = False) -> None:
    """List models, those that can be used now first."""

    async def work(context: ToolContext) -> Document:
        return (await call_tool(replace(LIST_MODELS, call=_all_models), context, typed)).document

    with complaints(as_json=as_json):
        document = run(work)
    end(document, as_json=as_json, view=lambda: _view(document))


def _view(document: Document) -> "Iterable[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    from .task_view import plain

    models = document.get("models")
    if not isinstance(models, list):
        return view_of(document)
    if any(isinstance(model, dict) and "model" in model for model in models):
        return _fitting_view(models)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("providers")
    table.add_column("price", no_wrap=True)
    table.add_column("limits", ratio=1)
    for model in models:
        if isinstance(model, dict):
            usable = _usable(model)
            table.add_row(
                Text(plain(str(model["name"]), 80), "bold" if usable else "dim"),
                str(model["kind"]),
                Text(plain(", ".join(usable or [f"({name})" for name in _providers(model)]), 200)),
                Text(plain(price_text(model), 60)),
                Text(plain(limits_text(model), 300), "" if usable else "dim"),
            )
    legend = Text("A provider in brackets needs its key: see `rushes doctor`.", "dim")
    note = document.get("note")
    return [table, legend] if models else [Text(str(note) if note else "No model matches.")]


def _fitting_view(models: Sequence[JsonValue]) -> "Iterable[RenderableType]":
    """What takes the request, best first."""
    from rich.table import Table
    from rich.text import Text

    from .task_view import plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("model", "provider", "seconds", "not checked"):
        table.add_column(name, no_wrap=name != "not checked")
    for model in models:
        if isinstance(model, dict):
            provider = plain(str(model["provider"]), 80)
            table.add_row(
                Text(plain(str(model["model"]), 80)),
                Text(f"({provider})" if model.get("usable") is False else provider),
                _words(model.get("expected_seconds")),
                Text(plain(_words(model.get("not_checked")), 200)),
            )
    return [table, Text("Best first. A provider in brackets needs its key: see `rushes doctor`.", "dim")]


def price_text(model: dict[str, JsonValue]) -> str:
    """The price at the first provider that can be used and tells one: `0.4 USD/second (listed)`."""
    for offer in sorted(_offers(model), key=lambda each: not each.get("usable")):
        price = offer.get("price")
        if isinstance(price, dict):
            basis = f"{price['basis']}, n={price['n']}" if "n" in price else price["basis"]
            return f"{amount_text(float(str(price['amount'])))} {price['currency']}/{price['per']} ({basis})"
    return ""


def _usable(model: dict[str, JsonValue]) -> list[str]:
    return [str(offer["provider"]) for offer in _offers(model) if offer.get("usable")]


def _providers(model: dict[str, JsonValue]) -> list[str]:
    return [str(offer["provider"]) for offer in _offers(model)]


def _offers(model: dict[str, JsonValue]) -> Sequence[dict[str, JsonValue]]:
    offers = model.get("providers")
    return [offer for offer in offers if isinstance(offer, dict)] if isinstance(offers, list) else []


def limits_text(model: dict[str, JsonValue]) -> str:
    """The limits that matter most, in short: `4, 6, 8 s; 16:9, 9:16; 720p, 1080p`."""
    durations = _words(model.get("durations_seconds"))
    parts = [f"{durations} s" if durations else ""]
    parts += [_words(model.get(name)) for name in ("aspect_ratios", "resolutions", "sizes", "output_formats")]
    return "; ".join(part for part in parts if part)


def _words(value: JsonValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


models = with_options_of(LIST_MODELS.input_model, _models)
