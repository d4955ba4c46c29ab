"""How RouteAny writes problems and times, and what a model's name says of what it makes."""

import re
import time
from typing import Final

from pydantic import JsonValue
from starlette.responses import JSONResponse, Response

from .checks import Flaw
from .jobs import Shape

_PROBLEMS: Final = {
    400: ("validation-error", "Validation Error", "The request is not valid", "VALIDATION_INVALID_ARGUMENT"),
    401: ("unauthorized", "Unauthorized", "Invalid or missing API key", "AUTH_INVALID_TOKEN"),
    402: ("payment-required", "Payment Required", "Your credit balance is too low", "BILLING_INSUFFICIENT_CREDIT"),
    404: ("not-found", "Not Found", "The requested resource was not found", "RESOURCE_NOT_FOUND"),
    429: (
        "rate-limit",
        "Rate Limit Exceeded",
        "You have exceeded the rate limit. Please retry after 60 seconds.",
        "RATE_LIMIT_EXCEEDED",
    ),
    500: ("internal", "Internal Server Error", "An unexpected error occurred", "INTERNAL"),
}


def problem(status: int, detail: str = "", code: str = "", errors: list[Flaw] | None = None) -> Response:
    """A problem+json body as RouteAny's pages print it."""
    slug, title, usual, usual_code = _PROBLEMS.get(status, ("error", "Error", "The request failed", "ERROR"))
    content: dict[str, JsonValue] = {
        "type": f"https://api.routeany.com/errors/{slug}",
        "title": title,
        "status": status,
        "detail": detail or usual,
        "code": code or usual_code,
    }
    if errors:
        content["errors"] = [
            {
                "field": flaw.field,
                "code": "VALIDATION_MISSING_FIELD" if flaw.missing else "VALIDATION_INVALID_FIELD",
                "message": flaw.message,
            }
            for flaw in errors
        ]
    return JSONResponse(content, status, media_type="application/problem+json")


def iso(seconds: float | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def kind_of(model: str) -> Shape:
    """What a model with such a name makes; RouteAny publishes no list of models, only video capabilities."""
    if re.search(r"image|imagen|banana|flux|seedream|photo", model):
        return Shape("image", "png", 1, "1:1")
    if re.search(r"tts|speech|music|lyria|audio", model):
        return Shape("audio", "wav", duration_seconds=2)
    return Shape("video", "mp4", 1, "16:9", 8)
