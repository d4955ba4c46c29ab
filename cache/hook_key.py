"""The secret of a home's hooks: random, made once, the same for all processes of the home, in a file of its own."""

import os
import secrets
import time
from pathlib import Path

from ..domain.errors import StoreDamaged
from .files import make_folder, place_without_overwriting
from .store_faults import translated

KEY_BYTES = 32
_PATIENCE_SECONDS = 2.0


def hook_key(folder: Path) -> bytes:
    """The key in `folder`, made if there is none. Blocks.

    Raises:
        StoreError: it can be neither read nor written.
    """
    path = folder / "key"
    with translated(folder, "folder of hooks"):
        if not path.exists():
            _make(path)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(key := path.read_bytes()) != KEY_BYTES:
            # Where there are no hard links another process may have its name and not yet its bytes.
            if time.monotonic() > deadline:
                raise StoreDamaged(f"{path} does not hold {KEY_BYTES} bytes; delete it, and a new one is made.")
            time.sleep(0.01)
        return key


def _make(path: Path) -> None:
    make_folder(path.parent)
    fresh = path.with_name(f"key.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        place_without_overwriting(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
