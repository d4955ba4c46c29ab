"""Media that come as text where an address was expected: kept as outputs, in any look and at any gateway."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from rushes.domain.record import TaskRecord
from rushes.providers.provider import ProviderSettings
from rushes.providers.registry import build_provider
from rushes.tasks.service import Wish

from ..clocks import JumpingClock
from ..tasks.engines import a_wish
from .answers import MIB, Gateway, encoded, png, serving, wav
from .homes import ended, home, llmgateway, speech

pytestmark = pytest.mark.anyio

SMALL = b"".join(png(3000))
LARGE = b"".join(png(6 * MIB))


def text(data: bytes, prefix: str = "") -> str:
    return prefix + base64.b64encode(data).decode()


DATA = "data:image/png;base64,"
OUTPUTS: dict[str, tuple[JsonValue, bytes]] = {
    "bare": (text(SMALL), SMALL),
    "a data URL": (text(SMALL, DATA), SMALL),
    "bare and large": (text(LARGE), LARGE),
    "a large data URL": (text(LARGE, DATA), LARGE),
    "in a list": ([text(LARGE)], LARGE),
    "in an object": ({"image": text(SMALL)}, SMALL),
    "JPEG, which begins with a slash": (text(b"\xff\xd8\xff\xe0" + bytes(3000) + b"\xff\xd9"), b""),
}


def yuto(output: JsonValue) -> Gateway:
    """A gateway of the unified format that tells of a job, and at the next look of its end."""
    created = json.dumps({"task_id": "t1", "status": "SUBMITTED"}).encode()
    done = json.dumps({"task_id": "t1", "status": "SUCCESS", "data": {"output": output}}).encode()

    answers = iter([created])
    return Gateway(lambda: iter([next(answers, done)]))


async def made(folder: Path, gateway: Gateway, wire: str, wish: Wish) -> TaskRecord:
    async with serving(gateway):
        settings = ProviderSettings(name=wire, wire=wire, base_url=gateway.url, api_key=SecretStr("0123456789abcdef"))
        async with home(folder, build_provider(settings), clock=JumpingClock()) as engine:
            return await ended(engine, wish)


@pytest.mark.parametrize("form", OUTPUTS)
async def test_what_came_as_base64_where_a_url_was_expected_is_an_output(tmp_path: Path, form: str) -> None:
    output, data = OUTPUTS[form]
    record = await made(tmp_path, yuto(output), "unified", a_wish(kind="image", model="new-image", provider="unified"))
    assert (record.state, record.phase) == ("succeeded", "done")
    (kept,) = record.outputs
    assert kept.path is not None
    content = Path(kept.path).read_bytes()
    assert content == data if data else content.startswith(b"\xff\xd8\xff")
    assert not list((tmp_path / "outputs").glob(".*"))


@pytest.mark.parametrize("size", [50_000, 2 * MIB])
async def test_a_sound_in_json_is_an_output(tmp_path: Path, size: int) -> None:
    def answer() -> Iterator[bytes]:
        yield b'{"audio": {"format": "wav", "data": "'
        yield from encoded(wav(size))
        yield b'"}}'

    async with serving(Gateway(answer)) as gateway, home(tmp_path, llmgateway(gateway.url)) as engine:
        record = await ended(engine, speech())
    assert record.state == "succeeded"
    assert [output.kept.bytes for output in record.outputs if output.kept] == [size]


async def test_a_large_sound_without_a_type_is_an_output(tmp_path: Path) -> None:
    gateway = Gateway(partial(wav, 2 * MIB), "application/octet-stream")
    async with serving(gateway), home(tmp_path, llmgateway(gateway.url)) as engine:
        record = await ended(engine, speech())
    assert [output.mime_type for output in record.outputs] == ["audio/wav"]
