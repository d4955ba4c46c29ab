"""Outputs kept as files: what is accepted, what is refused, and that nothing half-done is left."""

import asyncio
import hashlib
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue

from rushes.cache.media.folder import KeptFile, MediaFacts, MediaFolder
from rushes.domain.errors import OutputRejected, OutputUnavailable, StoreReadOnly
from rushes.domain.request import Kind

from ..previews.here import measure_here
from . import samples

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "not" / "yet" / "there", measure_here)


async def pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def keep(
    folder: MediaFolder,
    data: bytes | AsyncIterator[bytes],
    *,
    kind: Kind = "image",
    stem: str = "fox",
    declared_mime: str | None = None,
    bytes_max: int = 10**8,
    expected_bytes: int | None = None,
    even_cut_off: bool = False,
) -> KeptFile:
    return await folder.keep(
        stem=stem,
        chunks=pieces(data) if isinstance(data, bytes) else data,
        kind=kind,
        declared_mime=declared_mime,
        bytes_max=bytes_max,
        expected_bytes=expected_bytes,
        even_cut_off=even_cut_off,
    )


def names(folder: MediaFolder) -> list[str]:
    return sorted(path.name for path in folder.root.iterdir()) if folder.root.exists() else []


FULL = MediaFacts(64, 48, 1.0, 10.0, has_audio=True)
SILENT = MediaFacts(64, 48, 1.0, 10.0, has_audio=False)
PICTURE = MediaFacts(64, 48)
SOUND = MediaFacts(duration_seconds=1.0, has_audio=True)


@pytest.mark.parametrize(
    ("kind", "data", "name", "mime_type", "facts"),
    [
        ("video", samples.mp4(), "fox.mp4", "video/mp4", FULL),
        ("video", samples.movie("mov", video="libx264"), "fox.mov", "video/quicktime", SILENT),
        ("video", samples.movie("webm", video="libvpx-vp9"), "fox.webm", "video/webm", SILENT),
        ("video", samples.image("GIF"), "fox.gif", "image/gif", PICTURE),
        ("image", samples.image("PNG"), "fox.png", "image/png", PICTURE),
        ("image", samples.image("JPEG"), "fox.jpg", "image/jpeg", PICTURE),
        ("image", samples.image("WEBP"), "fox.webp", "image/webp", PICTURE),
        ("image", samples.image("AVIF"), "fox.avif", "image/avif", PICTURE),
        ("audio", samples.movie("wav", audio="pcm_s16le"), "fox.wav", "audio/wav", SOUND),
        ("audio", samples.movie("mp3", audio="libmp3lame"), "fox.mp3", "audio/mpeg", SOUND),
        ("audio", samples.movie("flac", audio="flac"), "fox.flac", "audio/flac", SOUND),
        ("audio", samples.movie("mp4", audio="aac"), "fox.m4a", "audio/mp4", SOUND),
    ],
)
async def test_a_medium_is_kept_with_its_hash_type_and_measured_facts(
    folder: MediaFolder, kind: Kind, data: bytes, name: str, mime_type: str, facts: MediaFacts
) -> None:
    kept = await keep(folder, data, kind=kind, declared_mime="application/octet-stream", expected_bytes=len(data))
    assert kept == KeptFile(folder.root / name, len(data), hashlib.sha256(data).hexdigest(), mime_type, facts)
    assert kept.path.read_bytes() == data
    assert names(folder) == [name]


@pytest.mark.parametrize("pillow_format", ["JPEG", "WEBP", "PNG"])
async def test_a_photo_is_measured_the_way_round_that_viewers_show_it(folder: MediaFolder, pillow_format: str) -> None:
    kept = await keep(folder, samples.turned_photo(pillow_format), kind="image")
    assert kept.facts == MediaFacts(samples.HEIGHT, samples.WIDTH)


