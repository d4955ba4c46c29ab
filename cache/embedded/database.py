"""An open database, as the functions on its rows are given it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ...domain.document import Document, Migration, migrated
from ...domain.errors import StoreDamaged, StoreTooNew
from .diskcache_adapter import Row, TaskCache
from .documents import document_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Database:
    """One thread's connection, and the schema to which documents are brought on reading. What is done with it blocks;
    writes belong into a transaction."""

    cache: TaskCache
    schema: int
    migrations: Mapping[int, Migration]

    def current(self, document: Document) -> Document:
        """A stored document in this schema.

        Raises:
            StoreTooNew, StoreDamaged: it cannot be brought there.
        """
        return migrated(document, self.schema, self.migrations)

    def readable(self, row: Row) -> Document | None:
        """The document of a task's row; `None` where it cannot be read, which is logged."""
        try:
            key, text = self.cache.text(*row)
            return self.current(document_of(text, key))
        except (StoreDamaged, StoreTooNew) as error:
            logger.warning("left out of a list", extra={"problem": error})
            return None
