"""The everyday requests, as an agent calls the tools."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest, MediaInput
from rushes.tools import GenerateAudio, GenerateImage, GenerateVideo, wish_of

FRAME = "https://example.com/first.png"
LAST = "https://example.com/last.png"
PICTURE = "https://example.com/picture.png"
MASK = "https://example.com/mask.png"


@dataclass(frozen=True)
class Everyday:
    """One request: what a person says, and the call it becomes."""

    words: str
    tool: str
    arguments: Mapping[str, JsonValue]


def _video(words: str, **arguments: JsonValue) -> Everyday:
    return Everyday(words, "generate_video", {"prompt": "a red fox runs through snow", **arguments})


def _image(words: str, **arguments: JsonValue) -> Everyday:
    return Everyday(words, "generate_image", {"prompt": "a lighthouse in a storm", **arguments})


def _audio(words: str, prompt: str, **arguments: JsonValue) -> Everyday:
    return Everyday(words, "generate_audio", {"prompt": prompt, **arguments})


EVERYDAY: tuple[Everyday, ...] = (
    _video("5 s", duration_seconds=5),
    _video("5 s from an image", duration_seconds=5, image=FRAME),
    _video("8 s, 9:16", duration_seconds=8, aspect_ratio="9:16"),
    _video("720p", resolution="720p"),
    _video("1080p", resolution="1080p"),
    _video("480p", resolution="480p"),
    _video("15 s", duration_seconds=15),
    _video("1:1", aspect_ratio="1:1"),
    _video("21:9", aspect_ratio="21:9"),
    _video("with sound", audio=True),
    _video("silent", audio=False),
    _video("with a last frame", image=FRAME, last_frame=LAST),
    _video("references", reference_images=[PICTURE, FRAME]),
    _image("image 16:9", aspect_ratio="16:9"),
    _image("image 1k", resolution="1k"),
    _image("edit with a mask", images=[PICTURE], mask=MASK),
    _image("png", output_format="png"),
    _audio("speech", "Good evening. The storm has passed.", purpose="speech"),
    _audio("music", "gentle lonely music box and strings, hopeful ending", purpose="music"),
    _audio("sound", "rain on a tin roof, distant thunder", purpose="sound"),
    _video("seed", seed=7),
    _video("negative prompt", negative_prompt="people"),
    _image("two at once", count=2),
    _video("watermark off", watermark=False),
)

INPUTS: dict[str, type[GenerateVideo | GenerateImage | GenerateAudio]] = {
    "generate_video": GenerateVideo,
    "generate_image": GenerateImage,
    "generate_audio": GenerateAudio,
}


def request_of(asked: Everyday) -> GenerationRequest:
    """What the heart makes of the call."""
    wish = wish_of(INPUTS[asked.tool].model_validate(asked.arguments), principal=LOCAL, local_files=False)
    media = tuple(MediaInput(role=each.role, source=each.text, url=each.text) for each in wish.media)
    return wish.request.model_copy(update={"media": media})
