"""What a submission hands over for hooks, in what the gateway says: some repeat an address or a body in a message.

Tokens of hooks are taken out of every reply, as records hold no more than a hash of one; secrets out of the answer to
the POST that they went with, for nobody knows them afterwards.
"""

import re
from dataclasses import replace

from pydantic import JsonValue

from ...domain.hooks import TOKEN_STAND_IN
from ...domain.job import Plan
from ...domain.secret_options import secrets_in
from .redaction import Redaction
from .reply import Reply

_SLASH = r"(?:\\{0,8}/|%(?:25){0,3}2[Ff])"
_TOKEN = re.compile(rf"(hooks{_SLASH}[\w-]{{1,40}}{_SLASH})[0-7][0-9A-HJKMNP-TV-Z]{{25}}[\w-]{{43}}", re.ASCII)
"""In an address that the gateway was given (`hook_addresses.py`); anywhere else it could be a part of a result's."""


def without_tokens(body: JsonValue | bytes) -> JsonValue | bytes:
    """A reply's body with a stand-in for each token in it."""
    if not isinstance(body, bytes):
        return _without(body)
    return _blotted(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def without_secrets_of(plan: Plan, reply: Reply) -> Reply:
    """The answer to a plan's POST, without the secrets that stood in its body or query."""
    for secret in secrets_in([plan.body, dict(plan.query)]):
        redaction = Redaction(secret)
        headers = {name: redaction.text(value) for name, value in reply.headers.items()}
        reply = replace(reply, body=redaction.body(reply.body), headers=headers)
    return reply


def _blotted(text: str) -> str:
    return _TOKEN.sub(rf"\g<1>{TOKEN_STAND_IN}", text) if "hooks" in text else text


def _without(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _blotted(value)
    if isinstance(value, list):
        return [_without(item) for item in value]
    if isinstance(value, dict):
        return {_blotted(name): _without(item) for name, item in value.items()}
    return value
