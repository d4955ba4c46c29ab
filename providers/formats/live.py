"""Reading a live list of models (`GET /v1/models`). It tells ids and kinds; what the gateway documents for all its
models of a kind is joined to that by the provider."""

import re
from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from ...domain.model_facts import ModelFacts
from ...domain.money import Price
from ...domain.request import Kind
from ..client.reply import Reply
from ..format import Unintelligible
from .readings import parse_object

MODELS_MAX = 20_000

_ID = re.compile(r"[\w.:/@+~-]{1,200}", re.ASCII)
"""An id is one word: a list that an agent reads has no room for a stranger's sentences."""

ReadPrices = Callable[[Mapping[str, JsonValue], Kind], Sequence[Price]]
"""How a gateway writes what a model of its list costs: none where it does not, several where upstreams differ."""

_KINDS: Sequence[Kind] = ("video", "image", "audio")


def _no_price(_row: Mapping[str, JsonValue], _kind: Kind) -> Sequence[Price]:
    return ()


def live_rows(reply: Reply, source: str, prices_in: ReadPrices = _no_price) -> list[ModelFacts]:
    """The models in a list that make video, images or sound: id, kind and price.

    Raises:
        Unintelligible: the reply holds no list.
    """
    rows = reply.body.get("data") if isinstance(reply.body, dict) else None
    if not isinstance(rows, list):
        raise Unintelligible("the answer is not a list of models")
    found: dict[str, ModelFacts] = {}
    for row in rows[:MODELS_MAX]:
        model_id, kind = _id_of(row), _kind_of(row)
        if model_id is not None and kind is not None:
            facts = ModelFacts(id=model_id, name=model_id, kind=kind, source=source, certainty="live")
            first, *others = prices_in(parse_object(row) or {}, kind) or (None,)
            priced = {"price": first, "upstream_prices": tuple(others)}
            found.setdefault(model_id, facts if first is None else facts.model_copy(update=priced))
    return list(found.values())


def _id_of(row: JsonValue) -> str | None:
    value = row.get("id") if isinstance(row, dict) else None
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _kind_of(row: JsonValue) -> Kind | None:
    """What it makes. A model that also writes text and makes sound is for talking, and is left out."""
    if not isinstance(row, dict) or row.get("deactivated_at"):
        return None
    architecture = parse_object(row.get("architecture")) or {}
    made = row.get("output_modalities") or architecture.get("output_modalities")
    words = [word for word in made if isinstance(word, str)] if isinstance(made, list) else []
    if "text" in words and "audio" in words:
        return None
    return next((kind for kind in _KINDS if kind in words), None)
