"""Calls of tools without a server around them: what only the call itself shows."""

import anyio
import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.principal import LOCAL
from rushes.tools import GENERATE_VIDEO, ToolContext, already, call_tool

from .fake_service import FakeService, refusing

pytestmark = pytest.mark.anyio


async def test_a_gateway_that_answers_late_is_waited_for_with_signs_of_life() -> None:
    service = FakeService()
    service.answers = anyio.Event()
    heard: list[tuple[float, str]] = []

    async def report(percent: float, message: str) -> None:
        heard.append((percent, message))
        if len(heard) == 3:
            service.answers.set()

    context = ToolContext(opened=already(service), report_progress=report, beat_seconds=0.001, principal=LOCAL)
    with anyio.fail_after(10):
        result = await call_tool(GENERATE_VIDEO, context, {"prompt": "a red fox"})

    values = [percent for percent, _ in heard]
    assert result.document["state"] == "running"
    assert values == sorted(set(values))
    assert {message for _, message in heard} == {"waiting for the gateway's answer"}


async def test_the_time_until_the_answer_counts_as_waited() -> None:
    """Hosts give up after a minute, so the two waits of one call must not add up."""
    service = FakeService()
    with anyio.fail_after(10):
        result = await call_tool(
            GENERATE_VIDEO, ToolContext(opened=already(service), principal=LOCAL), {"prompt": "x", "wait_seconds": 1e-9}
        )

    assert result.document["state"] == "running"
    assert not service.waiting.is_set()


async def test_a_refusal_that_comes_late_is_not_wrapped() -> None:
    result = await call_tool(
        GENERATE_VIDEO,
        ToolContext(opened=already(refusing(RequestRefused("unsupported", "no"))), principal=LOCAL),
        {"prompt": "x"},
    )

    assert result.is_error
    assert "unsupported" in str(result.document["failure"])
