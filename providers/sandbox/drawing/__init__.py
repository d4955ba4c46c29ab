"""The drawing: Pillow and PyAV at work. Imported only in the thread that draws, because both take long to import."""

from collections.abc import Callable
from functools import partial

from ..spec import RenderSpec
from .inputs import Pictures, open_pictures
from .mp4 import encode_mp4
from .scene import Scene
from .sound import encode_sound, soundtrack
from .still import encode_still

ReadMedia = Callable[[str], bytes | None]
"""The bytes with this sha256, if they are still kept."""
Advance = Callable[[float], None]
"""Told the progress, 0 to 1; raises to stop the drawing."""


def draw_outputs(spec: RenderSpec, read_media: ReadMedia, advance: Advance) -> tuple[bytes, ...]:
    """All outputs of the spec, one after another, as encoded files.

    Raises:
        FailureError: an input medium cannot be read (`invalid_media`).
        RushesError: whatever `advance` raises, passed through.
    """
    pictures = open_pictures(spec, read_media)
    outputs: list[bytes] = []
    for number in range(spec.count):
        share = partial(_share, advance, number, spec.count)
        outputs.append(_draw_output(spec, spec.seed + number, pictures, share))
    return tuple(outputs)


def _share(advance: Advance, number: int, count: int, done: float) -> None:
    advance((number + done) / count)


def _draw_output(spec: RenderSpec, seed: int, pictures: Pictures, advance: Advance) -> bytes:
    advance(0.0)
    if spec.kind == "audio":
        return encode_sound(spec, seed, advance)
    sound = soundtrack(spec, seed, lambda done: advance(0.05 * done)) if spec.sound else None
    scene = Scene(spec, seed, pictures)
    advance(0.1)
    if spec.kind == "image":
        return encode_still(scene.frame(0), spec)
    return encode_mp4(spec, scene, sound, lambda done: advance(0.1 + 0.9 * done))
