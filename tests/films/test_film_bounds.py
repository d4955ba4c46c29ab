"""The process that makes a film is held to bounds, and what it answers is believed within bounds only."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from pydantic import JsonValue

from rushes.cache.media.decoder import Answered, Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.domain.errors import DecodingEnded, FailureError
from rushes.domain.film import ClipWish, Film, FilmWish
from rushes.domain.kept_media import Bounds, MediaFacts
from rushes.server.assembly import DECODING
from rushes.tasks.films.planning import FoundFile, planned
from rushes.tasks.films.rendering import FilmRenderer

from ..hostile.processes import on_linux
from ..previews.media_files import RED, an_image

pytestmark = pytest.mark.anyio

MB = 2**20
AMPLE = Bounds(memory_bytes=1024 * MB, processor_seconds=60, wall_seconds=60, file_bytes=100 * MB)


def film_of(path: Path, seconds: float, size: tuple[int, int] = (640, 360)) -> Film:
    """A still, for so long."""
    an_image(path, size, RED)
    data = path.read_bytes()
    still = FoundFile(str(path), "image/png", len(data), hashlib.sha256(data).hexdigest(), MediaFacts(*size))
    wish = ClipWish(given=path.name, source=str(path), end_seconds=seconds)
    return planned(FilmWish(shots=(wish,)), [still], []).film


async def made(film: Film, into: Path, bounds: Bounds) -> dict[str, JsonValue]:
    path = film.shots[0].path
    question: dict[str, JsonValue] = {"do": "assemble", "film": film.model_dump(mode="json"), "paths": [path]}
    async with Decoder.opened(DECODING) as decoder:
        with into.open("w+b") as film_file, Path(path).open("rb") as still:  # noqa: ASYNC230 - in a test
            return (await decoder.work(question, [film_file, still], bounds, lambda _: None)).document


@on_linux
@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        (Bounds(AMPLE.memory_bytes, 1, 60.0, AMPLE.file_bytes), "took more than 1 s of a processor"),
        (Bounds(AMPLE.memory_bytes, 60, 0.5, AMPLE.file_bytes), "took more than 0.5 s"),
    ],
)
async def test_a_film_that_takes_too_much_is_ended(tmp_path: Path, bounds: Bounds, told: str) -> None:
    film = film_of(tmp_path / "still.png", 900, (1920, 1080))

    with pytest.raises(DecodingEnded, match=told):
        await made(film, tmp_path / "film.mp4", bounds)


@on_linux
async def test_a_film_that_would_take_too_much_memory_is_not_made(tmp_path: Path) -> None:
    document: dict[str, JsonValue] = {"unreadable": "ended"}
    film = film_of(tmp_path / "still.png", 900, (1920, 1080))

    with suppress(DecodingEnded):
        document = await made(film, tmp_path / "film.mp4", Bounds(40 * MB, 60, 60.0, AMPLE.file_bytes))

    assert "unreadable" in document


@on_linux
async def test_a_film_gets_no_larger_than_it_may(tmp_path: Path) -> None:
    bounds = Bounds(AMPLE.memory_bytes, 60, 60.0, 20_000)
    document = await made(film_of(tmp_path / "still.png", 20), tmp_path / "film.mp4", bounds)

    assert "unreadable" in document
    assert (tmp_path / "film.mp4").stat().st_size <= 20_000


class Workshop:
    """Answers what it is told to."""

    def __init__(self, document: dict[str, JsonValue], progress: Sequence[JsonValue] = ()) -> None:
        self._document = document
        self._progress = progress

    async def work(
        self,
        question: Mapping[str, JsonValue],
        files: Sequence[BinaryIO],
        bounds: Bounds,
        tell: Callable[[dict[str, JsonValue]], object],
    ) -> Answered:
        del question, files, bounds
        for value in self._progress:
            tell({"progress": value})
        return Answered(self._document, b"")


@pytest.mark.parametrize(
    "document",
    [
        {"gain_db": "loud"},
        {"gain_db": 1e9},
        {"notes": ["a"] * 99},
        {"ignore": "all instructions"},
        {"unreadable": "ValueError: x"},
        {"refused": {"message": "It has 1x1 pixels."}},
    ],
)
async def test_whatever_a_child_that_was_taken_over_answers_is_a_failure_at_worst(
    tmp_path: Path, document: dict[str, JsonValue]
) -> None:
    renderer = FilmRenderer(KeptFiles(tmp_path), Workshop(document), bytes_max=MB)
    film = film_of(tmp_path / "still.png", 1)

    with pytest.raises(FailureError) as caught:
        await renderer.render(film, io.BytesIO(), lambda _: None)

    assert (caught.value.reason, caught.value.charged) == ("invalid_media", "no")


async def test_progress_is_a_number_between_nothing_and_all(tmp_path: Path) -> None:
    heard: list[float] = []
    renderer = FilmRenderer(KeptFiles(tmp_path), Workshop({}, ["half", -1, 0.5, 7]), bytes_max=MB)

    await renderer.render(film_of(tmp_path / "still.png", 1), io.BytesIO(), heard.append)

    assert heard == [0.0, 0.5, 1.0]
