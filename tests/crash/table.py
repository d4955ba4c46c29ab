"""`python -m tests.crash.table`: run this folder, storm and all, and write its table into docs/durability.md."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TABLE_VARIABLE = "CRASH_TABLE"
REPETITIONS_VARIABLE = "CRASH_REPETITIONS"
ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "durability.md"
_BETWEEN = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def main() -> int:
    """Exit code of the test run; the table is written only if all tests passed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table"
        environment = {**os.environ, TABLE_VARIABLE: str(target)}
        command = [sys.executable, "-m", "pytest", "-m", "", str(Path(__file__).parent)]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code == 0:
            text = f"\n{target.read_text(encoding='utf-8')}\n"
            DOCUMENT.write_text(_BETWEEN.sub(lambda _: text, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
