"""The command line as a whole."""

from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperGroup

from . import (
    assemble_command,
    doctor_command,
    generate_command,
    hooks_command,
    keeper,
    models_command,
    serve_command,
    spend_command,
    task_commands,
)
from .options import NO_VALUE


class InOrder(TyperGroup):
    """Shows the commands in the order in which a person comes to need them."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002
        looking = ["generate", "assemble", "check", "view", "tasks", "cancel", "attach", "spend", "settle"]
        return [*looking, "models", "doctor", "serve", "hooks", "keep"]


app = typer.Typer(
    name="rushes",
    cls=InOrder,
    help="Video, image and audio generation over several gateways: nothing paid twice, nothing paid for lost.",
    epilog="Exit codes: 0 done, 1 the task failed, 2 the command or configuration is wrong, 3 still running, or "
    "no file on disk yet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(generate_command.app, name="generate")
app.command("assemble")(assemble_command.assemble)
app.command("check")(task_commands.check)
app.command("view")(task_commands.view)
app.command("tasks")(task_commands.tasks)
app.command("cancel")(task_commands.cancel)
app.command("attach")(task_commands.attach)
app.command("spend")(spend_command.spend)
app.command("settle")(spend_command.settle)
app.command("models")(models_command.models)
app.command("serve")(serve_command.serve)
app.command("hooks")(hooks_command.hooks)
app.command("doctor")(doctor_command.doctor)
app.command(keeper.COMMAND, hidden=True)(keeper.keep)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rushes {version('rushes')}")
        raise typer.Exit


@app.callback()
def _common(  # pyright: ignore[reportUnusedFunction]  typer calls it
    show_version: Annotated[
        bool,
        typer.Option("--version", metavar=NO_VALUE, callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass
