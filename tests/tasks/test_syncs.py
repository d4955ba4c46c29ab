"""What must survive a power cut is brought to the disk before the step that it protects.

The calls of SQLite and of the file layer are recorded below rushes: a sync that is left out, or comes late, is seen.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import anyio
import pytest

from rushes.domain.principal import LOCAL

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, JOB, PNG, RUNNING

pytestmark = pytest.mark.anyio

FULL = 2
"""`PRAGMA synchronous`: a commit returns once the log is on the disk."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Disk:
    """What was done to the disk, in order."""

    events: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    commits: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """`PRAGMA synchronous` at each commit, and what its transaction wrote."""

    def place(self, *event: str) -> int:
        """When it happened; fails where it never did."""
        return self.events.index((event[0], event[1]))

    def commit_of(self, text: str) -> int:
        """How the first transaction that wrote this text was committed."""
        return next(level for level, written in self.commits if text in written)


class Recorded(sqlite3.Connection):
    """A connection that tells of its commits."""

    disk: Disk
    written = ""

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        if sql == "COMMIT" and self.written:
            ((level,),) = super().execute("PRAGMA synchronous").fetchall()
            self.disk.commits.append((int(level), self.written))
            self.written = ""
        elif sql == "ROLLBACK":
            self.written = ""
        elif sql.lstrip().upper().startswith(("INSERT", "UPDATE", "REPLACE")):
            self.written += repr(parameters)
        return super().execute(sql, parameters)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Records from here on, in every thread."""
    seen = Disk()
    connect, fsync = sqlite3.connect, os.fsync

    def recorded(*arguments: str, **settings: float) -> sqlite3.Connection:
        connection = connect(*arguments, **settings, factory=Recorded)  # type: ignore[call-overload]
        assert isinstance(connection, Recorded)
        connection.disk = seen
        return connection

    def synced(descriptor: int) -> None:
        fsync(descriptor)
        seen.events.append(("fsync", str(os.fstat(descriptor).st_ino)))

    def noted(name: str, call: Callable[P, R], which: int) -> Callable[P, R]:
        def done(*arguments: P.args, **settings: P.kwargs) -> R:
            result = call(*arguments, **settings)
            seen.events.append((name, Path(str(arguments[which])).name))
            return result

        return done

    monkeypatch.setattr(sqlite3, "connect", recorded)
    monkeypatch.setattr(os, "fsync", synced)
    for name in ("link", "replace", "rename"):
        monkeypatch.setattr(os, name, noted("named", getattr(os, name), 1))
    return seen


async def test_the_journal_is_synced_before_the_post_and_the_jobs_id_with_the_answer(
    disk: Disk, tmp_path: Path
) -> None:
    at_the_post: list[int] = []
    gateway = ScriptedProvider(
        answers=[ACCEPTED], looks=[RUNNING], submitted=lambda: at_the_post.append(disk.commit_of("a red fox"))
    )
    async with an_engine(tmp_path, gateway) as engine:
        with anyio.fail_after(10):
            await engine.generate(a_wish(kind="image"))
    assert len(at_the_post) == 1
    assert at_the_post[0] >= FULL
    assert disk.commit_of(f'"{JOB.job_id}"') >= FULL


async def test_a_file_and_its_name_are_synced_before_the_record_says_that_it_is_kept(
    disk: Disk, tmp_path: Path
) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        with anyio.fail_after(10):
            record = await engine.wait(record.task_id, seconds=10, principal=LOCAL)
    file = Path(record.outputs[0].path or "")
    sidecar = Path(f"{file}.json")
    folder = str(file.parent.stat().st_ino)
    for each in (file, sidecar):
        content, name = disk.place("fsync", str(each.stat().st_ino)), disk.place("named", each.name)
        assert content < name, f"{each.name} had its name before its content was on the disk"
        assert ("fsync", folder) in disk.events[name:], f"the name {each.name} was never brought to the disk"
