"""What is asked for in a soak: prompts of their own, each with the trouble that the gateway makes with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final, Literal

from ..crash.answers import BEHIND_PROXIES, OUTCOMES
from ..crash.gateways import GROUNDS, Ground
from ..crash.test_limits import DOWNLOADED_AT_ONCE, DOWNLOADS, LOOKS, SLOW_LOOKS
from .hosts import Told

Trouble = Literal["none", "answer", "look", "download", "slow download", "no result", "failing job", "cancel"]

PAID: Final = tuple(ground for ground in GROUNDS if "paid" in ground.abilities)
GATEWAYS: Final = tuple(sorted({ground.gateway for ground in PAID}))

ONLY_JOBS: Final = frozenset(outcome.word for outcome in (*OUTCOMES, *BEHIND_PROXIES) if outcome.only_jobs)
"""Not where the answer holds the medium and no job: there is no id that could stand beside an error."""

HELD: Final = "retry-after:1"
ARMED: Final = (*(outcome.word for outcome in OUTCOMES if outcome.armed), HELD)
"""Done once to whoever comes next: connections that break before a request is read, and a refusal with a time."""

CANCELLED: Final[Trouble] = "cancel"
NO_RESULT: Final[Trouble] = "no result"
FAILING: Final[Trouble] = "failing job"

_SLOW = ("output-slow-drip:0.02:30", "output-hang", "output-late:2", "output-huge:32", "output-gzip-bomb:64")
_WORDS: Final[dict[Trouble, tuple[str, ...]]] = {
    "none": ("", "polls:1", "polls:6"),
    "answer": tuple(outcome.word for outcome in (*OUTCOMES, *BEHIND_PROXIES) if outcome.word not in ARMED),
    "look": (*LOOKS, *SLOW_LOOKS, "poll-gzip-bomb:64"),
    "download": (*DOWNLOADS, *DOWNLOADED_AT_ONCE),
    "slow download": _SLOW,
    NO_RESULT: ("output-http:404:forever", "output-redirect-file:forever"),
    FAILING: ("content_violation", "fail:provider_error"),
    CANCELLED: ("polls:8", "polls:20"),
}
_CHANCES: Final[dict[Trouble, int]] = {
    "none": 28,
    "answer": 28,
    "look": 12,
    "download": 12,
    "slow download": 6,
    NO_RESULT: 2,
    FAILING: 4,
    CANCELLED: 8,
}
_NEEDS: Final[dict[Trouble, frozenset[str]]] = {
    "look": frozenset({"polls"}),
    "download": frozenset({"downloads"}),
    "slow download": frozenset({"downloads"}),
    NO_RESULT: frozenset({"downloads"}),
    FAILING: frozenset({"polls"}),
    CANCELLED: frozenset({"polls"}),
}


@dataclass
class Asked:
    """One prompt: who is asked, what goes wrong, and what the agents that called were told."""

    ground: Ground
    prompt: str
    trouble: Trouble
    calls: int = 0
    answers: list[Told] = field(default_factory=list[Told])
    """To the calls that ask for it."""
    later: list[Told] = field(default_factory=list[Told])
    """To `check_task` and `cancel_task`."""

    @property
    def may_be_asked_again(self) -> bool:
        """Whether an equal call is the same task, whatever came of the first, or costs nothing."""
        return self.trouble not in {CANCELLED, FAILING}

    @property
    def task_id(self) -> str | None:
        return next((told.task_id for told in self.answers if told.task_id is not None), None)


class Asking:
    """Makes prompts, no two alike, and remembers them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers: Iterator[int] = count(1)
        self.asked: list[Asked] = []

    def draw(self) -> Asked:
        """The next prompt."""
        trouble = self._random.choices(list(_CHANCES), list(_CHANCES.values()))[0]
        grounds = [ground for ground in PAID if ground.abilities >= _NEEDS.get(trouble, frozenset())]
        if trouble == NO_RESULT:
            # Its results lie behind its own API, whose 404 is taken for a passing fault for as long as they last.
            grounds = [ground for ground in grounds if ground.gateway != "llmgateway"]
        ground = self._random.choice(grounds)
        words = _WORDS[trouble] if "polls" in ground.abilities else [w for w in _WORDS[trouble] if w not in ONLY_JOBS]
        word = self._random.choice(words)
        prompt = f"a red fox no. {next(self._numbers)} of many" + (f" [{word}]" if word else "")
        asked = Asked(ground, prompt, trouble)
        self.asked.append(asked)
        return asked
