"""Options of a command, made from a tool's input model, so that the two cannot drift apart.

Values go to the model as they were typed: it alone reads, checks and refuses them.
"""

import inspect
from collections.abc import Callable, Collection
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .words import for_people

NO_VALUE = ""
"""Metavar of a flag."""

AsJson = Annotated[bool, typer.Option("--json", metavar=NO_VALUE, help="Print one JSON document, as the tools answer.")]


SHORT = {"from_task": "--from"}
"""Options with a name of their own, as people write it."""

ABOUT = {
    "prompt": "What to make; - reads it from standard input.",
    "output_name": "Name of the kept file, without ending",
}
"""What needs no words for agents."""


def with_options_of(
    model: type[BaseModel], run: Callable[..., None], *, argument: str | None = None, skip: Collection[str] = ()
) -> Callable[..., None]:
    """A function for typer: `run` with its own parameters, and before them one for each field of `model`.

    Args:
        model: The tool's input model.
        run: Called with `typed`, a dict of what was typed by the names of the fields, and its own keyword
            parameters, which carry typer's annotations.
        argument: The field that is positional, if one is.
        skip: Fields that the command does not offer.
    """
    fields = {name: field for name, field in model.model_fields.items() if name not in skip}
    from_model = [_parameter(name, field, positional=name == argument) for name, field in fields.items()]
    own = [parameter for parameter in inspect.signature(run).parameters.values() if parameter.name != "typed"]
    parameters = [*from_model, *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own)]

    def command(**given: object) -> None:
        typed = {name: value for name in fields if (value := given.pop(name)) not in (None, [])}
        run(typed=typed, **given)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = run.__doc__
    return command


def _parameter(name: str, field: FieldInfo, *, positional: bool) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    if positional:
        argument = typer.Argument(metavar=name.upper(), show_default=False, help=ABOUT.get(name))
        if get_origin(_plain(field.annotation)) is list:
            return inspect.Parameter(name, kind, annotation=Annotated[list[str], argument])
        if field.is_required():
            return inspect.Parameter(name, kind, annotation=Annotated[str, argument])
        return inspect.Parameter(name, kind, default=None, annotation=Annotated[str | None, argument])
    typed, metavar = _typed_as(_plain(field.annotation))
    flag = SHORT.get(name) or f"--{name.replace('_', '-')}"
    # A flag that is off by default needs no way to say so; one that is neither on nor off does.
    spellings = f"{flag}/--no-{flag[2:]}" if typed is bool and field.default is None else flag
    option = typer.Option(spellings, help=_help(field, typed, ABOUT.get(name, "")), metavar=metavar, show_default=False)
    return inspect.Parameter(name, kind, default=None, annotation=Annotated[typed | None, option])


def _typed_as(annotation: object) -> tuple[Any, str | None]:
    """How typer is to read an option, and the word that stands for its value in the help."""
    if annotation is bool:
        return bool, NO_VALUE
    match get_origin(annotation):
        case origin if origin is list:
            return list[str], "TEXT"
        case origin if origin is dict:
            return str, "JSON"
        case origin if origin is Literal:
            return str, "|".join(map(str, get_args(annotation)))
        case _:
            return str, {int: "INTEGER", float: "NUMBER"}.get(annotation, "TEXT")  # type: ignore[call-overload]


def _plain(annotation: object) -> object:
    """The type without `Annotated` and `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, UnionType}:
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation


def _help(field: FieldInfo, typed: object, about: str) -> str:
    again = "may be given several times" if typed == list[str] else ""
    # In brackets typer would see a style.
    return "; ".join(part for part in (for_people(field.description or about), again) if part).replace("[", "\\[")
