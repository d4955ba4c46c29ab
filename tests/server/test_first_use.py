"""Models of what is loaded for a start are built at their first use, one thread at a time; others as ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, ValidationError

from rushes.domain.value import Value
from rushes.server.mcp.loading import built_at_first_use


def test_a_model_that_is_loaded_in_the_block_is_built_by_its_first_use() -> None:
    with built_at_first_use():

        class Inner(BaseModel):
            number: int

        class Outer(BaseModel):
            inner: Inner

    assert not Outer.__pydantic_complete__
    with pytest.raises(ValidationError):
        Outer.model_validate({"inner": {"number": "none"}})
    assert Outer.model_validate({"inner": {"number": 1}}).model_dump() == {"inner": {"number": 1}}


def test_a_model_that_is_loaded_after_the_block_is_built_as_ever_also_where_the_block_failed() -> None:
    with pytest.raises(ImportError), built_at_first_use():
        raise ImportError

    class After(BaseModel):
        number: int

    assert After.__pydantic_complete__


def test_a_value_that_many_threads_use_first_at_once_is_whole_in_each() -> None:
    """By itself pydantic 2.12 fails here now and then."""

    class Inner(Value):
        numbers: tuple[int, ...]

    class Outer(Value):
        inner: Inner
        others: dict[str, Inner]

    given = {"inner": {"numbers": [1]}, "others": {"one": {"numbers": [1, 2]}}}
    together = threading.Barrier(8)

    def make(_: int) -> dict[str, object]:
        together.wait()
        return Outer.model_validate(given).model_dump(mode="json")

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(make, range(8))) == [given] * 8
