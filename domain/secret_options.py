"""Secrets that a person hands on to a gateway in `provider_options`: sent, and neither stored nor shown."""

import re

from pydantic import JsonValue

from .hooks import SECRET_STAND_IN
from .request import GenerationRequest

_IN_ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]{0,20}://(?:[^/?#:\s]*:)?([^/?#\s]+)@", re.IGNORECASE)
"""What an address holds to be let in with: the password, or what stands alone where a name would."""


def without_secrets(request: GenerationRequest) -> GenerationRequest:
    """The request as it is journaled; the very same where it holds no secret."""
    shown = masked(request.provider_options)
    return request if shown == request.provider_options else request.model_copy(update={"provider_options": shown})


def masked(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields with a stand-in for each whose name says that it is a secret, such as `callback_secret`, and for the
    password in an address."""
    return {name: _masked(name, value) for name, value in fields.items()}


def secrets_in(fields: JsonValue, name: str = "") -> list[str]:
    """What `masked` would hide of texts."""
    if isinstance(fields, dict):
        return [secret for inner, value in fields.items() for secret in secrets_in(value, inner)]
    if isinstance(fields, list):
        return [secret for value in fields for secret in secrets_in(value, name)]
    if not isinstance(fields, str) or not fields:
        return []
    if _is_secret(name):
        return [fields]
    return [found[1]] if (found := _IN_ADDRESS.match(fields)) else []


def _is_secret(name: str) -> bool:
    return name.casefold().endswith("secret")


def _masked(name: str, value: JsonValue) -> JsonValue:
    if _is_secret(name) and value:
        return SECRET_STAND_IN
    if isinstance(value, str) and (found := _IN_ADDRESS.match(value)):
        return value[: found.start(1)] + SECRET_STAND_IN + value[found.end(1) :]
    if isinstance(value, dict):
        return masked(value)
    return [_masked("", each) for each in value] if isinstance(value, list) else value
