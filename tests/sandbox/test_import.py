"""Importing the sandbox is cheap: rushes imports it at every start."""

import subprocess
import sys

HEAVY = ("PIL", "av", "numpy")

CHECK = f"""
import sys
from rushes.providers.sandbox import SandboxProvider
provider = SandboxProvider()
provider.models()
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_importing_and_making_a_sandbox_loads_neither_pillow_nor_pyav() -> None:
    run = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"
