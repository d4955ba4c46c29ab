"""A film put together from open files: pictures and sound go into one MP4 as they come, and nothing is held whole."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import av
from av.video.frame import PictureType

from ...domain.film import LOUDNESS_GAIN_MAX_DB, PEAK_DBFS, SAMPLE_RATE, Clip, Film, Rendered
from .encoding import encoder_options
from .mixing import CLICK_SECONDS, Loudness, Piece, finished, measured, mix
from .pictures import Frame, black, mixed, of_still, of_video
from .timeline import Stand, places

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

CUT_SOUND_FADE_SECONDS = 1.0
"""A sound that the film's end cuts off is faded out over so long, unless the film fades out."""

_SOUND_BITS = 192_000
_INDEX_BYTES, _INDEX_BYTES_A_FRAME, _INDEX_BYTES_A_PACKET = 8192, 64, 48
"""Room for the index before the media, so that a player can begin at once: more than it takes."""
_PACKET_SAMPLES = 1024
_MEASURING_SHARE = 0.1
"""Of the work; the first pass over the sound."""

Files = Mapping[str, BinaryIO]
"""Open files by the paths that clips name."""
Advance = Callable[[float], None]
"""Is told the progress, 0 to 1."""


def assemble(film: Film, files: Files, into: BinaryIO, advance: Advance) -> Rendered:
    """Write the film as an MP4 with H.264 and AAC, playable from its first bytes on.

    Equal files and an equal film give equal bytes.
    """
    stands = places(film)
    samples = round(Fraction(film.frames * film.rate[1] * SAMPLE_RATE, film.rate[0]))
    lanes = _lanes(film, files, stands, samples)
    sound, told = None, Rendered(None, 0.0)
    if any(lanes):
        before = measured(_counted(mix(lanes, samples), samples, advance))
        told = _levelled(before, film)
        sound = finished(
            mix(lanes, samples),
            samples,
            gain_db=told.gain_db,
            peak_dbfs=PEAK_DBFS,
            fade_out_seconds=film.fade_out_seconds,
        )
    packets = -(-samples // _PACKET_SAMPLES) + 2 if sound is not None else 0
    index = _INDEX_BYTES + film.frames * _INDEX_BYTES_A_FRAME + packets * _INDEX_BYTES_A_PACKET
    options = {"fflags": "+bitexact", "moov_size": str(index)}
    with av.open(into, "w", format="mp4", options=options) as container:
        cuts = {place.begins for place in stands if not place.overlap}
        _write(container, film, _pictures(film, files, stands), cuts, sound, advance)
    advance(1.0)
    return told


def _counted(frames: Iterator[av.AudioFrame], samples: int, advance: Advance) -> Iterator[av.AudioFrame]:
    done = 0
    for frame in frames:
        yield frame
        done += frame.samples
        advance(_MEASURING_SHARE * done / samples)


def _levelled(before: Loudness, film: Film) -> Rendered:
    """What is to be done about the loudness, and what has to be said of it."""
    if before.integrated_lufs is None:
        return Rendered(None, 0.0, ("Nothing can be heard in its sound, so that its loudness was left as it is.",))
    gain = film.loudness_lufs - before.integrated_lufs
    if gain <= LOUDNESS_GAIN_MAX_DB:
        return Rendered(before.integrated_lufs, gain)
    note = (
        f"Its sound is very quiet ({before.integrated_lufs:.0f} LUFS): it was made {LOUDNESS_GAIN_MAX_DB:g} dB louder, "
        f"which is less than {film.loudness_lufs:g} LUFS."
    )
    return Rendered(before.integrated_lufs, LOUDNESS_GAIN_MAX_DB, (note,))


def _write(
    container: "OutputContainer",
    film: Film,
    pictures: Iterator[av.VideoFrame],
    cuts: Collection[int],
    sound: Iterator[av.AudioFrame] | None,
    advance: Advance,
) -> None:
    video, audio = _video(container, film), _audio(container) if sound is not None else None
    tick = Fraction(film.rate[1], film.rate[0])
    written = 0
    from_share = _MEASURING_SHARE if audio is not None else 0.0
    for number, picture in enumerate(pictures):
        picture.pts, picture.time_base = number, tick
        # What it was in its own file would bind the encoder.
        picture.pict_type = PictureType.I if number in cuts else PictureType.NONE
        container.mux(video.encode(picture))
        while audio is not None and sound is not None and written <= (number + 1) * tick * SAMPLE_RATE:
            chunk = next(sound, None)
            if chunk is None:
                break
            chunk.pts, chunk.time_base = written, Fraction(1, SAMPLE_RATE)
            written += chunk.samples
            container.mux(audio.encode(chunk))
        advance(from_share + (0.99 - from_share) * (number + 1) / film.frames)
    container.mux(video.encode(None))
    if audio is not None:
        container.mux(audio.encode(None))


def _video(container: "OutputContainer", film: Film) -> "VideoStream":
    rate = Fraction(*film.rate)
    stream = container.add_stream("libx264", rate=rate, options=encoder_options(film))
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / rate
    context.thread_count = 1
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
    return stream


def _audio(container: "OutputContainer") -> "AudioStream":
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    stream.bit_rate = _SOUND_BITS
    return stream


def _pictures(film: Film, files: Files, stands: Sequence[Stand]) -> Iterator[av.VideoFrame]:
    """Every picture of the film: the shots one after the other, each faded into the next."""
    frame = Frame(film.width, film.height, Fraction(*film.rate))
    faded = round(film.fade_out_seconds * film.frame_rate)
    dark = black(frame)
    for number, picture in enumerate(_faded_into_each_other(film, files, stands, frame)):
        left = film.frames - number
        yield mixed(picture, dark, 1 - (left - 1) / faded) if left <= faded else picture


def _faded_into_each_other(film: Film, files: Files, stands: Sequence[Stand], frame: Frame) -> Iterator[av.VideoFrame]:
    going: Generator[av.VideoFrame] | None = None
    for shot, place in zip(film.shots, stands, strict=True):
        coming = _of_shot(shot, files, frame, place.frames)
        if going is not None:
            overlap = place.overlap
            for step in range(overlap):
                yield mixed(next(going), next(coming), (step + 1) / (overlap + 1))
            going.close()
        yield from islice(coming, place.alone)
        going = coming


def _of_shot(shot: Clip, files: Files, frame: Frame, count: int) -> Generator[av.VideoFrame]:
    file = files[shot.path]
    if shot.is_still:
        return of_still(file, shot.mime_type, frame, count=count)
    return of_video(file, shot.mime_type, frame, start_seconds=shot.start_seconds, count=count)


def _lanes(film: Film, files: Files, stands: Sequence[Stand], samples: int) -> list[list[Piece]]:
    """What is heard: shots in two lanes in turn, then each sound in its own."""
    shots: tuple[list[Piece], list[Piece]] = ([], [])
    per_frame = Fraction(SAMPLE_RATE * film.rate[1], film.rate[0])
    for number, (shot, place) in enumerate(zip(film.shots, stands, strict=True)):
        if not shot.is_heard:
            continue
        begins, ends = round(place.begins * per_frame), round((place.begins + place.frames) * per_frame)
        fade_in = float(place.overlap * per_frame / SAMPLE_RATE)
        following = stands[number + 1].overlap if number + 1 < len(stands) else 0
        piece = Piece(
            files[shot.path],
            shot.mime_type,
            shot.start_seconds,
            begins,
            ends - begins,
            gain_db=shot.gain_db,
            fade_in_seconds=max(CLICK_SECONDS, fade_in),
            fade_out_seconds=max(CLICK_SECONDS, float(following * per_frame / SAMPLE_RATE)),
        )
        shots[number % 2].append(piece)
    return [*shots, *([_of_sound(sound, files, film, samples)] for sound in film.sounds)]


def _of_sound(sound: Clip, files: Files, film: Film, samples: int) -> Piece:
    begins = round(sound.at_seconds * SAMPLE_RATE)
    wanted = round(sound.seconds * SAMPLE_RATE)
    cut = begins + wanted > samples
    fade_out = CUT_SOUND_FADE_SECONDS if cut and not film.fade_out_seconds else CLICK_SECONDS
    return Piece(
        files[sound.path],
        sound.mime_type,
        sound.start_seconds,
        begins,
        min(wanted, samples - begins),
        gain_db=sound.gain_db,
        fade_out_seconds=fade_out,
    )
