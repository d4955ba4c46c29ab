"""The store is broken while nobody runs: it is set aside and said so, and what was finished comes back."""

from pathlib import Path

import pytest

from ..cli.command import rushes

FREE = ("--provider", "sandbox", "--json")


def _made(prompt: str) -> str:
    document = rushes("generate", "audio", prompt, "--duration-seconds", "1", *FREE).document
    assert document["state"] == "succeeded"
    return str(document["task_id"])


@pytest.mark.parametrize("damage", ["truncated", "garbage"])
def test_a_damaged_store_is_set_aside_and_a_rebuild_brings_finished_tasks_back(
    damage: str, isolated_environment: Path
) -> None:
    home = isolated_environment
    task_id = _made("a red fox")
    database = home / "cache" / "cache.db"
    for log in database.parent.glob("cache.db-*"):
        log.unlink()
    content = database.read_bytes()
    broken = content[:5000] if damage == "truncated" else b"no database " * 500
    database.write_bytes(broken)

    listed = rushes("tasks", "--json")
    assert "set aside" in listed.err
    (aside,) = [path for path in home.iterdir() if ".damaged-" in path.name]
    assert (aside / "cache.db").read_bytes()[: len(broken)] == broken

    rebuilt = rushes("doctor", "--rebuild", "--offline", "--json")
    assert any(check["name"] == "rebuild" for check in rebuilt.document["checks"])
    back = rushes("check", task_id, "--json").document
    (output,) = back["outputs"]
    assert back["state"] == "succeeded"
    assert Path(output["path"]).stat().st_size == output["bytes"]
