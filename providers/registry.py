"""The registry: from settings to a provider. One line here adds a format; a separate package adds one with an
entry point in the group `rushes.providers`, whose name is the format's and whose object makes a provider from settings.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from ..domain.errors import ConfigurationError
from ..domain.spelling import did_you_mean
from .provider import Provider, ProviderSettings

if TYPE_CHECKING:
    from .format import Format

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "rushes.providers"

FORMATS: Mapping[str, str] = {
    "routeany": "routeany:RouteAny",
    "unified": "unified:Unified",
    "shuyou": "shuyou:Shuyou",
    "llmgateway": "llmgateway:LLMGateway",
    "apixo": "apixo:Apixo",
    "openai-videos": "openai_videos:OpenAIVideos",
}
"""Format → module and class in `formats/`; the data file has its name. Imported when first used."""

ALIASES: Mapping[str, str] = {"yuto": "unified"}

DEFAULTS: Sequence[ProviderSettings] = (
    ProviderSettings(name="routeany", wire="routeany", base_url="https://api.routeany.com"),
    ProviderSettings(name="yuto", wire="unified"),
    ProviderSettings(name="shuyou", wire="shuyou", base_url="https://api.shuyou.ai"),
    ProviderSettings(name="llmgateway", wire="llmgateway", base_url="https://api.llmgateway.io"),
    ProviderSettings(name="apixo", wire="apixo", base_url="https://api.apixo.ai"),
)
"""The providers that rushes knows without configuration, in the order in which they are tried."""

RESULT_HOSTS: Mapping[str, tuple[str, ...]] = {
    "apixo": ("r2.apixo.ai", "cdn.apixo.ai", "file.apixo.ai"),
    "unified": ("filesystem.site",),
}
"""Format → hosts on which results were seen, besides the gateway's own. Hosts let the viewer show what lies there.
Gateways change these without a word: `[viewer] media_domains` in rushes.toml adds others."""

RESULT_HOSTS_BY_API: Mapping[str, tuple[str, ...]] = {
    "api.replicate.com": ("replicate.delivery", "*.replicate.delivery"),
}
"""The same for services that speak another gateway's format."""

BUILT_IN: Mapping[str, str] = {"sandbox": "sandbox:make_provider"}
"""Providers that are no HTTP gateway → module and factory in this folder, called as a plugin's is."""

ProviderFactory = Callable[[ProviderSettings], Provider]


def default_settings() -> tuple[ProviderSettings, ...]:
    """The known providers: gateways, with the name of their key's environment variable; then what needs no key."""
    named = [known.model_copy(update={"api_key_env": f"{known.name.upper()}_API_KEY"}) for known in DEFAULTS]
    return (*named, *(ProviderSettings(name=name, wire=name, keyless=True) for name in BUILT_IN))


def result_hosts(wire: str, api_host: str) -> tuple[str, ...]:
    """Where the results of a provider lie that speaks this format, with its API on this host."""
    return (*RESULT_HOSTS.get(ALIASES.get(wire, wire), ()), *RESULT_HOSTS_BY_API.get(api_host, ()))


def build_provider(settings: ProviderSettings) -> Provider:
    """The provider that the settings describe. Opens nothing.

    Raises:
        ConfigurationError: no such format exists, or the plugin that brings it is broken.
    """
    if settings.wire in BUILT_IN:
        return cast(ProviderFactory, resolve_name(f"{__package__}.{BUILT_IN[settings.wire]}"))(settings)
    name = ALIASES.get(settings.wire, settings.wire)
    if name in FORMATS:
        from .client.gateway import HttpProvider
        from .fact_files import load_facts

        return HttpProvider(settings, format_class(name)(settings), load_facts(name))
    plugin = _plugins().get(settings.wire)
    if plugin is None:
        raise ConfigurationError(_unknown_format(settings))
    return _from_plugin(plugin, settings)


def format_class(name: str) -> "type[Format]":
    """The class of a built-in format."""
    return cast("type[Format]", resolve_name(f"{__package__}.formats.{FORMATS[name]}"))


def format_names() -> tuple[str, ...]:
    """All formats, built in and from plugins."""
    return (*FORMATS, *BUILT_IN, *_plugins())


def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.name in {*FORMATS, *ALIASES, *BUILT_IN}:
            logger.warning(
                "plugin left out: rushes has this format",
                extra={"plugin": entry_point.value, "format": entry_point.name},
            )
        else:
            found.setdefault(entry_point.name, entry_point)
    return found


def _from_plugin(entry_point: EntryPoint, settings: ProviderSettings) -> Provider:
    """The boundary to code that is not ours: whatever it raises becomes one sentence."""
    try:
        factory = cast(ProviderFactory, entry_point.load())
        return factory(settings)
    except Exception as error:
        logger.warning("plugin failed", extra={"plugin": entry_point.value}, exc_info=True)
        message = f"provider {settings.name}: the plugin {entry_point.value} failed: {type(error).__name__}: {error}"
        raise ConfigurationError(message) from error


def _unknown_format(settings: ProviderSettings) -> str:
    names = format_names()
    meant = did_you_mean(settings.wire, names) or f" (known: {', '.join(names)})"
    return f"provider {settings.name}: there is no wire format {settings.wire!r}{meant}"
