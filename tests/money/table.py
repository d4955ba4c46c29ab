"""`python -m tests.money.table [--tasks N]`: a run over five gateways, and its tables written into docs/money.md."""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import anyio

from ..crash.crew import crew_of, nursery_process
from ..gateways.client import running_gateways
from .balance import faults_of, markdown
from .run import Outcome, Run

DOCUMENT = Path(__file__).parents[2] / "docs" / "money.md"
_BETWEEN = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


async def made(home: Path, tasks: int) -> Outcome:
    """A run with processes of its own."""
    with nursery_process() as nursery:
        async with running_gateways() as gateways, crew_of(nursery) as crew:
            return await Run(home, crew, gateways, tasks).made()


def main() -> int:
    """1 where something does not agree; the tables are written only if everything does."""
    parser = argparse.ArgumentParser(prog="python -m tests.money.table")
    parser.add_argument("--tasks", type=int, default=200, help="altogether, over five gateways")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        outcome = anyio.run(made, Path(home), asked.tasks // 5)
    text = markdown(outcome)
    print(text)  # noqa: T201
    faults = faults_of(outcome)
    if faults:
        print("\n".join(["", "Not written:", *faults]))  # noqa: T201
        return 1
    DOCUMENT.write_text(_BETWEEN.sub(lambda _: f"\n{text}\n\n", DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
