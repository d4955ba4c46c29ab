"""The end of a command: its answer on stdout (one JSON document, or for people), complaints on stderr, an exit code."""

import json
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer
from pydantic import JsonValue

from ...domain.errors import ConfigurationError, RushesError, StoreReadOnly, TaskNotFound
from ...domain.failure import clean_text
from .outcome import Exit, exit_of
from .session import Interrupted
from .words import for_people

if TYPE_CHECKING:
    from rich.console import RenderableType

Document = dict[str, JsonValue]

CORRECT_IT = "Correct the setting that the message names; nothing was sent."


def end(document: Document, *, as_json: bool, view: "Callable[[], Iterable[RenderableType]]") -> NoReturn:
    """Print the answer and leave with its exit code."""
    say(document, as_json=as_json, view=view)
    raise typer.Exit(exit_of(document))


def say(document: Document, *, as_json: bool, view: "Callable[[], Iterable[RenderableType]]") -> None:
    """Print the answer."""
    if as_json:
        print_json(document)
    else:
        from .terminal import show

        show(*view())


def print_json(document: Document) -> None:
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    typer.echo(json.dumps(document, indent=2, ensure_ascii=ascii_only))


@contextmanager
def complaints(*, as_json: bool, generates: bool = False, about_a_task: bool = False) -> Generator[None]:
    """Turn an error, or Ctrl-C, into a message and an exit code."""
    try:
        yield
    except RushesError as error:
        complain(error)
        if as_json:
            print_json(_refusal(error, generates=generates, about_a_task=about_a_task))
        raise typer.Exit(exit_of_error(error)) from None
    except Interrupted:
        raise typer.Exit(Exit.INTERRUPTED) from None


def complain(error: RushesError) -> None:
    """Say on stderr what happened and what to do now."""
    for line in error.message.splitlines():
        typer.echo(f"rushes: {clean_text(line, 2000)}", err=True)
    if error.hint:
        typer.echo(f"  {for_people(clean_text(error.hint, 2000))}", err=True)


def _refusal(error: RushesError, *, generates: bool, about_a_task: bool) -> Document:
    """The error in the shape in which a tool would answer."""
    from ...domain.failure import failure
    from ...tools import refused, refused_by, unanswered

    if isinstance(error, ConfigurationError):
        hint = error.hint or CORRECT_IT
        if generates:
            return refused(failure("invalid_input", error.message, charged="no", hint=hint), None).document
        return {"error": {"reason": "invalid_input", "message": clean_text(error.message), "hint": hint}}
    return (refused_by(error) if generates else unanswered(error, about_a_task=about_a_task)).document


def exit_of_error(error: RushesError) -> Exit:
    # A folder that cannot be written is what a setting names; nothing was started in it.
    return Exit.WRONG if isinstance(error, ConfigurationError | TaskNotFound | StoreReadOnly) else Exit.FAILED
