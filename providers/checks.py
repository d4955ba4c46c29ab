"""Checks of a request against a model's facts, before anything is written, sent or paid.

Pure. Every refusal says what would be accepted: `duration_seconds 7 is not offered by veo-3.1 on shuyou: 4, 6 or 8`.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from ..domain.errors import FailureReason, RequestRefused
from ..domain.failure import clean_text
from ..domain.model_facts import InputLimits, ModelFacts, OperationFacts, OptionFacts
from ..domain.request import GenerationRequest, MediaInput, MediaRole, Operation, asked_inputs
from .hook_addresses import problem_with_address
from .shapes import shape_warnings

INPUT_OF_ROLE: dict[MediaRole, str] = {
    "image": "image",
    "last_frame": "last_frame",
    "reference_image": "reference_images",
    "reference_video": "reference_videos",
    "reference_audio": "reference_audios",
    "input_image": "images",
    "mask": "mask",
    "shot": "shots",
    "sound": "sounds",
}
"""The tools' name of the input that a medium came in by."""

OPERATION_NAMES: dict[Operation, str] = {
    "text": "from text",
    "first_frame": "from a first frame (image)",
    "first_last_frame": "between two frames (image and last_frame)",
    "references": "from references",
    "frames_and_references": "from frames and references together",
    "edit": "from input images",
    "inpaint": "with a mask",
}