async def test_files_and_folders_are_made_for_this_user_alone(folder: MediaFolder) -> None:
    kept = await keep(folder, samples.image("PNG"))
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    for made in (folder.root, folder.root.parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


async def test_a_folder_of_the_person_keeps_its_mode(tmp_path: Path) -> None:
    theirs = anyio.Path(tmp_path)
    await theirs.chmod(0o755)
    await keep(MediaFolder(tmp_path), samples.image("PNG"))
    assert stat.S_IMODE((await theirs.stat()).st_mode) == 0o755


class TestNames:
    async def test_another_file_of_that_name_is_never_overwritten(self, folder: MediaFolder) -> None:
        first = await keep(folder, samples.image("PNG"))
        second = await keep(folder, samples.image("PNG") + b"other")
        third = await keep(folder, samples.image("PNG") + b"third")
        assert [kept.path.name for kept in (first, second, third)] == ["fox.png", "fox-2.png", "fox-3.png"]
        assert first.path.read_bytes() == samples.image("PNG")

    async def test_the_same_content_under_the_same_name_is_the_same_file(self, folder: MediaFolder) -> None:
        first = await keep(folder, samples.image("PNG"))
        assert await keep(folder, samples.image("PNG")) == first
        assert names(folder) == ["fox.png"]

    async def test_many_at_once_with_one_name_each_get_their_own(self, folder: MediaFolder) -> None:
        kept: list[KeptFile] = []

        async def one(number: int) -> None:
            kept.append(await keep(folder, samples.image("PNG") + bytes([number])))

        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(one, number)
        assert len({file.path for file in kept}) == 10
        for file in kept:
            assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256

    @pytest.mark.parametrize("stem", ["../../escape", "/etc/passwd", "..", ".hidden", "a\0b", "con"])
    async def test_a_name_from_outside_stays_inside(self, folder: MediaFolder, stem: str) -> None:
        kept = await keep(folder, samples.image("PNG"), stem=stem)
        assert kept.path.parent == folder.root
        assert not kept.path.name.startswith(".")

    async def test_a_file_system_without_hard_links_will_do(
        self, folder: MediaFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(source: object, target: object, **_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", refuse)
        await keep(folder, samples.image("PNG"))
        await keep(folder, samples.image("PNG") + b"other")
        assert names(folder) == ["fox-2.png", "fox.png"]


class TestRefused:
    @pytest.mark.parametrize(
        ("kind", "data", "message"),
        [
            ("video", b"", "with nothing"),
            ("video", b"<!DOCTYPE html><html><body>Link expired</body></html>", "with text"),
            ("image", b'{"code": 404}', "with text"),
            ("image", '\ufeff{"fehler": "läuft"}'.encode(), "with text"),
            ("audio", b"the wide world", "with text"),
            ("video", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "with text"),
            ("image", samples.mp4(), "video/mp4 instead of an image"),
            ("video", samples.image("PNG"), "image/png instead of a video"),
            ("audio", samples.mp4(), "video/mp4 instead of a sound"),
            ("video", samples.movie("mp4", audio="aac"), "only sound"),
            ("video", b"PK\x03\x04\x00\x00", "of no type"),
        ],
    )
    async def test_what_is_not_the_promised_medium(
        self, folder: MediaFolder, kind: Kind, data: bytes, message: str
    ) -> None:
        with pytest.raises(OutputRejected, match=message):
            await keep(folder, data, kind=kind, declared_mime="video/mp4" if data[:1] in b"<{" else None)
        assert names(folder) == []

    async def test_text_that_is_declared_a_medium_is_still_text(self, folder: MediaFolder) -> None:
        with pytest.raises(OutputRejected, match="with text"):
            await keep(folder, b"<html>" + b"x" * 100_000, kind="video", declared_mime="video/mp4")

    async def test_a_wrong_type_is_refused_before_the_rest_is_fetched(self, folder: MediaFolder) -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"<html>" + b" " * 1000

        with anyio.fail_after(10), pytest.raises(OutputRejected, match="with text"):
            await keep(folder, endless(), kind="video")

    async def test_more_than_the_limit_is_refused_while_it_comes(self, folder: MediaFolder) -> None:
        async def endless() -> AsyncIterator[bytes]:
            yield samples.image("PNG")
            while True:
                yield bytes(100_000)

        with anyio.fail_after(10), pytest.raises(OutputRejected, match="limit of 3000000 bytes"):
            await keep(folder, endless(), bytes_max=3_000_000)
        assert names(folder) == []

    async def test_more_than_the_limit_is_refused_before_it_comes_where_it_is_announced(
        self, folder: MediaFolder
    ) -> None:
        async def never() -> AsyncIterator[bytes]:
            raise NotImplementedError
            yield b""

        with pytest.raises(OutputRejected, match="limit"):
            await keep(folder, never(), bytes_max=10, expected_bytes=11)

    @pytest.mark.parametrize("length", [0, 10, 2000])
    async def test_a_body_shorter_than_announced_may_be_tried_again(self, folder: MediaFolder, length: int) -> None:
        data = samples.mp4()
        with pytest.raises(OutputUnavailable, match=f"after {length} of {len(data)} bytes"):
            await keep(folder, data[:length], kind="video", expected_bytes=len(data))
        assert names(folder) == []

    @pytest.mark.parametrize(
        ("kind", "data"),
        [
            ("video", samples.mp4()),
            ("video", samples.movie("mp4", video="libx264", options=(("movflags", "faststart"),))),
            ("video", samples.movie("avi", video="mpeg4")),
            ("image", samples.image("PNG")),
            ("image", samples.image("JPEG")),
            ("image", samples.image("WEBP")),
            ("image", samples.image("AVIF")),
        ],
    )
    async def test_a_body_of_unknown_length_is_told_to_be_cut_off_by_its_own_format(
        self, folder: MediaFolder, kind: Kind, data: bytes
    ) -> None:
        for end in (len(data) - 20, len(data) // 2):
            with pytest.raises(OutputUnavailable, match="ended early"):
                await keep(folder, data[:end], kind=kind)
        assert names(folder) == []
        assert (await keep(folder, data, kind=kind)).size_bytes == len(data)


async def test_samples_without_a_header_are_taken_on_the_word_of_the_server(folder: MediaFolder) -> None:
    kept = await keep(folder, bytes(range(256)) * 10, kind="audio", declared_mime="audio/pcm; rate=24000")
    assert (kept.path.name, kept.mime_type, kept.facts) == ("fox.pcm", "audio/pcm", MediaFacts())


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image", samples.image("PNG")[:40] + b"garbage" * 50),
        ("video", samples.mp4()[:40] + b"garbage" * 5000),
        ("audio", b"fLaC\0" + b"garbage" * 500),
    ],
)
async def test_a_paid_output_that_cannot_be_measured_is_kept_without_facts(
    folder: MediaFolder, kind: Kind, data: bytes
) -> None:
    kept = await keep(folder, data, kind=kind, expected_bytes=len(data), even_cut_off=True)
    assert kept.path.read_bytes() == data
    assert kept.facts.duration_seconds is None


async def test_a_decompression_bomb_is_not_decoded(folder: MediaFolder) -> None:
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (2**31 - 1).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    data = header + b"\x00\x00\x00\x00" + b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"
    kept = await keep(folder, data)
    assert kept.facts == MediaFacts()


class TestLeftovers:
    async def test_an_error_of_the_source_comes_through_and_leaves_nothing(self, folder: MediaFolder) -> None:
        async def breaks() -> AsyncIterator[bytes]:
            yield samples.image("PNG")
            raise OutputUnavailable("the gateway hung up")

        with pytest.raises(OutputUnavailable, match="hung up"):
            await keep(folder, breaks())
        assert names(folder) == []

    async def test_a_cancelled_download_leaves_nothing(self, folder: MediaFolder) -> None:
        started = anyio.Event()

        async def stalls() -> AsyncIterator[bytes]:
            yield bytes(3_000_000)
            started.set()
            await asyncio.Event().wait()

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: keep(folder, stalls(), kind="audio", declared_mime="audio/pcm"))
            with anyio.fail_after(10):
                await started.wait()
            assert [name.endswith(".part") for name in names(folder)] == [True]
            group.cancel_scope.cancel()
        assert names(folder) == []

    async def test_there_is_nothing_to_find_before_the_first_output(self, folder: MediaFolder) -> None:
        assert await folder.find("fox") == []
        assert [found async for found in folder.sidecars()] == []


class TestSidecars:
    async def test_a_sidecar_lies_beside_its_file_and_is_found_again(self, folder: MediaFolder) -> None:
        kept = await keep(folder, samples.image("PNG"))
        document: dict[str, JsonValue] = {"task_id": "1", "prompt": "狐 \ud800"}
        sidecar = await folder.write_sidecar(kept.path, {"task_id": "0"})
        assert await folder.write_sidecar(kept.path, document) == sidecar
        assert sidecar.name == "fox.png.json"
        assert json.loads(sidecar.read_text("utf-8")) == document
        assert stat.S_IMODE(sidecar.stat().st_mode) == 0o600
        assert [found async for found in folder.sidecars()] == [(kept.path, document)]
        assert names(folder) == ["fox.png", "fox.png.json"]

    async def test_junk_beside_the_sidecars_is_passed_over(self, folder: MediaFolder) -> None:
        kept = await keep(folder, samples.image("PNG"))
        await folder.write_sidecar(kept.path, {"task_id": "1"})
        junk = {"a.json": b"", "b.json": b"[1]", "c.json": b"\xff\xfe", "d.json": b"[" * 100_000, "e.json": b"{"}
        for name, data in junk.items():
            (folder.root / name).write_bytes(data)
        (folder.root / "f.json").mkdir()
        (folder.root / "g.json").symlink_to("nowhere")
        assert [path.name async for path, _ in folder.sidecars()] == ["fox.png"]

    async def test_find_tells_outputs_only(self, folder: MediaFolder) -> None:
        for stem in ("task-2", "task-1", "other"):
            kept = await keep(folder, samples.image("PNG"), stem=stem)
            await folder.write_sidecar(kept.path, {})
        (folder.root / ".task-3.part").write_bytes(b"x")
        assert [path.name for path in await folder.find("task-")] == ["task-1.png", "task-2.png"]
        assert await folder.find("../") == []
        assert len(await folder.find("")) == 3


async def test_a_folder_that_cannot_be_made_is_told_with_its_place(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", "utf-8")
    with pytest.raises(StoreReadOnly, match="folder of outputs") as raised:
        await keep(MediaFolder(blocked / "outputs"), samples.image("PNG"))
    assert "RUSHES_OUTPUT_DIR" in (raised.value.hint or "")
