"""Media that cost their reader much more than their sender: small files, made here from honest ones."""

import io
import struct
import zlib
from fractions import Fraction
from functools import cache

import av
from PIL import Image

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})


@cache
def still_film(width: int, height: int, *, noisy: bool = False) -> bytes:
    """An MP4 (H.264) of one frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "40"})  # pyright: ignore[reportUnknownMemberType]
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = Image.effect_noise((width, height), 60) if noisy else Image.new("L", (width, height), 90)
        grey = av.VideoFrame(width, height, "gray")
        grey.planes[0].update(picture.tobytes())
        frame = grey.reformat(format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        container.mux(stream.encode(frame))  # pyright: ignore[reportUnknownMemberType]
        container.mux(stream.encode())  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()


def with_boxes(data: bytes, replaced: dict[bytes, bytes | None]) -> bytes:
    """The same MP4 with other contents of some boxes of its index (`None`: without the box)."""
    out, offset = bytearray(), 0
    while offset < len(data):
        length, kind = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        honest = data[offset + 8 : offset + length]
        offset += length
        body = with_boxes(honest, replaced) if kind in _CONTAINERS else replaced.get(kind, honest)
        if body is not None:
            out += struct.pack(">I4s", 8 + len(body), kind) + body
    return bytes(out)


def claimed_samples(count: int = 80_000_000) -> bytes:
    """An MP4 of a few kB whose index claims so many frames: reading it makes an entry in memory for each."""
    return with_boxes(
        still_film(64, 48),
        {
            b"stsz": struct.pack(">III", 0, 1, count),
            b"stts": struct.pack(">IIII", 0, 1, count, 1),
            b"stsc": struct.pack(">IIIII", 0, 1, 1, count, 1),
        },
    )


@cache
def one_frame_for_ever(repeats: int = 200_000) -> bytes:
    """An MP4 of about 1 MB that shows one large frame again and again, all within two seconds."""
    film = still_film(1920, 1080, noisy=True)
    start = film.index(b"mdat") + 4
    size = int.from_bytes(film[start - 8 : start - 4], "big") - 8
    tables: dict[bytes, bytes | None] = {
        b"stsz": struct.pack(">III", 0, size, repeats),
        b"stts": struct.pack(">IIII", 0, 1, repeats, 0),
        b"stsc": struct.pack(">IIIII", 0, 1, 1, 1, 1),
        b"stco": struct.pack(">II", 0, repeats) + struct.pack(">I", start) * repeats,
        b"stss": None,
        b"edts": None,
    }
    return with_boxes(film, tables)


@cache
def blank_png(side: int = 10_000) -> bytes:
    """A PNG of a few kB with so many pixels a side, one bit each."""
    row = bytes(1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
