"""How the values of arguments are read: lenient about form (hosts differ), strict about meaning."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from ...domain.nesting import is_deeper_than
from ...domain.request import Kind

_PIXELS = re.compile(r"(\d{3,5})\s*[x\u00d7*]\s*(\d{3,5})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*[:x\u00d7/]\s*(\d{1,3}(?:\.\d{1,3})?)", re.IGNORECASE)
_TIER = re.compile(r"\d{3,4}p|\d{1,2}k|0\.5k")
_NAMED_TIERS = frozenset({"standard", "pro"})
"""What some models call theirs."""
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)
RATIO_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("landscape", "horizontal", "wide", "widescreen", "landscape_16_9"), "16:9"),
    **dict.fromkeys(("portrait", "vertical", "tall", "portrait_16_9"), "9:16"),
    **dict.fromkeys(("square", "square_hd"), "1:1"),
    **dict.fromkeys(("ultrawide", "cinemascope"), "21:9"),
    "landscape_4_3": "4:3",
    "portrait_4_3": "3:4",
}
"""What people, and other servers, call the usual shapes."""

TIER_WORDS: Mapping[str, str] = {
    "sd": "480p",
    "hd": "720p",
    **dict.fromkeys(("fhd", "fullhd", "full hd", "full_hd"), "1080p"),
    **dict.fromkeys(("uhd", "ultrahd", "ultra hd", "ultra_hd"), "4k"),
}

OPTIONS_BYTES_MAX = 256 * 1024
OPTIONS_DEPTH_MAX = 32
NAME_LENGTH_MAX = 300
TEXT_CHARACTERS_MAX = 100_000
NAME_CHARACTERS_MAX = 100
WAIT_SECONDS_MAX = 45
TASK_IDS_MAX = 20
_UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def wrong(message: str) -> PydanticCustomError:
    """An error whose message is our own sentence; `{`-free, because pydantic would format it."""
    return PydanticCustomError("rushes", "{sentence}", {"sentence": message})


def parsed_json(value: object) -> object:
    """A list or object that a host sent as JSON text; anything else as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"[", "{"}:
        return value
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed


def listed(value: object) -> object:
    """The same, and a single text becomes a list of one."""
    parsed = parsed_json(value)
    return [parsed] if isinstance(parsed, str) else parsed


def stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def tier_of(width: int, height: int) -> str:
    """The resolution tier of a frame in pixels, by its shorter side: `1080p`, `4k`."""
    short = min(width, height)
    return "4k" if short >= 2160 else f"{short}p"


def ratio_of(width: int, height: int) -> str:
    divisor = math.gcd(width, height)
    return f"{width // divisor}:{height // divisor}"


def _pixels_instead(value: str) -> str | None:
    match = _PIXELS.fullmatch(value)
    if match is None:
        return None
    width, height = int(match[1]), int(match[2])
    return f"{value} is a size in pixels; use aspect_ratio {ratio_of(width, height)} and resolution " + (
        f"{tier_of(width, height)} (or, for an image, size {width}x{height})"
    )


def read_as(name: str, value: object) -> str | None:
    """What a usual word for a value is read as; `None` where it is no such word."""
    words = {"aspect_ratio": RATIO_WORDS, "resolution": TIER_WORDS}.get(name)
    return None if words is None else _word_for(value, words)


def _word_for(value: object, words: Mapping[str, str]) -> str | None:
    return words.get(value.strip().lower().replace("-", "_")) if isinstance(value, str) else None


def aspect_ratio(value: object) -> object:
    """`16:9`, also from `16x9`, `16/9` or a usual word; `auto`; anything else is refused with what would be right."""
    if not isinstance(value, str | int | float):
        return value
    text = _word_for(value, RATIO_WORDS) or str(value).strip().lower()
    if text == "auto":
        return text
    if (instead := _pixels_instead(text)) is not None:
        raise wrong(instead)
    match = _RATIO.fullmatch(text)
    if match is None or float(match[1]) == 0 or float(match[2]) == 0:
        raise wrong("must be W:H such as 16:9, 9:16 or 1:1, or auto")
    return f"{match[1]}:{match[2]}"


def resolution(value: object) -> object:
    """A lower-case tier: `720p`, `1080p`, `2k`; `1080` and `full hd` are read as `1080p`."""
    if not isinstance(value, str | int):
        return value
    text = _word_for(value, TIER_WORDS) or str(value).strip().lower()
    text = f"{text}p" if text.isdigit() else text
    if (instead := _pixels_instead(text)) is not None:
        raise wrong(instead)
    if _TIER.fullmatch(text) is None and text not in _NAMED_TIERS:
        raise wrong("must be a tier such as 480p, 720p, 1080p, 1k, 2k or 4k")
    return text


