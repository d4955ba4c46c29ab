"""`rushes.toml`: its shape, and reading it so that a mistake is named by file and key."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, cast, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import PydanticCustomError

from ...domain.errors import ConfigurationError
from ...domain.money import Price
from ...domain.spelling import did_you_mean
from ...domain.value import Value
from .money_tables import BudgetTables
from .origins import is_one_origin, is_origin

LogLevel = Literal["debug", "info", "warning", "error"]


def _is_media_domain(text: str) -> str:
    if not is_origin(text):
        problem = "this must be an origin without a path, such as https://cdn.example or https://*.cdn.example"
        raise PydanticCustomError("media_domain", problem)
    return text


MediaDomain = Annotated[str, AfterValidator(_is_media_domain)]

UPLOAD_PLACEHOLDERS = ("{name}", "{sha256}", "{ext}")


def _is_upload_url(text: str) -> str:
    bare = text
    for placeholder in UPLOAD_PLACEHOLDERS:
        bare = bare.replace(placeholder, "x")
    try:
        parts = urlsplit(bare)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable or set("{}") & set(bare) or any(c.isspace() or not c.isprintable() for c in bare):
        problem = "this must be an http or https URL, in which {name}, {sha256} and {ext} stand for the file"
        raise PydanticCustomError("upload_url", "{problem}", {"problem": problem})
    return text


UploadUrl = Annotated[str, AfterValidator(_is_upload_url)]


def _is_result_origin(text: str) -> str:
    if not is_one_origin(text):
        raise PydanticCustomError("result_origin", "this must be scheme, host and port, such as http://127.0.0.1:9000")
    return text


ResultOrigin = Annotated[str, AfterValidator(_is_result_origin)]

ProviderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


def problem_with_base_url(url: str) -> str | None:
    """Why a text is no scheme, host and prefix; `None` where it is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"this is not a URL ({error})"
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "this is not an http or https URL with a host"
    if parts.username is not None or parts.password is not None:
        return "a base URL must not hold a user name or password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "a base URL must not have a query or a fragment"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "a base URL must not hold blanks"
    return None


def _is_public_url(text: str) -> str:
    problem = problem_with_base_url(text)
    if problem is not None:
        raise PydanticCustomError("public_url", "{problem}", {"problem": f"{problem}; such as https://hooks.example"})
    return text.rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_is_public_url)]

ModelAtProvider = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}/\S{1,200}$")]
"""A provider's name and a model there, by the gateway's own id or the common name: `llmgateway/veo-3.1`."""

_IN_WORDS_OF_TOML = {
    "dict_type": "this must be a table",
    "list_type": 'this must be a list, such as ["a", "b"]',
    "model_type": "this must be a table",
}

SECRET_KEYS = frozenset({"api_key", "apikey", "key", "token", "api_token", "secret", "webhook_secret"})


class _Table(Value):
    model_config = ConfigDict(extra="forbid")


class ProviderTable(_Table):
    """`[providers.NAME]`: changes to a known provider, or a further instance of a format."""

    wire: str | None = None
    base_url: str | None = None
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable with the key."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=600)
    requests_max: int | None = Field(default=None, ge=1, le=256)
    result_origins: tuple[ResultOrigin, ...] | None = None
    """Places inside the network from which its results may be fetched."""
    webhook_secret_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable with the secret, `whsec_…`, by which the gateway signs its hooks."""
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Looks and submissions together; for an account whose rate is another than the gateway's documented one."""
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Inputs(_Table):
    """`[inputs]`: where local input media may lie, and how gateways that take URLs only get them."""

    roots: list[Path] | None = None
    upload_url: UploadUrl | None = None
    """An address of the person's own that takes a file and answers with its URL; may hold `{name}`, `{sha256}`."""
    upload_method: Literal["PUT", "POST"] = "PUT"
    upload_field: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """The file's field where a POST is to send a form."""
    upload_header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]{1,64}$")
    upload_header_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable with the header's value."""
    upload_public_url: UploadUrl | None = None
    """Where gateways find an uploaded file, where the answer to the upload does not say."""


class ViewerTable(_Table):
    """`[viewer]`: the page in which hosts show a task."""

    media_domains: list[MediaDomain] = Field(default_factory=list)
    """Origins from which it may show media, besides those known of the configured gateways."""


class HttpTable(_Table):
    """`[http]`: where this rushes is reached from outside."""

    public_url: PublicUrl | None = None
    """Scheme, host and prefix (if any) at which gateways call back: those of a tunnel or proxy in front of rushes."""


DISK_FREE_MIN = 256 * 1024**2


class LimitsTable(_Table):
    """`[limits]`: bounds on what rushes does by itself."""

    keep_outputs: bool = True
    """Whether outputs are downloaded; without it only their URLs are recorded."""
    download_bytes_max: int = Field(default=2 * 1024**3, ge=1024)
    """Largest output that is kept."""
    disk_free_min: ByteSize = Field(default=ByteSize(DISK_FREE_MIN), ge=0)
    """What rushes leaves free on the disk of the outputs: bytes, or text such as `"500 MB"` or `"2 GiB"`. With less, no
    paid request is sent and nothing is downloaded."""
    tasks_polled_at_once: int = Field(default=32, ge=1, le=1024)
    downloads_at_once: int = Field(default=16, ge=1, le=256)
    hold_seconds_max: float = Field(default=900.0, ge=0, le=86_400)
    """How long a request waits, unsent, for a gateway that refuses it for now and names a time; 0 for never."""
    hold_tries_max: int = Field(default=8, ge=0, le=100)
    """How often a request that waits may be refused again before it fails."""
    shutdown_grace_seconds: float = Field(default=1.5, ge=0, le=60)
    """How long a submission that is under way may still take when the server stops."""
    interrupt_grace_seconds: float = Field(default=60.0, ge=0, le=3600)
    """How long a command that is ended waits for the answer to a submission under way; a second signal ends that."""
    keeper: bool = True
    """Whether a command that leaves a task unfinished leaves a process behind that follows it to the kept file."""


