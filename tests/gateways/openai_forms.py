"""What LLMGateway and OpenAI-style servers share: the error envelope, images as base64, speech as bytes."""

import base64
import re
import time
from typing import Final

from pydantic import JsonValue
from starlette.responses import JSONResponse, Response

from .jobs import Job, Shape
from .media import MIME_TYPES, media_bytes
from .prices import image_cost

_TYPES: Final = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    402: "billing_error",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    410: "gone",
    413: "request_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded",
    499: "request_cancelled",
    500: "api_error",
    502: "upstream_error",
    504: "timeout",
    529: "overloaded",
}


def envelope(status: int, message: str, kind: str = "", code: str | None = None, param: str | None = None) -> Response:
    """`{"error": {message, type, param, code}}`."""
    error: JsonValue = {
        "message": message,
        "type": kind or _TYPES.get(status, "api_error"),
        "param": param,
        "code": code,
    }
    return JSONResponse({"error": error}, status)


def aspect_ratio(size: str) -> str:
    """`1280x720` as a ratio."""
    match = re.fullmatch(r"(\d+)x(\d+)", size)
    return f"{match[1]}:{match[2]}" if match else "1:1"


def image_shape(fields: dict[str, JsonValue]) -> Shape:
    count = fields.get("n", 1)
    ratio = str(fields.get("aspect_ratio") or aspect_ratio(str(fields.get("size", "1024x1024"))))
    file_format = str(fields.get("output_format", "png"))
    return Shape("image", file_format, int(str(count)) if str(count).isdigit() else 1, ratio)


def image_answer(job: Job, urls: list[str], *, as_url: bool) -> Response:
    """The answer to an image request: for each address an item, as base64 or as the address itself."""
    items: list[JsonValue] = [
        {"url": url} if as_url else {"b64_json": _base64(job, index)} for index, url in enumerate(urls)
    ]
    cost = float(image_cost(job))
    usage: JsonValue = {"input_tokens": 10, "output_tokens": 1000, "total_tokens": 1010, "cost": cost}
    return JSONResponse({"created": int(time.time()), "data": items, "usage": usage})


def _base64(job: Job, index: int) -> str:
    if job.word("bad-base64"):
        return "%%% not base64 %%%"
    return base64.b64encode(media_bytes(job.draft.shape, job.number + index)).decode()


def speech(job: Job) -> Response:
    """The answer to a speech request: the bytes themselves."""
    shape = job.draft.shape
    return Response(media_bytes(shape, job.number), media_type=MIME_TYPES[shape.format])
