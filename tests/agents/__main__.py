"""`python -m tests.agents`: dry runs of the everyday requests with each key, into the table of docs/agents.md."""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import anyio

from .table import tabled

DOCUMENT = Path(__file__).parents[2] / "docs" / "agents.md"
_BETWEEN = re.compile(r"(?<=<!-- everyday -->\n).*?(?=<!-- end of everyday -->)", re.DOTALL)


def main() -> int:
    """Exit code."""
    argparse.ArgumentParser("python -m tests.agents", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = anyio.run(tabled, Path(folder))
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(_BETWEEN.sub(lambda _: f"\n{table}\n", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
