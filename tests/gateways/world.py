"""The simulator's memory: requests, jobs, violations, what is armed and what is held back."""

import hashlib
import itertools
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import anyio
from pydantic import JsonValue

from .behaviours import Steering, Word
from .hooks import OWN_FIELDS, Deliveries
from .jobs import Draft, Job
from .views import Charge, Charges, FetchView, RequestView, Violation, ViolationKind

TEXT_KEPT: Final = 40_000
"""Longest string that a recorded body keeps whole, in characters."""


def shortened(value: JsonValue) -> JsonValue:
    """A body with its long strings (base64) replaced by their beginning, length and SHA-256."""
    if isinstance(value, str) and len(value) > TEXT_KEPT:
        digest = hashlib.sha256(value.encode()).hexdigest()
        return f"{value[:80]}… ({len(value)} characters, sha256 {digest})"
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return value


def content_digest(gateway: str, path: str, body: JsonValue) -> str:
    shared = {name: value for name, value in body.items() if name not in OWN_FIELDS} if isinstance(body, dict) else body
    text = json.dumps([gateway, path, shared], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Held:
    """One answer that is held back: the job was accepted, its caller does not know yet."""

    gateway: str
    job_id: str
    released: anyio.Event = field(default_factory=anyio.Event)
    cut: bool = False


@dataclass
class Holding:
    """Which gateways hold back the answer to a create."""

    waiting: dict[str, int] = field(default_factory=dict[str, int])
    held: list[Held] = field(default_factory=list[Held])
    changed: anyio.Event = field(default_factory=anyio.Event)

    def hold_next(self, gateway: str, times: int) -> None:
        self.waiting[gateway] = self.waiting.get(gateway, 0) + times

    async def pass_through(self, gateway: str, job_id: str) -> bool:
        """Wait here if the answer is to be held; true where the connection is to be cut instead of answered."""
        if self.waiting.get(gateway, 0) <= 0:
            return False
        self.waiting[gateway] -= 1
        held = Held(gateway, job_id)
        self.held.append(held)
        self._tell()
        await held.released.wait()
        return held.cut

    async def wait_held(self, gateway: str | None, count: int) -> list[str]:
        """The job ids whose answers are held, once there are `count`."""
        while True:
            found = [held.job_id for held in self.held if gateway in (None, held.gateway)]
            if len(found) >= count:
                return found
            await self.changed.wait()

    def release(self, gateway: str | None, *, cut: bool = False) -> int:
        """Let all held answers go; how many there were."""
        going = [held for held in self.held if gateway in (None, held.gateway)]
        self.held = [held for held in self.held if held not in going]
        for held in going:
            held.cut = cut
            held.released.set()
        self.waiting = {name: 0 for name in self.waiting if gateway in (None, name)}
        self._tell()
        return len(going)

    def _tell(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


@dataclass(frozen=True)
class Origins:
    """Where this process listens: base URLs without a slash at the end."""

    gateways: str
    media: str
    closed: str
    """A port that refuses every connection."""


@dataclass(frozen=True)
class Offer:
    """One output's address at the media origin: valid with exactly this query, until it expires."""

    job: Job
    index: int
    query: str
    expires_at: float | None


@dataclass
class World:
    """Everything that the parts of the simulator share."""

    origins: Origins
    steering: Steering
    keys: dict[str, str]
    holding: Holding = field(default_factory=Holding)
    requests: list[RequestView] = field(default_factory=list[RequestView])
    fetches: list[FetchView] = field(default_factory=list[FetchView])
    violations: list[Violation] = field(default_factory=list[Violation])
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict[tuple[str, str], Job])
    offers: dict[str, Offer] = field(default_factory=dict[str, Offer])
    """By path at the media origin."""
    deliveries: Deliveries = field(default_factory=Deliveries)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def violation(self, kind: ViolationKind, gateway: str, detail: str, request: int | None = None) -> None:
        self.violations.append(Violation(kind=kind, gateway=gateway, detail=detail, request=request))

    def accept(self, gateway: str, job_id: str, entry: RequestView, draft: Draft, words: tuple[Word, ...]) -> Job:
        """Take a job on: from here on it is paid for."""
        job = Job(
            number=next(self.numbers),
            gateway=gateway,
            job_id=job_id,
            path=entry.path,
            body=entry.body,
            query=entry.query,
            content=content_digest(gateway, entry.path, entry.body),
            draft=draft,
            words=words,
            counted=self.steering.counted(gateway, words),
        )
        self.jobs[gateway, job_id] = job
        entry.job_id = job_id
        return job

    def jobs_of(self, gateway: str | None) -> Iterator[Job]:
        return (job for job in self.jobs.values() if gateway in (None, job.gateway))

    def charges(self) -> Charges:
        by_content: dict[str, Charge] = {}
        for job in self.jobs.values():
            new = Charge(gateway=job.gateway, content=job.content, prompt=job.draft.prompt, job_ids=[])
            by_content.setdefault(job.content, new).job_ids.append(job.job_id)
        return Charges(total=len(self.jobs), by_content=list(by_content.values()))

    def keys_in(self, texts: Iterable[str]) -> bool:
        """Whether any of these texts holds any gateway's key."""
        return any(key in text for text in texts for key in self.keys.values())

    def reset(self) -> None:
        """Forget everything but the addresses and keys."""
        self.holding.release(None)
        self.steering.armed.clear()
        for records in (self.requests, self.fetches, self.violations, self.deliveries.sent):
            records.clear()
        self.jobs.clear()
        self.offers.clear()
