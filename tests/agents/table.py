"""Dry runs of the everyday requests with a set of keys, and the table of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ..server.clients import Document, connected, document
from ..tasks.engines import an_engine
from .everyday import EVERYDAY
from .keys import KEYS, configured


@dataclass(frozen=True)
class Outcome:
    """What became of one request."""

    model: str | None = None
    """By the gateway's own id; `None` where it was refused."""
    provider: str = ""
    chosen: str = ""
    """Why this one."""
    warned: bool = False
    """Something that was asked could not be checked, or goes out under an assumed name."""
    message: str = ""
    hint: str = ""
    charged: str = ""

    @property
    def is_known(self) -> bool:
        """Everything that was asked is known to be taken."""
        return "could not be checked" not in self.chosen

    @property
    def nearest(self) -> str | None:
        """The change with which a model of these keys would take it."""
        found = re.search(r"Nearest: \S+ on \S+ with this changed: ([^;]*?)\.(?: |$)", self.hint)
        return None if found is None else found[1]

    def __str__(self) -> str:
        if self.model is None:
            return "-" if self.nearest is None else f"- ({self.nearest})"
        return f"{self.model.rpartition('/')[2]}{'' if self.is_known else ' ?'}"


async def tabled(home: Path) -> str:
    """The Markdown table: a row a request, a column a set of keys."""
    columns = {keys: await outcomes(home / str(number), keys) for number, keys in enumerate(KEYS)}
    through = {keys: sum(each.model is not None for each in column) for keys, column in columns.items()}
    rows = [
        *([asked.words, *(str(column[place]) for column in columns.values())] for place, asked in enumerate(EVERYDAY)),
        [f"**of {len(EVERYDAY)}**", *(f"**{through[keys]}**" for keys in KEYS)],
    ]
    return markdown(["request", *KEYS], rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"


_ASKED: dict[str, list[Outcome]] = {}


async def outcomes(home: Path, keys: str) -> list[Outcome]:
    """What becomes of each everyday request with these keys, in order; asked once in a process."""
    if keys not in _ASKED:
        async with an_engine(home, *configured(KEYS[keys])) as engine, connected(engine) as client:
            _ASKED[keys] = [
                _outcome(document(await client.call_tool(each.tool, {**each.arguments, "dry_run": True})))
                for each in EVERYDAY
            ]
    return _ASKED[keys]


def _outcome(shown: Document) -> Outcome:
    if "failure" in shown:
        failure = TEXTS.validate_python(shown["failure"])
        return Outcome(message=str(failure["message"]), hint=str(failure["hint"]), charged=str(failure["charged"]))
    warnings = str(shown.get("warnings", ""))
    return Outcome(
        model=str(shown["model"]),
        provider=str(shown["provider"]),
        chosen=str(TEXTS.validate_python(shown.get("chosen", {})).get("why", "")),
        warned="not checked" in warnings or "is assumed" in warnings,
    )


TEXTS = TypeAdapter(Document)
