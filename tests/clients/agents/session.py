"""A host's conversation with its model, seen by the scenario as a session."""

import asyncio
import json
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ..scripts.scenario import Document, GaveUp
from .conversation import Heard, HostBroke, Model, Result
from .spoken import version_in

TurnT = TypeVar("TurnT")

GRACE_SECONDS = 60.0
"""What a host may take beside the call that it waits for, such as its start."""

TOO_LATE = re.compile(r"[\w /-]*timed out[\w /-]*")


class Connected:
    """The host's side of the conversation, turn by turn."""

    def __init__(self, model: Model, process: asyncio.subprocess.Process, seconds: float, record: Path) -> None:
        self._model = model
        self._process = process
        self._seconds = seconds
        self._record = record
        self._heard = Heard()

    @property
    def protocol(self) -> str | None:
        return version_in(self._record.read_bytes())

    async def begin(self) -> None:
        self._heard = await self._within(self._model.listen())

    async def tools(self) -> list[str]:
        await self._search()
        return list(self._heard.tools)

    async def call(self, tool: str, arguments: Document) -> Document:
        return document_shown(await self._result(tool, arguments))

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        return (await self._result(tool, arguments)).pictures > 0

    async def end(self) -> None:
        await self._model.end()
        await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
        if self._process.returncode:
            raise HostBroke(f"it ended with {self._process.returncode}")

    async def _result(self, tool: str, arguments: Document) -> Result:
        if tool not in self._heard.tools:
            await self._search()
        self._heard, result = await self._within(self._model.call(self._heard.tools[tool], arguments))
        return result

    async def _search(self) -> None:
        if search := self._heard.search:
            self._heard, _ = await self._within(self._model.call(search.tool, search.arguments))

    async def _within(self, turn: Coroutine[Any, Any, TurnT]) -> TurnT:
        """Raises HostBroke where the host ends or is silent instead."""
        waiting = asyncio.ensure_future(turn)
        ending = asyncio.ensure_future(self._process.wait())
        limit = self._seconds + GRACE_SECONDS
        done, pending = await asyncio.wait({waiting, ending}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for other in pending:
            other.cancel()
        if waiting in done:
            return waiting.result()
        raise HostBroke(f"it ended with {ending.result()}" if ending in done else f"no turn for {limit:g} s")


def document_shown(result: Result) -> Document:
    """The document in what the model is shown, whatever the host puts around it.

    Raises:
        GaveUp: the host says instead that it waited long enough.
        HostBroke: it says something else.
    """
    begin = result.text.find("{")
    if result.failed or begin < 0:
        late = TOO_LATE.search(result.text)
        raise GaveUp(late[0].strip()) if late else HostBroke(result.text)
    document: Document = json.JSONDecoder().raw_decode(result.text, begin)[0]
    return document
