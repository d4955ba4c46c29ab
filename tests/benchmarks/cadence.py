"""Looks and lag of simulated jobs, beside the bound that no rule of inspection can better."""

import math
import random
from dataclasses import dataclass

from rushes.tasks.work.cadence import NORMAL, Outlook, pause_seconds
from rushes.tasks.work.durations import Expectation, Experience


def bound(median: float, spread: float) -> float:
    """Looks x mean lag in seconds is at least half the square of the integral of sqrt(density x survival)."""
    steps = 2000
    width = 14 * spread / steps
    total = 0.0
    for step in range(steps):
        z = (step + 0.5) * width / spread - 7
        seconds = median * math.exp(z * spread)
        density = math.exp(-z * z / 2) / (seconds * spread * math.sqrt(2 * math.pi))
        total += math.sqrt(density * 0.5 * math.erfc(z / math.sqrt(2))) * seconds * width
    return total**2 / 2


def one_job(expectation: Expectation, seconds: float, chance: random.Random, price: float = NORMAL) -> list[float]:
    """When a job that takes so long is looked at; at the last of these it has ended."""
    looks = [0.0]
    while looks[-1] < seconds:
        looks.append(looks[-1] + pause_seconds(Outlook(looks[-1], expectation, price), chance.uniform(-1, 1)))
    return looks[1:]


def after_ends(ends: int, median: float, spread: float, told: float, chance: random.Random) -> Experience:
    """What is learned from jobs as they are seen: each end halfway between the look that saw it and the one before."""
    experience = Experience()
    for _ in range(ends):
        looks = one_job(Expectation(experience, told), chance.lognormvariate(math.log(median), spread), chance)
        before = looks[-2] if len(looks) > 1 else 0.0
        experience = experience.learned((before + looks[-1]) / 2, refusal=False)
    return experience


def looks_and_lag(
    expectation: Expectation, median: float, spread: float, jobs: int, chance: random.Random
) -> tuple[float, float]:
    """Mean number of looks and mean lag in seconds."""
    looks, lag = 0, 0.0
    for _ in range(jobs):
        seconds = chance.lognormvariate(math.log(median), spread)
        seen = one_job(expectation, seconds, chance)
        looks, lag = looks + len(seen), lag + seen[-1] - seconds
    return looks / jobs, lag / jobs


@dataclass(frozen=True)
class Case:
    """One kind of job, after 100 of its kind."""

    what: str
    looks: float
    lag: float
    bound: float

    @property
    def ratio(self) -> float:
        return self.looks * self.lag / self.bound


def cases() -> list[Case]:
    """Jobs as quick as the facts say, and not; the same numbers at each run."""
    found: list[Case] = []
    for median, told in ((20.0, 120.0), (120.0, 120.0), (300.0, 120.0)):
        for spread in (0.3, 0.45, 0.6):
            chance = random.Random(7)
            experience = after_ends(100, median, spread, told, chance)
            looks, lag = looks_and_lag(Expectation(experience, told), median, spread, 4000, chance)
            what = f"mean looks x mean lag, jobs of {median:g} s that the facts call {told:g} s, sigma {spread:g}"
            found.append(Case(what, looks, lag, bound(median, spread)))
    return found
