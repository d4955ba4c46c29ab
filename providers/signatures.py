"""Signatures of hooks, in the form of Standard Webhooks: `v1,` and the base64 of an HMAC-SHA256 over id, time and body.

Gateways differ in the key alone: Replicate's is what base64 stands for after `whsec_`, LLMGateway's is the secret's own
characters. Pure; the body is the bytes that came, before anything is parsed.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300
"""Between the time that was signed and ours, either way."""

SECRET_PREFIX = "whsec_"  # noqa: S105
_HEADER_MAX = 4096
_SECONDS = re.compile(r"\d{1,12}")


def signed_delivery(headers: Mapping[str, str], body: bytes, key: bytes, now: datetime) -> str | None:
    """The id of a delivery whose signature is right and whose time is now; `None` for any other.

    Args:
        headers: By their names in lower case.
        body: As it came.
        key: Of the HMAC.
        now: With a time zone.
    """
    delivery = headers.get("webhook-id", "")
    moment = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not delivery or max(map(len, (delivery, given))) > _HEADER_MAX or not _SECONDS.fullmatch(moment):
        return None
    if not abs(now.timestamp() - int(moment)) <= TOLERANCE_SECONDS:
        return None
    right = signature(delivery, moment, body, key).encode()
    # All are compared: how long it takes tells nothing.
    found = [hmac.compare_digest(one.encode("utf-8", "replace"), right) for one in given.split()]
    return delivery if any(found) else None


def signature(delivery: str, moment: str, body: bytes, key: bytes) -> str:
    """What the header `webhook-signature` holds; `moment` is the text of the header `webhook-timestamp`."""
    text = f"{delivery}.{moment}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()}"


def key_of(secret: str) -> bytes:
    """The key that a secret of the form `whsec_…` stands for.

    Raises:
        ValueError: it has another form.
    """
    encoded = secret.removeprefix(SECRET_PREFIX)
    if encoded == secret or not encoded:
        raise ValueError(f"this must begin with {SECRET_PREFIX}, followed by base64")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"what follows {SECRET_PREFIX} must be base64") from error
