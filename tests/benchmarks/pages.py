"""The parts of docs/benchmarks.md that runs write: each between two marks, the rest is left as it is."""

import argparse
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import anyio

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def rewritten(part: str, text: str) -> None:
    """Put `text` in the place of that part."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    page = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def measured_part(part: str, given: Sequence[str], measured: Callable[[Path], Awaitable[str]], said: str) -> int:
    """`python -m tests.benchmarks PART [--write]`: measure in a new folder, print the table, and write it if asked.

    `said` stands above the table on the page: what was run, and where.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.benchmarks {part}")
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        shown = anyio.run(measured, Path(folder))
    print(shown)  # noqa: T201
    if asked.write:
        rewritten(part, f"{said}\n\n{shown}")
    return 0
