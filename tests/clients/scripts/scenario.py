"""What every library does with rushes: look, make, follow, see, and lose patience. Standard library only."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Document = dict[str, Any]

TOOLS = {"generate_video", "generate_image", "generate_audio", "check_task", "list_tasks", "cancel_task", "list_models"}

PATIENT_SECONDS = 120.0
HASTY_SECONDS = 8.0
"""A client's own time limit, too short for `SLOW`."""

SLOW = "a glacier that takes its time [slow:16]"
ENDS = {"succeeded", "failed", "cancelled", "unknown"}


@dataclass(frozen=True)
class Job:
    """How to reach the server, as the runner says it on the command line."""

    wire: str
    """`stdio`, `http` or `sse`, and after a space what the client is asked to speak, where it can choose."""
    command: list[str]
    env: dict[str, str]
    url: str | None = None

    @property
    def transport(self) -> str:
        return self.wire.partition(" ")[0]

    @property
    def era(self) -> str:
        return self.wire.partition(" ")[2]


class Session(Protocol):
    """A connected client."""

    @property
    def protocol(self) -> str | None:
        """The version of the protocol, where the client tells."""
        ...

    async def tools(self) -> list[str]:
        """The names of the tools."""
        ...

    async def call(self, tool: str, arguments: Document) -> Document:
        """The document that a tool answers; raises what the client raises."""
        ...

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        """Whether a tool's answer came with a picture."""
        ...


class GaveUp(Exception):
    """The client's own words, where it has no error but tells its model that a call took too long."""


Connect = Callable[[float], AbstractAsyncContextManager[Session]]
"""Connects with a time limit of the client's own for one call, in seconds."""


@dataclass
class Report:
    """What was seen, for the table."""

    protocol: str | None = None
    steps: dict[str, str] = field(default_factory=dict[str, str])
    """Step → what came of it."""


async def play(connect: Connect) -> Report:
    """The whole scenario; raises where something is not as it must be."""
    report = Report()
    async with connect(PATIENT_SECONDS) as session:
        report.protocol = session.protocol
        names = await session.tools()
        assert set(names) >= TOOLS, f"tools are missing: {TOOLS - set(names)}"
        report.steps["tools"] = str(len(names))
        image = await made(session, "generate_image", prompt="a red fox in snow", aspect_ratio="16:9")
        report.steps["image"] = described(image)
        video = await made(session, "generate_video", prompt="waves at dusk", duration_seconds=1, resolution="480p")
        report.steps["video"] = described(video)
        assert await session.sees_picture("view_output", {"task_id": video["task_id"]}), "view_output gave no picture"
        report.steps["result"] = "seen"
    report.steps["timeout"] = await lose_patience(connect)
    return report


async def made(session: Session, tool: str, **arguments: Any) -> Document:
    """The task after it ended well, followed as `next` says."""
    task = await session.call(tool, {**arguments, "provider": "sandbox"})
    while task["state"] not in ENDS:
        step = task["next"]
        task = await session.call(step["tool"], step["arguments"])
    assert task["state"] == "succeeded", task
    return task


def described(task: Document) -> str:
    """Type and size of the first output, whose file must be there."""
    output = task["outputs"][0]
    size = Path(output["path"]).stat().st_size
    assert size == output["bytes"] > 0, output
    return f"{output['mime_type']} {output['width']}x{output['height']}"


async def lose_patience(connect: Connect) -> str:
    """A call that outlives the client's time limit harms nothing: the task goes on, and is there once."""
    arguments = {"prompt": SLOW, "provider": "sandbox", "wait_seconds": 45}
    begun = time.monotonic()
    error = await impatient(connect, arguments)
    waited = time.monotonic() - begun
    async with connect(PATIENT_SECONDS) as session:
        again = await session.call("generate_image", {**arguments, "wait_seconds": 0})
        while again["state"] not in ENDS:
            again = await session.call("check_task", {"task_id": again["task_id"], "wait_seconds": 30})
        assert again["state"] == "succeeded", again
        ids = await slow_tasks(session)
        assert ids == [again["task_id"]], ids
    return f"{error} after {waited:.0f} s, then one task, succeeded"


async def impatient(connect: Connect, arguments: Document) -> str:
    """The name of the error with which the client gives up, or its own words; the session goes on."""
    error, ids = "", list[str]()
    try:
        async with connect(HASTY_SECONDS) as session:
            # What a server loads for its first call does not count: a busy machine took all of the time for that.
            assert await slow_tasks(session) == []
            error = await given_up(session, arguments)
            ids = await slow_tasks(session)
    except AssertionError:
        raise
    except Exception:
        # The stdio client of mcp 1 breaks where it is closed while the server still answers a call that it gave up.
        if not ids:
            raise
    assert len(ids) == 1, ids
    return error


async def slow_tasks(session: Session) -> list[str]:
    """The ids of all tasks for `SLOW`."""
    tasks = (await session.call("list_tasks", {"kind": "image"}))["tasks"]
    return [task["task_id"] for task in tasks if task["prompt"].startswith(SLOW[:20])]


async def given_up(session: Session, arguments: Document) -> str:
    try:
        answer = await session.call("generate_image", arguments)
    except AssertionError:
        raise
    except GaveUp as words:
        return f'"{words}"'
    except Exception as error:  # noqa: BLE001  every client has its own
        return type(innermost(error)).__name__
    raise AssertionError(f"the client waited for {answer}")


def innermost(error: BaseException) -> BaseException:
    """The first error in groups of errors."""
    inner: Any = getattr(error, "exceptions", None)
    return innermost(inner[0]) if inner else error


def main(version: str, connect: Callable[[Job, float], AbstractAsyncContextManager[Session]]) -> None:
    """Play the scenario that the command line describes, and print the report as the last line."""
    job = Job(**json.loads(sys.argv[1]))

    async def run() -> Report:
        return await play(lambda seconds: connect(job, seconds))

    report = asyncio.run(run())
    print(json.dumps({"version": version, "protocol": report.protocol, "steps": report.steps}))  # noqa: T201


def document_in(text: str) -> Document:
    """A tool's document from the text that a client hands out."""
    document: Document = json.loads(text)
    return document
