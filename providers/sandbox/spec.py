"""The render spec: everything that decides the bytes of the outputs, as JSON that a task's record can hold."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ...domain.errors import RequestRefused
from ...domain.request import GenerationRequest, Kind, MediaInput, MediaRole
from .frame_sizes import image_size, is_of_ratio, parse_size, video_size
from .steering import Steering, read_steering

FRAMES_PER_SECOND = 24
SPOKEN_CHARACTERS_PER_SECOND = 14.0
"""Pace of ordinary speech, from which the length of a sound without `duration_seconds` follows."""
SPOKEN_SECONDS_MIN = 2.0
DURATION_DEFAULT, DURATION_MAX = 5.0, 60.0
"""Seconds of a video that names none, and of the longest."""
VOICE_DEFAULT = "warm"

OutputFormat = Literal["mp4", "jpeg", "png", "webp", "wav", "mp3", "flac", "ogg"]

MIME_TYPES: dict[OutputFormat, str] = {
    "mp4": "video/mp4",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}


class InputMedium(BaseModel):
    """One input medium, without its bytes: `sha256` finds them in the sandbox's folder."""

    model_config = ConfigDict(frozen=True)

    role: MediaRole
    source: str
    sha256: str | None = None
    """Absent for a medium given by URL alone: the sandbox fetches nothing and shows its address instead."""


class RenderSpec(BaseModel):
    """Everything that decides the bytes of the outputs. Output N is drawn with `seed + N`."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    title: str
    seed: int
    count: int = 1
    output_format: OutputFormat
    quality: str = "auto"
    width: int = 0
    height: int = 0
    """Pixels, both even; 0 for sound."""
    duration_seconds: float = 0.0
    """0 for an image."""
    sound: bool = False
    """A video with a soundtrack."""
    marked: bool = True
    """The small slate line is drawn."""
    negative_prompt: str = ""
    voice: str = VOICE_DEFAULT
    language: str = ""
    speed: float = 1.0
    instructions: str = ""
    media: tuple[InputMedium, ...] = ()
    steering: Steering = Steering()

    @property
    def frames(self) -> int:
        """Number of pictures in a video, at 24 a second."""
        return max(1, round(self.duration_seconds * FRAMES_PER_SECOND))

    @property
    def mime_type(self) -> str:
        """Of every output."""
        return MIME_TYPES[self.output_format]


def spec_of(request: GenerationRequest) -> RenderSpec:
    """The render spec of a checked request; pure.

    Raises:
        RequestRefused: a size or steering word that cannot be; nothing was rendered.
    """
    title, steering = read_steering(request.prompt)
    seed = request.seed if request.seed is not None else derived_seed(title, request.media)
    media = tuple(InputMedium(role=m.role, source=m.source[:120], sha256=m.sha256 or _sha256(m)) for m in request.media)
    common = RenderSpec(
        kind=request.kind,
        title=title,
        seed=seed,
        count=steering.outputs if steering.outputs is not None else request.count or 1,
        output_format="mp4",
        negative_prompt=request.negative_prompt or "",
        media=media,
        steering=steering,
    )
    if request.kind == "video":
        return _video(request, common)
    if request.kind == "image":
        return _image(request, common)
    return _audio(request, common)


def derived_seed(title: str, media: tuple[MediaInput, ...]) -> int:
    """The seed of a request that names none: the same words over the same media give the same scene in any shape."""
    words = " ".join(title.casefold().split())
    hashes = [medium.sha256 or _sha256(medium) or medium.source for medium in media]
    digest = hashlib.sha256("\n".join([words, *hashes]).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def _video(request: GenerationRequest, common: RenderSpec) -> RenderSpec:
    width, height = _size(request, "16:9", "720p")
    return common.model_copy(
        update={
            "width": width,
            "height": height,
            "duration_seconds": request.duration_seconds or DURATION_DEFAULT,
            "sound": request.audio is not False,
            "marked": request.watermark is not False,
            "quality": (request.quality or "quality").lower(),
        }
    )


def _image(request: GenerationRequest, common: RenderSpec) -> RenderSpec:
    width, height = _size(request, "1:1", "1k")
    return common.model_copy(
        update={
            "width": width,
            "height": height,
            "output_format": (request.output_format or "jpeg").lower().replace("jpg", "jpeg"),
            "quality": (request.quality or "auto").lower(),
        }
    )


def _audio(request: GenerationRequest, common: RenderSpec) -> RenderSpec:
    speed = request.speed or 1.0
    spoken = len(common.title) / SPOKEN_CHARACTERS_PER_SECOND / speed
    duration = request.duration_seconds or min(max(spoken, SPOKEN_SECONDS_MIN), DURATION_MAX)
    return common.model_copy(
        update={
            "duration_seconds": round(duration, 3),
            "output_format": (request.output_format or "wav").lower(),
            "voice": (request.voice or VOICE_DEFAULT).lower(),
            "language": request.language or "",
            "speed": speed,
            "instructions": request.instructions or "",
        }
    )


def _size(request: GenerationRequest, ratio: str, resolution: str) -> tuple[int, int]:
    named = request.aspect_ratio if request.aspect_ratio != "auto" else None
    if request.size is None:
        shape = video_size if request.kind == "video" else image_size
        return shape(named or ratio, (request.resolution or resolution).lower())
    width, height = parse_size(request.size)
    if named is not None and not is_of_ratio(width, height, named):
        raise RequestRefused(
            "invalid_input", f"size {request.size} is not of aspect_ratio {named}; give only one of the two"
        )
    return width, height


def _sha256(medium: MediaInput) -> str | None:
    return hashlib.sha256(medium.data).hexdigest() if medium.data is not None else None
