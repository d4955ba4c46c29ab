"""Asking the person through the host: elicitation, in both eras of the protocol."""

import hashlib
import logging
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least
from pydantic import BaseModel

from ...tools import Asked

logger = logging.getLogger(__name__)

ASKED_IN_THE_ANSWER = "2026-07-28"
"""From this version of the protocol on a call is answered with the question, and made again with what was said."""

KEY = "consent"


class Agreed(BaseModel):
    """An empty form: the question is in its words, and the answer is that it is accepted or declined."""


class Asking:
    """One call's way to the person."""

    def __init__(self, context: Context[Any, Any]) -> None:
        self._context = context
        self._question: str | None = None

    async def ask(self, question: str) -> Asked:
        """Ask, or say that the answer comes with the next call."""
        if not self._can_ask():
            return "nobody"
        version = self._context.protocol_version
        if version is not None and is_version_at_least(version, ASKED_IN_THE_ANSWER):
            return self._answered(question)
        try:
            answer = await self._context.session.elicit_form(
                question, Agreed.model_json_schema(), related_request_id=self._context.request_id
            )
        except MCPError as error:
            logger.info("the host could not ask", extra={"problem": error.error.message})
            return "nobody"
        return "yes" if answer.action == "accept" else "no"

    def _can_ask(self) -> bool:
        declared = self._context.client_capabilities
        elicitation = declared.elicitation if declared is not None else None
        # Before there were modes a bare `elicitation: {}` meant forms; an address alone cannot ask.
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)

    def _answered(self, question: str) -> Asked:
        """What was said to this very question: an answer to another price is none."""
        answer = (self._context.input_responses or {}).get(KEY)
        if not isinstance(answer, ElicitResult) or self._context.request_state != _digest(question):
            self._question = question
            return "later"
        return "yes" if answer.action == "accept" else "no"

    def required(self) -> InputRequiredResult | None:
        """The question that this call is answered with, if it asked one."""
        if self._question is None:
            return None
        form = ElicitRequestFormParams(message=self._question, requested_schema=Agreed.model_json_schema())
        return InputRequiredResult(
            input_requests={KEY: ElicitRequest(params=form)}, request_state=_digest(self._question)
        )


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()
