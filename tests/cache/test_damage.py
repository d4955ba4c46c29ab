"""The store under damage: hostile rows, broken files, foreign versions, no room, no permission."""

import json
import pickle
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import diskcache
import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.document import Selection
from rushes.domain.errors import StoreDamaged, StoreError, StoreTooNew

from .documents import a_document, opened, task_ids
from .processes import line_of, started

pytestmark = pytest.mark.anyio

DATABASE = "cache.db"


@contextmanager
def database(folder: Path) -> Generator[sqlite3.Connection]:
    """The database itself, behind the store's back."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        yield connection


async def filled(folder: Path, count: int, *, padding: int = 0, fingerprint: str | None = None) -> list[Document]:
    """A closed store with `count` documents, oldest first."""
    async with opened(folder) as store:
        documents = [
            (await store.create(a_document(padding="x" * padding), fingerprint=fingerprint))[0] for _ in range(count)
        ]
    return sorted(documents, key=lambda document: str(document["task_id"]))


class Exploding:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.trace,))


class TestPlantedRows:
    @pytest.mark.parametrize("mode", [2, 3, 4])
    async def test_a_pickle_as_a_value_is_refused_and_not_run(self, folder: Path, tmp_path: Path, mode: int) -> None:
        trace = tmp_path / "ran"
        (planted, good) = await filled(folder, 2)
        with database(folder) as connection:
            connection.execute(
                "UPDATE Cache SET mode = ?, value = ? WHERE key = ?",
                (mode, pickle.dumps(Exploding(trace)), f"task:{planted['task_id']}"),
            )
        async with opened(folder) as store:
            with pytest.raises(StoreDamaged, match="did not write"):
                await store.get(str(planted["task_id"]))
            with pytest.raises(StoreDamaged, match="did not write"):
                await store.replace(planted)
            assert await store.page() == [good]
            assert await store.open_documents() == [good]
        assert not trace.exists()

    async def test_a_damaged_row_gives_way_to_a_copy_kept_elsewhere_and_a_sound_or_newer_one_does_not(
        self, folder: Path
    ) -> None:
        (planted, newer, good) = await filled(folder, 3)
        with database(folder) as connection:
            for task, value in ((planted, b"\x80\x05N."), (newer, json.dumps({**newer, "schema": 99}))):
                connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (value, f"task:{task['task_id']}"))

        async with opened(folder) as store:
            assert [await store.restore({**task, "note": "copy"}) for task in (planted, newer, good)] == [
                True,
                False,
                False,
            ]
            back = await store.get(str(planted["task_id"]))
            assert back is not None
            assert back["note"] == "copy"
            assert await store.get(str(good["task_id"])) == good
            assert task_ids(await store.page()) == [good["task_id"], planted["task_id"]]
        with database(folder) as connection:
            assert (b"\x80\x05N.",) in connection.execute("SELECT value FROM Cache").fetchall()

    async def test_a_pickle_as_a_key_is_passed_over_and_not_run(self, folder: Path, tmp_path: Path) -> None:
        trace = tmp_path / "ran"
        documents = await filled(folder, 2)
        payload = pickle.dumps(Exploding(trace))
        with database(folder) as connection:
            for raw in (0, 1):
                connection.execute(
                    "INSERT INTO Cache(key, raw, tag, mode, value) VALUES (?, ?, 'open/local/video/queued', 4, ?)",
                    (payload, raw, payload),
                )
        async with opened(folder) as store:
            assert task_ids(await store.open_documents()) == task_ids(documents)
            assert task_ids(await store.page(Selection(state="queued"))) == task_ids(documents[::-1])
            assert task_ids(await store.page()) == task_ids(documents[::-1])
        assert not trace.exists()

    async def test_a_value_in_a_file_is_not_read(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("{}", "utf-8")
        (planted,) = await filled(folder, 1)
        with database(folder) as connection:
            connection.execute("UPDATE Cache SET mode = 3, filename = '../../secret', value = NULL")
        async with opened(folder) as store:
            with pytest.raises(StoreDamaged, match="did not write"):
                await store.get(str(planted["task_id"]))

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "NaN", '{"task_id": "another", "schema": 3, "revision": 1}', "[" * 100_000],
    )
    async def test_a_value_that_is_no_record_is_refused_and_left_out_of_lists(self, folder: Path, text: str) -> None:
        (planted, good) = await filled(folder, 2)
        with database(folder) as connection:
            connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (text, f"task:{planted['task_id']}"))
        async with opened(folder) as store:
            with pytest.raises(StoreDamaged, match="task store"):
                await store.get(str(planted["task_id"]))
            assert await store.page(limit=1) == [good]
            assert await store.open_documents(limit=1) == [good]

    async def test_a_fingerprint_whose_task_cannot_be_read_pays_for_nothing_new(self, folder: Path) -> None:
        await filled(folder, 1, fingerprint="f")
        with database(folder) as connection:
            connection.execute("UPDATE Cache SET value = '{' WHERE key LIKE 'task:%'")
        async with opened(folder) as store:
            with pytest.raises(StoreDamaged):
                await store.create(a_document(), fingerprint="f")
            assert await store.page() == []

    @pytest.mark.parametrize("text", ["[]", "{}", '{"value": 1}', '{"value": 1, "stored_at": "yesterday"}', "{"])
    async def test_a_side_value_that_rushes_did_not_write_is_refused(self, folder: Path, text: str) -> None:
        async with opened(folder) as store:
            await store.set_value("k", 1)
            with database(folder) as connection:
                connection.execute("UPDATE Cache SET value = ? WHERE key = 'value:k'", (text,))
            with pytest.raises(StoreDamaged, match="value:k"):
                await store.get_value("k")

    async def test_a_fingerprint_that_names_no_task_is_refused_and_one_of_a_lost_task_makes_a_new_one(
        self, folder: Path
    ) -> None:
        (first,) = await filled(folder, 1, fingerprint="f")
        async with opened(folder) as store:
            with database(folder) as connection:
                connection.execute("DELETE FROM Cache WHERE key = ?", (f"task:{first['task_id']}",))
            created, new = await store.create(a_document(), fingerprint="f")
            assert new
            with database(folder) as connection:
                connection.execute("UPDATE Cache SET value = '[]' WHERE key = 'fp:f'")
            with pytest.raises(StoreDamaged, match="names no task"):
                await store.create(a_document(), fingerprint="f")
            assert await store.page() == [created]

    async def test_settings_that_another_opener_left_in_the_database_are_put_right(self, folder: Path) -> None:
        await filled(folder, 5)
        other = diskcache.Cache(str(folder), eviction_policy="least-recently-stored", cull_limit=10, size_limit=1)
        other.close()
        async with opened(folder) as store:
            for _ in range(30):
                await store.create(a_document())
            assert await store.count() == {"queued": 35}


def _garbage(file: Path) -> None:
    file.write_bytes(b"not a database at all, " * 1000)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _broken_header(file: Path) -> None:
    with file.open("r+b") as writer:
        writer.write(bytes(100))


class TestBrokenFile:
    @pytest.mark.parametrize("break_file", [_garbage, _empty, _broken_header])
    async def test_what_is_no_database_is_set_aside_and_reported_never_deleted(
        self, folder: Path, break_file: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert callable(break_file)
        await filled(folder, 3)
        break_file(folder / DATABASE)
        broken = (folder / DATABASE).read_bytes()
        async with opened(folder) as store:
            aside = store.set_aside
            assert aside is not None
            assert aside.name.startswith("tasks.damaged-")
            assert (aside / DATABASE).read_bytes() == broken
            assert (await store.health()).set_aside == aside
            assert aside in [getattr(entry, "aside", None) for entry in caplog.records]
            created, new = await store.create(a_document())
            assert new
        async with opened(folder) as store:
            assert store.set_aside is None
            assert await store.page() == [created]

    async def test_two_damages_are_set_aside_under_two_names(self, folder: Path) -> None:
        asides: set[Path | None] = set()
        for _ in range(3):
            await filled(folder, 1)
            _garbage(folder / DATABASE)
            async with opened(folder) as store:
                asides.add(store.set_aside)
        assert len(asides) == 3
        assert all(aside is not None and aside.is_dir() for aside in asides)

    async def test_of_a_truncated_database_the_readable_rows_are_carried_over(self, folder: Path) -> None:
        documents = await filled(folder, 200, padding=3000, fingerprint=None)
        file = folder / DATABASE
        with file.open("r+b") as writer:
            writer.truncate(file.stat().st_size // 2 // 4096 * 4096)
        async with opened(folder) as store:
            assert store.set_aside is not None
            kept = await store.page(limit=1000)
            assert (await store.health()).carried_over == len(kept)
            assert 50 < len(kept) < 200
            assert all(document in documents for document in kept)
            assert await store.open_documents() == kept[::-1]
            replaced = await store.replace({**kept[0], "state": "running"})
            assert replaced is not None

    async def test_a_hole_in_the_middle_hides_only_what_was_in_it(self, folder: Path) -> None:
        documents = await filled(folder, 200, padding=3000)
        file = folder / DATABASE
        size = file.stat().st_size
        with file.open("r+b") as writer:
            writer.seek(size // 2 // 4096 * 4096)
            writer.write(b"\xff" * 4096 * 4)
        async with opened(folder) as store:
            kept = task_ids(await store.page(limit=1000))
            assert store.set_aside is not None
            assert 150 < len(kept) < 200
            assert documents[0]["task_id"] in kept
            assert documents[-1]["task_id"] in kept

    async def test_fingerprints_are_carried_over_so_that_nothing_is_paid_again(self, folder: Path) -> None:
        (first,) = await filled(folder, 1, fingerprint="f")
        await filled(folder, 100, padding=3000)
        file = folder / DATABASE
        with file.open("r+b") as writer:
            writer.truncate(file.stat().st_size - 10 * 4096)
        async with opened(folder) as store:
            assert store.set_aside is not None
            assert await store.create(a_document(), fingerprint="f") == (first, False)

    async def test_damage_that_shows_only_later_is_told_then_and_set_aside_at_the_next_opening(
        self, folder: Path
    ) -> None:
        await filled(folder, 400, padding=50_000)
        file = folder / DATABASE
        size = file.stat().st_size
        assert size > 16 * 2**20, "a smaller file is checked as a whole when it is opened"
        with file.open("r+b") as writer:
            writer.seek(size // 2 // 4096 * 4096)
            writer.write(b"\xff" * 4096 * 4)
        async with opened(folder) as store:
            assert store.set_aside is None
            with pytest.raises(StoreDamaged, match="damaged") as raised:
                await store.page(limit=1000)
            assert raised.value.hint is not None
            assert "again" in raised.value.hint
        async with opened(folder) as store:
            assert store.set_aside is not None
            assert 390 < len(await store.page(limit=1000)) < 400

    async def test_a_folder_of_which_the_database_was_deleted_is_not_taken_for_a_new_one(self, folder: Path) -> None:
        async with opened(folder) as store:
            await store.create(a_document())
            shutil.copytree(folder, folder.with_name("copy"))
        copy = folder.with_name("copy")
        (copy / DATABASE).unlink()
        async with opened(copy) as store:
            assert store.set_aside is not None


class TestReplacedUnderneath:
    async def test_a_store_whose_folder_was_deleted_goes_on_in_a_new_one(self, folder: Path) -> None:
        async with opened(folder) as store:
            await store.create(a_document())
            shutil.rmtree(folder)
            created, _ = await store.create(a_document())
            assert await store.page() == [created]
        async with opened(folder) as store:
            assert await store.page() == [created]

    async def test_a_store_that_another_process_set_aside_writes_to_the_fresh_one(self, folder: Path) -> None:
        async with opened(folder) as first:
            await first.create(a_document())
            folder.rename(folder.with_name("tasks.damaged-by-test"))
            async with opened(folder) as second:
                created, _ = await first.create(a_document(), fingerprint="f")
                assert await second.create(a_document(), fingerprint="f") == (created, False)
                assert await first.page() == await second.page() == [created]


class TestVersions:
    async def test_a_record_of_a_newer_rushes_is_refused_clearly_and_never_overwritten(self, folder: Path) -> None:
        async with opened(folder, schema=4) as newer:
            created, _ = await newer.create(a_document(), fingerprint="f")
        async with opened(folder, schema=3) as older:
            mine, _ = await older.create(a_document())
            with pytest.raises(StoreTooNew, match="newer rushes"):
                await older.get(str(created["task_id"]))
            with pytest.raises(StoreTooNew):
                await older.replace({**created, "state": "running"})
            with pytest.raises(StoreTooNew):
                await older.create(a_document(), fingerprint="f")
            assert await older.page() == await older.open_documents() == [mine]
        async with opened(folder, schema=4) as newer:
            assert await newer.get(str(created["task_id"])) == created

    async def test_an_older_record_is_brought_up_step_by_step_and_kept_so_when_it_is_replaced(
        self, folder: Path
    ) -> None:
        async with opened(folder, schema=1) as old:
            created, _ = await old.create(a_document(cost="1.50 USD"), fingerprint="f")

        def split_cost(document: Document) -> Document:
            amount, currency = str(document["cost"]).split()
            return {**document, "cost": {"amount": float(amount), "currency": currency}}

        def rename_prompt(document: Document) -> Document:
            return {**{key: value for key, value in document.items() if key != "prompt"}, "text": document["prompt"]}

        steps = {1: split_cost, 2: rename_prompt}
        expected = {
            **rename_prompt({**created, "cost": {"amount": 1.5, "currency": "USD"}}),
            "schema": 3,
        }
        async with TaskStore.opened(folder, schema=3, migrations=steps) as new:
            assert await new.get(str(created["task_id"])) == expected
            assert await new.page() == await new.open_documents() == [expected]
            assert await new.create(a_document(), fingerprint="f") == (expected, False)
            replaced = await new.replace(expected)
        async with opened(folder, schema=3) as without_steps:
            assert await without_steps.get(str(created["task_id"])) == replaced

    async def test_a_record_that_no_step_leads_on_from_is_left_as_it_is(self, folder: Path) -> None:
        async with opened(folder, schema=1) as old:
            created, _ = await old.create(a_document())

        def fails(document: Document) -> Document:
            return {"text": document["no such field"]}

        for steps in ({}, {1: fails}):
            async with TaskStore.opened(folder, schema=2, migrations=steps) as new:
                with pytest.raises(StoreDamaged, match="schema 1"):
                    await new.get(str(created["task_id"]))
                assert await new.page() == []
        async with opened(folder, schema=1) as old:
            assert await old.get(str(created["task_id"])) == created


class TestUnable:
    @pytest.mark.parametrize("exists", [True, False])
    async def test_a_folder_without_permission_is_told_as_read_only(self, exists: bool) -> None:
        with TemporaryDirectory(dir="/tmp") as name:
            root = Path(name)
            if exists:
                await filled(root / "tasks", 1)
                for place in (root / "tasks", *(root / "tasks").iterdir()):
                    place.chmod(0o555 if place.is_dir() else 0o444)
            root.chmod(0o555)
            with started("unable.py", "nobody", root / "tasks") as process:
                told = json.loads(line_of(process))
            root.chmod(0o755)
        assert told["error"] == "StoreReadOnly"
        assert str(root) in told["message"]
        assert "RUSHES_HOME" in told["hint"]

    async def test_a_full_disk_is_told_and_loses_nothing_that_was_acknowledged(self, folder: Path) -> None:
        with started("unable.py", "full", folder) as process:
            told = json.loads(line_of(process))
        assert told["error"] == "StoreFull"
        assert "Free some space" in told["hint"]
        assert told["readable"] == len(told["acknowledged"]) - 1 > 0
        async with opened(folder, schema=1) as store:
            assert set(map(str, task_ids(await store.page(limit=10_000)))) == set(told["acknowledged"])
            assert store.set_aside is None

    async def test_an_output_that_finds_no_room_is_told_and_leaves_nothing(self, folder: Path) -> None:
        with started("unable.py", "full", folder) as process:
            output = json.loads(line_of(process))["output"]
        assert output["error"] == "StoreFull"
        assert output["left"] == []

    async def test_a_folder_name_that_diskcache_would_expand_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOMEWHERE", "elsewhere")
        with pytest.raises(StoreError, match="expand"):
            async with opened(tmp_path / "$SOMEWHERE"):
                raise NotImplementedError

    async def test_many_openings_at_once_of_a_folder_that_is_not_there_yet_all_succeed(self, folder: Path) -> None:
        async def open_and_create() -> None:
            async with opened(folder) as store:
                await store.create(a_document())

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(open_and_create)
        async with opened(folder) as store:
            assert await store.count() == {"queued": 8}
            assert store.set_aside is None
