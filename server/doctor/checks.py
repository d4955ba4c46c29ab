"""What `rushes doctor` looks at: versions, media codecs, settings, folders, providers, the store. It never spends."""

import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import anyio

from ...cache.embedded.store import StoreHealth
from ...domain.errors import ConfigurationError, StoreError
from ...domain.failure import clean_text
from ...domain.record import TaskRecord
from ...domain.value import Value
from ...providers.provider import AccountCheck, Provider, ProviderSettings
from ...tasks.clock import SystemClock
from ...tasks.intake.routing import Configured
from ...tasks.money.balances import Balances
from ...tasks.work.rebuild import Rebuilt
from ..settings.providers import problem_with
from ..settings.settings import Settings
from ..settings.variables import unknown_variables

State = Literal["ok", "note", "warning", "broken"]

ACCOUNT_SECONDS = 10.0
"""Limit on the read that checks one provider's key."""

FREE_BYTES_FEW = 1_000_000_000


class Check(Value):
    """One thing that was looked at."""

    topic: str
    name: str
    state: State
    message: str
    hint: str | None = None


def versions() -> Iterator[Check]:
    """Python and the libraries that matter."""
    system = f"{platform.system()} {platform.machine()}"
    yield Check(topic="versions", name="python", state="ok", message=f"{platform.python_version()} on {system}")
    for name in ("rushes", "mcp", "httpx", "pydantic", "diskcache"):
        yield Check(topic="versions", name=name, state="ok", message=version(name))
    yield Check(topic="versions", name="sqlite", state="ok", message=sqlite3.sqlite_version)


def media() -> Iterator[Check]:
    """What the sandbox and the measuring of outputs need of PyAV and Pillow."""
    import av
    import av.codec
    import PIL
    from PIL import features

    yield Check(topic="media", name="PyAV", state="ok", message=f"{av.__version__}, FFmpeg {_ffmpeg()}")
    for codec, purpose in (("libx264", "H.264 video"), ("aac", "sound in video")):
        if codec in av.codec.codecs_available:
            yield Check(topic="media", name=codec, state="ok", message=f"encodes {purpose}")
        else:
            yield _lacking(codec, f"this FFmpeg cannot encode {purpose}")
    yield Check(topic="media", name="Pillow", state="ok", message=PIL.__version__)
    if not features.check("webp"):
        yield _lacking("webp", "this Pillow cannot write WebP")
    if not features.check("freetype2"):
        yield _lacking("freetype", "this Pillow cannot draw text")


def _ffmpeg() -> str:
    import av

    return str(getattr(av, "ffmpeg_version_info", "of unknown version"))


def _lacking(name: str, message: str) -> Check:
    hint = "The sandbox needs it; gateways do not. Reinstall av and pillow from their wheels."
    return Check(topic="media", name=name, state="warning", message=message, hint=hint)


def configuration(settings: Settings) -> Iterator[Check]:
    """Where the settings come from."""
    found = settings.config_file
    told = str(found) if found is not None else "none (defaults and environment)"
    yield Check(topic="settings", name="file", state="ok", message=told)
    for stray in unknown_variables():
        message = f"{stray} is set, but rushes reads no such variable"
        yield Check(topic="settings", name="environment", state="warning", message=message)


def misconfigured(error: ConfigurationError) -> Check:
    return Check(topic="settings", name="error", state="broken", message=error.message, hint=error.hint)


def folders(settings: Settings) -> Iterator[Check]:
    """Whether the folders can really be written; makes them, as rushes itself would."""
    places = {"home": settings.home, "cache": settings.cache_dir, "outputs": settings.output_dir}
    for name, path in places.items():
        yield _folder(name, path)


def _folder(name: str, path: Path) -> Check:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"rushes")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(path).free
    except OSError as error:
        hint = "Make it writable, or name another with RUSHES_HOME or RUSHES_OUTPUT_DIR."
        message = f"{path} cannot be written: {error.strerror or error}"
        return Check(topic="folders", name=name, state="broken", message=message, hint=hint)
    if free < FREE_BYTES_FEW:
        message = f"{path} can be written; only {free / 1e6:.0f} MB are free"
        return Check(topic="folders", name=name, state="warning", message=message)
    return Check(topic="folders", name=name, state="ok", message=f"{path} can be written, {free / 1e9:.0f} GB free")


