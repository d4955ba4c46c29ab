"""Secrets that a person hands on to a gateway in `provider_options`: sent, and neither stored nor shown."""

from pydantic import JsonValue

from .hooks import SECRET_STAND_IN
from .request import GenerationRequest


def without_secrets(request: GenerationRequest) -> GenerationRequest:
    """The request as it is journaled; the very same where it holds no secret."""
    shown = masked(request.provider_options)
    return request if shown == request.provider_options else request.model_copy(update={"provider_options": shown})


def masked(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields with a stand-in for each whose name says that it is a secret, such as `callback_secret`."""
    return {name: _masked(name, value) for name, value in fields.items()}


def secrets_in(fields: JsonValue, name: str = "") -> list[str]:
    """What `masked` would hide of texts."""
    if isinstance(fields, dict):
        return [secret for inner, value in fields.items() for secret in secrets_in(value, inner)]
    if isinstance(fields, list):
        return [secret for value in fields for secret in secrets_in(value, name)]
    return [fields] if isinstance(fields, str) and fields and name.casefold().endswith("secret") else []


def _masked(name: str, value: JsonValue) -> JsonValue:
    if name.casefold().endswith("secret") and value:
        return SECRET_STAND_IN
    if isinstance(value, dict):
        return masked(value)
    return [_masked("", each) for each in value] if isinstance(value, list) else value
