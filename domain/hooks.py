"""Hooks: how gateways call back. One only brings a task's next look forward; what it says decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from .job import Plan

TOKEN_STAND_IN = "TOKEN-OF-THE-TASK"  # noqa: S105
SECRET_STAND_IN = "SECRET-NOT-SHOWN"  # noqa: S105
"""In a plan and in whatever is shown or stored of it, where the POST itself has the task's token and a secret."""

CALLS_BACK = "calls_back"
"""Among a job's details: the gateway was asked to call back when it ends."""


@dataclass(frozen=True)
class HookKeys:
    """What one task's hooks are known by; in nothing but the POST."""

    token: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class HookRequest:
    """What came to an address that a gateway was given; `headers` by their names in lower case."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class HookReading:
    """A hook that may come from its gateway, as far as that can be told."""

    delivery: str | None = None
    """Its id, where a signature vouches for it; a repetition has the same."""
    goes_on: bool = False
    """It says itself that the job has not ended."""


def asking_to_call(plan: Plan, keys: HookKeys) -> Plan:
    """The plan as it is sent where the gateway is to call back."""
    own = {TOKEN_STAND_IN: keys.token, SECRET_STAND_IN: keys.secret}
    fields = dict(plan.callback)
    for name, value in fields.items():
        for stand_in, true in own.items():
            value = value.replace(stand_in, true) if isinstance(value, str) else value
        fields[name] = value
    noted = plan.model_copy(update={"callback": {}, "details": {**plan.details, CALLS_BACK: True}})
    return beside(noted, fields, plan.callback_in)


def shown_with_callback(plan: Plan) -> Plan:
    """The plan as somebody may see it, with the stand-ins where the POST has what they stand for."""
    return beside(plan, plan.callback, plan.callback_in)


def beside(plan: Plan, fields: Mapping[str, JsonValue], place: Literal["body", "query"]) -> Plan:
    """The plan with these fields too."""
    if place == "query":
        return plan.model_copy(update={"query": {**plan.query, **{name: str(fields[name]) for name in fields}}})
    return plan.model_copy(update={"body": {**plan.body, **fields}})
