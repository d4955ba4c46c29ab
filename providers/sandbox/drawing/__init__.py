"""The drawing: Pillow and PyAV at work. Imported only in the thread that draws, because both take long to import."""

from collections.abc import Callable

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .files import encode_mp4, encode_sound, encode_still
from .scene import Scene, open_media
from .sound import song


def draw_outputs(
    spec: RenderSpec, read_media: Callable[[str], bytes | None], advance: Callable[[float], None]
) -> tuple[bytes, ...]:
    """All outputs, encoded; output N is drawn with the seed + N. `advance` is told the progress, and may raise.

    Raises:
        FailureError: an input medium cannot be read (`invalid_media`).
        RushesError: whatever `advance` raises, passed through.
    """
    given = open_media(spec, read_media)

    def drawn(number: int) -> bytes:
        def step(done: float) -> None:
            advance((number + done) / spec.count)

        seed = spec.seed + number
        step(0)
        if spec.kind == "audio":
            return encode_sound(song(spec.title, spec.duration_seconds, seed, step), spec.output_format)
        scene = Scene(spec, seed, given)
        if spec.kind == "image":
            return encode_still(scene.frame(0), spec)
        seconds = spec.frames / FRAMES_PER_SECOND
        sound = song(spec.title, seconds, seed, lambda _: step(0)) if spec.sound else None
        return encode_mp4(spec, scene.frame, sound, step)

    outputs = tuple(drawn(number) for number in range(spec.count))
    advance(1.0)
    return outputs
