"""Origins: those from which media may be shown, as a Content Security Policy names them, and those of results."""

import re

_HTTPS = r"https://(\*\.[a-z0-9-]+\.)?[a-z0-9-]+(\.[a-z0-9-]+)*"
_THIS_MACHINE = r"http://(localhost|127\.0\.0\.1|\[::1\])"
_ORIGIN = re.compile(rf"({_HTTPS}|{_THIS_MACHINE})(:\d{{1,5}})?")


def is_origin(text: str) -> bool:
    """Whether the text is one origin and nothing more: `https://cdn.example`, `https://*.cdn.example`, or http on this
    machine. A blank or a semicolon in it would add to the policy."""
    return _ORIGIN.fullmatch(text) is not None


_HTTP_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?", re.IGNORECASE)


def is_one_origin(text: str) -> bool:
    """Whether the text is scheme and host, with or without a port, of exactly one place: `http://10.0.0.5:9000`."""
    return _HTTP_ORIGIN.fullmatch(text) is not None
