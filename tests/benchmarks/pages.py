"""The parts of docs/benchmarks.md that runs write: each between two marks, the rest is left as it is."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def rewritten(part: str, text: str) -> None:
    """Put `text` in the place of that part."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    page = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
