"""Addresses at which gateways call back: what may be one, and how ours gets into a plan. Pure."""

import ipaddress
from urllib.parse import urlsplit

from pydantic import JsonValue

from ..domain.hooks import TOKEN_STAND_IN
from ..domain.job import Plan
from ..domain.request import GenerationRequest
from .client.addresses import is_loopback_url, is_public
from .format import Format
from .provider import ProviderSettings

HOOKS_PATH = "/hooks"
ADDRESS_CHARACTERS_MAX = 2048
"""No page names a limit; what is longer is cut or refused by servers on the way."""
TOKEN_CHARACTERS = 69


def hook_address(public_url: str, provider: str, token: str) -> str:
    """Where a provider finds us; one token for one task."""
    return f"{public_url.rstrip('/')}{HOOKS_PATH}/{provider}/{token}"


def problem_with_address(url: object, *, gateway_on_loopback: bool) -> str | None:
    """Why a gateway cannot call there, as the end of a sentence about it; `None` where it can.

    Only a gateway on this machine calls this machine, over plain http too.
    """
    also = " (or http to this machine)" if gateway_on_loopback else ""
    not_https = f"must be an https URL{also}"
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        return not_https
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return not_https
    here = is_loopback_url(url)
    if not host or parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not here):
        return not_https
    if here:
        return None if gateway_on_loopback else f"{not_https} that is reachable from outside"
    if not _is_public_host(host):
        return f"{not_https} that is reachable from outside"
    if len(url) > ADDRESS_CHARACTERS_MAX:
        return f"is longer than {ADDRESS_CHARACTERS_MAX} characters"
    return None


def _is_public_host(host: str) -> bool:
    """As far as it can be told from how it is written: names are resolved by whoever calls."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        if name.rpartition(".")[2][:1].isdecimal():
            # No top level domain begins with a digit: an address in an old spelling, such as 127.1.
            return False
        return "." in name and not name.endswith((".local", ".localhost", ".internal", ".lan", ".home.arpa"))
    return is_public(host)


def with_callback(plan: Plan, request: GenerationRequest, made: Format, settings: ProviderSettings) -> Plan:
    """The plan with what asks the gateway to call back, where it can and nobody else is to be called.

    What keeps ours out is said in the warnings: a webhook of the person's own in `provider_options`, or an address
    that this gateway would not take.
    """
    if settings.public_url is None:
        return plan
    address = hook_address(settings.public_url, settings.name, TOKEN_STAND_IN)
    fields = made.callback(plan, address)
    if not fields:
        return plan
    named = [name for name in made.hook_fields if name in _given(request.provider_options)]
    full = hook_address(settings.public_url, settings.name, "x" * TOKEN_CHARACTERS)
    problem = problem_with_address(full, gateway_on_loopback=is_loopback_url(settings.base_url or ""))
    if named:
        why = f"provider_options.{named[0]} is passed on, so {settings.name} does not call rushes back"
    elif problem is not None:
        why = f"{settings.name} is not asked to call back: its callback address {problem}; see http.public_url"
    else:
        return plan.model_copy(update={"callback": fields})
    return plan.model_copy(update={"warnings": (*plan.warnings, f"{why}: rushes looks by itself")})


def _given(options: dict[str, JsonValue]) -> set[str]:
    inner = options.get("input")
    return {*options, *(inner if isinstance(inner, dict) else ())}
