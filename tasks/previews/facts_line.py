"""A kept output in one line: what was measured, and where that differs from what was asked; pure."""

from collections.abc import Iterator

from ...domain.record import KeptMedia, TaskRecord
from ...domain.request import GenerationRequest

DURATION_TOLERANCE = 0.05
"""Share by which a duration may differ before it is worth a word: codecs round to whole frames."""
RATIO_TOLERANCE = 0.03

_TIER_HEIGHTS = {"4k": 2160, "2k": 1440, "1k": 1024}


def facts_line(record: TaskRecord, number: int) -> str:
    """`Output 1 of 2 of task 01J…: video 1280x720, 5.0 s, 24 fps, with sound, 1.2 MB (video/mp4). …`"""
    output = record.outputs[number - 1].kept
    if output is None:
        return f"Output {number} of {len(record.outputs)} of task {record.task_id}: not kept."
    measured = ", ".join(_measured(record, output))
    differs = "; ".join(differences(record.request, output))
    told = f"Output {number} of {len(record.outputs)} of task {record.task_id}: {record.kind} {measured}."
    return f"{told} Differs from what was asked: {differs}." if differs else told


def _measured(record: TaskRecord, output: KeptMedia) -> Iterator[str]:
    if output.width and output.height:
        yield f"{output.width}x{output.height}"
    if output.duration_seconds is not None:
        yield in_seconds(output.duration_seconds)
    if output.frame_rate is not None:
        yield f"{output.frame_rate:g} fps"
    if record.kind == "video" and output.has_audio is not None:
        yield "with sound" if output.has_audio else "without sound"
    if output.bytes is not None:
        yield f"{_size(output.bytes)} ({output.mime_type})"


def in_seconds(duration: float) -> str:
    """`5.0 s`; a duration below a second with one place more, because a single frame lasts some hundredths."""
    return f"{duration:.1f} s" if duration >= 1 else f"{duration:.2f} s"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.1f} KB"


def differences(request: GenerationRequest, output: KeptMedia) -> list[str]:
    """What was measured otherwise than asked, such as `5.0 s instead of 8 s`."""
    return [
        *_duration_differs(request, output),
        *_frame_differs(request, output),
        *_sound_differs(request, output),
        *_format_differs(request, output),
    ]


def _duration_differs(request: GenerationRequest, output: KeptMedia) -> Iterator[str]:
    asked, got = request.duration_seconds, output.duration_seconds
    if asked is not None and got is not None and abs(asked - got) > max(0.15, asked * DURATION_TOLERANCE):
        yield f"{got:.1f} s instead of {asked:g} s"


def _frame_differs(request: GenerationRequest, output: KeptMedia) -> Iterator[str]:
    width, height = output.width, output.height
    if not width or not height:
        return
    if request.size and "x" in request.size and request.size != f"{width}x{height}":
        yield f"{width}x{height} instead of {request.size}"
        return
    across, _, down = (request.aspect_ratio or "").partition(":")
    if down:
        asked = float(across) / float(down)
        if abs(width / height / asked - 1) > RATIO_TOLERANCE:
            yield f"{width}x{height} is not {request.aspect_ratio}"
    if (tier := _tier_pixels(request)) is not None and abs(min(width, height) / tier - 1) > 0.1:
        yield f"{min(width, height)}p instead of {request.resolution}"


def _tier_pixels(request: GenerationRequest) -> int | None:
    """The shorter side that a video's resolution stands for; gateways disagree on what an image's tiers mean."""
    resolution = request.resolution or ""
    if request.kind != "video":
        return None
    return (
        int(resolution[:-1])
        if resolution[:-1].isdigit() and resolution.endswith("p")
        else _TIER_HEIGHTS.get(resolution)
    )


def _sound_differs(request: GenerationRequest, output: KeptMedia) -> Iterator[str]:
    if request.kind == "video" and None not in (request.audio, output.has_audio) and request.audio != output.has_audio:
        yield "no sound, although it was asked for" if request.audio else "sound, although none was asked for"


def _format_differs(request: GenerationRequest, output: KeptMedia) -> Iterator[str]:
    asked, got = request.output_format, (output.mime_type or "").rpartition("/")[2]
    same = {"jpg": "jpeg", "mp3": "mpeg", "wave": "wav", "opus": "ogg", "m4a": "mp4"}
    if asked and got and request.kind != "video" and same.get(asked, asked) != got:
        yield f"{got} instead of {asked}"
