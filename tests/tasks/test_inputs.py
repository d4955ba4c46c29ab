"""Input media are checked before anything is journaled or sent."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import RequestRefused
from rushes.domain.principal import LOCAL
from rushes.domain.request import MediaInput, MediaRole
from rushes.tasks.engine import Engine, Limits
from rushes.tasks.life.fingerprint import fingerprint
from rushes.tasks.service import MediaSource

from .engines import QUICK, a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, PNG, RUNNING

pytestmark = pytest.mark.anyio


def a_gateway() -> ScriptedProvider:
    return ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], facts_changes={"image_forms": ("url", "data")})


async def _resolved(
    engine: Engine, gateway: ScriptedProvider, text: str, role: MediaRole = "input_image", *, local_files: bool = True
) -> MediaInput:
    wish = a_wish(kind="image", media=[MediaSource(role, text)])
    await engine.preview(replace(wish, local_files=local_files))
    return gateway.requests[-1].media[0]


def _data_url(content: bytes, mime_type: str = "image/png") -> str:
    return f"data:{mime_type};base64,{base64.b64encode(content).decode()}"


async def test_a_data_url_becomes_checked_bytes_that_no_dump_shows(tmp_path: Path) -> None:
    gateway = a_gateway()
    async with an_engine(tmp_path, gateway) as engine:
        medium = await _resolved(engine, gateway, _data_url(PNG))
        assert (medium.data, medium.mime_type, medium.size_bytes) == (PNG, "image/png", len(PNG))
        assert "data" not in medium.model_dump()
        assert "iVBOR" not in repr(medium)
        record = (
            await engine.generate(a_wish(kind="image", media=[MediaSource("input_image", _data_url(PNG))]))
        ).record
    assert "iVBOR" not in record.model_dump_json()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"iVBORw0KGgo" not in file.read_bytes()


async def test_a_local_file_is_read_only_inside_the_allowed_folders(tmp_path: Path) -> None:
    gateway = a_gateway()
    inside, outside = tmp_path / "home" / "a.png", tmp_path / "b.png"
    inside.parent.mkdir()
    inside.write_bytes(PNG)
    outside.write_bytes(PNG)
    (inside.parent / "link.png").symlink_to(outside)
    async with an_engine(inside.parent, gateway) as engine:
        assert (await _resolved(engine, gateway, str(inside))).data == PNG
        assert (await _resolved(engine, gateway, inside.as_uri())).data == PNG
        for text in (str(outside), str(inside.parent / "link.png"), f"{inside.parent}/../b.png", "/etc/hostname"):
            with pytest.raises(RequestRefused, match="outside the folders") as refused:
                await _resolved(engine, gateway, text)
            assert refused.value.reason == "invalid_media"
        with pytest.raises(RequestRefused, match="only over stdio"):
            await _resolved(engine, gateway, str(inside), local_files=False)


async def test_a_medium_is_judged_by_its_first_bytes(tmp_path: Path) -> None:
    gateway = a_gateway()
    (tmp_path / "a.png").write_bytes(b"<!doctype html><html>")
    async with an_engine(tmp_path, gateway) as engine:
        with pytest.raises(RequestRefused, match="first bytes"):
            await _resolved(engine, gateway, str(tmp_path / "a.png"))
        with pytest.raises(RequestRefused, match="not video"):
            await _resolved(engine, gateway, _data_url(PNG), "reference_video")


async def test_what_is_too_large_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    gateway = a_gateway()
    (tmp_path / "big.png").write_bytes(PNG + b"\0" * 2000)
    async with an_engine(tmp_path, gateway, limits=Limits(media_bytes_max=1000)) as engine:
        for text in (str(tmp_path / "big.png"), _data_url(PNG + b"\0" * 2000)):
            with pytest.raises(RequestRefused, match="is over"):
                await _resolved(engine, gateway, text)
        with pytest.raises(RequestRefused, match="too many"):
            await engine.generate(a_wish(kind="image", media=[MediaSource("input_image", "https://a.example/x")] * 33))


@pytest.mark.parametrize(
    "text",
    [
        "http://pictures.example/a.png",
        "https://",
        "https://user:secret@pictures.example/a.png",
        "https://pictures.example/a b.png",
        "https://pictures.example/" + "a" * 5000,
        "data:image/png,notbase64",
        "data:image/png;base64,###",
        "no/such/file.png",
        "ftp://pictures.example/a.png",
        "",
        "a\0b.png",
        "half an emoji \ud83d.png",
        "~nobody-of-this-name/a.png",
        "file://[a.png",
        "https://[a.png",
    ],
)
async def test_what_no_gateway_could_fetch_is_refused(tmp_path: Path, text: str) -> None:
    gateway = a_gateway()
    async with an_engine(tmp_path, gateway) as engine:
        with pytest.raises(RequestRefused) as refused:
            await _resolved(engine, gateway, text)
        assert (refused.value.reason, refused.value.charged) == ("invalid_media", "no")
        assert (await engine.list_tasks(principal=LOCAL)).records == ()


async def test_an_https_url_is_passed_on_as_it_is(tmp_path: Path) -> None:
    gateway = a_gateway()
    async with an_engine(tmp_path, gateway, limits=QUICK) as engine:
        medium = await _resolved(engine, gateway, "https://pictures.example/a.png?x=1")
    assert (medium.url, medium.data) == ("https://pictures.example/a.png?x=1", None)


@given(st.text(max_size=30), st.text(max_size=30), st.none() | st.integers(0, 9))
def test_a_fingerprint_tells_requests_apart_and_equal_ones_not(one: str, other: str, seed: int | None) -> None:
    first = fingerprint("local", None, a_wish(one, seed=seed).request)
    assert first == fingerprint("local", "auto", a_wish(one, seed=seed).request)
    assert (first == fingerprint("local", None, a_wish(other, seed=seed).request)) == (one == other)
    assert first != fingerprint("somebody", None, a_wish(one, seed=seed).request)
    assert first != fingerprint("local", "shuyou", a_wish(one, seed=seed).request)


def test_media_count_in_a_fingerprint_by_their_bytes() -> None:
    request = a_wish().request

    def with_hash(sha256: str, source: str) -> str:
        media = (MediaInput(role="image", source=source, sha256=sha256),)
        return fingerprint("local", None, request.model_copy(update={"media": media}))

    assert with_hash("a", "one.png") == with_hash("a", "two.png") != with_hash("b", "one.png")
