"""Consent: above a price the person is asked before anything is sent."""

import json
from collections.abc import Awaitable, Callable
from typing import Literal

from ..domain.errors import ConfirmationNeeded
from ..domain.failure import failure, failure_of
from ..domain.money import plain
from ..domain.request import Kind
from .answers.amounts import estimate_shown
from .answers.next_step import NextStep
from .answers.result import ToolResult
from .answers.task import Task
from .arguments.tool_input import ToolInput

Asked = Literal["yes", "no", "later", "nobody"]
"""What the person said; `later` where the answer comes with another call, `nobody` where none can be asked."""

AskPerson = Callable[[str], Awaitable[Asked]]

NEXT_CHARACTERS_MAX = 4_000
"""Longer arguments (a picture as a data URL, say) are not repeated."""


async def nobody_to_ask(question: str) -> Asked:
    """For hosts that cannot ask."""
    del question
    return "nobody"


def question_of(needed: ConfirmationNeeded) -> str:
    """What the person is asked, in words that are the same each time for the same price."""
    estimate = needed.estimate
    known = "as the gateway lists it" if estimate.basis == "listed" else "as set in rushes.toml"
    if estimate.basis == "learned":
        known = f"the median of the last {estimate.n}"
    return f"Generate {needed.what} for about {plain(estimate.amount)} {estimate.currency} ({known})?"


def declined(needed: ConfirmationNeeded, kind: Kind) -> ToolResult:
    """The person said no; nothing was sent."""
    why = failure(
        "cancelled",
        f"The person did not agree to about {needed.estimate.spoken}. Nothing was sent.",
        charged="no",
        retry_safe=False,
        hint="Do not call again unless the user asks. If they agree after all, or this host cannot ask them, "
        f"max_cost: {plain(needed.estimate.amount)} says yes.",
    )
    return _refusal(Task(kind=kind, state="cancelled", failure=why, estimate=estimate_shown(needed.estimate)))


def confirmation_needed(needed: ConfirmationNeeded, tool: str, kind: Kind, arguments: ToolInput) -> ToolResult:
    """Nobody could be asked here: the agent asks, and then makes the same call with `max_cost`."""
    step = _with_max_cost(tool, arguments, needed)
    why = failure_of(needed)
    if step is None:
        named = "" if needed.provider is None else f"provider: {needed.provider!r} and "
        agreed = f"make the same call again with {named}max_cost: {plain(needed.estimate.amount)}."
        why = why.model_copy(update={"hint": f"Tell the user the price; if they agree, {agreed}"})
    return _refusal(
        Task(kind=kind, state="failed", failure=why, estimate=estimate_shown(needed.estimate), next=step), error=True
    )


def _with_max_cost(tool: str, arguments: ToolInput, needed: ConfirmationNeeded) -> NextStep | None:
    given = arguments.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if len(json.dumps(given)) > NEXT_CHARACTERS_MAX:
        return None
    named = {} if needed.provider is None else {"provider": needed.provider}
    return NextStep(tool=tool, arguments={**given, **named, "max_cost": float(needed.estimate.amount)})


def _refusal(task: Task, *, error: bool = False) -> ToolResult:
    return ToolResult(document=task.document(), is_error=error)
