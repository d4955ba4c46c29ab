"""JSON as programs send it that cut text by UTF-16 units: with half an emoji, which strict readers refuse whole."""

import re

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)")
_LONE_SURROGATE_LENGTH = len(rb"\ud83d")


def without_lone_surrogates(data: bytes) -> bytes:
    """The same JSON with U+FFFD in place of each half; the very same object where there is nothing to replace."""
    if rb"\ud" not in data and rb"\uD" not in data:
        return data
    return _ESCAPE.sub(lambda found: rb"\ufffd" if len(found[0]) == _LONE_SURROGATE_LENGTH else found[0], data)
