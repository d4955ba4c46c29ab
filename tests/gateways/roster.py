"""All simulated gateways, and all behaviours: the one registry."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from .apixo import Apixo
from .behaviours import Behaviour, Catalogue, Steering
from .gateway import Gateway
from .llmgateway import LlmGateway
from .openai_videos import OpenAiVideos
from .replicate import WEBHOOK_SECRET, Replicate
from .routeany import RouteAny
from .rows import alias_lines, common_rows
from .shuyou import Shuyou
from .world import Origins, World
from .yuto import Yuto

GATEWAYS: Final[tuple[type[Gateway], ...]] = (RouteAny, Yuto, Shuyou, LlmGateway, Apixo, Replicate, OpenAiVideos)


def names() -> list[str]:
    return [kind.identity.name for kind in GATEWAYS]


def _chosen(wanted: Iterable[str]) -> list[type[Gateway]]:
    chosen = set(wanted) or set(names())
    return [kind for kind in GATEWAYS if kind.identity.name in chosen]


def behaviours() -> list[Behaviour]:
    """Every behaviour: the common ones, then each gateway's refusals and its own."""
    rows = common_rows()
    for kind in GATEWAYS:
        here = (kind.identity.name,)
        rows += [
            Behaviour(name, "create", f"create refused: {refusal.meaning}", refusal.source, gateways=here)
            for name, refusal in kind.refusals.items()
        ]
        rows += [
            Behaviour(row.name, row.moment, row.meaning, row.source, row.parameters, here)
            for row in kind.own_behaviours
        ]
    return rows


def describe() -> str:
    """The registry as text, one behaviour a line."""
    lines: list[str] = []
    for row in behaviours():
        word = ":".join((row.name, *row.parameters))
        where = ", ".join(row.gateways) or "all"
        lines.append(f"{where:<11} {row.moment:<7} [{word}]  {row.meaning}  ({row.source})")
    return "\n".join([*lines, "", "Short forms:", *(f"  {line}" for line in alias_lines())]) + "\n"


def make_world(origins: Origins) -> World:
    """A fresh memory, with a new key for each gateway."""
    keys = {kind.identity.name: kind.identity.key_prefix + secrets.token_hex(16) for kind in GATEWAYS}
    return World(origins, Steering(Catalogue(behaviours(), names())), keys)


def make_gateways(world: World, wanted: Iterable[str] = ()) -> dict[str, Gateway]:
    return {kind.identity.name: kind(world) for kind in _chosen(wanted)}


def environment(world: World, gateways: Mapping[str, Gateway]) -> dict[str, str]:
    """The settings that point rushes (and a person) at this simulator."""
    settings: dict[str, str] = {}
    for name, gateway in gateways.items():
        settings[f"{gateway.identity.variable}_BASE_URL"] = f"{world.origins.gateways}/{name}"
        settings[gateway.identity.key_variable] = gateway.key
    if "replicate" in gateways:
        settings["REPLICATE_WEBHOOK_SECRET"] = WEBHOOK_SECRET
    settings["GATEWAYS_CONTROL_URL"] = f"{world.origins.gateways}/control"
    settings["GATEWAYS_MEDIA_URL"] = world.origins.media
    settings["GATEWAYS_CLOSED_URL"] = world.origins.closed
    return settings
