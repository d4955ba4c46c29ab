"""A task whose id is taken leaves nothing of itself behind, and a task with many rows beside it has them all."""

from pathlib import Path

import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.money import Estimate
from rushes.domain.record import SCHEMA
from rushes.tasks.journal import to_document
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK, line_of

from ..tasks.makers import a_record

pytestmark = pytest.mark.anyio

ESTIMATE = Estimate.model_validate({"amount": "0.5", "currency": "USD", "basis": "configured"})
PARENTS = [f"01KPARENT{number:017}" for number in range(9)]


async def test_neither_line_nor_fingerprint_nor_parent_of_a_task_whose_id_is_taken_is_kept(tmp_path: Path) -> None:
    first = a_record(fingerprint="one", estimate=ESTIMATE)
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        await store.create(to_document(first), fingerprint="one", lines=[line_of(first)])
        line = line_of(first)._replace(value={"owner": "somebody else"})
        again: Document = {**to_document(first), "parents": [*PARENTS], "fingerprint": "two"}
        with pytest.raises(ValueError, match="exists already"):
            await store.create(again, fingerprint="two", lines=[line])
        assert await store.lines(BOOK) == [line_of(first)]
        assert await store.equal("two") is None
        assert [await store.children(parent) for parent in PARENTS] == [[]] * len(PARENTS)


async def test_a_task_of_many_parents_is_written_with_its_line_and_led_to_from_each(tmp_path: Path) -> None:
    record = a_record(fingerprint="one", estimate=ESTIMATE)
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        document: Document = {**to_document(record), "parents": [*PARENTS]}
        _, created = await store.create(document, fingerprint="one", lines=[line_of(record)])
        assert created
        assert await store.lines(BOOK) == [line_of(record)]
        assert await store.equal("one") is not None
        assert [await store.children(parent) for parent in PARENTS] == [[record.task_id]] * len(PARENTS)
