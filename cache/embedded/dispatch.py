"""How a function on an open database becomes a method of the store: on which thread, and in what transaction."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .database import Database
from .thread import StoreThread

P = ParamSpec("P")
T = TypeVar("T")

# What an `async def` gives back has one name for mypy, which alone takes MYPY for true, and another for pyright.
MYPY = False
if TYPE_CHECKING and not MYPY:
    from types import CoroutineType as Called
else:
    Called = Coroutine

Work = Callable[Concatenate[Database, P], T]
Method = Callable[Concatenate["TwoThreads", P], Called[Any, Any, T]]


class TwoThreads:
    """What has the two threads of a store."""

    writer: StoreThread[Database]
    reader: StoreThread[Database]


def reads(work: Work[P, T], *, one_statement: bool = False) -> Method[P, T]:
    """A method that does it in a snapshot, on the thread that reads; what is one statement needs no snapshot."""

    @wraps(work)
    async def method(store: TwoThreads, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.reader.run(lambda db: work(db, *args, **kwargs), one_statement=one_statement)

    return method


def writes(work: Work[P, T], *, durable: bool = False) -> Method[P, T]:
    """A method that does it in a transaction, on the thread that writes; what is `durable` survives a power cut."""

    @wraps(work)
    async def method(store: TwoThreads, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.writer.run(lambda db: work(db, *args, **kwargs), durable=durable)

    return method
