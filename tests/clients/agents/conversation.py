"""What passes between a host and its model, in no dialect; and the model, whose next words the scenario decides."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..scripts.scenario import Document

SERVER = "rushes"
"""The name under which each host has the server; it becomes part of the tools' names."""

LAST_WORDS = "Done."


class HostBroke(AssertionError):
    """The host did something else than to pass a call on, or to give up on it."""


@dataclass(frozen=True)
class Result:
    """What the model is shown of a tool's answer."""

    call: str
    """The id that the model gave the call."""
    text: str
    pictures: int = 0
    failed: bool = False
    """Whether the host says that the call failed."""


@dataclass(frozen=True)
class Call:
    """What the model asks for."""

    tool: str
    """The host's own name."""
    arguments: Document
    id: str = ""


@dataclass(frozen=True)
class Heard:
    """A turn of the conversation: a request for the model's next words."""

    tools: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name of a tool of rushes → the host's own name for it, of those that the model can call now."""
    search: Call | None = None
    """The call that makes the rest of them callable, where the host holds them back."""
    result: Result | None = None
    """Of the last call."""


Words = Call | str
"""What the model says: a call, or the last words of its turn."""


class Dialect(Protocol):
    """A model API: pure functions between its JSON and the above."""

    def heard(self, path: str, request: Document) -> Heard | None:
        """What the host tells and asks; None where it is no turn of the conversation, such as a count of tokens."""
        ...

    def said(self, path: str, request: Document, words: Words) -> Document | bytes:
        """The answer, or the stream of server-sent events where the host asks for one."""
        ...


class Model:
    """Says what it is told to. The host's side is `next_words` and `broken`; all else is the scenario's."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[Heard | Exception] = asyncio.Queue()
        self._words: asyncio.Queue[Words] = asyncio.Queue()
        self._calls = 0

    async def next_words(self, heard: Heard) -> Words:
        """Tell the scenario what was heard, and wait for what to say."""
        await self._heard.put(heard)
        return await self._words.get()

    def broken(self, error: Exception) -> None:
        """The host said what cannot be understood."""
        self._heard.put_nowait(error)

    async def listen(self) -> Heard:
        """The next turn of the host."""
        heard = await self._heard.get()
        if isinstance(heard, Exception):
            raise HostBroke(f"it was not understood: {heard!r}")
        return heard

    async def call(self, tool: str, arguments: Document) -> tuple[Heard, Result]:
        """Let the host call a tool, by its own name for it; its next turn, with the result."""
        self._calls += 1
        call = Call(tool, arguments, f"call_{self._calls}")
        await self._words.put(call)
        heard = await self.listen()
        if heard.result is None or heard.result.call != call.id:
            raise HostBroke(f"its turn after {call} has {heard.result}")
        return heard, heard.result

    async def end(self) -> None:
        """Let the host end."""
        await self._words.put(LAST_WORDS)


def stream(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Server-sent events, each under the name of its `type`, where the dialect has types."""
    names = ((f"event: {event['type']}\n" if "type" in event else "", event) for event in events)
    return "".join(f"{name}data: {json.dumps(event)}\n\n" for name, event in names).encode()
