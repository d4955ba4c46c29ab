"""What jobs cost at the simulated gateways, and how those that list prices list them.

LLMGateway's `pricing` has prices by the second under billing keys of resolution and sound, as its source has them;
Shuyou's is a number a unit, and its `usage` tells a cost after a discount. The others list nothing and tell no cost.
"""

from decimal import ROUND_UP, Decimal
from typing import Final, cast

from pydantic import JsonValue

from .jobs import Job

_VEO: Final = {"default_audio": "0.4", "default_video": "0.2", "4k_audio": "0.6", "4k_video": "0.4"}
_VEO_FAST: Final = {"default_audio": "0.15", "default_video": "0.1", "4k_audio": "0.35", "4k_video": "0.3"}
_BY_RESOLUTION: Final = {"480p": "0.08", "720p": "0.14", "1080p": "0.3", "default": "0.14"}
LLMGATEWAY: Final = {"veo-3.1-generate-preview": _VEO, "veo-3.1-fast-generate-preview": _VEO_FAST}
"""By model; the rest goes by `_BY_RESOLUTION`. (Seconds of `packages/models`.)"""

SHUYOU: Final = {"video": {"second": "0.1"}, "image": {"image": "0.02925"}, "audio": {}}
"""By function."""
SHUYOU_PAID_OF: Final = Decimal("0.75")
"""The fraction of the upstream's price that is charged."""
SHUYOU_SPEECH: Final = Decimal("0.00015")
"""A character, rounded up to `SHUYOU_SMALLEST`; its list does not tell it."""
SHUYOU_SMALLEST: Final = Decimal("0.001")
LLMGATEWAY_IMAGE: Final = Decimal("0.039")
"""Told, and not listed."""

ROUTEANY_SECOND: Final = Decimal("0.05")
APIXO_JOB: Final = Decimal("0.25")
YUTO_CREDITS: Final = Decimal(12)
"""What a person would have to configure: these gateways tell it nowhere."""

_RESOLUTIONS: Final = {480: "480p", 720: "720p", 768: "768p", 1080: "1080p", 2160: "4k", 1024: "hd"}


def llmgateway_pricing(model: str) -> JsonValue:
    """The `pricing` of a row of `GET /v1/models`: zeros for what a video does not go by."""
    per_second = cast(JsonValue, LLMGATEWAY.get(model, _BY_RESOLUTION))
    return {"prompt": "0", "completion": "0", "image": "0", "request": "0", "per_second": per_second}


def shuyou_pricing(function: str) -> JsonValue:
    return {unit: float(price) for unit, price in SHUYOU[function].items()}


def price_of(job: Job) -> Decimal:
    """What a job costs if it ends well."""
    shape = job.draft.shape
    seconds = Decimal(str(shape.duration_seconds))
    match job.gateway:
        case "llmgateway":
            return _llmgateway_price(job) * seconds if shape.kind == "video" else LLMGATEWAY_IMAGE * shape.count
        case "shuyou":
            if shape.kind == "audio":
                spoken = SHUYOU_SPEECH * len(job.draft.prompt)
                return spoken.quantize(SHUYOU_SMALLEST, ROUND_UP)
            return Decimal("0.1") * seconds if shape.kind == "video" else Decimal("0.02925") * shape.count
        case "routeany":
            return ROUTEANY_SECOND * seconds
        case "apixo":
            return APIXO_JOB
        case _:
            return YUTO_CREDITS


def charged_for(job: Job) -> Decimal:
    """What the gateway's own account says of a job now: one that failed or was cancelled is given back."""
    return price_of(job) if job.phase == "succeeded" else Decimal(0)


def image_cost(job: Job) -> Decimal:
    """What an answer that holds the images tells of their cost."""
    return LLMGATEWAY_IMAGE * job.draft.shape.count if job.phase == "succeeded" else Decimal(0)


def _llmgateway_price(job: Job) -> Decimal:
    body = job.body if isinstance(job.body, dict) else {}
    rates = LLMGATEWAY.get(job.draft.model.rpartition("/")[2], _BY_RESOLUTION)
    width, _, height = str(body.get("size", "1280x720")).partition("x")
    resolution = _RESOLUTIONS[min(int(width), int(height))]
    sound = "audio" if body.get("audio", True) else "video"
    keys = (f"{resolution}_{sound}", resolution, f"default_{sound}", "default")
    return Decimal(next(rates[key] for key in keys if key in rates))


def llmgateway_usage(job: Job) -> JsonValue:
    cost = float(price_of(job))
    return {"cost": cost, "cost_details": {"video_output_cost": cost, "image_input_cost": 0}}


def shuyou_usage(job: Job) -> JsonValue:
    cost = price_of(job)
    upstream = cost / SHUYOU_PAID_OF
    return {
        "upstream_cost": float(upstream),
        "discount": float(upstream - cost),
        "discount_percent": float(SHUYOU_PAID_OF),
        "cost": float(cost),
    }
