"""What every value with checked fields is."""

import threading
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

_building = threading.RLock()


class Value(BaseModel):
    """Base of our pydantic models: immutable, and built at the first use.

    Pydantic otherwise builds what checks and writes a model while its module loads, and hosts wait for that: for all
    models together it is a tenth of the start. What a process never uses is never built.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Another one, with these fields changed.

        Raises:
            TypeError: it has no such field. Pydantic would take it, and what it was to say would be lost.
        """
        if update and (unknown := update.keys() - type(self).model_fields.keys()):
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return super().model_copy(update=update, deep=deep)

    @classmethod
    def model_rebuild(cls, **how: Any) -> bool | None:
        """Build it, which pydantic calls at the first use; one thread at a time.

        Pydantic 2.12 lets two threads build one model at the same time, and now and then one of them fails by it.
        """
        with _building:
            return super().model_rebuild(**how)