class FileSettings(_Table):
    """The whole file."""

    home: Path | None = None
    output_dir: Path | None = None
    log_level: LogLevel | None = None
    order: list[ProviderName] = Field(default_factory=list)
    """Providers in the order in which they are tried."""
    providers: dict[ProviderName, ProviderTable] = Field(default_factory=dict)
    # Defaults need no check, and without a file nothing here is built.
    inputs: Inputs = Field(default_factory=Inputs.model_construct)
    viewer: ViewerTable = Field(default_factory=ViewerTable.model_construct)
    http: HttpTable = Field(default_factory=HttpTable.model_construct)
    limits: LimitsTable = Field(default_factory=LimitsTable.model_construct)
    prices: dict[ModelAtProvider, Price] = Field(default_factory=dict)
    """What a person knows of prices that no gateway lists and no job has shown yet."""
    budget: BudgetTables = ()
    """How much may be spent; one a currency."""


def read_file(path: Path, *, must_exist: bool) -> FileSettings:
    """The settings in a TOML file; relative paths in it start at its folder.

    Raises:
        ConfigurationError: the file cannot be read, or something in it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise ConfigurationError(f"{path}: this file (named by RUSHES_CONFIG) does not exist") from None
        return FileSettings.model_construct()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    return parse(text, path)


def parse(text: str, path: Path) -> FileSettings:
    """The settings in the text of a file that lies at `path`."""
    try:
        tables: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from error
    _refuse_keys_in_clear(tables, path)
    try:
        settings = FileSettings.model_validate(tables)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, path)) from None
    return _anchor_paths(settings, path.parent)


def _refuse_keys_in_clear(tables: Mapping[str, object], path: Path) -> None:
    for name, table in _inner_tables(tables.get("providers")):
        found = SECRET_KEYS & {key for key, _ in _items(table)}
        if found:
            raise ConfigurationError(
                f"{path}: providers.{name}.{min(found)}: a key is never written in this file, which is easily copied "
                "or committed; set an environment variable and name it here with "
                f'api_key_env = "{name.upper()}_API_KEY"'
            )


def _inner_tables(table: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """All tables below this one, with their dotted names."""
    for key, value in _items(table):
        if isinstance(value, dict):
            yield f"{prefix}{key}", cast("object", value)
            yield from _inner_tables(cast("object", value), f"{prefix}{key}.")


def _items(table: object) -> list[tuple[str, object]]:
    return list(cast("dict[str, object]", table).items()) if isinstance(table, dict) else []


def _explain(error: ValidationError, path: Path) -> str:
    """One line a mistake, each with its key."""
    lines: list[str] = []
    for detail in error.errors(include_url=False, include_input=False):
        location = [str(part) for part in detail["loc"] if part != "[key]"]
        if detail["type"] == "extra_forbidden":
            known = _known_keys(location[:-1])
            problem = f"unknown key{did_you_mean(location[-1], known)}; known here: {', '.join(known)}"
        elif detail["type"] == "string_pattern_mismatch" and location[0] == "inputs":
            problem = detail["msg"]
        elif detail["type"] == "string_pattern_mismatch" and location[-1].endswith("_env"):
            problem = "this must be the name of an environment variable, never a key itself"
        elif detail["type"] == "string_pattern_mismatch" and location[0] == "prices":
            problem = 'this must be a provider and its model, such as [prices."llmgateway/veo-3.1"]'
        elif detail["type"] == "string_pattern_mismatch":
            problem = "a provider's name is lower-case letters, digits, `-` and `_`, at most 32, a letter first"
        else:
            problem = _IN_WORDS_OF_TOML.get(detail["type"], detail["msg"]).removeprefix("Value error, ")
        lines.append(f"{path}: {'.'.join(location)}: {problem}")
    return "\n".join(lines)


def _known_keys(location: list[str]) -> list[str]:
    """The keys that the table at this place of the file may hold."""
    model: type[BaseModel] = FileSettings
    for part in (each for each in location if not each.isdecimal()):
        field = model.model_fields.get(part)
        inner = _table_in(field.annotation) if field is not None else None
        model = inner or model
    return sorted(model.model_fields)


def _table_in(annotation: object) -> type[BaseModel] | None:
    """The table model that an annotation is, or holds as the values of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {dict, tuple, UnionType}:
        return next((table for part in get_args(annotation) if (table := _table_in(part))), None)
    return None


def _anchor_paths(settings: FileSettings, folder: Path) -> FileSettings:
    def anchored(path: Path | None) -> Path | None:
        return None if path is None else folder / path.expanduser()

    roots = settings.inputs.roots
    anchored_roots = None if roots is None else [folder / root.expanduser() for root in roots]
    inputs = settings.inputs.model_copy(update={"roots": anchored_roots})
    return settings.model_copy(
        update={"home": anchored(settings.home), "output_dir": anchored(settings.output_dir), "inputs": inputs}
    )
