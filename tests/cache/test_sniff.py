"""Types told by the first bytes, and names made safe."""

import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rushes.cache.media.names import safe_stem
from rushes.domain.media_types import EXTENSIONS, HEAD_BYTES, looks_like_text, sniff_mime

from . import samples

REAL_MEDIA: dict[str, tuple[Callable[[], bytes], str]] = {
    "png": (lambda: samples.image("PNG"), "image/png"),
    "jpeg": (lambda: samples.image("JPEG"), "image/jpeg"),
    "webp": (lambda: samples.image("WEBP"), "image/webp"),
    "gif": (lambda: samples.image("GIF"), "image/gif"),
    "avif": (lambda: samples.image("AVIF"), "image/avif"),
    "mp4": (samples.mp4, "video/mp4"),
    "mov": (lambda: samples.movie("mov", video="libx264"), "video/quicktime"),
    "webm": (lambda: samples.movie("webm", video="libvpx-vp9"), "video/webm"),
    "mkv": (lambda: samples.movie("matroska", video="libx264"), "video/x-matroska"),
    "avi": (lambda: samples.movie("avi", video="mpeg4"), "video/x-msvideo"),
    "wav": (lambda: samples.movie("wav", audio="pcm_s16le"), "audio/wav"),
    "mp3 with a tag": (lambda: samples.movie("mp3", audio="libmp3lame"), "audio/mpeg"),
    "mp3 without a tag": (
        lambda: samples.movie("mp3", audio="libmp3lame", options=(("id3v2_version", "0"), ("write_xing", "0"))),
        "audio/mpeg",
    ),
    "opus": (lambda: samples.movie("ogg", audio="libopus"), "audio/ogg"),
    "flac": (lambda: samples.movie("flac", audio="flac"), "audio/flac"),
    "aac": (lambda: samples.movie("adts", audio="aac"), "audio/aac"),
    "m4a": (lambda: samples.movie("ipod", audio="aac"), "audio/mp4"),
}


@pytest.mark.parametrize("name", REAL_MEDIA)
def test_a_real_medium_is_told_by_its_first_bytes(name: str) -> None:
    make, mime_type = REAL_MEDIA[name]
    head = make()[:HEAD_BYTES]
    assert sniff_mime(head) == mime_type
    assert mime_type in EXTENSIONS
    assert not looks_like_text(head)


@pytest.mark.parametrize(
    ("head", "mime_type"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0miaf", "image/heif"),
        (b"\0\0\0\x20ftyp3gp5\0\0\0\0", "video/mp4"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"the wide world of web pages", None),
        (b"ID3\x04\0\0\0\0\0\x02xxfLaC", "audio/flac"),
        (b"OggS\0\x02" + bytes(22) + b"\x80theora", "video/ogg"),
        (b"RIFF\0\0\0\0????", None),
        (b"\xff\xff\xff\xff", None),
        (b"", None),
        (b"\xff", None),
        (b"<!DOCTYPE html><html>", None),
        (b'{"error": "expired"}', None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
    ],
)
def test_rare_and_foreign_beginnings(head: bytes, mime_type: str | None) -> None:
    assert sniff_mime(head) == mime_type


@given(st.binary(max_size=64))
def test_no_beginning_makes_it_fail(head: bytes) -> None:
    assert sniff_mime(head) in {None, *EXTENSIONS}
    assert looks_like_text(head) in {True, False}


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=1))
def test_text_of_any_script_is_text_also_when_it_is_cut_within_a_character(text: str) -> None:
    encoded = text.encode()
    assert looks_like_text(encoded)
    assert looks_like_text(b"<p>" + encoded + "é".encode()[:1])


@given(st.text())
@example("../../etc/passwd")
@example("..\\..\\windows")
@example("CON.txt")
@example("LPT¹")
@example("\u202egpj.exe")
@example("a" * 500)
@example("\U0001f98a" * 100)
@example("狐" * 100)
def test_a_stem_is_a_safe_file_name_whatever_the_text(text: str) -> None:
    stem = safe_stem(text)
    assert 0 < len(stem) <= 80
    assert len(stem.encode()) <= 200
    assert not set(stem) & set('/\\:*?"<>|\0\n\r')
    assert stem[0] not in ".- "
    assert stem[-1] not in ". "
    assert ".." not in stem
    assert all(unicodedata.category(character)[0] != "C" for character in stem)
    assert stem.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert safe_stem(stem) == stem


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=1, max_size=60))
def test_a_plain_name_stays_as_it_is(text: str) -> None:
    inner = f"x{text}x".replace("--", "x")
    assert safe_stem(inner) == inner


def test_letters_of_other_scripts_stay() -> None:
    assert safe_stem("雪の中の狐 №1 / Füchse") == "雪の中の狐-1-Füchse"
