"""Dry run: the provider that would be chosen and the exact payload; nothing is written or sent."""

from urllib.parse import urlencode

from pydantic import JsonValue

from ...domain.hooks import shown_with_callback
from ...domain.secret_options import masked
from ..service import Preview
from .routing import Route

DATA_URL_SHOWN = 64
LONG_TEXT = 2048


def preview(chosen: Route) -> Preview:
    """What the first candidate of a route would send."""
    candidate = chosen.candidates[0]
    plan = shown_with_callback(candidate.plan)
    query = masked(dict(plan.query))
    return Preview(
        provider=plan.provider,
        model=plan.model,
        url=plan.path + ("?" + urlencode(query, safe=":/") if query else ""),
        payload={name: readable(value) for name, value in masked(plan.body).items()},
        chosen=chosen.chosen,
        gives_urls=plan.asynchronous,
        warnings=tuple(dict.fromkeys((*chosen.warnings, *plan.warnings))),
        estimate=candidate.quote.estimate,
    )


def readable(value: JsonValue) -> JsonValue:
    """The same value with the base64 of media cut short, so that it cannot flood a context."""
    match value:
        case str() if value.startswith("data:") and len(value) > DATA_URL_SHOWN * 2:
            return f"{value[:DATA_URL_SHOWN]}… ({len(value)} characters)"
        case str() if len(value) > LONG_TEXT and " " not in value[:LONG_TEXT]:
            return f"{value[:DATA_URL_SHOWN]}… ({len(value)} characters)"
        case list():
            return [readable(item) for item in value]
        case dict():
            return {name: readable(item) for name, item in value.items()}
        case _:
            return value
