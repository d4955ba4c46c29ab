"""The sandbox draws from what it is given in this process: a picture that is made to cost is refused undecoded."""

from pathlib import Path

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.providers.sandbox import SandboxProvider
from rushes.tasks.service import MediaSource

from ..tasks.engines import a_wish, an_engine
from .bombs import blank_png

pytestmark = pytest.mark.anyio


async def test_a_picture_of_too_many_pixels_is_no_input_of_the_sandbox(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(blank_png(8_000))
    async with an_engine(tmp_path, SandboxProvider()) as engine:
        wish = a_wish(kind="image", provider="sandbox", media=[MediaSource("input_image", str(bomb))])
        with anyio.fail_after(30):
            record = await engine.wait((await engine.generate(wish)).record.task_id, seconds=29, principal=LOCAL)

    assert record.failure is not None
    assert (record.failure.reason, record.failure.charged) == ("invalid_media", "no")
    assert "8000x8000 pixels, and the sandbox draws from 30 million at most" in record.failure.message
