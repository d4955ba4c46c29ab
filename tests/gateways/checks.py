"""Strict checks of what a client sends, against pydantic models of what the pages document."""

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError


class Documented(BaseModel):
    """Base of the models of request bodies: nothing undocumented, no null, no conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Flaw:
    """One wrong field: its dotted path, what is wrong, and whether it is simply not there."""

    field: str
    message: str
    missing: bool


@dataclass
class Inspection:
    unknown: list[str] = field(default_factory=list[str])
    wrong: list[Flaw] = field(default_factory=list[Flaw])


def dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def inspect_model(model: type[BaseModel], body: JsonValue) -> Inspection:
    """What a body has that the model does not know, and what it has that the model refuses."""
    found = Inspection()
    try:
        model.model_validate(body)
    except ValidationError as error:
        for flaw in error.errors(include_url=False, include_context=False):
            where = dotted(flaw["loc"])
            if flaw["type"] == "extra_forbidden":
                found.unknown.append(where)
            else:
                found.wrong.append(Flaw(where, flaw["msg"], flaw["type"] == "missing"))
    return found


def empties(body: JsonValue, where: tuple[int | str, ...] = ()) -> list[str]:
    """The dotted paths of null, empty strings, empty lists and empty objects."""
    if body is None or body == "" or body == [] or body == {}:
        return [dotted(where)]
    found: list[str] = []
    if isinstance(body, dict):
        for key, value in body.items():
            found += empties(value, (*where, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            found += empties(value, (*where, index))
    return found


def texts_of(body: JsonValue) -> list[str]:
    """All strings in a body, keys and values."""
    if isinstance(body, str):
        return [body]
    if isinstance(body, list):
        return [text for item in body for text in texts_of(item)]
    if isinstance(body, dict):
        return [text for key, value in body.items() for text in (key, *texts_of(value))]
    return []
