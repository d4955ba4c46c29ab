"""What a server over stdio has loaded when it has told its tools: `python -m tests.server.loaded rushes|sdk`.

Prints the names of the modules to stderr, one a line, after a line `loaded:`, and then, after a line `built:`, those of
the pydantic models that are built by then. The host is a thread of this process.
"""

import json
import os
import sys
import threading
from collections.abc import Callable

Message = dict[str, object]


def serve_rushes() -> None:
    from rushes.server.cli import main

    sys.argv = ["rushes", "serve"]
    main()


def serve_sdk() -> None:
    from mcp.server.mcpserver import MCPServer

    MCPServer("bare").run("stdio")


def built_models() -> list[str]:
    """The pydantic models of this process that can check values by now."""
    from pydantic import BaseModel

    found: list[type[BaseModel]] = []
    unseen = BaseModel.__subclasses__()
    while unseen:
        model = unseen.pop()
        found.append(model)
        unseen += model.__subclasses__()
    return sorted({f"{each.__module__}.{each.__qualname__}" for each in found if each.__pydantic_complete__})


class Host(threading.Thread):
    """Asks for the tools through pipes in the place of standard input and output, looks, and closes."""

    def __init__(self) -> None:
        super().__init__(name="host")
        source, self._to_server = os.pipe()
        self._from_server, target = os.pipe()
        os.dup2(source, 0)
        os.dup2(target, 1)
        # The server's end is closed with the server, so that no answer means an end and no wait.
        os.close(source)
        os.close(target)

    def run(self) -> None:
        with os.fdopen(self._to_server, "w") as asking, os.fdopen(self._from_server) as answers:

            def ask(message: Message) -> None:
                asking.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
                asking.flush()

            client: Message = {"name": "host", "version": "1"}
            hello: Message = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
            ask({"id": 1, "method": "initialize", "params": hello})
            json.loads(answers.readline())
            ask({"method": "notifications/initialized"})
            ask({"id": 2, "method": "tools/list"})
            told = json.loads(answers.readline())
            names = sorted(sys.modules)
            print("loaded:", *names, "built:", *built_models(), sep="\n", file=sys.stderr)  # noqa: T201
            assert "result" in told, told


SERVERS: dict[str, Callable[[], None]] = {"rushes": serve_rushes, "sdk": serve_sdk}

if __name__ == "__main__":
    Host().start()
    SERVERS[sys.argv[1]]()
