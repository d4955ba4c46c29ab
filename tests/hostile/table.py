"""`python -m tests.hostile.table`: make the attacks of `attacks.py`, and write the table of docs/security.md."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .attacks import ATTACKS
from .summary import TABLE_VARIABLE

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
_BETWEEN = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def main() -> int:
    """Exit code of the test run; the table is written only if all tests passed."""
    tests = dict.fromkeys(f"tests/{test}" for attack in ATTACKS for test in attack.tests)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "table"
        command = [sys.executable, "-m", "pytest", "-m", "", "-n2", "-p", "tests.hostile.summary", *tests]
        environment = {**os.environ, TABLE_VARIABLE: str(target)}
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code == 0:
            text = f"\n{target.read_text(encoding='utf-8')}\n"
            DOCUMENT.write_text(_BETWEEN.sub(lambda _: text, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
