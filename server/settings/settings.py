"""Settings: environment variables, over `rushes.toml`, over defaults (`docs/design.md`, Configuration)."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from ...domain.budget import Budget
from ...domain.money import Price
from ...providers.client.upload_client import UploadTarget
from ...providers.provider import ProviderSettings
from .file import FileSettings, Inputs, LimitsTable, LogLevel, read_file
from .money_tables import check_money
from .providers import merge_providers
from .variables import Variables, read_environment

FILE_NAME = "rushes.toml"


@dataclass(frozen=True)
class Settings:
    """Everything that a person can set. Paths are absolute; nothing has been created yet."""

    home: Path
    output_dir: Path
    log_level: LogLevel
    providers: tuple[ProviderSettings, ...]
    """In the order in which they are tried. Those without a key are listed too."""
    own_input_roots: tuple[Path, ...] | None = None
    """`[inputs] roots` of the file, if it has them."""
    upload: UploadTarget | None = None
    """`[inputs] upload_url` and what goes with it."""
    viewer_domains: tuple[str, ...] = ()
    """Further origins from which the viewer may show media."""
    public_url: str | None = None
    """Where gateways reach this rushes to call back; without a slash at the end."""
    limits: LimitsTable = field(default_factory=LimitsTable)
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    """By `provider/model`."""
    budgets: tuple[Budget, ...] = ()
    config_file: Path | None = None
    """The file that was read, if there is one."""
    keeper: bool = True
    """Whether a command leaves a process behind that follows what it left unfinished."""

    @property
    def input_roots(self) -> tuple[Path, ...]:
        """Folders in which local input media may lie."""
        return self.own_input_roots if self.own_input_roots is not None else default_input_roots(self.output_dir)

    @property
    def hooks_dir(self) -> Path:
        """The key of this home's hooks, and word of those that came to another process."""
        return self.home / "hooks"

    @property
    def cache_dir(self) -> Path:
        return self.home / "cache"


def load_settings(known: Sequence[ProviderSettings], formats: Callable[[], Collection[str]]) -> Settings:
    """The settings of this process.

    Args:
        known: The providers that rushes knows without configuration, in their standing order.
        formats: Tells the formats there are; asked only where the file names one.

    Raises:
        ConfigurationError: a variable, or something in the file, is wrong.
    """
    environment = read_environment()
    config_path, file = _read_file(environment)
    home = _absolute(environment.home or file.home or default_home())
    output_dir = _absolute(environment.output_dir or file.output_dir or home / "outputs")
    roots = file.inputs.roots
    providers = merge_providers(known, formats, file, os.environ, str(config_path))
    check_money(file.prices, file.budget, [each.name for each in providers], str(config_path))
    return Settings(
        home=home,
        output_dir=output_dir,
        log_level=environment.log_level or file.log_level or "warning",
        providers=providers,
        own_input_roots=None if roots is None else tuple(map(_absolute, roots)),
        upload=_upload_target(file.inputs),
        viewer_domains=tuple(file.viewer.media_domains),
        public_url=environment.public_url or file.http.public_url,
        limits=file.limits,
        keeper=file.limits.keeper if environment.keeper is None else environment.keeper,
        prices=file.prices,
        budgets=file.budget,
        config_file=config_path if config_path.is_file() else None,
    )


def _upload_target(inputs: Inputs) -> UploadTarget | None:
    if inputs.upload_url is None:
        return None
    value = os.environ.get(inputs.upload_header_env, "").strip() if inputs.upload_header_env else ""
    return UploadTarget(
        url=inputs.upload_url,
        method=inputs.upload_method,
        form_field=inputs.upload_field,
        header=inputs.upload_header,
        header_env=inputs.upload_header_env,
        header_value=SecretStr(value) if value else None,
        public_url=inputs.upload_public_url,
    )


def default_home() -> Path:
    """The platform's folder for what a program keeps for its user."""
    import platformdirs

    return platformdirs.user_data_path("rushes", appauthor=False)


def default_input_roots(output_dir: Path) -> tuple[Path, ...]:
    """The outputs, the folders where people keep media, and the current folder where a project is open in it.

    Hosts start servers in `/`, in the home folder or in a system folder: that is no project, and opening all of it
    would let a prompt send off any picture on the machine.
    """
    import platformdirs

    folders = [
        output_dir,
        platformdirs.user_pictures_path(),
        platformdirs.user_videos_path(),
        platformdirs.user_music_path(),
        platformdirs.user_downloads_path(),
        platformdirs.user_desktop_path(),
        platformdirs.user_documents_path(),
    ]
    here = Path.cwd()
    if is_project(here):
        folders.append(here)
    return tuple(dict.fromkeys(folders))


def is_project(folder: Path) -> bool:
    """Whether a folder can be somebody's project: neither the home folder or one above it, nor one of the system's."""
    person = Path.home()
    if folder in {person, *person.parents}:
        return False
    parts = folder.parts[len(Path(folder.anchor).parts) :]
    return folder.is_relative_to(person) or (len(parts) > 1 and parts[0].lower() not in _OF_THE_SYSTEM)


_OF_THE_SYSTEM = frozenset(
    {
        *("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "nix", "proc", "root", "run", "sbin", "snap", "sys"),
        *("usr", "var", "applications", "library", "system", "windows", "program files", "program files (x86)"),
        "programdata",
    }
)
"""First folders below which nobody's project lies, in lower case."""


def _read_file(environment: Variables) -> tuple[Path, FileSettings]:
    if environment.config is not None:
        path = _absolute(environment.config)
        return path, read_file(path, must_exist=True)
    path = _absolute(environment.home or default_home()) / FILE_NAME
    return path, read_file(path, must_exist=False)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  a link in the path stays: the person named it so
