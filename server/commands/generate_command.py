"""`rushes generate`: one generation, waited for until it ends."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tools import (
    GENERATE_AUDIO,
    GENERATE_IMAGE,
    GENERATE_VIDEO,
    DryRun,
    Task,
    ToolContext,
    ToolSpec,
    call_tool,
    task_result,
)
from .answer import Document, complaints, end, say
from .options import NO_VALUE, AsJson, with_options_of
from .outcome import Exit, exit_of
from .session import Ended, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait", metavar=NO_VALUE, help="Leave as soon as the gateway has taken the job; see `rushes check`."
    ),
]
WaitSeconds = Annotated[
    float | None,
    typer.Option("--wait-seconds", metavar="NUMBER", min=0, help="Wait at most this long; default: until it ends."),
]

app = typer.Typer(help="Generate a video, an image or sound, and wait for it.", no_args_is_help=True)


def _command(spec: ToolSpec[Any]) -> Callable[..., None]:
    def generate(
        typed: dict[str, object],
        no_wait: NoWait = False,
        wait_seconds: WaitSeconds = None,
        as_json: AsJson = False,
    ) -> None:
        wait = 0.0 if no_wait else float("inf") if wait_seconds is None else wait_seconds
        generation = Generation(spec, typed, wait)
        with complaints(as_json=as_json):
            try:
                document = run(generation.make, when_ended=generation.left)
            except Ended as ended:
                _leave(ended.told, as_json=as_json)
            end(document, as_json=as_json, view=lambda: view_of(document))

    generate.__doc__ = f"Generate {'an' if spec.kind in {'image', 'audio'} else 'a'} {spec.kind}."
    return with_options_of(spec.input_model, generate, argument="prompt", skip={"wait_seconds"})


class Generation:
    """One generation from the command line; `seen` is what was known of its task last."""

    def __init__(self, spec: ToolSpec[Any], typed: dict[str, object], wait_seconds: float) -> None:
        self._spec = spec
        self._typed = typed
        self._wait_seconds = wait_seconds
        self.seen: Document | None = None

    async def make(self, context: ToolContext) -> Document:
        """Submit, and wait; the answer is the tool's own."""
        from .terminal import ProgressLine

        with ProgressLine(f"{self._spec.kind} on its way to the gateway") as line:
            result = await call_tool(self._spec, context, self._typed)
            self.seen = result.document
            task_id = result.document.get("task_id")
            if not isinstance(task_id, str) or self._wait_seconds <= 0:
                return result.document
            service = await context.opened()
            record = await service.wait(task_id, seconds=self._wait_seconds, report=line.follow, principal=LOCAL)
        deduplicated = result.document.get("deduplicated") is True
        return (await task_result(context, record, deduplicated=deduplicated)).document

    async def left(self, context: ToolContext, submissions: Sequence[TaskRecord]) -> Document | None:
        """What the record says after a signal; `None` where nothing was journaled."""
        task_id = self.seen.get("task_id") if self.seen else None
        if isinstance(task_id, str):
            service = await context.opened()
            return (await task_result(context, await service.get(task_id, principal=LOCAL))).document
        return (await task_result(context, submissions[0])).document if submissions else None


def _leave(document: Document, *, as_json: bool) -> NoReturn:
    """After a signal: what the record says, and how to look again at what goes on."""
    code = exit_of(document)
    if code is not Exit.RUNNING or as_json:
        say(document, as_json=as_json, view=lambda: view_of(document))
    if code is Exit.RUNNING:
        where = "goes on at its gateway" if document.get("job") else "is not sent yet, and is when rushes runs again"
        look = f"rushes check {document['task_id']} --wait 60"
        sys.stderr.write(f"\nStopped waiting. The task {where}. Look again:\n  {look}\n")
    raise typer.Exit(code)


def view_of(document: Document) -> "Iterable[RenderableType]":
    """A generating tool's answer for people."""
    from .task_view import dry_run_view, error_view, task_view

    if "error" in document:
        return error_view(document["error"])
    if "payload" in document:
        return dry_run_view(DryRun.model_validate(document))
    return task_view(Task.model_validate(document))


for _name, _spec in (("video", GENERATE_VIDEO), ("image", GENERATE_IMAGE), ("audio", GENERATE_AUDIO)):
    app.command(_name)(_command(_spec))
