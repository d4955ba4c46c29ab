"""How long jobs of a model take, learned from those that ended: pure functions of three numbers.

The logarithm of a generation's time is taken as normal with unknown mean and spread (normal-inverse-gamma), so what is
expected of the next one is a Student-t; four in a hundred are taken to be of no such kind, and spread very wide.
Refusals come much sooner than results and are learned apart.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

KEPT_ENDS = 100.0
"""Of so many ends the numbers tell, the latest most: a gateway's machines and queues change."""

PRIOR_SPREAD = 0.6
"""Standard deviation of the logarithm where nothing was learned."""
PRIOR_ENDS, PRIOR_MEAN_ENDS = 2.0, 0.5
"""What is known beforehand counts as so many ends: for the spread, and for the expected time, which is often wrong."""

STRAY_SHARE, STRAY_SPREAD = 0.02, 1.5
REFUSAL_SECONDS, REFUSAL_SPREAD = 6.0, 1.0
PRIOR_REFUSED, PRIOR_ENDED = 0.3, 6.0
_SHORTEST_SECONDS = 0.1

AGES_MAX = 4.0
"""Of the longest age of those that still run: what is expected because of them is no longer than this."""
_AGE_STEP = 0.05
"""Ages of jobs that still run are told apart by this share."""
_STEPS_MAX, _NEAR = 30, 1e-6


@dataclass(frozen=True)
class Times:
    """Number, mean, and sum of squared deviations of the logarithms of times in seconds; the number is a weight."""

    n: float = 0.0
    mean: float = 0.0
    m2: float = 0.0

    def learned(self, seconds: float) -> "Times":
        """With one more time, and the earlier ones counting a little less (Welford's sum, with forgetting)."""
        kept = 1 - 1 / KEPT_ENDS
        x, n = math.log(max(seconds, _SHORTEST_SECONDS)), kept * self.n + 1
        mean = self.mean + (x - self.mean) / n
        return Times(n, mean, kept * self.m2 + (x - self.mean) * (x - mean))


@dataclass(frozen=True)
class Experience:
    """What was learned of a model's jobs at one provider."""

    results: Times = field(default_factory=Times)
    refusals: Times = field(default_factory=Times)
    refused: float = 0.0
    """Refusals, and ends of both kinds, the latest `KEPT_ENDS` of them."""
    ended: float = 0.0

    def learned(self, seconds: float, *, refusal: bool) -> "Experience":
        """With one more end."""
        kept = 1 - 1 / KEPT_ENDS
        return Experience(
            results=self.results if refusal else self.results.learned(seconds),
            refusals=self.refusals.learned(seconds) if refusal else self.refusals,
            refused=kept * self.refused + refusal,
            ended=kept * self.ended + 1,
        )


@dataclass(frozen=True)
class _StudentT:
    """Of the logarithm of seconds."""

    degrees: float
    location: float
    scale: float

    def at(self, seconds: float) -> tuple[float, float]:
        """Density per second, and the share that takes longer (Wallace 1959: right to a few thousandths)."""
        v, t = self.degrees, (math.log(seconds) - self.location) / self.scale
        squared = math.log1p(t * t / v)
        norm = math.exp(math.lgamma((v + 1) / 2) - math.lgamma(v / 2)) / math.sqrt(v * math.pi)
        density = norm * math.exp(-(v + 1) / 2 * squared) / (self.scale * seconds)
        z = math.copysign((8 * v + 1) / (8 * v + 3) * math.sqrt(v * squared), t)
        return density, _beyond(z)


