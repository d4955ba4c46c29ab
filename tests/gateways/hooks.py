"""Webhooks as the gateways' pages have them: sent when a job ends, once, to the address that its submission named.

What the pages say of further tries (30 s and longer) is not simulated. `[ends-in:SECONDS]` has a job end by itself,
because looks are not what ends it where a gateway calls.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

import anyio
import httpx
from pydantic import JsonValue

from .jobs import FINAL, Job
from .views import HookView

ADDRESS_FIELDS = ("webhook", "callback_url", "notify_hook")
"""What each submission has of its own for hooks; equal ones differ in nothing else."""
OWN_FIELDS = frozenset({*ADDRESS_FIELDS, "callback_secret", "webhook_events_filter", "request_type"})


@dataclass(frozen=True)
class Outgoing:
    """One webhook: where it goes, and what it says."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def signed(body: bytes, delivery: str, key: bytes, *, shift: float = 0.0) -> dict[str, str]:
    """The headers of Standard Webhooks, written from its page and not from rushes' own code; `shift` in seconds."""
    moment = str(int(time.time() + shift))
    digest = hmac.new(key, b".".join([delivery.encode(), moment.encode(), body]), hashlib.sha256).digest()
    mark = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": delivery, "webhook-timestamp": moment, "webhook-signature": mark}


def address_in(job: Job) -> str | None:
    """The address that a job's submission named."""
    fields = job.body if isinstance(job.body, dict) else {}
    named = (fields.get(name) or next(iter(job.query.get(name, ())), None) for name in ADDRESS_FIELDS)
    return next((url for url in named if isinstance(url, str) and url), None)


def field_of(job: Job, name: str) -> JsonValue:
    return job.body.get(name) if isinstance(job.body, dict) else None


@dataclass
class Deliveries:
    """The part that sends. Without `start`, which runs work beside, nothing is sent."""

    start: Callable[[Callable[[], Coroutine[None, None, None]]], object] | None = None
    sent: list[HookView] = field(default_factory=list[HookView])
    _client: httpx.AsyncClient | None = None

    def end_in(self, job: Job, seconds: float) -> None:
        """Have a job end by itself."""

        async def end() -> None:
            await anyio.sleep(seconds)
            if job.phase not in FINAL:
                job.finish(job.ending)

        if self.start is not None:
            job.manual = True
            job.start()
            self.start(end)

    def tell(self, job: Job, outgoing: Outgoing) -> None:
        """Send a webhook of a job that has ended, as its words say."""
        if self.start is None or job.word("hook-none"):
            return

        async def send() -> None:
            late = job.word("hook-late")
            await anyio.sleep(late.number(0, 1.0) if late else 0.0)
            for _ in range(2 if job.word("hook-twice") else 1):
                await self.send(job, outgoing)

        self.start(send)

    async def send(self, job: Job, outgoing: Outgoing) -> None:
        """One POST, and what came of it."""
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=30, follow_redirects=False, verify=False)  # noqa: S501
        view = HookView(gateway=job.gateway, job_id=job.job_id, url=outgoing.url, sent_at=time.time())
        self.sent.append(view)
        headers = {"content-type": "application/json", **outgoing.headers}
        try:
            answer = await self._client.post(outgoing.url, content=outgoing.body, headers=headers)
        except httpx.HTTPError as error:
            view.problem = type(error).__name__
            return
        view.status, view.seconds = answer.status_code, time.time() - view.sent_at
