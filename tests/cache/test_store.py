"""The store's contract as one process sees it."""

import math
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.document import ALWAYS, Counting, Line, Selection
from rushes.domain.errors import StoreDamaged, StoreError

from .documents import SCHEMA, a_document, opened, task_ids

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(folder: Path) -> AsyncIterator[TaskStore]:
    async with opened(folder) as opened_store:
        yield opened_store


async def test_a_created_document_is_read_back_with_its_schema_and_revision_one(store: TaskStore) -> None:
    document = a_document(prompt="雪の中の狐 \u0000 \ud800 \U0001f98a", nested={"list": [1, 2.5, None, True]})
    created, new = await store.create(document)
    assert new
    assert created == {**document, "schema": SCHEMA, "revision": 1}
    assert await store.get(str(document["task_id"])) == created


@pytest.mark.parametrize("task_id", ["", "nothing", "01JUNKNOWN", "\ud800", "task:x", "x" * 100_000])
async def test_a_task_id_that_nobody_has_is_none(store: TaskStore, task_id: str) -> None:
    assert await store.get(task_id) is None


async def test_what_was_created_is_there_after_closing_and_opening_again(folder: Path) -> None:
    async with opened(folder) as first:
        created, _ = await first.create(a_document())
    async with opened(folder) as second:
        assert await second.get(str(created["task_id"])) == created


async def test_the_same_task_id_is_never_written_twice(store: TaskStore) -> None:
    document = a_document()
    await store.create(document)
    with pytest.raises(ValueError, match="exists already"):
        await store.create({**document, "prompt": "another"})
    kept = await store.get(str(document["task_id"]))
    assert kept is not None
    assert kept["prompt"] == document["prompt"]


@pytest.mark.parametrize(
    "fields",
    [
        {"task_id": ""},
        {"task_id": "é"},
        {"kind": None},
        {"state": 3},
        {"owner": ""},
        {"open": "yes"},
        {"worker": 7},
        {"prompt": math.nan},
    ],
)
async def test_a_document_that_could_not_be_found_or_read_again_is_refused(
    store: TaskStore, fields: dict[str, JsonValue]
) -> None:
    with pytest.raises(ValueError, match=r"must be|JSON"):
        await store.create(a_document(**fields))
    assert await store.count() == {}


async def test_a_refused_document_harms_no_other_in_the_same_transaction(store: TaskStore) -> None:
    good = [a_document() for _ in range(20)]
    refused: list[Document] = []

    async def create(document: Document) -> None:
        try:
            await store.create(document)
        except ValueError:
            refused.append(document)

    async with anyio.create_task_group() as group:
        for document in good:
            group.start_soon(create, document)
            group.start_soon(create, a_document(open=None))
    assert len(refused) == len(good)
    assert await store.count() == {"queued": len(good)}


