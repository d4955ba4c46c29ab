"""Files of tests lie in memory only where there is room for them."""

from pathlib import Path

import pytest

from .in_memory import has_room


def test_there_is_room_where_enough_is_free(tmp_path: Path) -> None:
    assert has_room(tmp_path, free_bytes_min=1)


def test_there_is_none_where_too_little_is_free(tmp_path: Path) -> None:
    assert not has_room(tmp_path, free_bytes_min=2**62)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_there_is_none_where_there_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert not has_room(tmp_path / name, free_bytes_min=1)
