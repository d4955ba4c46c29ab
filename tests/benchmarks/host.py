"""A host on real pipes that measures: seconds on the wall, seconds of processor time, and resident memory (Linux)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}


class Host:
    """One server process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0

    def ask(self, method: str, **params: object) -> Document:
        """Send a request and read until its answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            assert self._process.stdout is not None
            answer: Document = json.loads(self._process.stdout.readline())
            if answer.get("id") == self._number:
                result: Document = answer["result"]
                return result

    def greet(self) -> None:
        """Initialize the connection, and ask for the tools."""
        self.ask("initialize", **CLIENT)
        self._send({"method": "notifications/initialized"})
        assert self.ask("tools/list")["tools"]

    def call(self, tool: str, **arguments: object) -> Document:
        """Call a tool that gives a document."""
        document: Document = self.ask("tools/call", name=tool, arguments=arguments)["structuredContent"]
        return document

    def processor_seconds(self) -> float:
        """Time on a processor so far, in user and kernel mode."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_mib(self) -> float:
        """Memory in RAM now."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * PAGE_BYTES / 2**20

    def _send(self, message: Document) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()


@contextmanager
def hosted(arguments: list[str], home: Path) -> Generator[tuple[Host, float]]:
    """A fresh process of this Python, as hosts start it, and when it was started, by `time.perf_counter`."""
    pipe = subprocess.PIPE
    own = {name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")}
    variables = {**own, "XDG_DATA_HOME": str(home)}
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=variables,
    ) as process:
        try:
            yield Host(process), started
        finally:
            process.kill()