@dataclass(frozen=True)
class _Belief:
    """What is known of the mean and the spread of the logarithms of times: a normal-inverse-gamma distribution."""

    weight: float
    """So many times tell of the mean."""
    location: float
    degrees: float
    """So many tell of the spread."""
    squares: float
    """Sum of squared deviations."""

    @classmethod
    def after(cls, times: Times, seconds: float, spread: float) -> "_Belief":
        """After these times, where beforehand `seconds` was the median."""
        before = math.log(seconds)
        weight = PRIOR_MEAN_ENDS + times.n
        location = (PRIOR_MEAN_ENDS * before + times.n * times.mean) / weight
        off = PRIOR_MEAN_ENDS * times.n / weight * (times.mean - before) ** 2
        return cls(weight, location, PRIOR_ENDS + times.n, PRIOR_ENDS * spread**2 + times.m2 + off)

    def expected(self) -> _StudentT:
        """The next one's."""
        variance = self.squares / self.degrees * (1 + 1 / self.weight)
        return _StudentT(self.degrees, self.location, math.sqrt(variance))

    def outlasted(self, ages: Iterable[float]) -> "_Belief":
        """Knowing of as many jobs more that they take longer than these seconds, since they have not ended yet.

        Of jobs that began together the shortest end first, and those that still run say what these cannot. The most
        likely mean and spread are found by Newton's method on mean / spread and 1 / spread, in which the likelihood of
        censored normal times has one maximum (Olsen 1978). Each such job counts for as much of an end as it tells.
        """
        rows = [(x - self.location, count) for x, count in self._of_this_kind(ages)]
        mean, rate = 0.0, math.sqrt(self.degrees / self.squares)
        told = 0.0
        for _ in range(_STEPS_MAX if rows else 0):
            slope_mean, slope_rate = -self.weight * mean, self.degrees / rate - self.squares * rate
            told, across, bend = 0.0, 0.0, self.degrees / rate**2 + self.squares
            for x, count in rows:
                z = x * rate - mean
                pull = _pull(z)
                share = count * pull * (pull - z)
                slope_mean, slope_rate = slope_mean + count * pull, slope_rate - count * x * pull
                told, across, bend = told + share, across + x * share, bend + x * x * share
            height = self.weight + told
            area = height * bend - across**2
            by_rate = (height * slope_rate + across * slope_mean) / area
            by_mean = (bend * slope_mean + across * slope_rate) / area
            part = min(1.0, rate / (2 * abs(by_rate))) if by_rate else 1.0
            mean, rate = mean + part * by_mean, rate + part * by_rate
            if abs(by_mean) + abs(by_rate) < _NEAR:
                break
        degrees = self.degrees + told
        # They may all be stuck for one reason, and however many they are, they tell of no time far beyond their ages.
        most = max(math.log(AGES_MAX) + max((x for x, _ in rows), default=0.0), 0.0)
        return _Belief(self.weight + told, self.location + min(mean / rate, most), degrees, degrees / rate**2)

    def _of_this_kind(self, ages: Iterable[float]) -> Iterable[tuple[float, float]]:
        """Logarithms of ages, rounded, with how many jobs have each; without those that are rather stuck."""
        expected = self.expected()
        for step, count in Counter(round(math.log(max(age, _SHORTEST_SECONDS)) / _AGE_STEP) for age in ages).items():
            x = step * _AGE_STEP
            usual = (1 - STRAY_SHARE) * expected.at(math.exp(x))[1]
            stray = STRAY_SHARE * _beyond((x - self.location) / STRAY_SPREAD)
            if usual > 0:
                yield x, count * usual / (usual + stray)


class Expectation:
    """What is expected of the next job, given what was learned and, where that is little, the model's facts.

    `running` are the seconds for which jobs of the same kind have been running by now.
    """

    def __init__(self, experience: Experience, expected_seconds: float, running: Iterable[float] = ()) -> None:
        results = _Belief.after(experience.results, expected_seconds, PRIOR_SPREAD)
        refusals = _Belief.after(experience.refusals, min(REFUSAL_SECONDS, expected_seconds), REFUSAL_SPREAD)
        self._results = results.outlasted(running).expected()
        self._refusals = refusals.expected()
        self._refused = (PRIOR_REFUSED + experience.refused) / (PRIOR_REFUSED + PRIOR_ENDED + experience.ended)
        self.median = math.exp(self._results.location)

    def hazard(self, seconds: float) -> float:
        """Rate of the job's end after so many seconds, per second, given that it has not ended before."""
        z = (math.log(seconds) - self._results.location) / STRAY_SPREAD
        stray = math.exp(-z * z / 2) / (seconds * STRAY_SPREAD * math.sqrt(2 * math.pi)), _beyond(z)
        ends = (
            (self._refused, self._refusals.at(seconds)),
            ((1 - self._refused) * (1 - STRAY_SHARE), self._results.at(seconds)),
            ((1 - self._refused) * STRAY_SHARE, stray),
        )
        density = sum(share * end[0] for share, end in ends)
        left = sum(share * end[1] for share, end in ends)
        return density / left if left > 1e-12 else 1 / seconds


def _beyond(z: float) -> float:
    """Share of a normal distribution that lies beyond z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _pull(z: float) -> float:
    """Mean of what lies beyond z in a normal distribution: its density there over the share beyond."""
    if z > 25:
        return z + 1 / z
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / _beyond(z)
