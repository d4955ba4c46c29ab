"""The protocol's messages as lines of text: each line in is a message, or is refused; each message out is a line.

A line is refused by JSON-RPC 2.0, §5.1: with the request's id, and with null where that cannot be told.

The SDK's own reader drops a request that is none by JSON-RPC 2.0, and its sender waits for an answer for ever.
"""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)

from .stdio import Lines, Writer

logger = logging.getLogger(__name__)

WHAT_IS_VALID = (
    'Invalid request: it must be one object with "jsonrpc": "2.0", an "id" that is a text or a whole number, '
    'a "method" that is a text, and "params", if any, that are an object; no number has more than 4,300 digits. '
    "Nothing was done."
)

WHAT_IS_JSON = (
    "Parse error: each line must be one message as JSON (RFC 8259) in UTF-8: without line breaks or other control "
    "characters inside of it, and nested no more deeply than 100 levels. Nothing was done."
)

DIGITS_MAX = 4300
"""Python reads no longer whole number."""

_ANSWERS = frozenset({"result", "error"})
_BYTE_ORDER_MARK = "\ufeff"

Incoming = MemoryObjectReceiveStream[SessionMessage]
Outgoing = MemoryObjectSendStream[SessionMessage]


@dataclass(frozen=True)
class InvalidRequest:
    """What a line is answered with that asks for answers and is no request."""

    answers: tuple[JSONRPCError, ...]


def read_message(line: str) -> JSONRPCMessage | InvalidRequest | None:
    """The message of a line, or its refusal; `None` where it is no message and nobody waits for an answer."""
    line = line.removeprefix(_BYTE_ORDER_MARK)
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return _refusal(line)
    # The id of a request may be wrong alone: what is left would be a notification.
    if isinstance(message, JSONRPCNotification) and '"id"' in line:
        return _refusal(line) or message
    return message


def _refusal(line: str) -> InvalidRequest | None:
    if not line.strip():
        return None
    try:
        sent: object = json.loads(line, parse_int=_whole_number)
    except (ValueError, RecursionError):
        return InvalidRequest((_error(PARSE_ERROR, _id_of(_loosely_read(line)), WHAT_IS_JSON),))
    # A batch, which one version of the protocol had: each of those who wait is answered.
    together = cast("list[object]", sent if isinstance(sent, list) and sent else [sent])
    answers = tuple(_error(INVALID_REQUEST, _id_of(each), WHAT_IS_VALID) for each in together if _waits(each))
    if not answers and not any(isinstance(each, dict) for each in together):
        answers = (_error(INVALID_REQUEST, None, WHAT_IS_VALID),)
    return InvalidRequest(answers) if answers else None


def _loosely_read(line: str) -> object:
    """What stands in a line that is JSON but for control characters in its texts; `None` where it is none even so."""
    try:
        return json.loads(line, parse_int=_whole_number, strict=False)
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS_MAX else float(digits)


def _waits(sent: object) -> bool:
    """Whether somebody waits for an answer: some write "id": null for a notification, as JSON-RPC 1.0 did, and an
    answer is not answered."""
    if not isinstance(sent, dict):
        return False
    request = cast("dict[str, object]", sent)
    return request.get("id") is not None and ("method" in request or _ANSWERS.isdisjoint(request))


def _id_of(sent: object) -> str | int | None:
    given = cast("dict[str, object]", sent).get("id") if isinstance(sent, dict) else None
    return given if isinstance(given, str | int) and not isinstance(given, bool) else None


def _error(code: int, request_id: str | int | None, message: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))


@asynccontextmanager
async def message_streams(lines: Lines, writer: Writer) -> AsyncGenerator[tuple[Incoming, Outgoing]]:
    """The messages that come, until the lines end, and where to send others."""
    arriving, incoming = anyio.create_memory_object_stream[SessionMessage](0)
    outgoing, leaving = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as group:
        group.start_soon(_read, lines, arriving, writer)
        group.start_soon(_write, leaving, writer)
        yield incoming, outgoing


async def _read(lines: Lines, arriving: MemoryObjectSendStream[SessionMessage], writer: Writer) -> None:
    async with arriving:
        async for line in lines:
            read = read_message(line)
            if read is None:
                logger.info("left out a line that is no message", extra={"characters": len(line)})
            elif isinstance(read, InvalidRequest):
                for answer in read.answers:
                    await _send(answer, writer)
            else:
                await arriving.send(SessionMessage(read))


async def _write(leaving: MemoryObjectReceiveStream[SessionMessage], writer: Writer) -> None:
    async with leaving:
        async for sent in leaving:
            await _send(sent.message, writer)


async def _send(message: JSONRPCMessage, writer: Writer) -> None:
    await writer.write(message.model_dump_json(by_alias=True, exclude_unset=True) + "\n")
