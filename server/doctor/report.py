"""`rushes doctor`: every check, in order, and a report of what was found."""

from importlib.metadata import version

from ...domain.errors import ConfigurationError, StoreError
from ...domain.value import Value
from ...tasks.clock import SystemClock
from ...tasks.journal import open_records
from ...tasks.work.hook_silence import HookSilence
from ...tasks.work.rebuild import lost_jobs
from ...tasks.work.rebuild import rebuild as rebuild_tasks
from ..assembly import OpenedProviders, open_media, open_providers, open_receipts, open_store
from ..preparation import prepared_settings
from ..settings.settings import Settings
from .callbacks import address_checks, asked, gateway_checks
from .checks import (
    Check,
    broken_providers,
    configuration,
    folders,
    media,
    misconfigured,
    rebuilt,
    store_health,
    tasks_set_aside,
    unmatched,
    unusable_store,
    unused_providers,
    used_providers,
    versions,
    without_asking,
)
from .spending import money


class Report(Value):
    """Everything that was looked at."""

    rushes: str
    ok: bool
    """Whether nothing is broken."""
    checks: tuple[Check, ...]


async def examine(*, offline: bool = False, rebuild: bool = False) -> Report:
    """Look at everything.

    Args:
        offline: Ask no gateway whether its key works.
        rebuild: Bring finished tasks back from the sidecars beside their outputs.
    """
    checks = [*versions(), *media()]
    try:
        settings = prepared_settings()
    except ConfigurationError as error:
        checks.append(misconfigured(error))
    else:
        checks += configuration(settings)
        checks += folders(settings)
        async with open_providers(settings) as providers:
            checks += await _providers(settings, providers, offline=offline)
            checks += await _callbacks(settings, offline=offline)
            checks += await _store(settings, providers, rebuild=rebuild, offline=offline)
    broken = [check for check in checks if check.state == "broken"]
    return Report(rushes=version("rushes"), ok=not broken, checks=tuple(checks))


async def _providers(settings: Settings, providers: OpenedProviders, *, offline: bool) -> list[Check]:
    usable = [(each.settings, each.provider) for each in providers.opened if each.problem is None]
    found = [without_asking(each) for each, _ in usable] if offline else await used_providers(usable)
    return [*found, *broken_providers(providers.faults), *unused_providers(settings)]


async def _callbacks(settings: Settings, *, offline: bool) -> list[Check]:
    if settings.public_url is None:
        return []
    async with open_providers(settings) as providers:
        usable = [(each.settings, each.provider) for each in providers.opened if each.problem is None]
        try:
            async with open_store(settings) as store:
                silence = HookSilence(store, SystemClock())
                missed = {name: await silence.meet(name) for name in asked(usable)}
        except StoreError:
            missed = {}
        return [*await address_checks(settings, offline=offline), *gateway_checks(settings, usable, missed)]


async def _store(settings: Settings, providers: OpenedProviders, *, rebuild: bool, offline: bool) -> list[Check]:
    try:
        async with open_store(settings) as store, open_receipts(settings) as receipts:
            done = [rebuilt(await rebuild_tasks(store, open_media(settings), receipts))] if rebuild else []
            aside = [record for record in await open_records(store) if record.set_aside_at is not None]
            lost = await lost_jobs(store, receipts)
            usable = [each.provider for each in providers.opened if each.problem is None]
            spending = await money(settings, usable, store, offline=offline)
            return [*spending, *done, *store_health(await store.health()), *unmatched(lost), *tasks_set_aside(aside)]
    except StoreError as error:
        return [unusable_store(error)]
