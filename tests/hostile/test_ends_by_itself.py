"""The process that decodes may end in the moment that it is ended: one waits for it, and hears how it ended."""

import logging
import sys
from pathlib import Path

import pytest

from rushes.cache.media.decoder import MEASURING, Decoder
from rushes.domain.errors import DecodingEnded

from ..house.checkout import ROOT
from .processes import on_linux

pytestmark = [pytest.mark.anyio, on_linux]


@pytest.mark.parametrize("tries", [10, pytest.param(60, marks=pytest.mark.storm)])
async def test_nobody_else_takes_the_end_of_the_process_from_the_one_who_waits_for_it(
    tries: int, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process finds what this one finds, and `pytest` itself does not look into the checkout.
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    (tmp_path / "i.png").write_bytes(b"whatever")
    with caplog.at_level(logging.WARNING, "asyncio"), (tmp_path / "i.png").open("rb") as file:
        for _ in range(tries):
            async with Decoder.opened("tests.hostile.leaving") as decoder:
                with pytest.raises(DecodingEnded):
                    await decoder.ask({}, file, MEASURING)
    assert caplog.messages == []
