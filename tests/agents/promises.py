"""What a row of `list_models` promises, as calls of the tool that its kind belongs to; pure."""

from collections.abc import Iterator

from pydantic import JsonValue

from rushes.domain.model_facts import ModelFacts
from rushes.domain.request import Operation
from rushes.providers.checks import inputs_of, limits_of
from rushes.tools import known_of

Call = dict[str, JsonValue]

_LINK = "https://media.example/input"

_MEDIA: dict[Operation, Call] = {
    "text": {},
    "first_frame": {"image": _LINK},
    "first_last_frame": {"image": _LINK, "last_frame": _LINK},
    "edit": {"images": [_LINK]},
    "inpaint": {"images": [_LINK], "mask": _LINK},
}

_ANY_VALUE: Call = {
    "duration_seconds": 5,
    "aspect_ratio": "16:9",
    "resolution": "720p",
    "size": "1280x720",
    "audio": True,
    "negative_prompt": "people",
    "watermark": False,
    "quality": "high",
    "seed": 7,
    "count": 2,
    "output_format": "png",
    "voice": "anna",
    "language": "en",
    "speed": 1,
    "instructions": "calm",
}
"""Where the row names no values."""

_OF_AUDIO: Call = {"output_format": "mp3"}
_OF_IMAGES: Call = {"resolution": "1k", "size": "1024x1024"}


def media_for(facts: ModelFacts, operation: Operation) -> Call:
    """The media that an operation needs, as few as it takes."""
    if operation == "references":
        inputs = facts.inputs or ()
        kinds = [name for name in ("reference_images", "reference_videos", "reference_audios") if name in inputs]
        return {kinds[0]: [_LINK]}
    if operation == "frames_and_references":
        return {"image": _LINK, "reference_images": [_LINK]}
    most = limits_of(facts, operation).images_min or 1
    edits = _links("images", most) if operation == "edit" else {}
    return {**_MEDIA[operation], **edits}


def promised(facts: ModelFacts) -> Iterator[Call]:
    """A call for each single thing that the row says is taken: each operation, input, value and option."""
    row = known_of(facts)
    base: Call = {"prompt": "a red fox", "model": facts.name, **_required(facts)}
    for operation in facts.operations or {}:
        media = {**base, **media_for(facts, operation)}
        yield media
        limits = limits_of(facts, operation)
        for name in inputs_of(facts, operation) or ():
            if name in _ANY_VALUE and name not in media:
                yield from ({**media, name: value} for value in _values(name, facts, limits.model_dump()))
        for name in ("reference_images", "reference_videos", "reference_audios"):
            most = getattr(limits, f"{name}_max")
            if operation == "references" and name in (facts.inputs or ()) and most:
                yield {**base, **_links(name, most)}
        if operation == "edit" and limits.images_max:
            yield {**base, **_links("images", limits.images_max)}
    options = row.get("provider_options")
    operations: list[Operation] = [*(facts.operations or ()), "text"]
    first = operations[0]
    for name, values in options.items() if isinstance(options, dict) else ():
        for value in values if isinstance(values, list) else [_an_example(str(values))]:
            yield {**base, **media_for(facts, first), "provider_options": {name: value}}


def _links(name: str, number: int) -> Call:
    links: list[JsonValue] = [_LINK] * number
    return {name: links}


def _required(facts: ModelFacts) -> Call:
    return {name: _ANY_VALUE[name] for name in facts.required_inputs if name not in facts.defaults}


def _values(name: str, facts: ModelFacts, limits: dict[str, object]) -> list[JsonValue]:
    if name in facts.only:
        return [facts.only[name]]
    listed = {
        "duration_seconds": limits["durations_seconds"],
        "aspect_ratio": limits["aspect_ratios"],
        "resolution": limits["resolutions"],
        "size": limits["sizes"],
        "quality": limits["qualities"],
        "voice": facts.voices,
        "language": facts.languages,
        "output_format": facts.output_formats,
    }.get(name)
    if isinstance(listed, tuple):
        return [*listed]
    ends = [limits.get(f"{name}_min"), limits.get(f"{name}_max")]
    if name == "speed":
        ends = [facts.speed_min, facts.speed_max]
    if name == "count":
        ends = [limits["count_max"]]
    known: list[JsonValue] = [end for end in ends if isinstance(end, (int, float))]
    other = _OF_AUDIO if facts.kind == "audio" else _OF_IMAGES if facts.kind == "image" else {}
    return known or [other.get(name, _ANY_VALUE[name])]


def _an_example(takes: str) -> JsonValue:
    """A value as the row describes it."""
    if takes.startswith("true or false"):
        return True
    return 1 if takes[:1].isdigit() or takes[:1] == "-" else "a text"
