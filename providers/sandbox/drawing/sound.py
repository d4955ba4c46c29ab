"""Sound files: a quiet pad under a video, and for `generate_audio` a melody in the rhythm of the words."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import random
from collections.abc import Callable
from io import BytesIO
from typing import Literal

import av

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .melody import melody
from .music import VOICES, fade_ends, mix_tone, pad, silence
from .pcm import SAMPLE_RATE, Samples, audio_frames

_Codec = Literal["pcm_s16le", "libmp3lame", "flac", "libopus"]
_CODECS: dict[str, _Codec] = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libopus"}
_VOICE_TONIC = 220.0


def soundtrack(spec: RenderSpec, seed: int, advance: Callable[[float], None]) -> Samples:
    """The pad: as long as the pictures, out of silence and back into it."""
    samples = silence(spec.frames / FRAMES_PER_SECOND)
    for done in pad(samples, random.Random(f"pad {seed}"), 0.3):  # noqa: S311
        advance(done)
    fade_ends(samples, 0.5)
    return samples


def encode_sound(spec: RenderSpec, seed: int, advance: Callable[[float], None]) -> bytes:
    """The file of `generate_audio`."""
    samples = silence(spec.duration_seconds)
    for done in pad(samples, random.Random(f"pad {seed}"), 0.10):  # noqa: S311
        advance(0.4 * done)
    notes = melody(spec.title, spec.duration_seconds, seed, spec.language)
    voice = VOICES[spec.voice]
    for number, note in enumerate(notes):
        advance(0.4 + 0.5 * number / len(notes))
        pitch = _VOICE_TONIC * 2 ** (note.semitones / 12)
        mix_tone(samples, note.at, note.seconds * 1.25 + voice.release, pitch, 0.34 if note.stressed else 0.26, voice)
    fade_ends(samples, 0.08)
    advance(0.95)
    return _encoded(samples, spec.output_format)


def _encoded(samples: Samples, output_format: str) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format=output_format, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_CODECS[output_format], rate=SAMPLE_RATE, layout="mono")
        for frame in audio_frames(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
