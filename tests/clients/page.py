"""docs/clients.md: the table of a whole run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .catalogue import Client

DOCUMENT = Path(__file__).parents[2] / "docs" / "clients.md"

INTRODUCTION = """\
# Clients that were run

Each row was driven by a script in `tests/clients/` against `rushes serve` with the sandbox, in an environment of the
client's own: it lists the tools, makes an image and a video and follows them as `next` says, looks at the result with
`view_output`, and then calls with a time limit of its own (8 s) that is shorter than the generation. The task survives
that: asked again, the server tells of the one task there is, and it ends well.

A host with a model behind it is run headless, and the script is its model: an API on loopback in the dialect of the
host, which calls the tools that the host offers and reads what the host shows to its model. What stands for its time
limit is what the model is told then. Nothing leaves the machine.
"""

HEAD = ("client", "version", "wire", "protocol", "tools", "image", "video", "result", "its own time limit", "notes")


@dataclass
class Outcome:
    """What came of one client on one wire."""

    client: Client
    wire: str
    version: str = ""
    protocol: str | None = None
    steps: dict[str, str] = field(default_factory=dict[str, str])
    failure: str | None = None
    """Why it did not come to the end."""

    def cells(self) -> Sequence[str]:
        """The row."""
        steps = [self.steps.get(step, "-") for step in ("tools", "image", "video", "result", "timeout")]
        notes = f"**failed**: {self.failure}" if self.failure else self.client.note
        return (self.client.title, self.version, self.wire, self.protocol or "-", *steps, notes)


def table(outcomes: Iterable[Outcome]) -> str:
    """All rows as Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(outcome.cells() for outcome in outcomes)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole document."""
    month = datetime.now(UTC).strftime("%B %Y")
    end = f"Run in {month}, and written by `python -m tests.clients --write`."
    return f"{INTRODUCTION}\n{table(outcomes)}\n\n{end}\n"
