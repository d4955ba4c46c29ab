"""The request: what the agent asked for, in our words, validated and immutable."""

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from .film import Film, FilmWish
from .media_types import Kind as Kind
from .value import Value

Purpose = Literal["speech", "music", "sound"]
"""What audio is for: a text read aloud, a brief set to music, a noise or an atmosphere."""

MediaRole = Literal[
    "image",
    "last_frame",
    "reference_image",
    "reference_video",
    "reference_audio",
    "input_image",
    "mask",
    "shot",
    "sound",
]
"""`image` is a video's first frame; `input_image` is one of an image request's `images`; a film has shots
and sounds."""

KIND_OF_ROLE: Mapping[MediaRole, Kind] = {
    "image": "image",
    "last_frame": "image",
    "reference_image": "image",
    "reference_video": "video",
    "reference_audio": "audio",
    "input_image": "image",
    "mask": "image",
    "shot": "video",
    "sound": "audio",
}
"""What a medium of each role is."""

Operation = Literal["text", "first_frame", "first_last_frame", "references", "frames_and_references", "edit", "inpaint"]
"""What is generated from what. Video: text, first_frame, first_last_frame, references. Image: text, edit, inpaint
(with a mask). Audio: text."""


class MediaInput(Value):
    """One input medium, resolved: where it came from, and its bytes if rushes holds them.

    `data` never enters a record, a log or a result (it is excluded from every dump); `sha256` stands for it.
    """

    role: MediaRole
    source: str
    """What the agent gave, shortened: the URL, the path, `task:<id>#1`, or `data:image/png (12345 bytes)`."""
    given: str | None = None
    """What names it again: the path, or `task:<id>#1` (`@last`, `@2.5`: a frame); none for a URL or mere bytes."""
    url: str | None = None
    """An https URL that a gateway can fetch, where there is one."""
    mime_type: str | None = None
    """Known for bytes that rushes holds (by their magic bytes), unknown for a plain URL."""
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    """In pixels, of a picture whose bytes rushes holds."""
    sha256: str | None = None
    data: bytes | None = Field(default=None, exclude=True, repr=False)

    @property
    def again(self) -> str | None:
        """What a call would name it by; `None` where it came as bytes that nobody kept."""
        return self.given or self.url

    @property
    def awaited(self) -> bool:
        """Whether it is the output of a task that has still to make it."""
        return self.given is not None and self.url is None and self.sha256 is None


class GenerationRequest(Value):
    """One generation as asked for. `None` means not asked, so it is not sent to a gateway."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    prompt: str
    model: str = "auto"
    seed: int | None = None
    count: int | None = None
    provider_options: dict[str, JsonValue] = Field(default_factory=dict)
    """Passed to the gateway under its own names."""

    duration_seconds: float | None = None
    aspect_ratio: str | None = None
    """`W:H`, such as `16:9`, or `auto`."""
    resolution: str | None = None
    """Lower-case tier: `480p`, `720p`, `1080p`, `4k` (video); `1k`, `2k`, `4k` (image)."""
    size: str | None = None
    """`WIDTHxHEIGHT` in pixels."""
    audio: bool | None = None
    negative_prompt: str | None = None
    watermark: bool | None = None
    quality: str | None = None
    output_format: str | None = None
    voice: str | None = None
    language: str | None = None
    speed: float | None = None
    instructions: str | None = None
    purpose: Purpose | None = None
    """Decides which models make it; it is no input of any of them."""
    media: tuple[MediaInput, ...] = ()
    film: Film | None = None
    """What is assembled from the media; only where nothing is generated."""
    film_wish: FilmWish | None = None
    """The same as it was asked for, while a shot or sound of it is still being made."""

    def media_of(self, role: MediaRole) -> tuple[MediaInput, ...]:
        """The input media with this role, in the order given."""
        return tuple(medium for medium in self.media if medium.role == role) if self.media else ()

    @property
    def operation(self) -> Operation:
        """What is generated from what, told by the input media alone."""
        if not self.media:
            return "text"
        roles = {medium.role for medium in self.media}
        if self.kind == "image":
            return "inpaint" if "mask" in roles else "edit" if roles else "text"
        frames = roles & {"image", "last_frame"}
        references = roles & {"reference_image", "reference_video", "reference_audio"}
        if frames and references:
            return "frames_and_references"
        if references:
            return "references"
        if frames:
            return "first_last_frame" if "last_frame" in frames else "first_frame"
        return "text"


_NO_ASKED_INPUTS = frozenset({"kind", "prompt", "model", "provider_options", "media", "purpose", "film", "film_wish"})
_ASKED_INPUTS = tuple(name for name in GenerationRequest.model_fields if name not in _NO_ASKED_INPUTS)
"""All of them numbers and texts, so that they need not be dumped to be JSON."""


def asked_inputs(request: GenerationRequest) -> dict[str, JsonValue]:
    """The optional inputs that were asked for, under the tools' names; without model, purpose, options and media."""
    return {name: value for name in _ASKED_INPUTS if (value := getattr(request, name)) is not None}
