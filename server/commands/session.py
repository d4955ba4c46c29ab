"""One run of a command: settings, logs and the engine around the work, and what a signal that ends it leaves behind."""

import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
from pydantic import JsonValue

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tasks.engine import Engine
from ...tools import ToolContext, already

ResultT = TypeVar("ResultT")

ABANDON_SECONDS = 3.0
"""How long writing down that an answer was not waited for may take: a store that is full would take for ever."""


class Interrupted(Exception):
    """A person or the system ended the command."""


class Ended(Interrupted):
    """It was ended while there was something to tell: `told` is what the record says now."""

    def __init__(self, told: dict[str, JsonValue]) -> None:
        super().__init__("ended by a signal")
        self.told = told


WhenEnded = Callable[[ToolContext, Sequence[TaskRecord]], Awaitable[dict[str, JsonValue] | None]]
"""What there is to tell after a signal, from the records of the submissions that were under way."""


def run(work: Callable[[ToolContext], Awaitable[ResultT]], *, when_ended: WhenEnded | None = None) -> ResultT:
    """Open the engine, do the work in it, and close it.

    SIGINT, SIGTERM and SIGHUP end the work. A POST under way then has `limits.interrupt_grace_seconds` to be answered,
    because a gateway that delivers in its answer gives it only once; a second signal ends that too.

    Raises:
        RushesError: a setting is wrong, or the store cannot be used.
        Ended: a signal came, and `when_ended` told something.
        Interrupted: a signal came.
    """
    from ..assembly import open_engine
    from ..preparation import prepared_settings

    settings = prepared_settings()

    async def inside() -> ResultT:
        async with open_engine(settings, any_local_file=True) as engine:
            context = ToolContext(opened=already(engine), principal=LOCAL, local_files=True)
            results: list[ResultT] = []
            told: dict[str, JsonValue] | None = None
            signals = _Signals()
            async with anyio.create_task_group() as listening:
                listening.start_soon(signals.listen)
                with signals.first:
                    results.append(await work(context))
                if not results:
                    records = await _submissions_ended(engine, signals, settings.limits.interrupt_grace_seconds)
                    told = await when_ended(context, records) if when_ended is not None else None
                listening.cancel_scope.cancel()
            if results:
                return results[0]
            raise Interrupted if told is None else Ended(told)

    try:
        return anyio.run(inside)
    except KeyboardInterrupt:
        raise Interrupted from None


class _Signals:
    """The first that asks for the end cancels `first`, the next one `second`."""

    def __init__(self) -> None:
        self.first = anyio.CancelScope()
        self.second = anyio.CancelScope()

    async def listen(self) -> None:
        if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
            # Only Python's main thread hears of signals; elsewhere whoever runs it there sees to the end.
            return
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as received:
            async for _ in received:
                if self.first.cancel_called:
                    self.second.cancel()
                self.first.cancel()


async def _submissions_ended(engine: Engine, signals: _Signals, grace_seconds: float) -> Sequence[TaskRecord]:
    """The records of the submissions under way, once they are answered, or given up for lost."""
    under_way = tuple(engine.submissions)
    if not under_way:
        return ()
    if grace_seconds:
        _say(
            f"A request that may be paid for is under way: waiting up to {grace_seconds:g} s for its answer. "
            "Once more ends it at once."
        )
    with signals.second, anyio.move_on_after(grace_seconds):
        await engine.submissions.answered()
    with anyio.move_on_after(ABANDON_SECONDS, shield=True):
        await engine.submissions.abandon()
    return [await engine.get(task_id, principal=LOCAL) for task_id in under_way]


def _say(text: str) -> None:
    sys.stderr.write(f"\n{text}\n")
    sys.stderr.flush()
