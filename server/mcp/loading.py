"""How the SDK is loaded: light to import, because it has to come first."""

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import BaseModel


@contextmanager
def built_at_first_use() -> Generator[None]:
    """Have all pydantic models of what is imported in the block built at their first use, as ours are (`Value`).

    The SDK brings some hundreds, of both eras of the protocol, and a host uses a few dozen: to build all of them is a
    tenth of the start. Pydantic has a setting for it, which a model takes over from its base, and the base of all is
    the only place to set it for models that are not ours.
    """
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]
