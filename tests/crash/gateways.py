"""The gateways and kinds of request that the fault points are tried on."""

from dataclasses import dataclass, field
from typing import Final

import pytest
from pydantic import JsonValue, SecretStr

from rushes.domain.request import Kind

from ..gateways.client import RunningGateways
from .orders import Order
from .points import POINTS, Ability, FaultPoint


@dataclass(frozen=True)
class Ground:
    """One gateway and one kind of request, and what it does with that."""

    gateway: str
    kind: Kind
    abilities: frozenset[Ability]
    asked: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    @property
    def name(self) -> str:
        return f"{self.gateway} {self.kind}"

    def points(self) -> list[FaultPoint]:
        """The fault points that its tasks come to."""
        return [point for point in POINTS if point.needs <= self.abilities]

    def shown_here_first(self) -> list[FaultPoint]:
        """Those of them that no ground before this one has with the same end."""
        before = GROUNDS[: GROUNDS.index(self)]
        shown = {(point, point.decided_by(each.abilities)) for each in before for point in each.points()}
        return [point for point in self.points() if (point, point.decided_by(self.abilities)) not in shown]

    def shown_before(self) -> list[FaultPoint]:
        """The others."""
        first = self.shown_here_first()
        return [point for point in self.points() if point not in first]


def _does(*abilities: Ability) -> frozenset[Ability]:
    return frozenset(abilities)


_POLLED: Final = _does("paid", "polls", "downloads", "goes-on")

GROUNDS: Final = (
    Ground("routeany", "video", _does("paid", "polls", "downloads", "lists", "cancels")),
    Ground("apixo", "video", _POLLED),
    Ground("apixo", "image", _POLLED),
    Ground("apixo", "audio", _POLLED, {"purpose": "music"}),
    Ground("yuto", "video", _POLLED),
    Ground("shuyou", "video", _POLLED),
    Ground("llmgateway", "video", _POLLED),
    Ground("llmgateway", "image", _does("paid", "delivers")),
    Ground("llmgateway", "audio", _does("paid", "delivers"), {"purpose": "speech"}),
    Ground("sandbox", "image", _does("polls"), {"size": "64x64"}),
    Ground("sandbox", "video", _does("polls"), {"duration_seconds": 1, "resolution": "480p"}),
    Ground("sandbox", "audio", _does("polls"), {"duration_seconds": 1}),
)


def each_ground(*abilities: Ability) -> pytest.MarkDecorator:
    """Run a test on every ground that has these; those that do what an earlier one does only with `-m storm`."""
    seen: set[frozenset[Ability]] = set()
    again: set[str] = set()
    grounds = [ground for ground in GROUNDS if ground.abilities >= set(abilities)]
    for ground in grounds:
        if ground.abilities in seen:
            again.add(ground.name)
        seen.add(ground.abilities)
    return pytest.mark.parametrize(
        "ground",
        [
            pytest.param(ground, id=ground.name, marks=pytest.mark.storm if ground.name in again else ())
            for ground in grounds
        ],
    )


def address_of(order: Order, gateways: RunningGateways) -> Order:
    """The order with its gateway's address and key."""
    if order.gateway == "sandbox":
        return order
    key = gateways.environment[f"{order.gateway.upper()}_API_KEY"]
    return order.model_copy(update={"base_url": gateways.base_url(order.gateway), "api_key": SecretStr(key)})
