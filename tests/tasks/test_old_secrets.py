"""A secret in a record that was written before rushes masked them."""

import sqlite3
from pathlib import Path

import pytest

from rushes.domain.hooks import SECRET_STAND_IN

from ..server.clients import connected, document
from .engines import an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, RUNNING

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-the-persons-own"


async def test_it_is_shown_nowhere_and_is_gone_with_the_next_write(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])
    asked = {"prompt": "a fox", "provider_options": {"callback_sec": SECRET}}
    async with an_engine(tmp_path, gateway) as engine, connected(engine) as client:
        made = document(await client.call_tool("generate_image", asked))
    _rewritten(tmp_path, "callback_sec", "callback_secret")
    assert SECRET in _stored(tmp_path)

    async with an_engine(tmp_path, gateway) as engine, connected(engine) as client:
        shown = document(await client.call_tool("check_task", {"task_id": made["task_id"]}))
        resource = await client.read_resource(f"rushes://tasks/{made['task_id']}")
        await client.call_tool("cancel_task", {"task_id": made["task_id"], "abandon": True})
    assert SECRET not in f"{shown} {resource}"
    assert SECRET not in _stored(tmp_path)
    assert SECRET_STAND_IN in _stored(tmp_path)


def _rewritten(home: Path, old: str, new: str) -> None:
    with sqlite3.connect(_database(home)) as database:
        database.execute("UPDATE Cache SET value = replace(value, ?, ?)", (f'"{old}"', f'"{new}"'))
    database.close()


def _stored(home: Path) -> str:
    database = sqlite3.connect(_database(home))
    rows = database.execute("SELECT value FROM Cache").fetchall()
    database.close()
    return str(rows)


def _database(home: Path) -> Path:
    return home / "cache" / "cache.db"
