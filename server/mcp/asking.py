"""Asking the host in the middle of a call, in both eras of the protocol: the person, by elicitation, and for roots.

Until 2025-11-25 the server asks while the call waits. From 2026-07-28 on the call is answered with its questions, and
comes again with what was said; what was said before that, the state keeps that goes there and back with it, sealed.
"""

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
)
from mcp_types.version import is_version_at_least
from pydantic import ValidationError

from ...domain.value import Value
from ...tools import Asked

logger = logging.getLogger(__name__)

ASKED_IN_THE_ANSWER = "2026-07-28"
"""From this version of the protocol on a call is answered with the question, and made again with what was said."""

CONSENT, ROOTS = "consent", "roots"

ROOTS_WITHIN_SECONDS = 3.0
"""A host that does not answer has none."""

ROOTS_MAX = 50


class Agreed(Value):
    """An empty form: the question is in its words, and the answer is that it is accepted or declined."""


class _State(Value):
    """What one call has come to, over its rounds."""

    question: str | None = None
    """Digest of what the person was asked last."""
    roots: tuple[str, ...] | None = None
    """What the host told of its folders; nothing where it was asked and told none."""


class Asking:
    """One call's way to the host and the person before it."""

    def __init__(self, context: Context[Any, Any]) -> None:
        self._context = context
        self._requests: dict[str, InputRequest] = {}
        self._state = _state_of(context.request_state)

    async def ask(self, question: str) -> Asked:
        """Ask the person, or say that the answer comes with the next call."""
        if not self._can_ask():
            return "nobody"
        if self._asks_in_the_answer():
            return self._answered(question)
        try:
            answer = await self._context.session.elicit_form(
                question, Agreed.model_json_schema(), related_request_id=self._context.request_id
            )
        except MCPError as error:
            logger.info("the host could not ask", extra={"problem": error.error.message})
            return "nobody"
        return "yes" if answer.action == "accept" else "no"

    async def roots(self) -> Sequence[str] | None:
        """The addresses of the folders that the host has open, none where it offers none; `None` where the answer comes
        with the next call."""
        declared = self._context.client_capabilities
        if declared is None or declared.roots is None:
            return ()
        if self._asks_in_the_answer():
            return self._told_roots()
        try:
            with anyio.fail_after(ROOTS_WITHIN_SECONDS):
                told = await self._context.session.send_request(ListRootsRequest(), ListRootsResult)
        except (MCPError, TimeoutError) as error:
            logger.info("the host tells no roots", extra={"problem": str(error)})
            return ()
        return _addresses(told)

    def required(self) -> InputRequiredResult | None:
        """The questions that this call is answered with, if it asked any."""
        if not self._requests:
            return None
        return InputRequiredResult(input_requests=self._requests, request_state=self._state.model_dump_json())

    def _asks_in_the_answer(self) -> bool:
        version = self._context.protocol_version
        return version is not None and is_version_at_least(version, ASKED_IN_THE_ANSWER)

    def _can_ask(self) -> bool:
        declared = self._context.client_capabilities
        elicitation = declared.elicitation if declared is not None else None
        # Before there were modes a bare `elicitation: {}` meant forms; an address alone cannot ask.
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)

    def _answered(self, question: str) -> Asked:
        """What was said to this very question: an answer to another price is none."""
        answer = (self._context.input_responses or {}).get(CONSENT)
        digest = hashlib.sha256(question.encode()).hexdigest()
        if not isinstance(answer, ElicitResult) or self._state.question != digest:
            form = ElicitRequestFormParams(message=question, requested_schema=Agreed.model_json_schema())
            self._requests[CONSENT] = ElicitRequest(params=form)
            self._state = self._state.model_copy(update={"question": digest})
            return "later"
        return "yes" if answer.action == "accept" else "no"

    def _told_roots(self) -> Sequence[str] | None:
        """What the host told in this round or an earlier one. It is asked once: one that tells nothing has none."""
        answer = (self._context.input_responses or {}).get(ROOTS)
        if isinstance(answer, ListRootsResult):
            self._state = self._state.model_copy(update={"roots": _addresses(answer)})
        if self._state.roots is not None:
            return self._state.roots
        self._requests[ROOTS] = ListRootsRequest()
        self._state = self._state.model_copy(update={"roots": ()})
        return None


def _addresses(told: ListRootsResult) -> tuple[str, ...]:
    return tuple(str(root.uri) for root in told.roots[:ROOTS_MAX])


def _state_of(text: str | None) -> _State:
    try:
        return _State() if text is None else _State.model_validate_json(text)
    except ValidationError:
        return _State()