def spoken(values: Iterable[object]) -> str:
    """Values as a person says them: `4, 6 or 8`."""
    words = [number_text(value) if isinstance(value, float) else str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "none"


def number_text(value: float) -> str:
    """A number without a needless decimal point: `8`, `2.5`."""
    return f"{value:.10g}"


_LIMITS_REMEMBERED_MAX = 2000
_limits: dict[tuple[int, Operation], tuple[ModelFacts, OperationFacts]] = {}
"""By the identity of the facts, which are held so that it stays theirs: each call asks about the same few again, and a
gateway's list may replace them by others."""


def limits_of(facts: ModelFacts, operation: Operation) -> OperationFacts:
    """The limits that hold for one operation: its own where it has them, else the model's."""
    known = _limits.get((id(facts), operation))
    if known is None:
        if len(_limits) >= _LIMITS_REMEMBERED_MAX:
            _limits.clear()
        known = _limits[id(facts), operation] = facts, _limits_of(facts, operation)
    return known[1]


def _limits_of(facts: ModelFacts, operation: Operation) -> OperationFacts:
    shared = {name: getattr(facts, name) for name in InputLimits.model_fields}
    own = (facts.operations or {}).get(operation)
    if own is not None:
        shared |= {name: value for name, value in own if value is not None}
    return OperationFacts.model_validate(shared)


def inputs_of(facts: ModelFacts, operation: Operation) -> tuple[str, ...] | None:
    """The optional inputs that the model takes in one operation; `None` where they are not known."""
    own = (facts.operations or {}).get(operation)
    return facts.inputs if own is None or own.inputs is None else own.inputs


def check_request(request: GenerationRequest, facts: ModelFacts, provider: str) -> None:
    """Refuse what the model does not take.

    Raises:
        RequestRefused: `unsupported`, `invalid_input` or `invalid_media`; nothing was sent.
    """
    check = _Check(request, facts, f"{facts.name} on {provider}")
    check.kind_and_operation()
    check.inputs()
    check.purpose()
    check.prompt()
    limits = limits_of(facts, request.operation)
    check.values(limits)
    check.duration(limits)
    check.numbers_of_things(limits)
    for medium in request.media:
        check.medium(medium, provider)


IMAGE_BYTES_MAX = 10 * 1024 * 1024
"""For media given as bytes to models of which no limit is known."""

PROMPT_CHARACTERS_MAX = 32_000
"""For models of which no limit is known."""

_LIMITED: Mapping[str, tuple[str, ...]] = {
    "duration_seconds": ("durations_seconds", "duration_seconds_min", "duration_seconds_max"),
    "aspect_ratio": ("aspect_ratios",),
    "resolution": ("resolutions",),
    "size": ("sizes", "pixels"),
    "quality": ("qualities",),
    "voice": ("voices",),
    "language": ("languages",),
    "output_format": ("output_formats",),
    "speed": ("speed_min", "speed_max"),
    "count": ("count_max",),
}
"""Inputs that have limits at every gateway, and the facts that hold them."""


def doubts(request: GenerationRequest, facts: ModelFacts) -> list[str]:
    """What of the request could not be checked, because nothing is known of it: `duration_seconds 5`."""
    limits = limits_of(facts, request.operation)
    asked = asked_inputs(request)
    if asked.get("count") == 1:
        del asked["count"]
    blind = [
        f"{name} {_said(value)}"
        for name, value in asked.items()
        if name in _LIMITED and all(_limit(fact, limits, facts) is None for fact in _LIMITED[name])
    ]
    if facts.operations is None:
        blind += dict.fromkeys(INPUT_OF_ROLE[medium.role] for medium in request.media)
    if request.purpose is not None and facts.purposes is None:
        blind.append(f"purpose {request.purpose}")
    return blind


def _limit(name: str, limits: OperationFacts, facts: ModelFacts) -> object:
    return getattr(limits if name in InputLimits.model_fields else facts, name)


def unchecked(
    request: GenerationRequest, facts: ModelFacts, provider: str, blind: Sequence[str] | None = None
) -> list[str]:
    """Warnings of what was asked for beyond what is known of the model: it is sent, and the gateway may refuse it,
    ignore it, or charge for something else. `blind` are its `doubts`, where they are known already."""
    limits = limits_of(facts, request.operation)
    warnings: list[str] = []
    blind = doubts(request, facts) if blind is None else blind
    if blind and facts.certainty != "unknown":
        warnings.append(f"not checked: {', '.join(blind)} ({provider} documents no such limits of {facts.name})")
    given, page_max = len(request.media_of("reference_image")), limits.reference_images_page_max
    if page_max is not None and given > page_max:
        newer = f" (its newer code: {limits.reference_images_max})" if limits.reference_images_max else ""
        warnings.append(f"{provider}'s page allows {page_max} reference_images{newer}, so it may refuse {given}")
    return [*warnings, *shape_warnings(request, facts, provider)]


def check_options(body: Mapping[str, JsonValue], facts: ModelFacts, provider: str, *, on_loopback: bool) -> None:
    """Refuse what `provider_options` have put into a finished body against what is documented of such fields.

    `on_loopback`: the gateway is on this machine, and may call others on it back over plain http.

    Raises:
        RequestRefused: `invalid_input`.
    """
    inner = body.get("input")
    for fields in (body, inner if isinstance(inner, dict) else {}):
        for name, option in facts.options.items():
            if name in fields:
                _check_option(name, fields[name], option, f"{facts.name} on {provider}", on_loopback=on_loopback)


def _check_option(name: str, value: JsonValue, option: OptionFacts, model: str, *, on_loopback: bool) -> None:
    if option.values is not None and (isinstance(value, bool) or value not in option.values):
        offered = f": {spoken(option.values)}" if option.values else ", or not through rushes; leave it out"
        message = f"provider_options.{name} {clean_text(str(value), 60)} is not offered by {model}{offered}"
        raise _refuse("invalid_input", message)
    if option.form == "https_url" and (problem := problem_with_address(value, gateway_on_loopback=on_loopback)):
        raise _refuse("invalid_input", f"provider_options.{name} {problem}")


def _said(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, float) else str(value)


def _refuse(reason: FailureReason, message: str) -> RequestRefused:
    return RequestRefused(reason, message)


class _Check:
    def __init__(self, request: GenerationRequest, facts: ModelFacts, model: str) -> None:
        self.request = request
        self.facts = facts
        self.model = model
        self.asked = asked_inputs(request)
        if self.asked.get("count") == 1:
            del self.asked["count"]

    def kind_and_operation(self) -> None:
        request, facts = self.request, self.facts
        if request.kind != facts.kind:
            raise _refuse("unsupported", f"{self.model} makes {facts.kind}, not {request.kind}")
        if request.media_of("last_frame") and not request.media_of("image"):
            raise _refuse("invalid_input", "last_frame needs image, the first frame")
        if request.media_of("mask") and not request.media_of("input_image"):
            raise _refuse("invalid_input", "mask needs images, the picture that it covers")
        self._media_inputs()
        operation = request.operation
        if facts.operations is not None and operation not in facts.operations:
            offered = spoken(OPERATION_NAMES[name] for name in facts.operations)
            message = f"{self.model} does not generate {OPERATION_NAMES[operation]}, only {offered}"
            raise _refuse("unsupported", message)

    def _media_inputs(self) -> None:
        for medium in self.request.media:
            self._taken(INPUT_OF_ROLE[medium.role])

    def inputs(self) -> None:
        for name, value in self.asked.items():
            self._taken(name)
            if name in self.facts.only and value != self.facts.only[name]:
                self._not_the_only_value(name, value)
        given = {*self.asked, *self.facts.defaults, *(INPUT_OF_ROLE[medium.role] for medium in self.request.media)}
        for name in self.facts.required_inputs:
            if name not in given:
                known = {"voice": self.facts.voices}.get(name)
                raise _refuse("invalid_input", f"{self.model} needs {name}" + (f": {spoken(known)}" if known else ""))

    def _taken(self, name: str) -> None:
        inputs = inputs_of(self.facts, self.request.operation)
        if inputs is not None and name not in inputs:
            others = ", ".join(inputs)
            taken = f"it takes {others}" if others else "it takes a prompt only"
            when = f" {OPERATION_NAMES[self.request.operation]}" if inputs is not self.facts.inputs else ""
            raise _refuse("unsupported", f"{name} is not an input of {self.model}{when}; {taken}")

    def _not_the_only_value(self, name: str, value: JsonValue) -> None:
        message = f"{name} {_said(value)} is not offered by {self.model}: {_said(self.facts.only[name])}"
        option = self.facts.options.get(name)
        other = None if option is None else f"Its own field of that name is {option.takes}: provider_options.{name}."
        raise RequestRefused("unsupported", message, hint=other)

    def purpose(self) -> None:
        purpose, purposes = self.request.purpose, self.facts.purposes
        if purpose is not None and purposes is not None and purpose not in purposes:
            raise _refuse("unsupported", f"{self.model} makes {spoken(purposes)}, not {purpose}")

    def prompt(self) -> None:
        if not self.request.prompt.strip():
            raise _refuse("invalid_input", "prompt is empty")
        longest, length = self.facts.prompt_characters_max or PROMPT_CHARACTERS_MAX, len(self.request.prompt)
        if length > longest:
            message = f"prompt has {length} characters; {self.model} takes at most {longest}"
            raise _refuse("invalid_input", message)

    def values(self, limits: InputLimits) -> None:
        offered: dict[str, Sequence[str] | None] = {
            "aspect_ratio": limits.aspect_ratios,
            "resolution": limits.resolutions,
            "size": limits.sizes,
            "quality": limits.qualities,
            "voice": self.facts.voices,
            "language": self.facts.languages,
            "output_format": self.facts.output_formats,
        }
        for name, choices in offered.items():
            value = self.asked.get(name)
            if isinstance(value, str) and choices is not None and not _among(value, choices):
                raise self._not_offered(name, value, choices)
        self._pixels()
        speed = self.request.speed
        if speed is not None:
            self._within("speed", speed, self.facts.speed_min, self.facts.speed_max)

    def _pixels(self) -> None:
        size, rules = self.request.size, self.facts.pixels
        across, _, up = (size or "").partition("x")
        if rules is None or not (across.isdecimal() and up.isdecimal()):
            return
        width, height = int(across), int(up)
        stepped = width % rules.multiple_of == 0 and height % rules.multiple_of == 0
        if not (stepped and max(width, height) <= rules.side_max and rules.has_area(width * height)):
            wanted = f"sides in steps of {rules.multiple_of} up to {rules.side_max}, at most {rules.area_max} pixels"
            least = f" and at least {rules.area_min}" if rules.area_min else ""
            raise _refuse("unsupported", f"size {size} is not offered by {self.model}: {wanted}{least}")

    def duration(self, limits: InputLimits) -> None:
        seconds = self.request.duration_seconds
        if seconds is None:
            return
        if limits.durations_seconds is not None and seconds not in limits.durations_seconds:
            raise self._not_offered("duration_seconds", seconds, limits.durations_seconds)
        self._within("duration_seconds", seconds, limits.duration_seconds_min, limits.duration_seconds_max)

    def _not_offered(self, name: str, value: JsonValue, choices: Sequence[object]) -> RequestRefused:
        return _refuse(
            "unsupported", f"{name} {_said(value)} is not offered by {self.model}{self._when()}: {spoken(choices)}"
        )

    def _when(self) -> str:
        own = (self.facts.operations or {}).get(self.request.operation)
        limited = own is not None and own.model_fields_set - {"inputs"}
        return f" {OPERATION_NAMES[self.request.operation]}" if limited else ""

    def _within(self, name: str, value: float, lowest: float | None, highest: float | None) -> None:
        too_low = lowest is not None and value < lowest
        too_high = highest is not None and value > highest
        if not too_low and not too_high:
            return
        bounds = [f"at least {number_text(lowest)}"] if lowest is not None else []
        bounds += [f"at most {number_text(highest)}"] if highest is not None else []
        if lowest is not None and highest is not None:
            bounds = [f"{number_text(lowest)} to {number_text(highest)}"]
        raise _refuse("unsupported", f"{name} {number_text(value)} is not offered by {self.model}: {bounds[0]}")

    def numbers_of_things(self, limits: OperationFacts) -> None:
        count_of = {role: len(self.request.media_of(role)) for role in INPUT_OF_ROLE}
        at_most: dict[str, tuple[int, int | None]] = {
            "count": (self.request.count or 1, limits.count_max),
            "images": (count_of["input_image"], limits.images_max),
            "reference_images": (count_of["reference_image"], limits.reference_images_max),
            "reference_videos": (count_of["reference_video"], limits.reference_videos_max),
            "reference_audios": (count_of["reference_audio"], limits.reference_audios_max),
        }
        for name, (given, most) in at_most.items():
            if most is not None and given > most:
                raise _refuse("unsupported", f"{self.model} takes at most {most} for {name}, not {given}")
        if limits.images_min is not None and count_of["input_image"] < limits.images_min:
            raise _refuse("invalid_input", f"{self.model} needs at least {limits.images_min} for images")

    def medium(self, medium: MediaInput, provider: str) -> None:
        facts, name = self.facts, INPUT_OF_ROLE[medium.role]
        pictorial = medium.role not in {"reference_video", "reference_audio"}
        forms = facts.forms_of(medium.role)
        if medium.url is None and "data" not in forms:
            message = f"{provider} takes {name} by https URL only, not as a file or data URL"
            raise _refuse("invalid_media", message)
        if medium.data is None and "url" not in forms:
            raise _refuse("invalid_media", f"{provider} takes {name} as a file or data URL only, not by URL")
        if not pictorial:
            self._size(medium, None)
            return
        if facts.image_types and medium.mime_type and medium.mime_type not in facts.image_types:
            message = f"{name} is {medium.mime_type}; {self.model} takes {spoken(facts.image_types)}"
            raise _refuse("invalid_media", message)
        self._size(medium, facts.image_bytes_max)

    def _size(self, medium: MediaInput, documented: int | None) -> None:
        """The model's own limit, else one that a gateway can be expected to take in bytes."""
        longest = documented or (IMAGE_BYTES_MAX if medium.url is None else None)
        if longest is not None and medium.size_bytes and medium.size_bytes > longest:
            limit = number_text(round(longest / 1_000_000, 1))
            given = number_text(round(medium.size_bytes / 1_000_000, 1))
            message = f"{INPUT_OF_ROLE[medium.role]} has {given} MB; {self.model} takes at most {limit} MB"
            raise _refuse("invalid_media", message)


def _among(value: str, choices: Sequence[str]) -> bool:
    return value.casefold() in {choice.casefold() for choice in choices}