def store_health(health: StoreHealth) -> Iterator[Check]:
    """What the opened store says of itself."""
    told = f"{health.tasks} tasks, {health.size_bytes / 1e6:.1f} MB, schema {health.schema}, {health.journal_mode}"
    yield Check(topic="store", name="tasks", state="ok", message=told)
    if health.wal_reset_bug:
        yield Check(
            topic="store",
            name="sqlite",
            state="note",
            message=f"SQLite {health.sqlite_version} has the WAL-reset bug; the store works around it",
            hint="See sqlite.org/wal.html#walresetbug.",
        )
    if health.set_aside is not None:
        yield Check(
            topic="store",
            name="damage",
            state="warning",
            message=f"a damaged store is set aside in {health.set_aside}; {health.carried_over} rows were carried over",
            hint="Run `rushes doctor --rebuild` to bring back finished tasks from the files beside their outputs.",
        )


def unmatched(task_ids: Sequence[str]) -> Iterator[Check]:
    """Accepted jobs that the store knows nothing of, although their receipts are there."""
    if not task_ids:
        return
    shown = ", ".join([*task_ids[:5], *(["…"] if len(task_ids) > 5 else [])])
    yield Check(
        topic="store",
        name="receipts",
        state="warning",
        message=f"{len(task_ids)} paid jobs have a receipt and no task in the store: {shown}",
        hint="`rushes doctor --rebuild` brings them back, and so does starting rushes; their results are then kept.",
    )


def tasks_set_aside(records: Sequence[TaskRecord]) -> Iterator[Check]:
    """Tasks that no process goes on with, because too many died of them."""
    for record in records:
        yield Check(
            topic="store",
            name="set aside",
            state="warning",
            message=f"{record.task_id} ({record.provider}, {record.state}): processes died while they worked on it",
            hint=f"`rushes check {record.task_id} --resume` takes it up once more; its job may have been charged.",
        )


def rebuilt(done: Rebuilt) -> Check:
    """What a rebuild brought back."""
    message = f"{len(done.restored)} tasks are back, {done.present} were there"
    if done.unfinished:
        message += f"; {len(done.unfinished)} unfinished ones are back from the receipts of their jobs"
    state: State = "warning" if done.unreadable else "ok"
    suffix = f", {done.unreadable} sidecars could not be read" if done.unreadable else ""
    return Check(topic="store", name="rebuild", state=state, message=message + suffix)


def unusable_store(error: StoreError) -> Check:
    return Check(topic="store", name="tasks", state="broken", message=error.message, hint=error.hint)


def broken_providers(faults: Mapping[str, str]) -> Iterator[Check]:
    """Providers that could not even be made, such as those of a faulty plugin."""
    for name, message in faults.items():
        yield Check(topic="providers", name=name, state="broken", message=message)


def unused_providers(settings: Settings) -> Iterator[Check]:
    """Providers that lack a key or a base URL."""
    for provider in settings.providers:
        problem = problem_with(provider)
        if problem is not None:
            half_set = provider.api_key is not None
            state: State = "warning" if half_set else "note"
            yield Check(topic="providers", name=provider.name, state=state, message=f"not usable: {problem}")


async def used_providers(pairs: Sequence[tuple[ProviderSettings, Provider]]) -> list[Check]:
    """Each key and base URL, by the cheapest read that the gateway documents; all at once, bounded in time."""
    checks: dict[str, Check] = {}
    balances = Balances([Configured(provider) for _, provider in pairs], SystemClock(), asked_seconds=ACCOUNT_SECONDS)

    async def check(settings: ProviderSettings, provider: Provider) -> None:
        checks[settings.name] = _account_check(settings, await balances.account(provider))

    async with anyio.create_task_group() as group:
        for settings, provider in pairs:
            group.start_soon(check, settings, provider)
    return [checks[settings.name] for settings, _ in pairs]


def without_asking(settings: ProviderSettings) -> Check:
    """A usable provider whose key is not tried out."""
    return Check(topic="providers", name=settings.name, state="ok", message=f"{_where(settings)}; not asked")


def _account_check(settings: ProviderSettings, found: AccountCheck) -> Check:
    hint = None if found.ok else f"Check {settings.api_key_env} and the base URL."
    message = found.message if settings.keyless else f"{_where(settings)}: {clean_text(found.message)}"
    state: State = "broken" if not found.ok else "ok" if found.checked else "note"
    return Check(topic="providers", name=settings.name, state=state, message=message, hint=hint)


def _where(settings: ProviderSettings) -> str:
    if settings.keyless:
        return "built in, free"
    host = urlsplit(settings.base_url or "").netloc
    in_clear = " (not encrypted)" if (settings.base_url or "").startswith("http://") else ""
    return f"key in {settings.api_key_env}, {host}{in_clear}"
