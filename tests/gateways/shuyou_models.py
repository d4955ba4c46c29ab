"""What Shuyou's model pages say of each model's `input`, field by field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from .checks import Flaw, Inspection

Function = Literal["image", "video", "audio"]
Check = Callable[[JsonValue], str]
"""What is wrong with a value; empty if nothing is."""


def _one_of(*values: str | int) -> Check:
    def check(value: JsonValue) -> str:
        same = any(value == allowed and type(value) is type(allowed) for allowed in values)
        return "" if same else f"must be one of {', '.join(map(str, values))}"

    return check


def _between(first: float, last: float) -> Check:
    kinds = (int,) if isinstance(first, int) else (int, float)

    def check(value: JsonValue) -> str:
        fits = isinstance(value, kinds) and not isinstance(value, bool) and first <= value <= last
        return "" if fits else f"must be a number from {first} to {last}"

    return check


def _text(longest: int = 32_000) -> Check:
    def check(value: JsonValue) -> str:
        return "" if isinstance(value, str) and 1 <= len(value) <= longest else f"must be 1 to {longest} characters"

    return check


def _is_url(value: JsonValue) -> bool:
    return isinstance(value, str) and re.match(r"https?://", value) is not None


def _url(value: JsonValue) -> str:
    return "" if _is_url(value) else "must be an address"


def _urls(most: int) -> Check:
    def check(value: JsonValue) -> str:
        fits = isinstance(value, list) and len(value) <= most and all(_is_url(item) for item in value)
        return "" if fits else f"must be a list of at most {most} addresses"

    return check


def _flag(value: JsonValue) -> str:
    return "" if isinstance(value, bool) else "must be a boolean"


_WIDE: Final = _one_of("16:9", "9:16")
_FRAMES: Final = {"first_frame_url": _url, "last_frame_url": _url}
_VEO_LITE: Final = {
    "aspect_ratio": _WIDE,
    "resolution": _one_of("720P", "1080P"),
    "duration": _one_of(4, 6, 8),
    "generate_audio": _flag,
    "negative_prompt": _text(),
    **_FRAMES,
}
_VEO_FAST: Final = {**_VEO_LITE, "resolution": _one_of("720P", "1080P", "4K")}
_SORA: Final = {
    "aspect_ratio": _WIDE,
    "resolution": _one_of("720P"),
    "duration": _one_of(4, 8, 12),
    "first_frame_url": _url,
}
_SEEDANCE: Final = {
    "aspect_ratio": _one_of("16:9", "9:16", "1:1", "3:4", "4:3", "21:9"),
    "resolution": _one_of("480P", "720P", "1080P"),
    "duration": _between(4, 15),
    "generate_audio": _flag,
    "reference_image_urls": _urls(9),
    "reference_video_urls": _urls(3),
    "reference_audio_urls": _urls(3),
    **_FRAMES,
}
_HAPPYHORSE: Final = {"resolution": _one_of("720P", "1080P"), "duration": _between(3, 15), "watermark": _flag}
_GEMINI_IMAGE: Final = {
    "aspect_ratio": _text(),
    "image_urls": _urls(14),
    "num_images": _between(1, 10),
    "output_format": _one_of("png", "jpeg", "webp"),
}
_INWORLD: Final = {"voice": _text()}


@dataclass(frozen=True)
class ShuyouModel:
    """One model: its function, the longest prompt in characters, and its fields; `needed` must be there."""

    function: Function
    prompt_max: int
    fields: Mapping[str, Check]
    needed: tuple[str, ...] = ()
    duration_default: int = 5

    def inspect(self, inputs: Mapping[str, JsonValue]) -> Inspection:
        """What `input` has that the page does not know, what it refuses, and what is missing."""
        fields = {"prompt": _text(self.prompt_max), **self.fields}
        found = Inspection(unknown=[name for name in inputs if name not in fields])
        for name in ("prompt", *self.needed):
            if name not in inputs:
                found.wrong.append(Flaw(name, f"{name} is required", missing=True))
        for name, check in fields.items():
            problem = check(inputs[name]) if name in inputs else ""
            if problem:
                found.wrong.append(Flaw(name, problem, missing=False))
        return found


def _video(prompt_max: int, fields: Mapping[str, Check], duration_default: int = 5) -> ShuyouModel:
    return ShuyouModel("video", prompt_max, fields, duration_default=duration_default)


MODELS: Final[Mapping[str, ShuyouModel]] = {
    "veo-3.1-generate-preview": _video(1000, {**_VEO_FAST, "reference_image_urls": _urls(3)}, 8),
    "veo-3.1-fast-generate-preview": _video(1000, _VEO_FAST, 8),
    "veo-3.1-lite-generate-preview": _video(1000, _VEO_LITE, 8),
    "sora-2": _video(32_000, _SORA, 4),
    "sora-2-pro": _video(32_000, {**_SORA, "resolution": _one_of("720P", "1080P")}, 4),
    "kling-v3-video": _video(
        2500,
        {
            "aspect_ratio": _one_of("16:9", "9:16", "1:1"),
            "resolution": _one_of("standard", "pro"),
            "duration": _between(3, 15),
            "generate_audio": _flag,
            **_FRAMES,
        },
    ),
    "gen4.5": _video(
        1000,
        {
            "aspect_ratio": _one_of("16:9", "9:16", "4:3", "3:4", "1:1", "21:9"),
            "duration": _one_of(5, 10),
            "first_frame_url": _url,
        },
    ),
    "grok-imagine-video": _video(
        10_000,
        {
            "aspect_ratio": _one_of("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"),
            "resolution": _one_of("480P", "720P"),
            "duration": _between(1, 15),
            "first_frame_url": _url,
            "reference_image_urls": _urls(3),
        },
        8,
    ),
    "doubao-seedance-2.0": _video(1000, _SEEDANCE, 15),
    "doubao-seedance-2.0-fast": _video(1000, {**_SEEDANCE, "resolution": _one_of("480P", "720P")}, 15),
    "happyhorse-1.0-t2v": _video(2500, _HAPPYHORSE),
    "happyhorse-1.0-i2v": _video(2500, {**_HAPPYHORSE, "first_frame_url": _url}),
    "happyhorse-1.0-r2v": _video(2500, {**_HAPPYHORSE, "reference_image_urls": _urls(9)}),
    "happyhorse-1.0-video-edit": _video(
        2500,
        {
            "resolution": _one_of("720P", "1080P"),
            "watermark": _flag,
            "reference_image_urls": _urls(5),
            "reference_video_urls": _urls(1),
        },
    ),
    "gemini-2.5-flash-image": ShuyouModel("image", 8000, _GEMINI_IMAGE),
    "gemini-3-pro-image-preview": ShuyouModel(
        "image", 32_000, {**_GEMINI_IMAGE, "resolution": _one_of("1K", "2K", "4K")}
    ),
    "gemini-3.1-flash-image-preview": ShuyouModel(
        "image", 32_000, {**_GEMINI_IMAGE, "resolution": _one_of("0.5K", "1K", "2K", "4K")}
    ),
    "gpt-image-2": ShuyouModel(
        "image",
        32_000,
        {
            "image_urls": _urls(16),
            "mask_url": _url,
            "size": _text(),
            "aspect_ratio": _text(),
            "resolution": _one_of("1K", "2K", "4K"),
            "quality": _one_of("low", "medium", "high"),
            "n": _between(1, 10),
            "num_images": _between(1, 10),
            "output_format": _one_of("png", "jpeg", "webp"),
        },
    ),
    "qwen3-tts-flash": ShuyouModel("audio", 10_000, {"voice": _text(), "language": _text()}),
    "gemini-3.1-flash-tts-preview": ShuyouModel(
        "audio",
        32_000,
        {
            "style_instructions": _text(1000),
            "voice": _text(),
            "language": _text(),
            "output_format": _one_of("mp3", "wav", "ogg_opus"),
        },
    ),
    "speech-2.8-hd": ShuyouModel(
        "audio",
        10_000,
        {
            "voice": _text(),
            "speed": _between(0.5, 2),
            "volume": _between(0.0, 10),
            "pitch": _between(-12, 12),
            "emotion": _text(),
            "format": _one_of("mp3", "wav", "flac", "pcm"),
            "language": _text(),
            "english_normalization": _flag,
        },
        needed=("voice",),
    ),
    "inworld-tts-1.5-max": ShuyouModel("audio", 2000, _INWORLD),
    "inworld-tts-1.5-mini": ShuyouModel("audio", 2000, _INWORLD),
}
