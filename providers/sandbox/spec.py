"""The render spec: everything that decides the bytes of the outputs, as JSON that a task's record can hold."""

import hashlib
import math
import re
from typing import Literal

from ...domain.errors import RequestRefused
from ...domain.request import GenerationRequest, Kind, MediaInput, MediaRole
from ...domain.value import Value
from .steering import Steering, read_steering

FRAMES_PER_SECOND = 24
SPOKEN_CHARACTERS_PER_SECOND, SPOKEN_SECONDS_MIN = 14.0, 2.0
"""Pace of ordinary speech, from which the length of a sound without `duration_seconds` follows."""
DURATION_DEFAULT, DURATION_MAX = 5.0, 60.0
"""Seconds of a video that names none, and of the longest."""
VIDEO_LINES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
"""The shorter side of a video, in pixels."""
IMAGE_SIDES = {"1k": 1024, "2k": 2048, "4k": 4096}
"""The side of a square image, in pixels; other ratios have the same area."""
SIDE_MIN, SIDE_MAX, RATIO_MAX = 64, 4096, 4
VIDEO_SIDE_MAX = 3840
"""More, and players cannot decode it."""

OutputFormat = Literal["mp4", "jpeg", "png", "webp", "wav", "mp3", "flac", "ogg"]
_FORMATS: dict[Kind, OutputFormat] = {"video": "mp4", "image": "jpeg", "audio": "wav"}
"""Unless another is asked for."""


class InputMedium(Value):
    """One input medium, without its bytes: `sha256` finds them in the sandbox's folder."""

    role: MediaRole
    source: str
    sha256: str | None = None
    """Absent for a medium given by URL alone: the sandbox fetches nothing and shows its address instead."""

    @property
    def is_seen(self) -> bool:
        """It is shown as a picture, and not only named."""
        return self.sha256 is not None and self.role not in ("reference_audio", "reference_video")


class RenderSpec(Value):
    """One render."""

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
    marked: bool = True
    """The small slate line is drawn."""
    negative_prompt: str = ""
    media: tuple[InputMedium, ...] = ()
    steering: Steering = Steering()

    @property
    def frames(self) -> int:
        """Number of pictures in a video, at 24 a second."""
        return max(1, round(self.duration_seconds * FRAMES_PER_SECOND))

    @property
    def mime_type(self) -> str:
        """Of every output."""
        return f"{self.kind}/{self.output_format.replace('mp3', 'mpeg')}"


def spec_of(request: GenerationRequest) -> RenderSpec:
    """The render spec of a checked request; pure.

    Raises:
        RequestRefused: a size or steering word that cannot be; nothing was rendered.
    """
    title, steering = read_steering(request.prompt)
    width, height = size_of(request)
    return RenderSpec.model_validate(
        {
            "kind": request.kind,
            "title": title,
            "seed": request.seed if request.seed is not None else derived_seed(title, request.media),
            "count": steering.outputs if steering.outputs is not None else request.count or 1,
            "output_format": (request.output_format or _FORMATS[request.kind]).lower().replace("jpg", "jpeg"),
            "quality": (request.quality or "auto").lower(),
            "width": width,
            "height": height,
            "duration_seconds": _seconds(request, title),
            "sound": request.kind == "video" and request.audio is not False,
            "marked": request.watermark is not False,
            "negative_prompt": request.negative_prompt or "",
            "media": [InputMedium(role=m.role, source=m.source[:120], sha256=_sha256(m)) for m in request.media],
            "steering": steering,
        }
    )


def derived_seed(title: str, media: tuple[MediaInput, ...]) -> int:
    """The seed of a request that names none: the same words over the same media give the same scene in any shape."""
    parts = [" ".join(title.casefold().split()), *(_sha256(medium) or medium.source for medium in media)]
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def _seconds(request: GenerationRequest, title: str) -> float:
    if request.kind == "image":
        return 0.0
    spoken = len(title) / SPOKEN_CHARACTERS_PER_SECOND / (request.speed or 1.0)
    usual = DURATION_DEFAULT if request.kind == "video" else min(max(spoken, SPOKEN_SECONDS_MIN), DURATION_MAX)
    return round(request.duration_seconds or usual, 3)


def size_of(request: GenerationRequest) -> tuple[int, int]:
    """Width and height in pixels, both even: of a video by its shorter side, of an image by its area; 0 for sound.

    Raises:
        RequestRefused: the size is given twice, not as `WIDTHxHEIGHT`, or out of bounds (`invalid_input`).
    """
    if request.kind == "audio":
        return 0, 0
    ratio = request.aspect_ratio if request.aspect_ratio != "auto" else None
    if request.size is not None:
        if ratio is not None:
            raise RequestRefused("invalid_input", "size and aspect_ratio are both given; give only one of the two")
        match = re.fullmatch(r"\s*(\d{1,5})\s*[xX*]\s*(\d{1,5})\s*", request.size, re.ASCII)
        width, height = (int(match[1]), int(match[2])) if match else (0, 0)
        longer, shorter = max(width, height), min(width, height)
        if shorter < SIDE_MIN or longer > min(SIDE_MAX, RATIO_MAX * shorter):
            right = f"WIDTHxHEIGHT, such as 1024x768, each side {SIDE_MIN} to {SIDE_MAX} pixels"
            wrong = f"size is {request.size[:40]!r}; write {right} and one at most {RATIO_MAX} times the other"
            raise RequestRefused("invalid_input", wrong)
        return width & ~1, height & ~1
    across, down = (int(part) for part in (ratio or ("16:9" if request.kind == "video" else "1:1")).split(":"))
    if request.kind == "video":
        lines = VIDEO_LINES[(request.resolution or "720p").lower()]
        unit = min(lines / min(across, down), VIDEO_SIDE_MAX / max(across, down))
    else:
        unit = IMAGE_SIDES[(request.resolution or "1k").lower()] / math.sqrt(across * down)
    return 2 * round(unit * across / 2), 2 * round(unit * down / 2)


def _sha256(medium: MediaInput) -> str | None:
    return medium.sha256 or (hashlib.sha256(medium.data).hexdigest() if medium.data is not None else None)
