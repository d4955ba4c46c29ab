"""Logs: one line an event to stderr, as `key=value` pairs, with every configured key blotted out."""

import json
import logging
import select
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from .settings.file import LogLevel

BLOT = "[key]"

SHORTEST = 6
"""A shorter secret is no real key, and blotting it out would eat ordinary words."""

_NOISY = ("httpx", "httpcore", "httpx2", "httpcore2", "mcp", "PIL", "asyncio")
"""Libraries whose routine messages would bury ours, or would write down signed URLs."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class KeyValueFormatter(logging.Formatter):
    """`time=… level=… logger=… message="…"` and what the call gave in `extra`; a traceback follows, indented."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted((secret for secret in secrets if len(secret) >= SHORTEST), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        pairs: dict[str, object] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        pairs.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        line = " ".join(f"{name}={_plain(self.blot(str(value)))}" for name, value in pairs.items())
        if record.exc_info:
            line += "\n    " + self.blot(self.formatException(record.exc_info)).replace("\n", "\n    ")
        return line

    def blot(self, text: str) -> str:
        """The text without any configured key."""
        for secret in self._secrets:
            text = text.replace(secret, BLOT)
        return text


class CurrentStderr(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at the moment: a progress display takes its place while it is drawn.

    Some hosts never read the stderr of a server, and a write to a full pipe waits for ever, with the event loop and all
    tasks in it. So lines are left out while nobody reads, and their number is told when somebody does.
    """

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        try:
            line = self.format(record) + self.terminator
        except Exception:  # noqa: BLE001 - as every handler does: a faulty log call must not end what it tells of
            self.handleError(record)
            return
        if self._left_out:
            line = f'level=warning logger={__name__} message="nobody read" lines_left_out={self._left_out}\n{line}'
        try:
            whole = self._written(line)
        except (OSError, ValueError):
            whole = False
        self._left_out = 0 if whole else self._left_out + 1

    def _written(self, text: str) -> bool:
        """Write in pieces that a pipe takes at once; whether all of it went out."""
        for start in range(0, len(text), _PIECE_CHARACTERS):
            # Somebody who reads slowly is waited for, but not again and again.
            if not _takes_more(self.stream, 0.0 if self._left_out else _READER_SECONDS):
                return False
            self.stream.write(text[start : start + _PIECE_CHARACTERS])
            self.stream.flush()
        return True


_PIECE_CHARACTERS = 1000
"""At most 4 kB: a pipe that takes more takes so much without waiting (POSIX, PIPE_BUF)."""
_READER_SECONDS = 0.2


def _takes_more(stream: TextIO, seconds: float) -> bool:
    """Whether a write to the stream would not wait, within so many seconds."""
    if sys.platform == "win32":
        return True
    poller = select.poll()
    try:
        poller.register(stream.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return True
    return bool(poller.poll(seconds * 1000))


def start_logging(level: LogLevel, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send this process's logs to stderr (or `stream`), in place of whatever was set up before.

    Args:
        level: Least severe level of rushes's own messages; libraries are heard from `warning` on.
        secrets: The configured keys.
    """
    handler = CurrentStderr() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(KeyValueFormatter(secrets))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _plain(text: str) -> str:
    """The text as one word, or as a JSON string where it is more than that."""
    is_word = text != "" and text.isprintable() and not any(character in text for character in ' "=\\')
    return text if is_word else json.dumps(text, ensure_ascii=not text.isprintable())
