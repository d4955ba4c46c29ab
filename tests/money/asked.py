"""What the run of the money's table asks for: prompts of their own at five gateways, each with what goes wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Final, Literal

from pydantic import JsonValue

from rushes.domain.money import Price
from rushes.domain.request import Kind
from rushes.providers.registry import build_provider, default_settings

from ..crash.orders import Further
from ..gateways.prices import APIXO_JOB, LLMGATEWAY_IMAGE, YUTO_CREDITS

Trouble = Literal["none", "refused", "failed", "refunded", "lost", "killed"]

TROUBLES: Final[Sequence[Trouble]] = (
    "killed", "none", "lost", "refused", "failed", "none", "killed", "refunded", "none", "none", "killed", "lost",
    "none", "killed", "failed", "none", "none", "refused", "killed", "none",
)  # fmt: skip

OPENING: Final = 5
"""So many come first where nobody knows the price, and the others learn from them."""

REFUSALS: Final[Mapping[str, Sequence[str]]] = {
    "routeany": ("safety-403", "unknown-model"),
    "yuto": ("safety-400", "no-credits-402"),
    "apixo": ("safety-403", "no-credits"),
    "shuyou": ("safety-403", "invalid-params"),
    "llmgateway": ("safety-403", "unsupported-parameters"),
}
FAILURES: Final = ("fail:content_violation", "fail:provider_error")
REFUND: Final = "fail:provider_error:The generation failed, your credits were refunded"
LOSSES: Final = ("cut-after-accept", "html-502-after-accept", "cut-before-accept", "reset-after-accept")
SEAMS: Final = (
    "job-id.after", "answer.head", "poll.looked", "success.before", "submit.after", "file.after", "journal.after",
    "final.before", "success.after", "request.written", "download.inside", "final.after",
)  # fmt: skip
NOT_ACCEPTED: Final = frozenset({"cut-before-accept", "journal.after", "request.written"})
"""Not where jobs are listed: there a job that never was is looked for for minutes."""

DURATIONS: Final = (8, 4, 6)


@dataclass(frozen=True)
class Asked:
    """One task."""

    call: Further
    trouble: Trouble
    seam: str | None = None
    """Where its process is killed."""
    opening: bool = False

    @property
    def what(self) -> tuple[str, Kind]:
        return self.call.gateway, self.call.kind


def asked_of(tasks: int) -> list[Asked]:
    """So many tasks at each of the five gateways."""
    numbers = count(1)
    return [asked for gateway in REFUSALS for asked in _at(gateway, tasks, numbers)]


def _at(gateway: str, tasks: int, numbers: Iterator[int]) -> Iterator[Asked]:
    first = _OPENING_KIND.get(gateway)
    kinds = _KINDS[gateway]
    turns: dict[Trouble, Iterator[int]] = {trouble: count() for trouble in TROUBLES}
    for place in range(tasks):
        opening = first is not None and place < OPENING
        # What others learn from must end well; then comes one of everything.
        trouble = "none" if opening else TROUBLES[(place - OPENING * (first is not None)) % len(TROUBLES)]
        turn = next(turns[trouble])
        kind = first if opening and first is not None else kinds[turn % len(kinds)] if trouble == "none" else "video"
        word = _word(gateway, trouble, turn)
        prompt = f"a red fox no. {next(numbers)} {'in deep snow, ' * (1 + place % 7)}at dusk {word}".rstrip()
        call = Further(gateway=gateway, kind=kind, prompt=prompt, asked=_details(gateway, kind, place))
        seam = _of(gateway, SEAMS, turn) if trouble == "killed" else None
        yield Asked(call, trouble, seam, opening)


_KINDS: Final[Mapping[str, Sequence[Kind]]] = {
    "routeany": ("video",),
    "yuto": ("video",),
    "apixo": ("video", "image"),
    "shuyou": ("audio", "video", "image"),
    "llmgateway": ("video", "image"),
}
_OPENING_KIND: Final[Mapping[str, Kind]] = {"routeany": "video", "shuyou": "audio"}


def _word(gateway: str, trouble: Trouble, turn: int) -> str:
    match trouble:
        case "refused":
            return f"[{_of(gateway, REFUSALS[gateway], turn)}]"
        case "failed":
            return f"[{_of(gateway, FAILURES, turn)}]"
        case "refunded":
            return f"[{REFUND}]"
        case "lost":
            return f"[{_of(gateway, LOSSES, turn)}]"
        case _:
            return ""


def _of(gateway: str, ways: Sequence[str], turn: int) -> str:
    possible = [way for way in ways if gateway != "routeany" or way not in NOT_ACCEPTED]
    return possible[turn % len(possible)]


def _details(gateway: str, kind: Kind, place: int) -> dict[str, JsonValue]:
    if kind == "audio":
        return {"purpose": "speech"}
    if kind == "video" and gateway in {"routeany", "llmgateway", "shuyou"}:
        asked: dict[str, JsonValue] = {"duration_seconds": DURATIONS[place % len(DURATIONS)]}
        return asked | ({"audio": place % 2 == 0} if gateway == "llmgateway" else {})
    return {}


async def configured_prices() -> dict[str, Price]:
    """What a person has to configure at the gateways that neither list a price nor tell a cost."""
    per_request: Mapping[tuple[str, Kind], Price] = {
        ("yuto", "video"): Price(currency="yuto credits", per_request=YUTO_CREDITS),
        ("apixo", "video"): Price(per_request=APIXO_JOB),
        ("apixo", "image"): Price(per_request=APIXO_JOB),
        ("llmgateway", "image"): Price(per_output={"default": Decimal(LLMGATEWAY_IMAGE)}),
    }
    found: dict[str, Price] = {}
    for known in default_settings():
        provider = build_provider(known)
        for (name, kind), price in per_request.items():
            if name == provider.name:
                found[f"{name}/{provider.default_model(kind)}"] = price
        await provider.aclose()
    return found