async def test_a_call_that_fails_half_way_leaves_nothing_and_harms_no_other_in_the_same_transaction(
    store: TaskStore,
) -> None:
    good, bad = [a_document() for _ in range(20)], [a_document() for _ in range(2)]
    refused: list[Document] = []

    async def create(document: Document, *lines: Line) -> None:
        try:
            await store.create(document, lines=lines)
        except ValueError:
            refused.append(document)

    async with anyio.create_task_group() as group:
        for number, document in enumerate(good):
            group.start_soon(create, document, Line("ledger", f"{number:02}", number))
            if number % 8 == 4:
                group.start_soon(create, bad[number // 8], Line("ledger", "x", 1), Line("ledger", "y", math.nan))
    assert task_ids(refused) == task_ids(bad)
    assert await store.count() == {"queued": len(good)}
    assert [line.value for line in await store.lines("ledger")] == list(range(20))


class TestFingerprint:
    async def test_one_that_still_counts_is_found_again_after_a_newer_one_no_longer_does(
        self, store: TaskStore
    ) -> None:
        first, _ = await store.create(a_document(counts_until=ALWAYS), fingerprint="f")
        second, new = await store.create(a_document(counts_until=ALWAYS), fingerprint="f", anew=True)
        assert new
        await store.replace({**second, "counts_until": None})
        found, new = await store.create(a_document(), fingerprint="f", counting=Counting(NOW))
        assert (found["task_id"], new) == (first["task_id"], False)

    async def test_an_equal_call_returns_the_earlier_document(self, store: TaskStore) -> None:
        first, _ = await store.create(a_document(), fingerprint="f")
        assert await store.create(a_document(), fingerprint="f") == (first, False)
        assert await store.count() == {"queued": 1}

    @pytest.mark.parametrize(
        ("until", "ended_ago", "counts"),
        [
            (None, None, False),
            (ALWAYS, None, True),
            (NOW + timedelta(seconds=1), None, True),
            (NOW, None, False),
            # The clock was set back since, or it is one of another day.
            (NOW + timedelta(minutes=11), None, True),
            (NOW + timedelta(minutes=13), None, False),
            # This process saw the end, whatever the clock says now.
            (NOW + timedelta(days=1), timedelta(seconds=119), True),
            (NOW + timedelta(seconds=1), timedelta(seconds=121), False),
        ],
    )
    async def test_an_earlier_document_counts_until_the_time_that_it_names(
        self, store: TaskStore, until: datetime | str | None, ended_ago: timedelta | None, counts: bool
    ) -> None:
        told = until.isoformat() if isinstance(until, datetime) else until
        first, _ = await store.create(a_document(counts_until=told), fingerprint="f")
        ended = {} if ended_ago is None else {str(first["task_id"]): ended_ago}
        counting = Counting(NOW, ended)
        assert await store.equal("f", counting) == (first if counts else None)
        second, new = await store.create(a_document(), fingerprint="f", counting=counting)
        assert (new, second == first) == (not counts, counts)

    async def test_without_a_fingerprint_every_call_makes_a_document(self, store: TaskStore) -> None:
        await store.create(a_document(), fingerprint="f")
        _, new = await store.create(a_document())
        assert new
        assert await store.count() == {"queued": 2}

    async def test_a_time_that_is_none_writes_nothing_unless_a_new_one_is_wanted(self, store: TaskStore) -> None:
        await store.create(a_document(counts_until="soon"), fingerprint="f")
        with pytest.raises(StoreDamaged, match="counts until 'soon'"):
            await store.create(a_document(), fingerprint="f", counting=Counting(NOW))
        assert await store.count() == {"queued": 1}
        _, new = await store.create(a_document(), fingerprint="f", counting=Counting(NOW), anew=True)
        assert new


class TestLines:
    async def test_lines_of_other_books_are_written_with_the_document_and_read_in_order(self, store: TaskStore) -> None:
        lines = [Line("ledger", "2", {"amount": "0.40"}), Line("ledger", "1", None), Line("ledgers", "0", 1)]
        created, _ = await store.create(a_document(), lines=lines)
        assert await store.lines("ledger") == [lines[1], lines[0]]
        assert await store.lines("ledger", after="1", limit=1) == [lines[0]]
        await store.replace(created, lines=[Line("ledger", "2", {"amount": "0.35"})])
        assert await store.lines("ledger", after="1") == [Line("ledger", "2", {"amount": "0.35"})]

    async def test_no_line_is_written_where_the_document_is_not(self, store: TaskStore) -> None:
        created, _ = await store.create(a_document(), fingerprint="f")
        line = Line("ledger", "1", 1)
        assert await store.create(a_document(), fingerprint="f", lines=[line]) == (created, False)
        assert await store.replace({**created, "revision": 9}, lines=[line]) is None
        with pytest.raises(ValueError, match=r"not a number|JSON"):
            await store.replace(created, lines=[line, Line("ledger", "2", math.nan)])
        assert await store.lines("ledger") == []
        assert await store.get(str(created["task_id"])) == created


class TestReplace:
    async def test_the_next_revision_is_stored(self, store: TaskStore) -> None:
        created, _ = await store.create(a_document())
        replaced = await store.replace({**created, "state": "running"}, durable=True)
        assert replaced == {**created, "state": "running", "revision": 2}
        assert await store.get(str(created["task_id"])) == replaced

    async def test_a_stale_revision_loses_and_changes_nothing(self, store: TaskStore) -> None:
        created, _ = await store.create(a_document())
        winner = await store.replace({**created, "worker": "one"})
        assert await store.replace({**created, "worker": "two"}) is None
        assert await store.get(str(created["task_id"])) == winner

    async def test_a_document_that_was_never_created_is_not_made(self, store: TaskStore) -> None:
        assert await store.replace(a_document(revision=1)) is None
        assert await store.count() == {}

    async def test_of_many_writers_at_once_exactly_one_wins_each_revision(self, store: TaskStore) -> None:
        created, _ = await store.create(a_document(wins=0))
        writers, rounds = 10, 20

        async def add_until_done() -> None:
            done = 0
            while done < rounds:
                seen = await store.get(str(created["task_id"]))
                assert seen is not None
                wins = seen["wins"]
                assert isinstance(wins, int)
                done += await store.replace({**seen, "wins": wins + 1}) is not None

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for _ in range(writers):
                    group.start_soon(add_until_done)
        final = await store.get(str(created["task_id"]))
        assert final is not None
        assert final["wins"] == writers * rounds
        assert final["revision"] == writers * rounds + 1

    @pytest.mark.parametrize("final", ["succeeded", "failed", "cancelled", "unknown"])
    async def test_a_final_state_is_never_changed_but_its_document_may_be(self, store: TaskStore, final: str) -> None:
        created, _ = await store.create(a_document(state=final))
        for other in {"queued", "running", "succeeded", "failed", "cancelled", "unknown"} - {final}:
            with pytest.raises(ValueError, match="ended as"):
                await store.replace({**created, "state": other})
        kept = await store.replace({**created, "open": False})
        assert kept == {**created, "open": False, "revision": 2}


class TestLists:
    async def test_open_documents_come_oldest_first_whatever_their_state_and_owner(self, store: TaskStore) -> None:
        documents = [
            (await store.create(a_document(open=is_open, state=state, owner=owner)))[0]
            for state in ("queued", "succeeded")
            for is_open in (True, False)
            for owner in ("local", "somebody/else %")
        ]
        expected = sorted(str(document["task_id"]) for document in documents if document["open"])
        assert task_ids(await store.open_documents()) == expected
        assert task_ids(await store.open_documents(limit=2)) == expected[:2]
        assert task_ids(await store.open_documents(after=expected[1])) == expected[2:]

    async def test_a_document_leaves_the_open_ones_when_it_is_closed(self, store: TaskStore) -> None:
        created, _ = await store.create(a_document())
        await store.replace({**created, "open": False})
        assert await store.open_documents() == []

    async def test_a_page_follows_the_cursor_to_the_end_without_gap_or_repetition(self, store: TaskStore) -> None:
        expected = [str((await store.create(a_document()))[0]["task_id"]) for _ in range(25)]
        expected.sort(reverse=True)
        seen: list[JsonValue] = []
        before = None
        while page := await store.page(Selection(before=before), limit=7):
            seen += task_ids(page)
            before = str(page[-1]["task_id"])
        assert seen == expected

    @pytest.mark.parametrize("before", ["", "nonsense", "\ud800", "zzzz", "task:"])
    async def test_a_cursor_that_is_no_task_id_harms_nothing(self, store: TaskStore, before: str) -> None:
        created, _ = await store.create(a_document())
        assert await store.page(Selection(before=before)) in ([], [created])

    async def test_states_are_counted(self, store: TaskStore) -> None:
        for state in ("queued", "queued", "succeeded"):
            await store.create(a_document(state=state))
        assert await store.count() == {"queued": 2, "succeeded": 1}


_OWNERS = st.sampled_from(["local", "open/x", "a%2Fb", "é\ud800", "/"])
_STATES = st.sampled_from(["queued", "running", "succeeded", "failed"])
_KINDS = st.sampled_from(["video", "image", "audio"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.lists(st.tuples(_OWNERS, _STATES, _KINDS, st.booleans()), max_size=30),
    owner=st.none() | _OWNERS,
    state=st.none() | _STATES,
    kind=st.none() | _KINDS,
    limit=st.integers(1, 12),
)
def test_a_page_is_what_filtering_everything_would_give(
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[tuple[str, str, str, bool]],
    owner: str | None,
    state: str | None,
    kind: str | None,
    limit: int,
) -> None:
    async def check() -> None:
        async with opened(tmp_path_factory.mktemp("page")) as store:
            documents = [
                (await store.create(a_document(owner=its_owner, state=its_state, kind=its_kind, open=is_open)))[0]
                for its_owner, its_state, its_kind, is_open in fields
            ]
            wanted = {"owner": owner, "state": state, "kind": kind}
            expected = [
                document
                for document in sorted(documents, key=lambda document: str(document["task_id"]), reverse=True)
                if all(value is None or document[field] == value for field, value in wanted.items())
            ]
            assert await store.page(Selection(owner, state, kind), limit=limit) == expected[:limit]

    anyio.run(check)


class TestValues:
    async def test_a_side_value_is_kept_with_the_time(self, store: TaskStore) -> None:
        before = datetime.now(UTC)
        await store.set_value("models:routeany", [{"id": "veo"}])
        found = await store.get_value("models:routeany")
        assert found is not None
        assert found[0] == [{"id": "veo"}]
        assert before - timedelta(seconds=1) <= found[1] <= datetime.now(UTC) + timedelta(seconds=1)

    async def test_a_later_value_takes_the_place_of_the_earlier(self, store: TaskStore) -> None:
        await store.set_value("k", 1)
        await store.set_value("k", None)
        found = await store.get_value("k")
        assert found is not None
        assert found[0] is None

    async def test_a_value_that_was_never_set_is_none(self, store: TaskStore) -> None:
        assert await store.get_value("k") is None

    async def test_values_are_no_tasks(self, store: TaskStore) -> None:
        await store.set_value("k", 1)
        assert await store.page() == []
        assert await store.count() == {}


async def test_health_tells_where_and_what_the_store_is(store: TaskStore, folder: Path) -> None:
    await store.create(a_document())
    health = await store.health()
    assert (health.path, health.tasks, health.schema, health.journal_mode) == (folder, 1, SCHEMA, "wal")
    assert health.size_bytes > 0
    assert health.set_aside is None


async def test_nobody_else_can_read_the_store(store: TaskStore, folder: Path) -> None:
    await store.create(a_document())
    for place in (folder, folder.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    async for file in anyio.Path(folder).iterdir():
        assert stat.S_IMODE((await file.stat()).st_mode) == 0o600


async def test_writes_given_before_closing_are_kept(folder: Path) -> None:
    document = a_document()
    async with opened(folder) as store:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.create(document)
    async with opened(folder) as store:
        assert await store.get(str(document["task_id"])) is not None


async def test_a_closed_store_says_so(folder: Path) -> None:
    async with opened(folder) as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        await store.get("x")


async def test_jobs_and_tasks_without_one_are_found_by_provider_from_a_task_on(store: TaskStore) -> None:
    def of_gate(number: int, **fields: JsonValue) -> Document:
        return a_document(task_id=f"0{number}", provider="gate", **fields)

    lost: Document = {"state": "unknown", "open": False}
    for document in (
        of_gate(1),
        of_gate(2, job={"job_id": "early"}),
        of_gate(3, job={"job_id": "one"}),
        of_gate(4, state="failed", open=False),
        of_gate(5, **lost),
        of_gate(6, job=None),
        of_gate(7, job={"job_id": "two"}, state="succeeded", open=False),
        of_gate(8, job={"job_id": "three"}, **lost),
        {**of_gate(9), "provider": "another"},
    ):
        await store.create(document)
    assert sorted(await store.jobs_since("gate", "03")) == ["one", "three", "two"]
    assert task_ids(await store.without_job("gate", "02")) == ["05", "06"]
    assert task_ids(await store.without_job("gate", "")) == ["01", "05", "06"]
    assert task_ids(await store.without_job("another", "")) == ["09"]
