"""What LLMGateway's page on video generation, and its source, say of requests and models."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from .checks import Documented

Size = Literal[
    "848x480", "854x480", "480x854", "1280x720", "720x1280", "1696x960", "1366x768", "768x1366", "1920x1080",
    "1080x1920", "3840x2160", "2160x3840", "1792x1024", "1024x1792",
]  # fmt: skip

_HttpsUrl = Annotated[str, Field(pattern=r"^https://")]


class _ImageObject(Documented):
    image_url: str


class _VideoObject(Documented):
    video_url: _HttpsUrl


class _AudioObject(Documented):
    audio_url: _HttpsUrl


_Image = str | _ImageObject


class CreateVideo(Documented):
    prompt: Annotated[str, Field(min_length=1)]
    seconds: Annotated[int, Field(ge=1)]
    model: str = "veo-3.1-generate-preview"
    size: Size = "1280x720"
    audio: bool = True
    n: int = 1
    image: _Image = ""
    last_frame: _Image = ""
    input_reference: _Image | Annotated[list[_Image], Field(min_length=1)] = ""
    reference_images: Annotated[list[_Image], Field(min_length=1, max_length=9)] = Field(default_factory=list[_Image])
    reference_videos: Annotated[list[_HttpsUrl | _VideoObject], Field(min_length=1, max_length=3)] = Field(
        default_factory=list[_HttpsUrl | _VideoObject]
    )
    reference_audios: Annotated[list[_HttpsUrl | _AudioObject], Field(min_length=1, max_length=3)] = Field(
        default_factory=list[_HttpsUrl | _AudioObject]
    )
    callback_url: Annotated[str, Field(pattern=r"^https?://")] = ""
    callback_secret: Annotated[str, Field(min_length=1)] = "-"


class CreateImage(Documented):
    prompt: Annotated[str, Field(min_length=1)]
    model: str = "auto"
    n: Annotated[int, Field(ge=1, le=10)] = 1
    size: str = "auto"
    quality: str = "auto"
    moderation: str = "auto"
    response_format: Literal["b64_json"] = "b64_json"
    style: str = "vivid"


class _EditInput(Documented):
    image_url: Annotated[str, Field(pattern=r"^(https://|data:image/)")]


class EditImage(Documented):
    images: Annotated[list[_EditInput], Field(min_length=1)]
    prompt: Annotated[str, Field(min_length=1)]
    model: str = "auto"
    background: str = "auto"
    input_fidelity: str = "low"
    n: Annotated[int, Field(ge=1, le=10)] = 1
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: Annotated[int, Field(ge=0, le=100)] = 100
    quality: str = "auto"
    moderation: str = "auto"
    size: str = "auto"
    aspect_ratio: str = "1:1"


class CreateSpeech(Documented):
    model: Annotated[str, Field(min_length=1)]
    input: Annotated[str, Field(min_length=1)]
    voice: str = "alloy"
    response_format: Literal["wav", "pcm", "mp3", "opus", "aac", "flac"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1
    instructions: str = ""


@dataclass(frozen=True)
class Family:
    """One row of the page's table of models."""

    pattern: str
    provider: str
    sizes: tuple[str, ...]
    seconds: tuple[int, ...]
    references: bool = False
    needs_audio: bool = False

    @property
    def model(self) -> str:
        """The id in the list of models."""
        return self.pattern.replace("\\", "").replace("(-pro)?", "")

    def has_size(self, size: str) -> bool:
        return size in self.sizes


_P480: Final = ("848x480", "854x480", "480x854")
_P720: Final = ("1280x720", "720x1280")
_P1080: Final = ("1920x1080", "1080x1920")
_P4K: Final = ("3840x2160", "2160x3840")

