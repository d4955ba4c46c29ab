"""The addresses at which a finished job's outputs are offered."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final

from .jobs import Job
from .media import MIME_TYPES, media_bytes
from .world import Offer, World

LIFETIME_SECONDS: Final = 3600.0
"""Of a signed address, where no word says otherwise."""


def signature(world: World, text: str) -> str:
    return hmac.new(world.secret, text.encode(), hashlib.sha256).hexdigest()[:40]


def object_store_query(world: World, job: Job, expires_at: float) -> str:
    """The query of a presigned object store address: when it was signed, for how many seconds, and the signature."""
    signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(expires_at - LIFETIME_SECONDS))
    lifetime = f"X-Amz-Date={signed}&X-Amz-Expires={int(LIFETIME_SECONDS)}&X-Amz-SignedHeaders=host"
    return f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{lifetime}&X-Amz-Signature={signature(world, job.job_id + signed)}"


def output_urls(world: World, job: Job, signed_query: Callable[[Job, float], str]) -> list[str]:
    """The address of each output, remembered as offered."""
    outputs = job.word("outputs")
    count = outputs.count(0, 1) if outputs else job.draft.shape.count
    urls = [_offer(world, job, index, signed_query) for index in range(count)]
    job.output_urls = [as_form(job, url) for url in urls]
    return job.output_urls


def _offer(world: World, job: Job, index: int, signed_query: Callable[[Job, float], str]) -> str:
    expiring = job.word("output-expires-in")
    lifetime = expiring.number(0, LIFETIME_SECONDS) if expiring else LIFETIME_SECONDS
    expires_at = (job.finished_at or job.created_at) + lifetime
    query = signed_query(job, expires_at)
    if expiring and not query:
        query = object_store_query(world, job, expires_at)
    path = f"/{job.gateway}/{job.number}/{index}.{job.draft.shape.format}"
    world.offers[path] = Offer(job, index, query, expires_at if query else None)
    return f"{world.origins.media}{path}" + (f"?{query}" if query else "")


def as_form(job: Job, url: str) -> str:
    """The address, or what the word `output-address` makes of it: what a careful client refuses or decodes itself."""
    word = job.word("output-address")
    form = word.argument(0, "") if word else ""
    shape = job.draft.shape
    data = base64.b64encode(media_bytes(shape, job.number)).decode() if form == "data" else ""
    forms = {
        "file": "file:///etc/passwd",
        "ftp": url.replace("http:", "ftp:", 1),
        "data": f"data:{MIME_TYPES[shape.format]};base64,{data}",
        "private": f"http://169.254.169.254/latest/{job.number}.{shape.format}",
        "relative": "/" + url.split("/", 3)[3],
        "other": "the video is ready",
    }
    return forms.get(form, url)
