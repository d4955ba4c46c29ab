"""The `RUSHES_*` variables. Imported only where one is set, because pydantic-settings is slow to load."""

from pathlib import Path

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .file import LogLevel


class Environment(BaseSettings):
    """The variables. An empty one counts as unset."""

    model_config = SettingsConfigDict(env_prefix="RUSHES_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path | None = None
    output_dir: Path | None = None
    config: Path | None = None
    log_level: LogLevel | None = None

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value
