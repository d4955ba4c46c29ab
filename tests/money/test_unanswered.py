"""A question that nobody answers: the call ends without a task, and nothing of it is left."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult, ErrorData

from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.server.mcp.server import build_server
from rushes.tools import already

from ..server.clients import ERAS, document
from ..tasks.engines import an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

CALL = {"prompt": "a red fox", "duration_seconds": 8}
PRICES = {"gate/model-one": Price(per_second={"default": Decimal("0.4")})}
BUDGETS = [Budget(confirm_above=Decimal(1), per_day=Decimal(5))]


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_is_cancelled_at_its_question_sends_and_reserves_nothing(tmp_path: Path, era: str) -> None:
    asked, gateway = anyio.Event(), ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])

    async def never(context: Any, params: Any) -> ElicitResult | ErrorData:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=BUDGETS) as engine:
        async with Client(
            build_server(already(engine), local_files=True), mode=era, elicitation_callback=never
        ) as client:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    group.start_soon(client.call_tool, "generate_video", CALL)
                    await asked.wait()
                    group.cancel_scope.cancel()
        assert (await engine.list_tasks(principal=LOCAL)).records == ()
        assert (await engine.budgets_left(principal=LOCAL))[0].today == Decimal(5)
    assert gateway.plans == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_host_that_says_it_can_ask_and_cannot_is_told_the_way_on(tmp_path: Path, era: str) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])

    async def fails(context: Any, params: Any) -> ElicitResult | ErrorData:
        return ErrorData(code=-32603, message="no window to ask in")

    async with (
        an_engine(tmp_path, gateway, prices=PRICES, budgets=BUDGETS) as engine,
        Client(build_server(already(engine), local_files=True), mode=era, elicitation_callback=fails) as client,
    ):
        with anyio.fail_after(20):
            if era == "legacy":
                shown = document(await client.call_tool("generate_video", CALL))
                assert shown["next"] == {"tool": "generate_video", "arguments": {**CALL, "max_cost": 3.2}}
            else:
                # The host's own client ends the call: it never comes back with an answer.
                with pytest.raises(MCPError, match="no window"):
                    await client.call_tool("generate_video", CALL)
    assert gateway.plans == []
