"""`limits.disk_free_min` and `RUSHES_OUTPUT_DIR`, from the file and the environment to what a person is told."""

from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from rushes.domain.errors import ConfigurationError
from rushes.server.settings.file import DISK_FREE_MIN, parse

from ..cli.command import Run, rushes
from .answers import MIB, Gateway, images, serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("value", "size_bytes"), [("0", 0), ("1000", 1000), ('"500 MB"', 500_000_000), ('"2GiB"', 2 * 1024**3)]
)
def test_the_room_that_is_to_stay_free_is_a_number_of_bytes_or_has_a_unit(value: str, size_bytes: int) -> None:
    settings = parse(f"[limits]\ndisk_free_min = {value}", Path("rushes.toml"))
    assert settings.limits.disk_free_min == size_bytes
    assert parse("", Path("rushes.toml")).limits.disk_free_min == DISK_FREE_MIN


@pytest.mark.parametrize("value", ['"a lot"', '"5 parsecs"', "-1"])
def test_another_value_is_a_mistake_that_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"limits\.disk_free_min"):
        parse(f"[limits]\ndisk_free_min = {value}", Path("rushes.toml"))


async def generated(home: Path, url: str, code: int, **environment: str) -> Run:
    own = {"RUSHES_HOME": str(home), "LLMGATEWAY_API_KEY": "llmgtwy_0123456789", "LLMGATEWAY_BASE_URL": url}
    asked = ("generate", "image", "a red fox", "--provider", "llmgateway", "--json")
    return await anyio.to_thread.run_sync(partial(rushes, *asked, code=code, environment={**own, **environment}))


async def test_a_command_that_would_leave_too_little_room_sends_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "rushes.toml").write_text('[limits]\ndisk_free_min = "900 PB"\n', "utf-8")
    async with serving(Gateway(partial(images, [MIB]))) as gateway:
        run = await generated(tmp_path, gateway.url, code=1)
    failure = run.document["failure"]
    assert (failure["charged"], gateway.posts) == ("no", 0)
    assert "limits.disk_free_min" in failure["message"]
    assert "RUSHES_OUTPUT_DIR" in failure["hint"]


async def test_a_command_whose_output_folder_cannot_be_written_keeps_the_output_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    async with serving(Gateway(partial(images, [MIB]))) as gateway:
        run = await generated(tmp_path, gateway.url, code=0, RUSHES_OUTPUT_DIR=str(tmp_path / "file"))
    (output,) = run.document["outputs"]
    assert Path(output["path"]).parent == tmp_path / "outputs"
    assert any(str(tmp_path / "file") in warning for warning in run.document["warnings"])
    assert gateway.posts == 1
