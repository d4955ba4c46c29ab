"""`rushes serve` and the command, ended at any moment and in any way: the next process goes on from there."""

import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue

from ..gateways.client import RunningGateways
from ..gateways.views import JobView
from .account import Account, Came, Printed, accepted, account_of
from .crew import Crew
from .gateways import GROUNDS, Ground, address_of, each_ground
from .host import AGAIN_SECONDS, End, Hosted, hosted
from .orders import Order
from .scenario import LATER_SECONDS
from .tally import Tally

pytestmark = pytest.mark.anyio

ENDS: tuple[End, ...] = ("SIGTERM", "SIGINT", "EOF", "SIGKILL")
VIDEO = {ground.gateway: ground for ground in GROUNDS if ground.kind == "video"}
SECONDS = 120
ACCEPTED = "accepted task_id"
"""In the log of a process, once the job is on record."""

SOON = 0.5
"""Whoever ended a process sends the signal again after this: where that may have got lost, or was the first of two."""


class Stopping:
    """Several homes, each with one process that is ended in its own way, and then another that goes on."""

    def __init__(self, ground: Ground, folder: Path, gateways: RunningGateways, ends: Sequence[End]) -> None:
        self.ground = ground
        self.gateways = gateways
        self.ends = ends
        self._folder = folder
        self.settings = {**gateways.only(ground.gateway), "RUSHES_LOG_LEVEL": "info"}

    def order(self, end: End, words: str) -> Order:
        prompt = f"a red fox, {end} {words}".rstrip()
        ground = self.ground
        order = Order(
            order=end,
            home=self._folder / end,
            gateway=ground.gateway,
            kind=ground.kind,
            prompt=prompt,
            asked=ground.asked,
        )
        return address_of(order, self.gateways)

    async def end_all(self, running: dict[End, Hosted]) -> None:
        """End each in its way: in order, but for the one that is killed."""
        assert await ended(running) == {how: -signal.SIGKILL if how == "SIGKILL" else 0 for how in running}

    async def go_on(self, crew: Crew, words: str, tally: Tally, fault: str) -> None:
        """The next process of each home brings its task to an end."""
        for end in self.ends:
            order = self.order(end, words)
            jobs, _ = await accepted(order, self.gateways)
            # Where the first process was ended before it journaled the call, the same call begins now. Where it was
            # ended after that and before its POST was taken, the search for the job is over.
            ahead = 0.0 if jobs else LATER_SECONDS
            last = order.model_copy(
                update={"order": f"{end}-next", "calls": 1, "call_again": True, "clock_ahead_seconds": ahead}
            )
            report = await (await crew.start(last)).ends_well()
            account = await account_of(order, report, self.gateways)
            tally.add(fault, account, kills=end == "SIGKILL")
            assert len(account.jobs) <= 1
            assert len(account.posts) <= 1
            assert len(account.records) == 1
            may_come = {"kept"} if jobs and "lists" in self.ground.abilities else {"kept", "unknown"}
            assert account.came in may_come, (end, account.records[0])


async def ended(running: Mapping[End, Hosted], again_seconds: float = AGAIN_SECONDS) -> dict[End, int]:
    """End each in its way, all at once; their exit codes."""
    codes: dict[End, int] = {}

    async def end_one(how: End, process: Hosted) -> None:
        codes[how] = await process.end(how, again_seconds)

    async with anyio.create_task_group() as group:
        for how, process in running.items():
            group.start_soon(end_one, how, process)
    return codes


async def _serving(stack: AsyncExitStack, stopping: Stopping, words: str) -> dict[End, Hosted]:
    """A server for each way to end it, with its call written."""
    running: dict[End, Hosted] = {}
    for end in stopping.ends:
        order = stopping.order(end, words)
        process = await stack.enter_async_context(hosted(order.home, stopping.settings, "serve"))
        await process.call("generate_video", prompt=order.prompt, provider=order.gateway)
        running[end] = process
    return running


