"""A worker's end in a soak is the full disk's only where that is seen, and what it raised is never cut short by it."""

from pathlib import Path

import anyio
import pytest

from rushes.cache.store_faults import translated

from ..crash.crew import crew_of, nursery_process
from ..crash.orders import Fault, Order
from .faults import ended_oddly, is_of_the_disk


def of(*errors: Exception) -> Fault:
    return Fault.of(errors[0] if len(errors) == 1 else ExceptionGroup("at once", errors))


def raised_from_a_full_disk() -> Exception:
    try:
        with translated(Path("/a/store")):
            raise OSError(28, "No space left on device")
    except Exception as error:  # noqa: BLE001 - whatever it is taken for
        return error


def test_an_end_is_of_the_full_disk_where_each_error_of_it_is() -> None:
    full = raised_from_a_full_disk()
    assert is_of_the_disk(of(full))
    assert is_of_the_disk(of(full, ExceptionGroup("within", [raised_from_a_full_disk()])))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="unseen"),
        pytest.param(Fault(errors=[], text=""), id="empty"),
        pytest.param(of(ValueError("disk is full, StoreFull")), id="words"),
        pytest.param(of(raised_from_a_full_disk(), AssertionError("not so")), id="one of two"),
        pytest.param(of(OSError(28, "No space left on device")), id="untranslated"),
    ],
)
def test_any_other_end_is_not(fault: Fault | None) -> None:
    assert not is_of_the_disk(fault)


@pytest.mark.anyio
@pytest.mark.storm
async def test_what_a_worker_raised_is_whole_beside_its_home_and_named_in_one_line(tmp_path: Path) -> None:
    home, notes = tmp_path / "home", tmp_path / "notes"
    notes.mkdir()
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "cache.db").mkdir()
    with anyio.fail_after(60), nursery_process() as nursery:
        async with crew_of(nursery) as crew:
            worker = await crew.start(Order(order="odd", home=home, notes=notes, gateway="sandbox"))
            assert await worker.ends() == 1
    assert ended_oddly(worker) == (
        f"worker odd ended with 1: StoreReadOnly from OperationalError (whole in {notes / 'odd.fault'})"
    )
    fault = worker.raised()
    assert fault is not None
    assert fault.text.startswith("Traceback")
    assert str(home / "cache") in fault.text.splitlines()[-1]
    assert not is_of_the_disk(fault)
    assert not list(home.glob("odd.*"))
