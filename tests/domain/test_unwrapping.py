"""One error out of a task group comes as itself; several stay together."""

import anyio
import pytest

from rushes.domain.errors import StoreBusy
from rushes.domain.unwrapping import unwrapped

pytestmark = pytest.mark.anyio


async def test_a_single_error_comes_as_itself_through_groups_in_groups_and_with_its_own_cause() -> None:
    cause = OSError("no such disk")
    with pytest.raises(StoreBusy, match="held") as raised, unwrapped():
        async with anyio.create_task_group(), anyio.create_task_group():
            raise StoreBusy("held") from cause

    assert raised.value.__cause__ is cause


async def test_several_errors_stay_together() -> None:
    async def fail(what: str) -> None:
        raise StoreBusy(what)

    with pytest.raises(ExceptionGroup) as raised, unwrapped():
        async with anyio.create_task_group() as group:
            group.start_soon(fail, "one")
            group.start_soon(fail, "other")

    assert {str(error) for error in raised.value.exceptions} == {"one", "other"}


async def test_a_cancelled_block_is_cancelled_and_an_untroubled_one_ends() -> None:
    with anyio.CancelScope() as scope, unwrapped():
        async with anyio.create_task_group():
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught

    with unwrapped():
        async with anyio.create_task_group():
            pass