async def test_a_server_ended_as_soon_as_it_was_called(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    stopping = Stopping(VIDEO["routeany"], tmp_path, gateways, ENDS)
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            running = await _serving(stack, stopping, "")
            # The last one may not even have loaded its modules: a signal then ends any Python program at once.
            await ended(running, again_seconds=SOON)
        await stopping.go_on(crew, "", tally, "server ended as soon as it was called")


@pytest.mark.parametrize("gateway", ["routeany", pytest.param("apixo", marks=pytest.mark.storm)])
async def test_a_server_ended_while_it_waits_for_the_answer_to_its_post(
    gateway: str, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    stopping = Stopping(VIDEO[gateway], tmp_path, gateways, ENDS)
    await gateways.hold(gateway, len(ENDS))
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            running = await _serving(stack, stopping, "")
            await gateways.wait_held(gateway, len(ENDS))
            await stopping.end_all(running)
        await gateways.release(gateway, cut=True)
        await stopping.go_on(crew, "", tally, "server ended while a POST is under way")


async def test_a_server_ended_while_a_job_runs(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    stopping = Stopping(VIDEO["routeany"], tmp_path, gateways, ENDS)
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            running = await _serving(stack, stopping, "[manual]")
            for process in running.values():
                await process.said(ACCEPTED)
            await stopping.end_all(running)
        for job in await gateways.jobs("routeany"):
            await gateways.set_phase("routeany", job.job_id, "succeeded")
        await stopping.go_on(crew, "[manual]", tally, "server ended while a job runs")


@pytest.mark.parametrize("moment", ["POST under way", "job running"])
async def test_the_command_ended_while_it_waits(
    moment: str, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    ends: tuple[End, ...] = ("SIGTERM", "SIGINT", "SIGKILL")
    stopping = Stopping(VIDEO["routeany"], tmp_path, gateways, ends)
    words = "[manual]" if moment == "job running" else ""
    if not words:
        await gateways.hold("routeany", len(ends))
    with anyio.fail_after(SECONDS):
        async with AsyncExitStack() as stack:
            running: dict[End, Hosted] = {}
            for end in ends:
                order = stopping.order(end, words)
                command = ("generate", "video", order.prompt, "--provider", "routeany", "--json")
                running[end] = await stack.enter_async_context(hosted(order.home, stopping.settings, *command))
            if words:
                for process in running.values():
                    await process.said(ACCEPTED)
                await ended(running)
            else:
                await gateways.wait_held("routeany", len(ends))
                await ended(running, again_seconds=SOON)
        for job in await gateways.jobs("routeany"):
            await gateways.set_phase("routeany", job.job_id, "succeeded")
        await gateways.release("routeany", cut=True)
        await stopping.go_on(crew, words, tally, f"command ended, {moment}")


POLITE: tuple[End, ...] = ("SIGTERM", "SIGINT", "SIGHUP")


def polite(ground: Ground) -> tuple[End, ...]:
    """Each way on one ground; what another ground changes is the answer, whatever the signal."""
    return POLITE if "lists" in ground.abilities else POLITE[:1]


@asynccontextmanager
async def _commands_in_their_posts(stopping: Stopping) -> AsyncGenerator[dict[End, Hosted]]:
    """A command for each way to end it, whose POST the gateway has taken and not answered; each was ended once."""
    kind = stopping.ground.kind
    await stopping.gateways.hold(stopping.ground.gateway, len(stopping.ends))
    async with AsyncExitStack() as stack:
        running: dict[End, Hosted] = {}
        for end in stopping.ends:
            order = stopping.order(end, "")
            asked = [f"--{name}={value}" for name, value in order.asked.items()]
            command = ("generate", kind, order.prompt, "--provider", order.gateway, *asked, "--json")
            running[end] = await stack.enter_async_context(hosted(order.home, stopping.settings, *command))
        await stopping.gateways.wait_held(stopping.ground.gateway, len(stopping.ends))
        for end, process in running.items():
            process.process.send_signal(signal.Signals[end])
            await process.said("waiting up to 60 s for its answer")
        yield running


@each_ground("paid")
async def test_a_command_ended_during_its_post_waits_for_the_answer_and_prints_what_the_record_says(
    ground: Ground, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    stopping = Stopping(ground, tmp_path, gateways, polite(ground))
    with anyio.fail_after(SECONDS):
        async with _commands_in_their_posts(stopping) as running:
            await gateways.release(ground.gateway)
            for end, process in running.items():
                printed = await process.document()
                delivered = "delivers" in ground.abilities
                expected = ({"succeeded"}, 0) if delivered else ({"queued", "running"}, 3)
                assert printed["state"] in expected[0], printed
                assert await process.process.wait() == expected[1]
                jobs, posts = await accepted(stopping.order(end, ""), gateways)
                assert (len(jobs), len(posts)) == (1, 1)
                assert delivered or jobs[0].job_id in str(printed["job"])
                tally.add("command ended, its POST answered", _told(printed, jobs))


@each_ground("paid")
async def test_a_second_signal_ends_the_command_at_once_and_it_says_that_nobody_knows(
    ground: Ground, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    stopping = Stopping(ground, tmp_path, gateways, polite(ground))
    with anyio.fail_after(SECONDS):
        async with _commands_in_their_posts(stopping) as running:
            for end, process in running.items():
                process.process.send_signal(signal.Signals[end])
                printed = await process.document()
                searched = "lists" in ground.abilities
                assert printed["state"] == ("queued" if searched else "unknown"), printed
                assert await process.process.wait() == (3 if searched else 1)
                jobs, posts = await accepted(stopping.order(end, ""), gateways)
                assert (len(jobs), len(posts)) == (1, 1)
                tally.add("command ended twice during its POST", _told(printed, jobs))
            await gateways.release(ground.gateway, cut=True)


def _told(printed: Mapping[str, JsonValue], jobs: tuple[JobView, ...]) -> Account:
    """The account of what a command printed, for the table: where a file is, or the truth about the money."""
    failure = printed.get("failure")
    charged = failure.get("charged") if isinstance(failure, Mapping) else None
    came: Came = "kept" if printed["state"] == "succeeded" else "untrue" if charged == "no" else "unknown"
    return Printed(jobs, printed=came)
