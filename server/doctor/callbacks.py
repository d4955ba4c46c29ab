"""What `rushes doctor` says of callbacks: whether the public address leads here, and which gateways will use it."""

import ipaddress
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import anyio.to_thread

from ...cache.hook_key import hook_key
from ...domain.errors import StoreError
from ...providers.client.addresses import RESOLVE_SECONDS, is_loopback_url, resolve
from ...providers.hook_addresses import hook_address, problem_with_address
from ...providers.provider import Provider, ProviderSettings
from ...tasks.hook_desk import PROBE
from ...tasks.hook_tokens import proof_of
from ...tasks.work.hook_silence import SILENT_AFTER
from ..settings.settings import Settings
from .checks import Check, State

TOPIC = "callbacks"
PROBE_SECONDS = 10.0


async def address_checks(settings: Settings, *, offline: bool) -> list[Check]:
    """Whether gateways reach this rushes at its public address. Without one there is nothing to say."""
    if settings.public_url is None:
        return []
    checks = [_scheme(settings.public_url)]
    if not offline:
        checks += [await _resolves(settings.public_url), await _leads_here(settings, settings.public_url)]
    return checks


def gateway_checks(
    settings: Settings, pairs: Sequence[tuple[ProviderSettings, Provider]], missed: Mapping[str, int]
) -> Iterator[Check]:
    """Which of the usable gateways call back; `missed` are jobs in a row that ended without a hook, by provider."""
    if settings.public_url is None:
        return
    for each, provider in pairs:
        if each.keyless:
            continue
        address = hook_address(settings.public_url, each.name, "token")
        problem = problem_with_address(address, gateway_on_loopback=is_loopback_url(each.base_url or ""))
        silent = missed.get(each.name, 0)
        if not provider.traits.calls_back:
            yield _said(each.name, "note", "cannot be asked to call back: rushes looks by itself")
        elif problem is not None:
            yield _said(each.name, "warning", f"is not asked to call back: its address {problem}")
        elif silent >= SILENT_AFTER:
            message = f"is asked to call back, and {silent} jobs in a row ended without: looked at as if it were not"
            yield _said(each.name, "warning", message, "Look whether http.public_url leads to `rushes hooks` or serve.")
        else:
            yield _said(each.name, "ok", "is asked to call back when a job ends")


def asked(pairs: Iterable[tuple[ProviderSettings, Provider]]) -> list[str]:
    """The gateways of which it is worth knowing whether their hooks come."""
    return [settings.name for settings, provider in pairs if provider.traits.calls_back]


def _said(name: str, state: State, message: str, hint: str | None = None) -> Check:
    return Check(topic=TOPIC, name=name, state=state, message=message, hint=hint)


def _scheme(public_url: str) -> Check:
    if public_url.startswith("https://"):
        return _said("address", "ok", public_url)
    if is_loopback_url(public_url):
        return _said("address", "note", f"{public_url} is for gateways on this machine only")
    hint = "Give an https address: that of a tunnel, or of a proxy with a certificate."
    return _said("address", "broken", f"{public_url} is not https, which gateways demand", hint)


async def _resolves(public_url: str) -> Check:
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return _said("name", "ok", f"{host} is an address")
    try:
        found = await resolve(host, parts.port or socket.getservbyname(parts.scheme))
    except TimeoutError:
        return _said("name", "broken", f"{host} was not resolved within {RESOLVE_SECONDS:g} s")
    except OSError as error:
        return _said("name", "broken", f"{host} cannot be resolved: {error.strerror or error}")
    return _said("name", "ok", f"{host} is {', '.join(found[:3])}")


async def _leads_here(settings: Settings, public_url: str) -> Check:
    from ...providers.client.probe import Unreachable, probed

    nonce = secrets.token_urlsafe(24)
    hint = "Run `rushes hooks`, or `rushes serve --transport http`, and let the tunnel or proxy lead to its port."
    try:
        key = await anyio.to_thread.run_sync(hook_key, settings.hooks_dir)
        status, text = await probed(hook_address(public_url, PROBE, nonce), seconds=PROBE_SECONDS)
    except (StoreError, Unreachable) as error:
        return _said("hooks", "broken", f"a hook to ourselves did not arrive: {error}", hint)
    if status == 200 and secrets.compare_digest(text.encode(), proof_of(key, nonce).encode()):
        return _said("hooks", "ok", "a hook to ourselves arrived")
    if status == 200:
        return _said("hooks", "broken", "the address leads to something else than a rushes of this home", hint)
    return _said("hooks", "broken", f"a hook to ourselves was answered with HTTP {status}", hint)
