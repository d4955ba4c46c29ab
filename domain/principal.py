"""The principal: on whose behalf a call is made. Every call carries one, and no signature has a default for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """Somebody whose tasks are their own: nobody else's calls find them."""

    name: str
    """What a task's record keeps as its `owner`."""
    admin: bool
    """Whether they look after this rushes, and not only use it."""


LOCAL = Principal("local", admin=True)
"""The person at this machine: whoever speaks over stdio, on the command line, or over a loopback address."""
