"""An environment for each client, outside the checkout: a virtual environment, or a folder of Node.js packages."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..node import CACHE, NODE, installed
from .catalogue import Client

HERE = Path(__file__).parent

INSTALL_SECONDS = 900


def interpreter(client: Client) -> str:
    """The Python that runs the client's script; its environment is made if it is not yet there.

    Raises:
        RuntimeError: there is no uv.
        CalledProcessError: uv failed; what it said is on this process's stderr.
    """
    if not client.python:
        return sys.executable
    key = hashlib.sha256("\n".join([*client.python, sys.version]).encode()).hexdigest()[:16]
    home = CACHE / "venvs" / f"{client.name}-{key}"
    python = home / "bin" / "python"
    ready = home / "ready"
    if not ready.is_file():
        uv = found_uv()
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
        run([uv, "pip", "install", "--quiet", "--python", str(python), *client.python])
        ready.touch()
    return str(python)


def variables(client: Client) -> dict[str, str]:
    """What the script finds in its environment: where Node.js and the client's packages are."""
    if client.node is None:
        return {}
    return {"NODE": str(NODE), "NODE_PACKAGES": str(installed(HERE / "node" / client.node))}


def found_uv() -> str:
    beside = Path(sys.executable).parent
    uv = shutil.which("uv", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise RuntimeError("uv is needed: .venv/bin/pip install uv, or put it on the PATH")
    return uv


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL)
