"""Steps from an older shape of the record to the next, by the version they start from (`record.SCHEMA`)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..cache.embedded.store import Document

MIGRATIONS: Mapping[int, Callable[[Document], Document]] = MappingProxyType({})
