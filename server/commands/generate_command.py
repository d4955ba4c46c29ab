"""`rushes generate`: one generation or several, waited for until the file is there."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import typer

from ...domain.errors import ConfigurationError
from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tools import (
    GENERATE_AUDIO,
    GENERATE_IMAGE,
    GENERATE_VIDEO,
    Asked,
    ToolContext,
    ToolSpec,
    call_tool,
    task_result,
)
from .agreeing import asked_at_terminal
from .answer import Document, complaints, say
from .document_view import several, view_of
from .leaving import code_of, leave
from .options import NO_VALUE, AsJson, with_options_of
from .outcome import Exit
from .saving import check_target, saved
from .session import Ended, run
from .task_ids import with_meant_tasks
from .variations import VARIATIONS_MAX, in_format_of, varied
from .waiting import until_kept

NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        metavar=NO_VALUE,
        help="Leave as soon as the gateway has taken the job; a small process stays behind and fetches the file.",
    ),
]
Wait = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait at most this long; default: until it ends."),
]
WaitOfOld = Annotated[float | None, typer.Option("--wait-seconds", metavar="SECONDS", min=0, hidden=True)]
Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Put the file here too: a name, or a folder that exists."),
]
Variations = Annotated[
    int,
    typer.Option(
        "--variations", metavar="NUMBER", min=1, max=VARIATIONS_MAX, help="So many tasks, each with a seed of its own."
    ),
]

Yes = Annotated[
    bool, typer.Option("--yes", metavar=NO_VALUE, help="Agree to a price above budget.confirm_above without asking.")
]

PROMPT_BYTES_MAX = 1_000_000

DOCS = {
    "generate_video": "Generate a video.",
    "generate_image": "Generate an image.",
    "generate_audio": "Generate speech, music or sound.",
}

app = typer.Typer(help="Generate a video, an image or sound, and wait for it.", no_args_is_help=True)


@dataclass(frozen=True)
class Ways:
    """How a generation is waited for, and where its files go."""

    wait_seconds: float
    ending: str = ""
    """Of the name under which the file is to be put."""
    variations: int = 1
    agreed: bool = False
    """A price above what is spent without asking is right."""


def _command(spec: ToolSpec[Any]) -> Callable[..., None]:
    def generate(
        typed: dict[str, object],
        no_wait: NoWait = False,
        wait: Wait = None,
        wait_seconds: WaitOfOld = None,
        output: Target = None,
        variations: Variations = 1,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        if typed.get("prompt") is None and typed.get("from_task") is None:
            raise typer.BadParameter("it is missing; - reads it from standard input", param_hint="'PROMPT'")
        bound = wait_seconds if wait is None else wait
        ways = Ways(0.0 if no_wait else float("inf") if bound is None else bound, ending_of(output), variations, yes)
        make_and_tell(spec, typed, ways, output, as_json=as_json)

    generate.__doc__ = DOCS[spec.name]
    return with_options_of(spec.input_model, generate, argument="prompt", skip={"wait_seconds"})


def make_and_tell(
    spec: ToolSpec[Any], typed: dict[str, object], ways: Ways, output: Path | None, *, as_json: bool
) -> None:
    """Make it, wait for it as asked, put the file where it is wanted, and say what came of it; ends the command."""
    with complaints(as_json=as_json, generates=True):
        if output is not None and not typed.get("dry_run"):
            check_target(output, spec.kind)
            if not ways.wait_seconds:
                hint = "Leave out one of them, or fetch the file later: rushes check last -o FILE"
                raise ConfigurationError("-o needs the file, for which --no-wait does not wait.", hint=hint)
        generation = Generation(spec, {**typed, **_prompt(typed)}, ways)
        try:
            document = run(generation.make, when_ended=generation.left)
        except Ended as ended:
            _stopped(ended.told, as_json=as_json)
    document = saved(document, output)
    say(document, as_json=as_json, view=lambda: view_of(document))
    leave(document)


def ending_of(target: Path | None) -> str:
    return "" if target is None or target.is_dir() else target.suffix


def _prompt(typed: dict[str, object]) -> dict[str, object]:
    """The prompt from standard input, where `-` stands for it.

    Raises:
        ConfigurationError: nothing or no text came.
    """
    if typed.get("prompt") != "-":
        return {}
    if sys.stdin is None:
        raise ConfigurationError("Standard input is closed, so no prompt came.", hint="Nothing was generated.")
    if sys.stdin.isatty():
        sys.stderr.write("Write the prompt; Ctrl-D on a line of its own ends it.\n")
    try:
        text = sys.stdin.read(PROMPT_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Standard input is no text: {error}.", hint="Nothing was generated.") from error
    if not text:
        raise ConfigurationError("The prompt on standard input is empty.", hint="Nothing was generated.")
    return {"prompt": text}


class Generation:
    """One generation from the command line, or several; `seen` is what was known of its tasks last."""

    def __init__(self, spec: ToolSpec[Any], typed: dict[str, object], ways: Ways) -> None:
        self._spec = spec
        self._typed = typed
        self._ways = ways
        self.seen: dict[int, Document] = {}

    async def make(self, context: ToolContext) -> Document:
        """Submit, and wait; the answer is the tool's own, or `{"tasks": […]}`."""
        from .terminal import ProgressLine

        service = await context.opened()
        typed = await with_meant_tasks(service, self._typed)
        with ProgressLine(f"{self._spec.kind} on its way to the gateway") as line:
            one_at_a_time = anyio.Lock()

            async def ask(question: str) -> Asked:
                if self._ways.agreed:
                    return "yes"
                async with one_at_a_time:
                    return await asked_at_terminal(question, line)

            heard = replace(context, report_progress=line.heard, ask=ask)
            typed = await in_format_of(self._spec, heard, typed, self._ways.ending)
            calls = await varied(self._spec, heard, typed, self._ways.variations)
            async with anyio.create_task_group() as group:
                for number, call in enumerate(calls):
                    group.start_soon(self._one, heard, line, number, call)
        return several([self.seen[number] for number in sorted(self.seen)])

    async def _one(self, context: ToolContext, line: Any, number: int, call: dict[str, object]) -> None:
        result = await call_tool(self._spec, context, call)
        self.seen[number] = {**result.document, **self._told_apart(call)}
        task_id = result.document.get("task_id")
        if not isinstance(task_id, str) or self._ways.wait_seconds <= 0:
            return
        service = await context.opened()
        record = await until_kept(service, task_id, self._ways.wait_seconds, line.follow)
        deduplicated = result.document.get("deduplicated") is True
        shown = (await task_result(context, record, deduplicated=deduplicated, said=result.said)).document
        self.seen[number] = {**shown, **self._told_apart(call)}

    def _told_apart(self, call: dict[str, object]) -> Document:
        """By what one of several differs from the others."""
        seed = call.get("seed")
        return {"seed": seed} if self._ways.variations > 1 and isinstance(seed, int) else {}

    async def left(self, context: ToolContext, submissions: Sequence[TaskRecord]) -> Document | None:
        """What the records say after a signal; `None` where nothing was journaled."""
        service = await context.opened()
        known = [task_id for shown in self.seen.values() if isinstance(task_id := shown.get("task_id"), str)]
        records = [await service.get(task_id, principal=LOCAL) for task_id in known]
        records += [record for record in submissions if record.task_id not in known]
        documents = [(await task_result(context, record)).document for record in records]
        return several(documents) if documents else None


def _stopped(document: Document, *, as_json: bool) -> NoReturn:
    """After a signal: what the record says, and how to look again at what goes on."""
    code = code_of(document)
    if code is not Exit.RUNNING or as_json:
        say(document, as_json=as_json, view=lambda: view_of(document))
    leave(document, stopped=True)


for _name, _spec in (("video", GENERATE_VIDEO), ("image", GENERATE_IMAGE), ("audio", GENERATE_AUDIO)):
    app.command(_name)(_command(_spec))
