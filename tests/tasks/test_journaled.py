"""What the journal gives back of a new record is what it has written, whether or not it reads that again."""

from pathlib import Path

import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA
from rushes.domain.request import GenerationRequest, MediaInput
from rushes.tasks.clock import SystemClock
from rushes.tasks.journal import TaskJournal

from .makers import a_record

pytestmark = pytest.mark.anyio

HERE = "worker-1"
PICTURE = MediaInput(role="image", source="a.png", sha256="0" * 64, mime_type="image/png", data=b"\x89PNG")


@pytest.mark.parametrize("media", [(), (PICTURE,)], ids=["words alone", "with a picture"])
async def test_a_new_record_is_held_as_it_is_stored_without_the_bytes_of_its_media(
    tmp_path: Path, media: tuple[MediaInput, ...]
) -> None:
    request = GenerationRequest(kind="video", prompt="a red fox", media=media)
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        journal = TaskJournal(store, HERE, SystemClock())
        created, _ = await journal.create(a_record(worker=HERE, request=request), force_new=True)
        held = await journal.read_mine(created.task_id)
        assert created == held == await journal.read(created.task_id)
        assert [medium.data for medium in created.request.media] == [None] * len(media)
