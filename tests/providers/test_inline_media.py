"""Media inside JSON that comes piece by piece: found in any field, order and spelling, and nothing else is touched."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.providers.client.inline_media import HEAD_BYTES, MediaScanner, MediumEnded

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
RAW = bytes(range(256)) * 401 + b"x"


def scanned(text: bytes, size: int) -> tuple[object, dict[str, tuple[bytes, str | None]], int]:
    """The JSON that is left, the media by their token, and how many were begun and dropped."""
    scanner = MediaScanner()
    media: dict[str, tuple[bytes, str | None]] = {}
    medium, dropped, held = bytearray(), 0, 0
    for start in range(0, len(text), size):
        for event in scanner.feed(text[start : start + size]):
            if isinstance(event, bytes):
                medium += event
            elif isinstance(event, MediumEnded):
                media[event.token] = (bytes(medium), event.mime_type)
            else:
                medium.clear()
                dropped += event == "drop"
        held = max(held, len(scanner.rest))
    return json.loads(bytes(scanner.rest)), media, dropped


def plain(data: bytes) -> str:
    return base64.b64encode(data).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "escaped slashes": lambda text: text.replace("/", "\\/"),
    "escaped signs": lambda text: text.replace("+", "\\u002b").replace("=", "\\u003D"),
    "lines": lambda text: "\\r\\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    "URL-safe": lambda text: text.replace("+", "-").replace("/", "_"),
    "without padding": lambda text: text.rstrip("="),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("size", [1021, 65_536, 10**9])
@pytest.mark.parametrize("data", [PNG, PNG + b"1", PNG + b"22"])
def test_a_medium_is_taken_out_however_it_is_spelled(spelling: str, size: int, data: bytes) -> None:
    text = SPELLINGS[spelling](plain(data))
    rest, media, _ = scanned(f'{{"data": [{{"n": 1, "b64_json": "{text}", "z": "a \\"b\\" /"}}]}}'.encode(), size)
    ((token, held),) = media.items()
    assert held == (data, None)
    assert rest == {"data": [{"n": 1, "b64_json": token, "z": 'a "b" /'}]}


@pytest.mark.parametrize(
    "prefix", ["data:image/png;base64,", "data:image\\/png;charset=x;base64,", "DATA:image/PNG;BASE64,"]
)
def test_a_data_url_gives_its_type(prefix: str) -> None:
    rest, media, _ = scanned(f'["{prefix}{plain(RAW)}"]'.encode(), 5000)
    ((token, held),) = media.items()
    assert held == (RAW, "image/png")
    assert (rest, token.startswith("rushes-held://")) == ([token], True)


def test_every_cut_between_two_pieces_is_the_same() -> None:
    """Also inside an escape, before the quote, and in the padding."""
    text = f'{{"a\\\\": "x\\\\", "b": "{SPELLINGS["escaped signs"](plain(PNG + b"1"))}"}}'.encode()
    whole = {event for event in MediaScanner().feed(text) if isinstance(event, str)}
    for at in (*range(1, 40), *range(len(text) - 60, len(text))):
        scanner = MediaScanner()
        events = [*scanner.feed(text[:at]), *scanner.feed(text[at:])]
        assert b"".join(event for event in events if isinstance(event, bytes)) == PNG + b"1"
        assert {event for event in events if isinstance(event, str)} == whole
        assert set(json.loads(bytes(scanner.rest))) == {"a\\", "b"}


def test_what_may_be_no_medium_is_taken_out_too_but_not_as_something_that_can_be_fetched() -> None:
    _, media, _ = scanned(f'{{"thought": "{plain(RAW)}"}}'.encode(), 4096)
    ((token, held),) = media.items()
    assert held[0] == RAW
    assert "//" not in token


@pytest.mark.parametrize("text", ["word, " * 20_000, "é" * 40_000, "{}" * 40_000, "short"])
def test_long_texts_stay_in_the_answer(text: str) -> None:
    rest, media, dropped = scanned(json.dumps({"text": text}).encode(), 3000)
    assert (rest, media, dropped) == ({"text": text}, {}, 0)


@pytest.mark.parametrize("end", ["!", "=A", "A", "\\n!"])
def test_what_turns_out_to_be_no_base64_is_dropped(end: str) -> None:
    _, media, dropped = scanned(f'["{plain(bytes(HEAD_BYTES * 3))}{end}"]'.encode(), 3000)
    assert (media, dropped) == ({}, 1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    ),
    st.integers(1, 50),
)
@settings(max_examples=50, deadline=None)
def test_json_without_media_stays_as_it_is(value: object, size: int) -> None:
    rest, media, _ = scanned(json.dumps(value).encode(), size)
    assert (rest, media) == (value, {})
