"""Whether the inputs that a gateway shows of a job can be those that were sent: tolerant in form, strict in meaning.

RouteAny's own page announces what makes an equal job look different: an empty `input`, parameters left out that a model
does not take, numbers as texts, addresses of media that it has copied to its own storage.
"""

import re

from pydantic import JsonValue

from .readings import parse_number

_ADDRESS = re.compile(r"(https?://|data:)", re.IGNORECASE)


def contradicts(sent: JsonValue, shown: JsonValue) -> bool:
    """Whether an input that is shown cannot be the one that was sent. What is not shown contradicts nothing."""
    if not isinstance(sent, dict) or not isinstance(shown, dict):
        return False
    return any(name in shown and not _alike(value, shown[name]) for name, value in sent.items())


def shows(sent: JsonValue, shown: JsonValue) -> bool:
    """Whether all that was sent is shown, and is the same."""
    if not isinstance(sent, dict) or not isinstance(shown, dict) or not sent:
        return False
    told = all(shown.get(name) is not None or value is None for name, value in sent.items())
    return told and not contradicts(sent, shown)


def _alike(sent: JsonValue, shown: JsonValue) -> bool:
    if shown is None or sent == shown:
        return True
    if isinstance(sent, list) or isinstance(shown, list):
        ours, theirs = _listed(sent), _listed(shown)
        return len(ours) == len(theirs) and all(_alike(one, other) for one, other in zip(ours, theirs, strict=True))
    if isinstance(sent, dict) and isinstance(shown, dict):
        return not contradicts(sent, shown)
    if isinstance(sent, dict) or isinstance(shown, dict):
        return False
    if isinstance(sent, str) and isinstance(shown, str) and _ADDRESS.match(sent):
        return bool(_ADDRESS.match(shown))
    return _plain(sent) == _plain(shown)


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _plain(value: JsonValue) -> str | float:
    """`5`, `5.0` and `"5"` are one; so are `true` and `"True"`, and texts that differ in blanks alone."""
    if isinstance(value, bool):
        return str(value).casefold()
    number = parse_number(value)
    return number if number is not None else " ".join(str(value).split()).casefold()
