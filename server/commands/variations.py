"""What a command makes of a wish before it calls the tool: the same several times, or in the format of a file's name.

What the model takes is asked with dry runs, which cost nothing."""

import secrets
from collections.abc import Mapping
from typing import Any

from ...tools import ToolContext, ToolSpec, call_tool

VARIATIONS_MAX = 20
_SEEDS = 2**31 - VARIATIONS_MAX


async def varied(
    spec: ToolSpec[Any], context: ToolContext, typed: dict[str, object], count: int
) -> list[dict[str, object]]:
    """The arguments of each call. Seeds follow each other, from the one given or one drawn; a model that takes none is
    asked anew each time."""
    if count == 1 or typed.get("dry_run"):
        return [typed]
    given = str(typed.get("seed", ""))
    first = int(given) if given.lstrip("-").isdigit() else secrets.randbelow(_SEEDS)
    takes_seeds = not (await call_tool(spec, context, {**typed, "seed": first, "dry_run": True})).is_error
    own = [{"seed": first + number} if takes_seeds else {"force_new": True} for number in range(count)]
    return [_call(typed, number, different) for number, different in enumerate(own)]


async def in_format_of(
    spec: ToolSpec[Any], context: ToolContext, typed: dict[str, object], ending: str
) -> dict[str, object]:
    """What was typed, with the format that the ending of the target's name says, where the model offers a choice."""
    suffix = ending.lstrip(".").lower()
    if not suffix or "output_format" in typed or "output_format" not in spec.input_model.model_fields:
        return typed
    asked = {**typed, "output_format": suffix}
    refused = (await call_tool(spec, context, {**asked, "dry_run": True})).is_error
    return typed if refused else asked


def _call(typed: dict[str, object], number: int, own: Mapping[str, object]) -> dict[str, object]:
    name = typed.get("output_name")
    named = {"output_name": f"{name}-{number + 1}"} if name is not None else {}
    return {**typed, **named, **own}
