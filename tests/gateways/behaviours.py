"""Behaviours: what a gateway can be told to do, by a word in the prompt or through the control API.

A word is `name`, `name:argument` or `name:argument:argument`; in a prompt it stands in square brackets. Words that name
no behaviour of the gateway are part of the prompt and change nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["connect", "create", "job", "poll", "cancel", "read", "output", "switch"]
"""When a behaviour acts: before a POST's body is read, on the answer to a create, on how a job runs and ends, on a look
at it, on a cancel call, on other reads (lists, balance), on the download of an output. A switch is a standing trait."""

COUNTED: frozenset[Moment] = frozenset({"connect", "poll", "cancel", "read", "output"})
"""Moments whose words may end in a count: `[poll-reset:3]`. Without one they act once; `forever` never ends."""

_WORD = re.compile(r"\[([a-z][a-z0-9_-]*)((?::[^\[\]:]*)*)\]")


@dataclass(frozen=True)
class Behaviour:
    """One behaviour. `parameters` names its arguments, in capitals; `source` says who does this."""

    name: str
    moment: Moment
    meaning: str
    source: str
    parameters: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    """Where it is known; empty for all."""


@dataclass(frozen=True)
class Word:
    """A behaviour asked for, with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()

    def text(self) -> str:
        return ":".join((self.name, *self.arguments))

    def argument(self, position: int, default: str) -> str:
        return self.arguments[position] if len(self.arguments) > position else default

    def number(self, position: int, default: float) -> float:
        try:
            return float(self.argument(position, str(default)))
        except ValueError:
            return default

    def count(self, position: int, default: int) -> int:
        return int(self.number(position, default))


ALIASES: Mapping[str, Word] = {
    "content_violation": Word("fail", ("content_violation",)),
    "lost-after-accept": Word("cut-after-accept"),
    "poll-500": Word("poll-http", ("500",)),
    "poll-429": Word("poll-retry-after", ("1",)),
    "poll-junk": Word("poll-junk-json"),
    "output-404": Word("output-http", ("404",)),
    "output-410": Word("output-http", ("410",)),
    "output-html": Word("output-html-200"),
    "output-truncated": Word("output-half-response"),
}
"""Short forms; further arguments go to the end: `[poll-500:3]` is `[poll-http:500:3]`."""


def parse_word(text: str) -> Word:
    """`poll-http:503:2` as a word."""
    name, *arguments = text.strip("[]").split(":")
    alias = ALIASES.get(name, Word(name))
    return Word(alias.name, alias.arguments + tuple(arguments))


def words_in(prompt: str) -> tuple[Word, ...]:
    """The words in square brackets, in order."""
    return tuple(parse_word(name + arguments) for name, arguments in _WORD.findall(prompt))


@dataclass
class Armed:
    """A word that acts `left` more times (`None`: until it is reset)."""

    word: Word
    left: int | None

    def take(self) -> bool:
        """Use it once; false where it is used up."""
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


def arm(behaviour: Behaviour, word: Word, times: int | None) -> Armed:
    """The word with its count: `times`, else the count after its parameters, else once (a switch: always)."""
    if times is not None:
        return Armed(word, times)
    if behaviour.moment == "switch":
        return Armed(word, None)
    position = len(behaviour.parameters)
    if behaviour.moment not in COUNTED or len(word.arguments) <= position:
        return Armed(word, 1)
    count = word.arguments[position]
    return Armed(word, None if count == "forever" else int(count) if count.isdigit() else 1)


class Catalogue:
    """All behaviours, by gateway and name."""

    def __init__(self, behaviours: Iterable[Behaviour], gateways: Iterable[str]) -> None:
        names = tuple(gateways)
        self._rows: dict[tuple[str, str], Behaviour] = {}
        for behaviour in behaviours:
            for gateway in behaviour.gateways or names:
                self._rows[gateway, behaviour.name] = behaviour

    def find(self, gateway: str, name: str) -> Behaviour | None:
        return self._rows.get((gateway, name))

    def rows(self) -> Mapping[tuple[str, str], Behaviour]:
        return self._rows


@dataclass
class Steering:
    """Which words are in force: those that the control API armed, and those of a prompt."""

    catalogue: Catalogue
    armed: dict[str, list[Armed]] = field(default_factory=dict[str, list[Armed]])

    def arm(self, gateway: str, text: str, times: int | None) -> bool:
        """Arm a word at a gateway; false where the gateway has no such behaviour."""
        word = parse_word(text)
        behaviour = self.catalogue.find(gateway, word.name)
        if behaviour is None:
            return False
        self.armed.setdefault(gateway, []).append(arm(behaviour, word, times))
        return True

    def of_prompt(self, gateway: str, prompt: str) -> tuple[tuple[Behaviour, Word], ...]:
        known = ((self.catalogue.find(gateway, word.name), word) for word in words_in(prompt))
        return tuple((behaviour, word) for behaviour, word in known if behaviour is not None)

    def for_submission(self, gateway: str, prompt: str) -> tuple[Word, ...]:
        """The words for one create: all of the prompt, and one use of each armed word for creates and jobs."""
        armed = tuple(word for moment in ("create", "job") for word in self._take_all(gateway, moment))
        return armed + tuple(word for _, word in self.of_prompt(gateway, prompt))

    def counted(self, gateway: str, words: Iterable[Word]) -> dict[Moment, list[Armed]]:
        """The words of a job that act on later requests, with their counts."""
        counters: dict[Moment, list[Armed]] = {}
        for word in words:
            behaviour = self.catalogue.find(gateway, word.name)
            if behaviour is not None and behaviour.moment in COUNTED:
                counters.setdefault(behaviour.moment, []).append(arm(behaviour, word, None))
        return counters

    def take(self, gateway: str, moment: Moment, own: Iterable[Armed] = ()) -> Word | None:
        """Use up one word of this moment: a job's `own` first, then those armed at the gateway."""
        for armed in own:
            if armed.take():
                return armed.word
        return next(iter(self._take_all(gateway, moment, limit=1)), None)

    def switch(self, gateway: str, name: str, words: Iterable[Word] = ()) -> Word | None:
        """The switch or job word `name`, where it is in force here."""
        for word in words:
            if word.name == name:
                return word
        return next((armed.word for armed in self.armed.get(gateway, ()) if armed.word.name == name), None)

    def _take_all(self, gateway: str, moment: Moment, limit: int | None = None) -> list[Word]:
        taken: list[Word] = []
        for armed in self.armed.get(gateway, ()):
            behaviour = self.catalogue.find(gateway, armed.word.name)
            if behaviour is None or behaviour.moment != moment or (limit is not None and len(taken) >= limit):
                continue
            if armed.take():
                taken.append(armed.word)
        return taken
