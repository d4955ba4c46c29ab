"""What every value with checked fields is."""

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict

_building = threading.RLock()


class Value(BaseModel):
    """Base of our pydantic models: immutable, and built at the first use.

    Pydantic otherwise builds what checks and writes a model while its module loads, and hosts wait for that: for all
    models together it is a tenth of the start. What a process never uses is never built.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    def model_rebuild(cls, **how: Any) -> bool | None:
        """Build it, which pydantic calls at the first use; one thread at a time.

        Pydantic 2.12 lets two threads build one model at the same time, and now and then one of them fails by it.
        """
        with _building:
            return super().model_rebuild(**how)
