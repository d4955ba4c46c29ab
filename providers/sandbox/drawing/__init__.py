"""The drawing: Pillow and PyAV at work. Imported only in the thread that draws, because both take long to import."""

from collections.abc import Callable

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .files import encode_mp4, encode_sound, encode_still
from .scene import Given, Scene, open_media
from .sound import chords, spoken

_SOUND_LOUDNESS = 0.3


def draw_outputs(
    spec: RenderSpec, read_media: Callable[[str], bytes | None], advance: Callable[[float], None]
) -> tuple[bytes, ...]:
    """All outputs of the spec, one after another, as encoded files.

    Args:
        spec: Output N is drawn with its seed + N.
        read_media: The bytes with this sha256, if they are still kept.
        advance: Told the progress, 0 to 1; raises to stop the drawing.

    Raises:
        FailureError: an input medium cannot be read (`invalid_media`).
        RushesError: whatever `advance` raises, passed through.
    """
    given = open_media(spec, read_media)

    def drawn(number: int) -> bytes:
        return _output(spec, spec.seed + number, given, lambda done: advance((number + done) / spec.count))

    return tuple(drawn(number) for number in range(spec.count))


def _output(spec: RenderSpec, seed: int, given: Given, advance: Callable[[float], None]) -> bytes:
    advance(0.0)
    if spec.kind == "audio":
        return encode_sound(spoken(spec, seed), spec.output_format)
    scene = Scene(spec, seed, given)
    advance(0.1)
    if spec.kind == "image":
        return encode_still(scene.frame(0), spec)
    sound = chords(spec.frames / FRAMES_PER_SECOND, seed, _SOUND_LOUDNESS) if spec.sound else None
    return encode_mp4(spec, scene.frame, sound, lambda done: advance(0.1 + 0.9 * done))
