"""Files that end too early are not taken for whole, whatever a server says of their length."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anyio.abc import SocketStream

from rushes.cache.media.folder import MediaFolder
from rushes.cache.media.truncation import is_cut_off
from rushes.domain.errors import OutputUnavailable
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.providers.client.downloads import OutputClient

from ..cache import samples
from ..providers.servers import Conduct, serving
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

PNG = samples.image("PNG")
DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png"),))
ACCEPTED = Submission(job=Job(job_id="job:1", model="m1"), observation=Observation(state="queued"))

FILES = {
    "image/png": PNG,
    "image/jpeg": samples.image("JPEG"),
    "image/webp": samples.image("WEBP"),
    "image/gif": samples.image("GIF"),
    "video/mp4": samples.mp4(),
    "video/quicktime": samples.movie("mov", video="libx264"),
    "video/webm": samples.movie("webm", video="libvpx-vp9"),
    "audio/wav": samples.movie("wav", audio="pcm_s16le"),
    "audio/mp4": samples.movie("mp4", audio="aac"),
    "audio/ogg": samples.movie("ogg", audio="flac"),
}


@pytest.mark.parametrize("mime_type", FILES)
def test_thirty_missing_bytes_are_seen_and_a_whole_file_is_whole(tmp_path: Path, mime_type: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(FILES[mime_type])
    assert not is_cut_off(file, mime_type)
    file.write_bytes(FILES[mime_type][:-30])
    assert is_cut_off(file, mime_type)


async def test_a_file_is_not_whole_because_it_has_the_length_that_the_server_told(tmp_path: Path) -> None:
    async def short() -> AsyncIterator[bytes]:
        yield PNG[:-30]

    with pytest.raises(OutputUnavailable, match="ended early"):
        await MediaFolder(tmp_path).keep(
            stem="x",
            chunks=short(),
            kind="image",
            declared_mime=None,
            bytes_max=10**6,
            expected_bytes=len(PNG) - 30,
        )
    assert list(tmp_path.iterdir()) == []


def told(length: int, status: str = "200 OK", **headers: str) -> Conduct:
    """The picture, with this length in the head of the answer."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    head = f"HTTP/1.1 {status}\r\ncontent-type: image/png\r\ncontent-length: {length}\r\n{''.join(lines)}\r\n"

    async def conduct(stream: SocketStream, request: str) -> None:
        await stream.send(head.encode() + PNG)

    return conduct


PART = {"status": "206 Partial Content", "content_range": f"bytes 0-{len(PNG) - 1}/{len(PNG) + 30}"}
ALL = {"status": "206 Partial Content", "content_range": f"bytes 0-{len(PNG) - 1}/{len(PNG)}"}


async def kept_from(url: str, folder: Path) -> bytes:
    outputs = OutputClient(url, None)
    async with outputs.open(RemoteOutput(url=f"{url}/1.png")) as stream:
        kept = await MediaFolder(folder).keep(
            stem="x",
            chunks=aiter(stream),
            kind="image",
            declared_mime=None,
            bytes_max=10**6,
            expected_bytes=stream.size_bytes,
        )
    return kept.path.read_bytes()


@pytest.mark.parametrize(
    "conduct",
    [told(len(PNG) - 30), told(len(PNG) + 30), told(len(PNG), **PART), told(len(PNG), status="206 Partial Content")],
    ids=["a length 30 too short", "a length 30 too long", "a part unasked", "a part of nobody knows what"],
)
async def test_an_answer_whose_head_tells_another_length_is_fetched_again(tmp_path: Path, conduct: Conduct) -> None:
    async with serving(conduct) as server:
        with pytest.raises(OutputUnavailable):
            await kept_from(server.url, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_part_that_is_all_of_it_is_kept(tmp_path: Path) -> None:
    async with serving(told(len(PNG), **ALL)) as server:
        assert await kept_from(server.url, tmp_path) == PNG


async def test_a_short_download_is_repeated_until_the_whole_file_comes(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG[:-30], PNG[:-30], PNG])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        record = await engine.wait(task_id, seconds=20, principal=LOCAL)
        while record.phase != "done":
            record = await engine.get(task_id, principal=LOCAL)
    (output,) = record.outputs
    assert Path(output.path or "").read_bytes() == PNG
    assert output.kept is not None
    assert not output.kept.cut_off


async def test_what_the_gateway_only_has_cut_off_is_kept_in_the_end_and_called_so(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG[:-30]] * 9)
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        record = await engine.wait(task_id, seconds=20, principal=LOCAL)
        while record.phase != "done":
            record = await engine.get(task_id, principal=LOCAL)
    assert len(gateway.downloads) == 5
    (output,) = record.outputs
    assert output.kept is not None
    assert output.kept.cut_off
