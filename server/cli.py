"""The command `rushes`: its commands, and the one place where an error becomes a message and an exit code."""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from ..errors import ConfigurationError, RushesError

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_WRONG = 2
EXIT_RUNNING = 3

app = typer.Typer(
    name="rushes",
    help="Video, image and audio generation over several gateways: nothing paid twice, nothing paid for lost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rushes {version('rushes')}")
        raise typer.Exit


@app.callback()
def _common(  # pyright: ignore[reportUnusedFunction]  typer calls it
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command; never returns."""
    try:
        app()
    except ConfigurationError as error:
        complain(error)
        sys.exit(EXIT_WRONG)
    except RushesError as error:
        complain(error)
        sys.exit(EXIT_FAILED)
    sys.exit(EXIT_DONE)


def complain(error: RushesError) -> None:
    """Say on stderr what happened and what to do now."""
    typer.echo(f"rushes: {error.message}", err=True)
    if error.hint:
        typer.echo(f"  {error.hint}", err=True)
