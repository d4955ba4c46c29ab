"""Sidecars: the provenance of a kept file, as JSON beside it."""

import json
import logging
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from ..files import sync_folder
from .opening import open_inside
from .temporary import Part

logger = logging.getLogger(__name__)

_SIDECAR_BYTES_MAX = 16 * 2**20


def write_sidecar(path: Path, document: dict[str, JsonValue]) -> Path:
    """Write `<file>.json` beside `path` in one step, over an earlier one."""
    sidecar = path.with_name(path.name + ".json")
    part = Part(path.parent)
    try:
        part.write(json.dumps(document, ensure_ascii=True, indent=2).encode() + b"\n")
        part.sync()
        part.path.replace(sidecar)
        sync_folder(path.parent)
    finally:
        part.discard()
    return sidecar


def read_sidecar(sidecar: Path) -> dict[str, JsonValue] | None:
    """The document of a sidecar, or None for anything else."""
    try:
        with open_inside(sidecar.parent, sidecar) as file:
            data = file.read(_SIDECAR_BYTES_MAX + 1)
        if len(data) > _SIDECAR_BYTES_MAX:
            return None
        document = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        logger.info("sidecar passed over", extra={"path": sidecar, "problem": error})
        return None
    return cast("dict[str, JsonValue]", document) if isinstance(document, dict) else None
