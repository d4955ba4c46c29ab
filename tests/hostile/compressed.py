"""Small answers that become large ones."""

import gzip
import struct
import zlib
from functools import cache

MIB = 1024 * 1024


@cache
def gzipped_zeros(mebibytes: int) -> bytes:
    """So many MiB of zero bytes under gzip, made without compressing them all: one block, repeated.

    The sum at its end is wrong, which whoever inflates it finds out when all is inflated.
    """
    maker = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = maker.compress(bytes(MIB)) + maker.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + block * mebibytes + b"\x03\x00" + struct.pack("<II", 0, mebibytes * MIB % 2**32)


@cache
def twice_gzipped(mebibytes: int) -> bytes:
    """The same, compressed once more: some kilobytes."""
    return gzip.compress(gzipped_zeros(mebibytes), 9)
