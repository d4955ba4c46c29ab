"""Side values: small ones that are worth keeping, and can be had anew. Everything here blocks."""

import logging
from datetime import UTC, datetime

from pydantic import JsonValue

from ...domain.errors import StoreDamaged
from .database import Database
from .diskcache_adapter import PutRow
from .documents import decode, encode

logger = logging.getLogger(__name__)

_PREFIX = "value:"

_SELECT_FROM = "SELECT key, raw, mode, filename, value FROM Cache WHERE key >= ? AND key < ? AND raw = 1"


def get_value(db: Database, key: str) -> tuple[JsonValue, datetime] | None:
    """A side value, and when it was stored (UTC)."""
    row_key = _PREFIX + key
    text = db.cache.text_of(row_key)
    if text is None:
        return None
    kept = decode(text, row_key)
    try:
        if isinstance(kept, dict):
            return kept["value"], datetime.fromisoformat(str(kept["stored_at"]))
    except (KeyError, ValueError) as error:
        raise StoreDamaged(f"The row {row_key!r} of the task store has no value and time.") from error
    raise StoreDamaged(f"The row {row_key!r} of the task store has no value and time.")


def set_value(db: Database, key: str, value: JsonValue) -> None:
    """Keep a small side value (a cached list, a learned number) with the time."""
    text = encode({"value": value, "stored_at": datetime.now(UTC).isoformat()})
    db.cache.put(PutRow(_PREFIX + key, text))


def get_values(db: Database, prefix: str) -> dict[str, JsonValue]:
    """The side values of all keys that begin so; one that cannot be read is logged and left out."""
    first = _PREFIX + prefix
    found: dict[str, JsonValue] = {}
    for row in db.cache.rows(_SELECT_FROM, (first, f"{first}\U0010ffff")):
        try:
            key, text = db.cache.text(*row)
            kept = decode(text, key)
        except StoreDamaged as error:
            logger.warning("left out of a list", extra={"problem": error})
            continue
        if isinstance(kept, dict) and "value" in kept:
            found[key.removeprefix(_PREFIX)] = kept["value"]
    return found
