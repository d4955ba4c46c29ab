"""What the sandbox's three models accept."""

from ...domain.model_facts import ModelFacts, OperationFacts
from .sizes import ASPECT_RATIOS, IMAGE_SIDES, VIDEO_LINES

STEERING_NOTE = (
    "Renders locally, free and without a key. Steering words in the prompt: [fail:REASON], [refuse:REASON], [lost], "
    "[slow:SECONDS], [outputs:N], [expire]."
)
"""What a list of models says about the sandbox."""

VOICES = ("warm", "bell", "glass", "reed")
"""The first is the one of a request that names none."""
SPEED_MIN, SPEED_MAX = 0.25, 4.0
DURATION_MIN, DURATION_MAX = 1.0, 60.0
IMAGE_FORMATS = ("jpeg", "png", "webp", "jpg")
AUDIO_FORMATS = ("wav", "mp3", "flac", "ogg")
COUNT_MAX = 4
PROMPT_CHARACTERS_MAX = 4000
DEADLINE_SECONDS = 7200.0
"""Generous: four minutes of 4k video on a slow machine still end before it."""

_SOURCE = "rushes: the built-in sandbox. " + STEERING_NOTE
_ANY_RATIO = (*ASPECT_RATIOS, "auto")

VIDEO = ModelFacts(
    id="sandbox-video",
    name="sandbox-video",
    kind="video",
    aliases=("sandbox",),
    source=_SOURCE,
    inputs=(
        "seed", "count", "duration_seconds", "aspect_ratio", "resolution", "audio", "negative_prompt", "watermark",
        "quality", "output_format", "image", "last_frame", "reference_images", "reference_videos", "reference_audios",
    ),
    operations={
        "text": OperationFacts(),
        "first_frame": OperationFacts(),
        "first_last_frame": OperationFacts(),
        "references": OperationFacts(),
        "frames_and_references": OperationFacts(),
    },
    aspect_ratios=_ANY_RATIO,
    resolutions=tuple(VIDEO_LINES),
    duration_seconds_min=DURATION_MIN,
    duration_seconds_max=DURATION_MAX,
    qualities=("quality", "fast"),
    reference_images_max=4,
    reference_videos_max=2,
    reference_audios_max=2,
    count_max=COUNT_MAX,
    output_formats=("mp4",),
    prompt_characters_max=PROMPT_CHARACTERS_MAX,
    image_forms=("data", "url"),
    media_forms=("data", "url"),
    expected_seconds=3.0,
    deadline_seconds=DEADLINE_SECONDS,
)  # fmt: skip

IMAGE = ModelFacts(
    id="sandbox-image",
    name="sandbox-image",
    kind="image",
    aliases=("sandbox",),
    source=_SOURCE,
    inputs=(
        "seed", "count", "aspect_ratio", "resolution", "size", "negative_prompt", "images", "mask", "output_format",
        "quality",
    ),
    operations={"text": OperationFacts(), "edit": OperationFacts(), "inpaint": OperationFacts()},
    aspect_ratios=_ANY_RATIO,
    resolutions=tuple(IMAGE_SIDES),
    qualities=("low", "medium", "high", "auto"),
    images_max=4,
    count_max=COUNT_MAX,
    output_formats=IMAGE_FORMATS,
    prompt_characters_max=PROMPT_CHARACTERS_MAX,
    image_forms=("data", "url"),
    expected_seconds=1.0,
    deadline_seconds=DEADLINE_SECONDS,
)  # fmt: skip

AUDIO = ModelFacts(
    id="sandbox-audio",
    name="sandbox-audio",
    kind="audio",
    aliases=("sandbox",),
    source=_SOURCE,
    inputs=("seed", "count", "voice", "language", "speed", "duration_seconds", "output_format", "instructions"),
    operations={"text": OperationFacts()},
    duration_seconds_min=DURATION_MIN,
    duration_seconds_max=DURATION_MAX,
    count_max=COUNT_MAX,
    voices=VOICES,
    speed_min=SPEED_MIN,
    speed_max=SPEED_MAX,
    output_formats=AUDIO_FORMATS,
    prompt_characters_max=PROMPT_CHARACTERS_MAX,
    expected_seconds=1.0,
    deadline_seconds=DEADLINE_SECONDS,
)

MODELS: tuple[ModelFacts, ...] = (VIDEO, IMAGE, AUDIO)