FAMILIES: Final = (
    Family(r"veo-3\.1-generate-preview", "google-vertex", (*_P720, *_P1080, *_P4K), (4, 6, 8, 10), references=True),
    Family(r"veo-3\.1-fast-generate-preview", "google-vertex", (*_P720, *_P1080, *_P4K), (4, 6, 8, 10)),
    Family(r"seedance-2-5", "bytedance", (*_P480, *_P720, *_P1080), tuple(range(4, 31)), references=True),
    Family(r"seedance-2-0", "bytedance", (*_P720, *_P1080), tuple(range(4, 16)), references=True),
    Family(r"seedance-2-0-fast", "bytedance", _P720, tuple(range(4, 16)), references=True),
    Family(r"seedance-2-0-mini", "bytedance", (*_P480, *_P720), tuple(range(4, 16)), references=True),
    Family(r"seedance-1-5-pro", "bytedance", (*_P720, *_P1080), (5, 10)),
    Family(r"kling-v3-0", "atlascloud", (*_P720, *_P1080, *_P4K), (5, 10)),
    Family(r"kling-v3-0-turbo", "atlascloud", (*_P720, *_P1080), (5, 10), needs_audio=True),
    Family(r"sora-2(-pro)?", "openai", (*_P720, "1792x1024", "1024x1792"), (4, 8, 12), references=True),
)


def family_of(model: str) -> Family | None:
    """The row of a model id, with or without a provider in front."""
    name = model.rpartition("/")[2]
    return next((family for family in FAMILIES if re.fullmatch(family.pattern, name)), None)


def _references(body: dict[str, JsonValue]) -> list[JsonValue]:
    found: list[JsonValue] = []
    for name in ("input_reference", "reference_images"):
        value = body.get(name, [])
        found += value if isinstance(value, list) else [value]
    return found


def _addresses(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [str(item) for item in value.values()]
    return [text for item in value for text in _addresses(item)] if isinstance(value, list) else []


def media_problem(body: dict[str, JsonValue]) -> str:
    """What is wrong with the input images: https addresses and data URLs are taken."""
    images = [body.get(name) for name in ("image", "last_frame", "input_reference", "reference_images")]
    bad = [text for text in _addresses(images) if not text.startswith(("https://", "data:image/"))]
    return f"Invalid image input: {bad[0][:40]}" if bad else ""


def combination_problem(body: dict[str, JsonValue]) -> str:
    """What the page forbids across fields, whatever the model."""
    media_references = [name for name in ("reference_videos", "reference_audios") if name in body]
    if body.get("n", 1) != 1:
        return "n must be 1"
    if ("callback_url" in body) != ("callback_secret" in body):
        return "callback_url and callback_secret must be given together"
    if "last_frame" in body and "image" not in body:
        return "last_frame requires image"
    if "input_reference" in body and "reference_images" in body:
        return "input_reference and reference_images are the same"
    if ("image" in body or "last_frame" in body) and (_references(body) or media_references):
        return "frames and references exclude each other"
    return ""


def model_problem(body: dict[str, JsonValue], family: Family) -> str:
    """What this model's row does not allow."""
    name = str(body.get("model", "veo-3.1-generate-preview")).rpartition("/")[2]
    references = len(_references(body))
    seedance = name.startswith("seedance-2")
    checks = {
        "size": family.has_size(str(body.get("size", "1280x720"))),
        "seconds": body.get("seconds") in family.seconds,
        "audio": body.get("audio", True) is True or not family.needs_audio,
        "reference_images": references == 0 or (family.references and (references <= 3 or seedance)),
        "reference_videos": "reference_videos" not in body or seedance,
        "reference_audios": "reference_audios" not in body or seedance,
        "references need 8 seconds": not (references and name.startswith("veo")) or body.get("seconds") == 8,
        "one reference": not name.startswith("sora") or references <= 1,
        "no frames": not name.startswith("sora") or "image" not in body,
    }
    wrong = [what for what, fine in checks.items() if not fine]
    return f"Requested parameters are not supported for {name}: {wrong[0]}" if wrong else ""
