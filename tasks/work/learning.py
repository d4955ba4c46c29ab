"""What this process knows of how long jobs take, by provider and model; kept in the store, so that it is not lost."""

import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from ...domain.errors import StoreError
from ...domain.money import ExpectedTime
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from ..ports import Clock, SideValues
from .cadence import EXPECTED_SECONDS, NORMAL, Outlook, pause_seconds
from .durations import Expectation, Experience, Times

logger = logging.getLogger(__name__)

_PREFIX = "durations/"

AT_THE_FIRST_LOOK = 1.5
"""A job that was found running within so many first pauses is taken to have run since its submission."""


RUNNING_MAX = 100
"""Of so many jobs of a model that run at this moment it is taken into account how long they have been running: as many
as of ends (`KEPT_ENDS`), so that what is in flight never drowns what has ended."""

RUNNING_SHARE = 0.05
"""They are counted anew after this share of the expected time."""


class _Known(NamedTuple):
    expectation: Expectation
    first_pause: float
    until: float
    """On the clock of the time that passes: then those that run have been running for longer."""


class Learning:
    """Expectations of all models that this process meets.

    Ends alone would teach too short a time: of jobs that began together the shortest end first. So those that still
    run count too, as jobs that take longer than they have taken by now.
    """

    def __init__(self, values: SideValues, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._values = values
        self._providers = providers
        self._clock = clock
        self._running: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        """By model and task: since when, on the clock of the time that passes."""
        self._experiences: dict[tuple[str, str], Experience] = {}
        self._expectations: dict[tuple[str, str], _Known] = {}

    async def meet(self, record: TaskRecord) -> None:
        """Read what was learned of the record's model, at the first time."""
        key = record.provider, record.model
        if key not in self._experiences:
            experience = await self._stored(key)
            self._experiences.setdefault(key, experience)
            self._expectations.pop(key, None)

    async def meet_all(self) -> None:
        """Read what was learned of every model, by all processes."""
        for name, value in (await self._values.get_values(_PREFIX)).items():
            provider, _, model = name.removeprefix(_PREFIX).partition("/")
            experience = _from_json(value)
            if experience is not None and self._experiences.get((provider, model)) != experience:
                self._experiences[provider, model] = experience
                self._expectations.pop((provider, model), None)

    def expected(self, provider: str, model: str) -> ExpectedTime | None:
        """How long jobs of the model take; `None` where none has ended yet and its facts do not tell."""
        experience = self._experiences.get((provider, model), Experience())
        found = self._providers.get(provider)
        facts = next((row for row in (found.models() if found is not None else ()) if row.id == model), None)
        told = facts.expected_seconds if facts is not None else None
        ended = round(experience.results.n)
        if told is None and not ended:
            return None
        before = told or (EXPECTED_SECONDS[facts.kind] if facts is not None else math.exp(experience.results.mean))
        return ExpectedTime(Expectation(experience, before, self._ages((provider, model))).median, ended)

    def expectation(self, record: TaskRecord) -> Expectation:
        """How long such a job takes."""
        return self._expected(record).expectation

    def runs(self, record: TaskRecord, elapsed: float) -> None:
        """Note for how many seconds a job has been running, if it still runs."""
        running = self._running[record.provider, record.model]
        if record.state != "running":
            running.pop(record.task_id, None)
        elif record.task_id in running or len(running) < RUNNING_MAX:
            running[record.task_id] = self._clock.elapsed() - elapsed

    def forget(self, task_id: str) -> None:
        """Nothing is left to do for the task here."""
        for running in self._running.values():
            running.pop(task_id, None)

    def _ages(self, key: tuple[str, str]) -> list[float]:
        now = self._clock.elapsed()
        return [now - began for began in self._running.get(key, {}).values()]

    def _expected(self, record: TaskRecord) -> _Known:
        key = record.provider, record.model
        found = self._expectations.get(key)
        if found is None or found.until <= self._clock.elapsed():
            provider = self._providers.get(record.provider)
            models = provider.models() if provider is not None else ()
            told = next((facts.expected_seconds for facts in models if facts.id == record.model), None)
            experience, ages = self._experiences.get(key, Experience()), self._ages(key)
            expectation = Expectation(experience, told or EXPECTED_SECONDS[record.kind], ages)
            first_pause = pause_seconds(Outlook(elapsed=0.0, expectation=expectation), 0.0)
            until = self._clock.elapsed() + max(1.0, RUNNING_SHARE * expectation.median)
            found = self._expectations[key] = _Known(expectation, first_pause, until)
        return found

    def began(self, record: TaskRecord) -> datetime:
        """Since when the job runs, as far as looks have shown."""
        submitted = record.submitted_at or record.created_at
        started = record.started_at
        if started is None or record.state == "queued":
            return submitted
        waited = (started - submitted).total_seconds()
        return started if waited > AT_THE_FIRST_LOOK * self._expected(record).first_pause + 1 else submitted

    async def ended(self, record: TaskRecord, *, seen_at_once: bool = False) -> None:
        """Learn from a job that has ended by itself, as a look has just shown; at once, if a hook brought the look."""
        self.forget(record.task_id)
        seconds = self._seconds(record, seen_at_once=seen_at_once)
        if seconds is None:
            return
        key = record.provider, record.model
        # Read anew: other processes learn too. Two ends at the same moment may become one, which is no loss.
        experience = (await self._stored(key)).learned(seconds, refusal=record.state == "failed")
        self._experiences[key] = experience
        self._expectations.pop(key, None)
        try:
            await self._values.set_value(_name(key), _as_json(experience))
        except StoreError as error:
            logger.warning("time not learned", extra={"task_id": record.task_id, "problem": error.message})

    def _seconds(self, record: TaskRecord, *, seen_at_once: bool) -> float | None:
        """How long the job took: the gateway's times where it told them, else halfway to the look before."""
        if record.state not in ("succeeded", "failed") or record.finished_at is None or record.ended_at is None:
            return None
        if record.failure is not None and record.failure.reason == "timeout":
            return None
        began = self.began(record)
        if record.ended_at != record.finished_at:
            seconds = (record.ended_at - began).total_seconds()
        else:
            seen = (record.finished_at - began).total_seconds()
            pause = pause_seconds(Outlook(max(seen, 0.0), self.expectation(record), NORMAL), 0.0)
            seconds = seen if seen_at_once else seen - min(pause, seen) / 2
        return seconds if seconds > 0 else None

    async def _stored(self, key: tuple[str, str]) -> Experience:
        try:
            kept = await self._values.get_value(_name(key))
        except StoreError as error:
            logger.warning(
                "learned times not read", extra={"provider": key[0], "model": key[1], "problem": error.message}
            )
            kept = None
        known = None if kept is None else _from_json(kept[0])
        return known or self._experiences.get(key, Experience())


def _name(key: tuple[str, str]) -> str:
    return _PREFIX + "{}/{}".format(*key)


def _as_json(experience: Experience) -> JsonValue:
    both: list[Times] = [experience.results, experience.refusals]
    return [
        *(number for times in both for number in (times.n, times.mean, times.m2)),
        experience.refused,
        experience.ended,
    ]


def _from_json(value: JsonValue) -> Experience | None:
    numbers = [float(each) for each in value if isinstance(each, int | float)] if isinstance(value, list) else []
    if len(numbers) != 8 or not all(map(math.isfinite, numbers)) or min(numbers[:1] + numbers[2:4] + numbers[5:]) < 0:
        return None
    return Experience(_times(numbers[0:3]), _times(numbers[3:6]), refused=numbers[6], ended=numbers[7])


def _times(numbers: Sequence[float]) -> Times:
    return Times(*numbers)
