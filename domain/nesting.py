"""JSON so deeply nested that readers give up on the whole message: what lies too deep is taken out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

DEPTH_MAX = 100
"""Levels of a message that are read; the strictest reader on the way takes 200."""

TOO_DEEP = "rushes:nested-too-deeply"
"""Stands for what lay deeper, so that the call can be answered, with a refusal."""

# Possessive, and a string without an end goes to the end of the data: each byte is looked at once, whatever is sent.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def without_deep_values(data: bytes) -> bytes:
    """The same JSON with `TOO_DEEP` for each value below `DEPTH_MAX`; the very same object where there is none."""
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        return data
    pieces: list[bytes] = []
    done = 0
    for start, end in _deep_values(data):
        pieces += [data[done:start], b'"', TOO_DEEP.encode(), b'"']
        done = end
    return b"".join([*pieces, data[done:]]) if pieces else data


def _deep_values(data: bytes) -> Iterator[tuple[int, int]]:
    depth, start = 0, 0
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == DEPTH_MAX + 1:
                start = token.start()
        elif token[0] in (b"]", b"}"):
            if depth == DEPTH_MAX + 1:
                yield start, token.end()
            depth -= 1


def is_deeper_than(value: object, levels: int) -> bool:
    """Whether lists and objects lie in each other over more levels, or did before a reader took them out."""
    layer: list[object] = [value]
    for _ in range(levels + 1):
        if TOO_DEEP in (item for item in layer if isinstance(item, str)):
            return True
        layer = [inner for item in layer for inner in _inside(item)]
        if not layer:
            return False
    return True


def _inside(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        return list(cast("Mapping[object, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []
