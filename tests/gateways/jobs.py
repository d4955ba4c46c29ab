"""A job at a simulated gateway: its life is driven by looks at it, or by the control API, never by the clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from .behaviours import Armed, Moment, Word
from .views import JobView, Kind, Phase

FINAL: Final[frozenset[Phase]] = frozenset({"succeeded", "failed", "cancelled", "expired"})


@dataclass(frozen=True)
class Shape:
    """What the outputs look like."""

    kind: Kind
    format: str
    """File name ending: `mp4`, `png`, `jpeg`, `webp`, `wav`, `mp3`, …"""
    count: int = 1
    aspect_ratio: str = "16:9"
    duration_seconds: float = 4.0


@dataclass(frozen=True)
class Draft:
    """A submission that passed the gateway's checks."""

    model: str
    prompt: str
    shape: Shape
    echo: JsonValue = None
    """What the gateway's own object repeats of the request."""


@dataclass(frozen=True)
class Trouble:
    """Why a job failed, in the gateway's own words."""

    code: str
    message: str


@dataclass
class Job:
    """One accepted job."""

    number: int
    gateway: str
    job_id: str
    path: str
    body: JsonValue
    query: Mapping[str, list[str]]
    content: str
    draft: Draft
    words: tuple[Word, ...]
    counted: dict[Moment, list[Armed]]
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    finished_at: float | None = None
    phase: Phase = "queued"
    polls: int = 0
    listings: int = 0
    """How often a list of jobs was asked for since."""
    polls_before_end: int = 2
    ending: Phase = "succeeded"
    trouble: Trouble | None = None
    manual: bool = False
    output_urls: list[str] = field(default_factory=list[str])
    on_end: "Callable[[Job], None]" = lambda _: None

    def word(self, name: str) -> Word | None:
        return next((word for word in self.words if word.name == name), None)

    def look(self) -> None:
        """Count one look, and go on by it: queued for the first half of `polls_before_end`, then running, then over."""
        self.polls += 1
        if self.phase in FINAL or self.manual:
            return
        if self.polls > self.polls_before_end:
            self.finish(self.ending)
        elif self.polls > self.polls_before_end // 2:
            self.start()

    def start(self) -> None:
        self.phase = "running"
        self.started_at = self.started_at or time.time()

    def finish(self, phase: Phase) -> None:
        self.start()
        ended = self.phase in FINAL
        self.phase = phase
        self.finished_at = time.time()
        if not ended:
            self.on_end(self)

    def set_phase(self, phase: Phase) -> None:
        """Put it where the control API says; from then on looks change nothing."""
        self.manual = True
        if phase in FINAL:
            self.finish(phase)
        elif phase == "running":
            self.start()
        else:
            self.phase, self.started_at, self.finished_at = phase, None, None

    @property
    def looks_since_end(self) -> int:
        """1 at the first look that shows the end."""
        return self.polls - self.polls_before_end

    @property
    def percent(self) -> int:
        if self.phase in FINAL:
            return 100
        if self.phase == "queued":
            return 0
        return min(99, 100 * self.polls // (self.polls_before_end + 1))

    def view(self) -> JobView:
        return JobView(
            number=self.number,
            gateway=self.gateway,
            job_id=self.job_id,
            kind=self.draft.shape.kind,
            model=self.draft.model,
            prompt=self.draft.prompt,
            phase=self.phase,
            polls=self.polls,
            path=self.path,
            body=self.body,
            content=self.content,
            behaviours=[word.text() for word in self.words],
            output_urls=self.output_urls,
            created_at=self.created_at,
            finished_at=self.finished_at,
        )
