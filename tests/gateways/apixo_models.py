"""What APIXO's model pages say of each model's `input`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, JsonValue

from .checks import Documented
from .jobs import Shape

Prompt = Annotated[str, Field(min_length=1, max_length=10_000)]
Urls = Annotated[list[str], Field(min_length=1)]


class VeoInput(Documented):
    mode: Literal["quality", "fast"]
    prompt: Prompt
    generationType: Literal["TEXT_2_VIDEO", "FIRST_AND_LAST_FRAMES_2_VIDEO", "REFERENCE_2_VIDEO"]  # noqa: N815
    aspect_ratio: Literal["16:9", "9:16", "auto"] = "16:9"
    image_urls: Urls = Field(default_factory=list[str])
    watermark: str = ""
    seed: int = 0


class SoraInput(Documented):
    mode: Literal["text-to-video", "image-to-video"]
    prompt: Prompt
    duration: int = 10
    aspect_ratio: Literal["landscape", "portrait"] = "landscape"
    image_urls: Urls = Field(default_factory=list[str])
    remove_watermark: bool = True


class SoraProInput(SoraInput):
    size: Annotated[str, Field(pattern=r"^\d+\*\d+$")] = "1280*720"
    resolution: str = "1080p"


class KlingInput(Documented):
    mode: Literal["standard-image-to-video", "pro-image-to-video", "master-image-to-video", "master-text-to-video"]
    prompt: Annotated[str, Field(min_length=1, max_length=5000)]
    duration: Literal[5, 10] = 5
    image_urls: Annotated[list[str], Field(min_length=1, max_length=2)] = Field(default_factory=list[str])
    aspect_ratio: Literal["16:9", "9:16", "1:1"] = "16:9"
    negative_prompt: Annotated[str, Field(max_length=500)] = ""
    cfg_scale: Annotated[float, Field(ge=0, le=1)] = 0.5


class SunoInput(Documented):
    mode: Literal["V4", "V4_5", "V4_5ALL", "V4_5PLUS", "V5"]
    customMode: bool = False  # noqa: N815
    instrumental: bool = False
    prompt: Annotated[str, Field(max_length=5000)] = ""
    style: Annotated[str, Field(max_length=1000)] = ""
    title: Annotated[str, Field(max_length=80)] = ""
    vocalGender: Literal["m", "f"] = "f"  # noqa: N815


class ImageInput(Documented):
    mode: Literal["text-to-image", "image-to-image"]
    prompt: Prompt
    aspect_ratio: str = "1:1"
    resolution: str = "1K"
    output_format: Literal["jpeg", "png"] = "png"
    image_urls: Urls = Field(default_factory=list[str])


Inputs = Mapping[str, JsonValue]


def _no_rule(inputs: Inputs) -> str:
    return ""


def _count(inputs: Inputs) -> int:
    images = inputs.get("image_urls")
    return len(images) if isinstance(images, list) else 0


def _veo_rule(inputs: Inputs) -> str:
    kind, images = inputs.get("generationType"), _count(inputs)
    if kind == "TEXT_2_VIDEO":
        return "TEXT_2_VIDEO takes no image_urls" if images else ""
    if not images:
        return f"image_urls is required for {kind}"
    if kind == "FIRST_AND_LAST_FRAMES_2_VIDEO":
        return "at most 2 image_urls" if images > 2 else ""
    if inputs.get("mode") != "fast" or inputs.get("aspect_ratio", "16:9") != "16:9":
        return "REFERENCE_2_VIDEO requires fast mode and aspect_ratio 16:9"
    return "at most 3 image_urls" if images > 3 else ""


def _image_mode_rule(inputs: Inputs) -> str:
    needs = str(inputs.get("mode")).endswith(("image-to-video", "image-to-image"))
    if needs and not _count(inputs):
        return f"image_urls is required for {inputs.get('mode')}"
    return ""


def _suno_rule(inputs: Inputs) -> str:
    if inputs.get("customMode") is not True and len(str(inputs.get("prompt", ""))) > 500:
        return "prompt is at most 500 characters when customMode is false"
    return ""


def _video_shape(inputs: Inputs) -> Shape:
    ratio = {"auto": "16:9", "landscape": "16:9", "portrait": "9:16"}
    asked = str(inputs.get("aspect_ratio", "16:9"))
    duration = inputs.get("duration", 8)
    return Shape("video", "mp4", 1, ratio.get(asked, asked), duration if isinstance(duration, int) else 8)


def _image_shape(inputs: Inputs) -> Shape:
    return Shape("image", str(inputs.get("output_format", "png")), 1, str(inputs.get("aspect_ratio", "1:1")))


def _suno_shape(inputs: Inputs) -> Shape:
    return Shape("audio", "mp3", 2, duration_seconds=2)


@dataclass(frozen=True)
class ApixoModel:
    inputs: type[BaseModel]
    shape: Callable[[Inputs], Shape]
    rule: Callable[[Inputs], str] = _no_rule
    official_only: bool = False


_IMAGE: Final = ApixoModel(ImageInput, _image_shape, _image_mode_rule)
_IMAGE_IDS: Final = (
    "nano-banana", "nano-banana-pro", "nano-banana-2", "gpt-image-1", "gpt-image-2", "flux-2",
    "seedream-4-0", "seedream-4-5", "seedream-5-0", "qwen-image", "midjourney",
)  # fmt: skip

MODELS: Final[Mapping[str, ApixoModel]] = {
    "veo-3-1": ApixoModel(VeoInput, _video_shape, _veo_rule),
    "sora-2": ApixoModel(SoraInput, _video_shape, _image_mode_rule, official_only=True),
    "sora-2-pro": ApixoModel(SoraProInput, _video_shape, _image_mode_rule, official_only=True),
    "kling-2-1": ApixoModel(KlingInput, _video_shape, _image_mode_rule),
    "suno": ApixoModel(SunoInput, _suno_shape, _suno_rule),
    **dict.fromkeys(_IMAGE_IDS, _IMAGE),
}
