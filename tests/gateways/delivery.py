"""Handing out the bytes of an output, from the media origin or from a gateway's own content endpoint."""

from collections.abc import AsyncIterator, Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from .behaviours import Word
from .faults import endless, spoil
from .jobs import Job
from .media import MIME_TYPES, media_bytes
from .world import Offer, World


async def deliver(world: World, job: Job, index: int, request: Request, error: Callable[[int], Response]) -> Response:
    """The output's bytes, or what a fault of this job or gateway makes of them."""
    content = await to_thread.run_sync(media_bytes, job.draft.shape, job.number + index)
    genuine = whole_or_range(content, MIME_TYPES[job.draft.shape.format], request)
    word = world.steering.take(job.gateway, "output", job.counted.get("output", ()))
    if word is None:
        return genuine
    special = _moved(world, job, index) if word.name == "output-moved" else _special(word, content, genuine, request)
    if special is not None:
        return special
    name = word.name.removeprefix("output-")
    return spoil(word, name, genuine, error, f"{world.origins.media}/followed/{job.gateway}/output")


def whole_or_range(content: bytes, mime_type: str, request: Request) -> Response:
    """200 with all, 206 with the one range asked for, 416 where it lies outside."""
    headers = {"accept-ranges": "bytes"}
    wanted = request.headers.get("range", "")
    if not wanted.startswith("bytes=") or "," in wanted:
        return Response(content, media_type=mime_type, headers=headers)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start >= len(content):
        return Response(status_code=416, headers={"content-range": f"bytes */{len(content)}"})
    headers["content-range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, media_type=mime_type, headers=headers)


def _in_chunks(content: bytes, mime_type: str) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return StreamingResponse(chunks(), media_type=mime_type)


def _special(word: Word, content: bytes, genuine: Response, request: Request) -> Response | None:
    """The faults that only a download has."""
    mime_type = genuine.headers["content-type"]
    path = request.url.path
    makers: dict[str, Callable[[], Response]] = {
        "output-expired": lambda: Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="text/xml"),
        "output-redirect-private": lambda: _to(f"http://{word.argument(0, '169.254.169.254')}/video.mp4"),
        "output-redirect-file": lambda: _to("file:///etc/passwd"),
        "output-redirect-loop": lambda: _to(f"{path}?{request.url.query}"),
        "output-huge": lambda: endless(mime_type, word.count(0, 8192), content[:64] + bytes(65472)),
        "output-claims-huge": lambda: _with(genuine, "content-length", str(10**12)),
        "output-empty": lambda: Response(media_type=mime_type),
        "output-wrong-type": lambda: _with(genuine, "content-type", "application/octet-stream"),
        "output-lying-type": lambda: Response("no such thing\n" * 40, media_type=mime_type),
        "output-json": lambda: JSONResponse({"error": "link expired"}),
        "output-cut-short": lambda: _in_chunks(content[: len(content) // 2], mime_type),
        "output-no-length": lambda: _in_chunks(content, mime_type),
        "output-evil-name": lambda: _with(genuine, "content-disposition", 'attachment; filename="../../outside.mp4"'),
        "output-needs-key": lambda: genuine if "authorization" in request.headers else Response(status_code=401),
    }
    make = makers.get(word.name)
    return make() if make else None


def _moved(world: World, job: Job, index: int) -> Response:
    """A redirect to the media origin, which has it under another path; also from a gateway's own content endpoint."""
    path = f"/{job.gateway}/{job.number}/{index}.{job.draft.shape.format}"
    offer = world.offers.setdefault(path, Offer(job, index, "", None))
    return _to(f"{world.origins.media}/moved{path}" + (f"?{offer.query}" if offer.query else ""))


def _to(location: str) -> Response:
    return Response(status_code=302, headers={"location": location})


def _with(answer: Response, name: str, value: str) -> Response:
    answer.headers[name] = value
    return answer