def size(value: object) -> object:
    """`WIDTHxHEIGHT` in pixels, or `auto`."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text == "auto":
        return text
    match = _PIXELS.fullmatch(text)
    if match is None:
        shape = _word_for(text, RATIO_WORDS) or (text if ":" in text and _RATIO.fullmatch(text) else None)
        also = "; for a tier use resolution" if _TIER.fullmatch(text) else ""
        also = f"; for a shape use aspect_ratio {shape}" if shape else also
        raise wrong(f"must be WIDTHxHEIGHT in pixels such as 1024x1024{also}")
    return f"{int(match[1])}x{int(match[2])}"


def output_format(value: object) -> object:
    """A format's usual name: `jpeg`, `png`, `mp3`."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower().removeprefix("image/").removeprefix("audio/").lstrip(".")
    return "jpeg" if text == "jpg" else text


def output_name(value: object) -> object:
    """A plain file name: no folders, nothing that a file system refuses."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if _UNSAFE_IN_NAMES.search(text) or text.startswith("."):
        raise wrong("must be a plain file name without folders, such as red-fox")
    if len(text) > NAME_CHARACTERS_MAX:
        raise wrong(f"may have at most {NAME_CHARACTERS_MAX} characters")
    return text


def task_id(value: object) -> object:
    """An id as tasks have it, also from `task:<task_id>#1`, and from the lower case of a kept file's name."""
    if not isinstance(value, str):
        return value
    text = value.strip().removeprefix("task:").partition("#")[0]
    return text.upper() if _ULID.fullmatch(text) else text


def several_ids(ids: list[str]) -> list[str]:
    """Each id once, and not too many."""
    distinct = list(dict.fromkeys(ids))
    if not distinct:
        raise wrong("must name at least one task")
    if len(distinct) > TASK_IDS_MAX:
        raise wrong(f"may name at most {TASK_IDS_MAX} tasks")
    return distinct


def capped_wait(value: object) -> object:
    """More than 45 s is waited as 45 s: the answer is a normal one either way, and the task goes on."""
    return value if cut_wait(value) is None else float(WAIT_SECONDS_MAX)


def cut_wait(value: object) -> float | None:
    """The seconds that were asked for, where they are more than are waited."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > WAIT_SECONDS_MAX else None


def name_of_a_field(value: str) -> str:
    """A name as things have them: a model, a provider, a voice."""
    if len(value) > NAME_LENGTH_MAX:
        raise wrong(f"may have at most {NAME_LENGTH_MAX} characters")
    return value


def bounded_text(value: str) -> str:
    """A text of a prompt's kind; what the model takes is checked when it is known."""
    if len(value) > TEXT_CHARACTERS_MAX:
        raise wrong(f"may have at most {TEXT_CHARACTERS_MAX} characters")
    return value


def bounded_options(options: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The gateway's own fields, in the size in which gateways have fields: they are journaled, and sent whole."""
    if is_deeper_than(options, OPTIONS_DEPTH_MAX):
        raise wrong(f"may be nested at most {OPTIONS_DEPTH_MAX} levels deep")
    if any(len(name) > NAME_LENGTH_MAX for name in _names_in(options)):
        raise wrong(f"may have names of at most {NAME_LENGTH_MAX} characters")
    size = len(json.dumps(options, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    if size > OPTIONS_BYTES_MAX:
        raise wrong(f"may have at most {OPTIONS_BYTES_MAX // 1024} KiB as JSON, not {-(-size // 1024)}")
    return options


def _names_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


Texts = Annotated[list[str], BeforeValidator(listed)]
Options = Annotated[dict[str, JsonValue], BeforeValidator(parsed_json), AfterValidator(bounded_options)]
Text = Annotated[str, BeforeValidator(stripped)]
Name = Annotated[str, BeforeValidator(stripped), AfterValidator(name_of_a_field)]
TaskId = Annotated[str, BeforeValidator(task_id)]
TaskIds = Annotated[list[TaskId], BeforeValidator(listed), AfterValidator(several_ids)]
Word = Annotated[str, BeforeValidator(lowered), AfterValidator(name_of_a_field)]
AspectRatio = Annotated[str, BeforeValidator(aspect_ratio)]
Resolution = Annotated[str, BeforeValidator(resolution)]
Size = Annotated[str, BeforeValidator(size)]
OutputFormat = Annotated[str, BeforeValidator(output_format)]
OutputName = Annotated[str, BeforeValidator(output_name)]
LongText = Annotated[str, AfterValidator(bounded_text)]
WaitSeconds = Annotated[float, Field(ge=0, le=WAIT_SECONDS_MAX), BeforeValidator(capped_wait)]
KindFilter = Annotated[Kind, BeforeValidator(lowered)]
