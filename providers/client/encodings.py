"""Content-Encoding, undone with a bound: at most one encoding, and never more bytes at once than were asked for.

An answer of 3 kB that is compressed twice is 2 GB when a library undoes it: the limit on its size must hold while it is
inflated, not after. So the HTTP library's own decoding is not used, and only what Python itself inflates is asked for.
"""

import zlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import cast

import anyio.lowlevel
import httpx

ACCEPTED = "gzip, deflate"
"""`Accept-Encoding` of requests to a gateway. Results are asked for as they are."""

PIECE_BYTES = 64 * 1024
"""Most that one step inflates; between steps others run."""


class EncodingRefused(ValueError):
    """The answer is encoded in a way that was not asked for. The message is a clause."""


class TooLarge(ValueError):
    """The answer has more bytes than may be read."""


def content_encoding(headers: Mapping[str, str]) -> str | None:
    """The one encoding of a body, `gzip` or `deflate`, or `None` where it has none.

    Raises:
        EncodingRefused: it has several, or another.
    """
    words = [word.strip().lower() for word in headers.get("content-encoding", "").split(",")]
    named = [word.removeprefix("x-") for word in words if word not in {"", "identity"}]
    if len(named) > 1:
        raise EncodingRefused("it was compressed more than once")
    if named and named[0] not in {"gzip", "deflate"}:
        raise EncodingRefused("it was compressed in a way that was not asked for")
    return named[0] if named else None


async def decoded(response: httpx.Response) -> AsyncGenerator[bytes]:
    """The body in pieces, each of at most `PIECE_BYTES` where it was compressed.

    Raises:
        EncodingRefused: see `content_encoding`.
        httpx.HTTPError: the body broke off, or is not compressed as it says.
    """
    encoding = content_encoding(response.headers)
    # Its `aiter_raw` refuses a stream that was made of bytes, as tests' are.
    stream = cast("httpx.AsyncByteStream", response.stream)
    if encoding is None:
        async for chunk in stream:
            yield chunk
        return
    inflater = _Inflater(encoding)
    async for chunk in stream:
        for piece in inflater.pieces(chunk):
            yield piece
            await anyio.lowlevel.checkpoint()
    inflater.finish()


async def whole_body(response: httpx.Response, bytes_max: int) -> bytes:
    """The body, decoded.

    Raises:
        TooLarge: it has more than `bytes_max` bytes when decoded; no more than a piece above that was held.
        EncodingRefused, httpx.HTTPError: see `decoded`.
    """
    data = bytearray()
    async for chunk in decoded(response):
        data += chunk
        if len(data) > bytes_max:
            raise TooLarge
    return bytes(data)


class _Inflater:
    """Undoes `gzip` or `deflate`. What follows the end of the compressed data is passed over, as browsers do."""

    def __init__(self, encoding: str) -> None:
        self._made = zlib.decompressobj(zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS)
        self._perhaps_raw = encoding == "deflate"
        self._begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        while not self._made.eof:
            piece = self._inflated(data)
            data = self._made.unconsumed_tail
            if not piece:
                return
            yield piece

    def _inflated(self, data: bytes) -> bytes:
        try:
            piece = self._made.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            if not self._perhaps_raw:
                raise httpx.DecodingError(str(error)) from error
            # "deflate" means a zlib stream, but some servers send the bare one.
            self._made = zlib.decompressobj(-zlib.MAX_WBITS)
            self._perhaps_raw = False
            return self._inflated(data)
        self._perhaps_raw = self._perhaps_raw and not piece
        return piece

    def finish(self) -> None:
        """The data has ended."""
        if self._begun and not self._made.eof:
            raise httpx.RemoteProtocolError("the compressed data broke off")
