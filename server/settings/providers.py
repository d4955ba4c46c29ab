"""The configured providers: what rushes knows by itself, changed by the file, changed by the environment."""

from collections.abc import Callable, Collection, Mapping, Sequence

from pydantic import SecretStr

from ...domain.errors import ConfigurationError
from ...domain.spelling import did_you_mean
from ...providers.provider import ProviderSettings
from ...providers.registry import BUILT_IN
from ...providers.signatures import key_of
from .file import FileSettings, ProviderTable, problem_with_base_url


def merge_providers(
    known: Sequence[ProviderSettings],
    formats: Callable[[], Collection[str]],
    settings: FileSettings,
    environment: Mapping[str, str],
    file: str,
) -> tuple[ProviderSettings, ...]:
    """All providers: first those named in `order`, then the known ones, then the file's own, each with its key.

    Raises:
        ConfigurationError: a table lacks `wire` or names one that does not exist, a base URL or key is malformed, or
            `order` names a stranger.
    """
    tables, order = settings.providers, settings.order
    for name, table in tables.items():
        _check_format(name, table, formats, file)
    built_in = {provider.name: provider for provider in known}
    merged = {
        name: _with_environment(
            _with_table(built_in.get(name), name, tables.get(name), file), tables.get(name), environment, file
        )
        for name in dict.fromkeys([*built_in, *tables])
    }
    for name in order:
        if name not in merged:
            suggestion = did_you_mean(name, list(merged))
            raise ConfigurationError(f"{file}: order: no provider is called {name!r}{suggestion}")
    return tuple(merged[name] for name in dict.fromkeys([*order, *merged]))


def _check_format(name: str, table: ProviderTable, formats: Callable[[], Collection[str]], file: str) -> None:
    if table.wire is not None and table.wire not in (existing := sorted(formats())):
        meant = did_you_mean(table.wire, existing) or f" (known: {', '.join(existing)})"
        raise ConfigurationError(f"{file}: providers.{name}.wire: there is no wire format {table.wire!r}{meant}")


def _with_table(
    settings: ProviderSettings | None, name: str, table: ProviderTable | None, file: str
) -> ProviderSettings:
    if settings is None and (table is None or table.wire is None):
        raise ConfigurationError(
            f"{file}: providers.{name}: this is not a provider that rushes knows, so `wire` must say which format it "
            'speaks, such as wire = "routeany"'
        )
    base = settings or ProviderSettings(name=name, wire=name)
    if table is None:
        return base
    changes = table.model_dump(exclude_none=True, exclude={"options", "webhook_secret_env"})
    keyless = changes.get("wire", base.wire) in BUILT_IN
    return base.model_copy(update={**changes, "options": {**base.options, **table.options}, "keyless": keyless})


def _with_environment(
    settings: ProviderSettings, table: ProviderTable | None, environment: Mapping[str, str], file: str
) -> ProviderSettings:
    if settings.keyless:
        return settings
    prefix = settings.name.upper().replace("-", "_")
    url_variable = f"{prefix}_BASE_URL"
    key_variable = settings.api_key_env or f"{prefix}_API_KEY"
    secret_variable = (table and table.webhook_secret_env) or f"{prefix}_WEBHOOK_SECRET"
    from_environment = environment.get(url_variable, "").strip()
    base_url = from_environment or settings.base_url
    place = url_variable if from_environment else f"{file}: providers.{settings.name}.base_url"
    return settings.model_copy(
        update={
            "base_url": None if base_url is None else checked_base_url(base_url, place),
            "api_key": _key(environment, key_variable),
            "api_key_env": key_variable,
            "webhook_secret": _webhook_secret(environment, secret_variable, settings.wire),
        }
    )


def checked_base_url(url: str, place: str) -> str:
    """Scheme, host and prefix, without a slash at the end.

    Raises:
        ConfigurationError: it is not such a URL; the message starts with `place`.
    """
    problem = problem_with_base_url(url)
    if problem is not None:
        raise ConfigurationError(f"{place}: {problem}; give scheme and host, such as https://gateway.example")
    return url.rstrip("/")


def _key(environment: Mapping[str, str], variable: str) -> SecretStr | None:
    key = environment.get(variable, "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"{variable}: the key holds characters that cannot be sent in an HTTP header")
    return SecretStr(key)


_AS_IT_IS = frozenset({"llmgateway"})
"""Formats whose gateways sign with a secret's own characters: any will do."""


def _webhook_secret(environment: Mapping[str, str], variable: str, wire: str) -> SecretStr | None:
    secret = environment.get(variable, "").strip()
    if not secret:
        return None
    if wire in _AS_IT_IS:
        return SecretStr(secret)
    try:
        key_of(secret)
    except ValueError as error:
        raise ConfigurationError(f"{variable}: {error}") from None
    return SecretStr(secret)


def problem_with(settings: ProviderSettings) -> str | None:
    """What keeps a provider from being used, as a clause; `None` where nothing does."""
    if settings.keyless:
        return None
    missing: list[str] = []
    if settings.api_key is None:
        missing.append(settings.api_key_env or "its API key")
    if settings.base_url is None:
        missing.append(f"{settings.name.upper().replace('-', '_')}_BASE_URL")
    if not missing:
        return None
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
