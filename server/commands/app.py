"""The command line as a whole."""

from importlib.metadata import version
from typing import Annotated

import typer

from . import doctor, generate, models, serve, tasks

app = typer.Typer(
    name="rushes",
    help="Video, image and audio generation over several gateways: nothing paid twice, nothing paid for lost.",
    epilog="Exit codes: 0 done, 1 the task failed, 2 the command or configuration is wrong, 3 still running.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(generate.app, name="generate")
app.command("check")(tasks.check)
app.command("tasks")(tasks.tasks)
app.command("cancel")(tasks.cancel)
app.command("models")(models.models)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)


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
