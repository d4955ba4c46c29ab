"""Bounds on what an engine does, which a person may set."""

from dataclasses import dataclass

from .intake.input_media import MEDIA_BYTES_MAX


@dataclass(frozen=True)
class Limits:
    """Bounds that a person may set."""

    keep_outputs: bool = True
    download_bytes_max: int = 2 * 1024**3
    media_bytes_max: int = MEDIA_BYTES_MAX
    tasks_polled_at_once: int = 32
    downloads_at_once: int = 16
    hold_seconds_max: float = 900.0
    """How long a request waits, all times together, for a gateway that refuses it for now and names a time."""
    hold_tries_max: int = 8
    """How often it may be refused so."""
    shutdown_grace_seconds: float = 1.5
    takeover_seconds: float = 2.0
    """How often orphaned tasks are looked for (±25 %)."""
