"""The `RUSHES_*` variables, of which there are few: read as they are, and checked as the file is."""

import os
from pathlib import Path

from pydantic import ConfigDict, ValidationError, field_validator

from ...domain.errors import ConfigurationError
from ...domain.spelling import did_you_mean
from ...domain.value import Value
from .file import LogLevel, PublicUrl

PREFIX = "RUSHES_"


class Variables(Value):
    """What the variables say. An empty one counts as unset, and its name may be written in any case."""

    model_config = ConfigDict(extra="ignore")

    home: Path | None = None
    output_dir: Path | None = None
    config: Path | None = None
    log_level: LogLevel | None = None
    keeper: bool | None = None
    public_url: PublicUrl | None = None

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


def read_environment() -> Variables:
    """The variables of this process.

    Raises:
        ConfigurationError: one of them has a value that it cannot have.
    """
    # In capitals last: where one is set in two spellings, the documented one counts.
    ordered = sorted(os.environ.items(), key=lambda item: item[0].isupper())
    given = {name.upper().removeprefix(PREFIX).lower(): text for name, text in ordered if _is_set(name, text)}
    try:
        return Variables.model_validate(given)
    except ValidationError as error:
        problems = [f"{PREFIX}{str(detail['loc'][0]).upper()}: {detail['msg']}" for detail in error.errors()]
        raise ConfigurationError("\n".join(problems)) from None


def _is_set(name: str, text: str) -> bool:
    return name.upper().startswith(PREFIX) and text != ""


def unknown_variables() -> list[str]:
    """Variables that look as if meant for rushes, but that it does not read."""
    known = [PREFIX + name.upper() for name in Variables.model_fields]
    strays = [name for name in sorted(os.environ) if name.startswith(PREFIX) and name not in known]
    return [f"{name}{did_you_mean(name, known)}" for name in strays]
