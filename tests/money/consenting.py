"""Processes in which somebody agrees to a price, and which are killed (kill -9) on the way from there to the POST.

`python -m tests.money.consenting` reads an order a line, forks a process for it, and prints its exit code.
"""

import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import anyio
from mcp import Client
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitResult, ErrorData
from pydantic import BaseModel, JsonValue

from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.server.mcp.server import build_server
from rushes.tasks.engine import Engine
from rushes.tools import already

from ..crash.fuse import Burn, Fuse
from ..crash.seams import DyingProvider, dying_store
from ..tasks.engines import an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

CALL: dict[str, JsonValue] = {"prompt": "a red fox", "duration_seconds": 8}
PRICES = {"gate/model-one": Price(per_second={"default": Decimal("0.4")})}
COSTS = Decimal("3.2")
BUDGET = Budget(confirm_above=Decimal(1), per_day=Decimal(10))

ASKED = "asked"
"""The seam at which the person has the question before them."""


class Order(BaseModel):
    """One process, and the one call that is made in it."""

    home: Path
    name: str
    era: str = "auto"
    person: Literal["accept", "decline", "nobody"] = "nobody"
    max_cost: float | None = None
    kill_at: str | None = None
    settles: bool = False
    """Before the call a person says that the tasks whose charge nobody knows were not charged."""


class Report(BaseModel):
    """What an orderly end leaves."""

    answer: dict[str, JsonValue]
    questions: list[str]
    reserved: Decimal
    tasks: dict[str, str]
    """States by id."""


def report_of(order: Order) -> Path:
    return order.home / f"{order.name}.json"


def posts_of(home: Path) -> int:
    """How many POSTs have left, in all processes."""
    posts = home / "posts"
    return len(posts.read_text("ascii")) if posts.exists() else 0


class Person:
    """Who sits before the host."""

    def __init__(self, order: Order, fuse: Fuse) -> None:
        self._action: Literal["accept", "decline"] = "accept" if order.person == "accept" else "decline"
        self._fuse = fuse
        self.heard: list[str] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestFormParams)
        self.heard.append(params.message)
        await self._fuse.at(ASKED)
        return ElicitResult(action=self._action, content={} if self._action == "accept" else None)


async def _live(order: Order) -> None:
    def posted() -> None:
        with (order.home / "posts").open("a", encoding="ascii") as posts:
            posts.write(".")

    fuse = Fuse(Burn(kill_at=order.kill_at), lambda _: None)
    person = Person(order, fuse)
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], submitted=posted)
    asks = None if order.person == "nobody" else person
    dying = DyingProvider(gateway, fuse)
    async with an_engine(order.home, dying, prices=PRICES, budgets=[BUDGET], store_type=dying_store(fuse)) as engine:
        if order.settles:
            for record in (await engine.list_tasks(principal=LOCAL, state="unknown")).records:
                await engine.settle(record.task_id, Decimal(0), principal=LOCAL)
        server = build_server(already(engine), local_files=True)
        async with Client(server, mode=order.era, elicitation_callback=asks) as client:
            allowed = {} if order.max_cost is None else {"max_cost": order.max_cost}
            result = await client.call_tool("generate_video", {**CALL, **allowed})
        assert isinstance(result, CallToolResult)
        await _tell(order, engine, result.structured_content or {}, person.heard)


async def _tell(order: Order, engine: Engine, answer: dict[str, JsonValue], heard: Sequence[str]) -> None:
    spend = await engine.spend(principal=LOCAL)
    records = (await engine.list_tasks(principal=LOCAL)).records
    report = Report(
        answer=answer,
        questions=list(heard),
        reserved=sum((total.reserved for total in spend.totals), Decimal(0)),
        tasks={record.task_id: record.state for record in records},
    )
    report_of(order).write_text(report.model_dump_json(), encoding="utf-8")


async def _bounded(order: Order) -> None:
    with anyio.fail_after(60):
        await _live(order)


def _become(order: Order) -> None:
    code = 1
    try:
        anyio.run(_bounded, order)
        code = 0
    except BaseException:  # noqa: BLE001 - the boundary of the process
        (order.home / f"{order.name}.fault").write_text(traceback.format_exc(), encoding="utf-8")
    finally:
        os._exit(code)


def rehearse() -> None:
    """Live once in this very process, so that all that is loaded and built for a life is there for each fork."""
    with tempfile.TemporaryDirectory() as home:
        anyio.run(_bounded, Order(home=Path(home), name="rehearsal", person="accept"))
    gc.freeze()


def serve() -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        order = Order.model_validate_json(line)
        pid = os.fork()
        if pid == 0:
            _become(order)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    rehearse()
    serve()
