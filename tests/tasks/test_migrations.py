"""Records of earlier shapes are read by this one."""

from datetime import timedelta

import pytest

from rushes.domain.document import ALWAYS, Document, migrated
from rushes.domain.failure import failure
from rushes.domain.record import SCHEMA, Output, TaskRecord
from rushes.tasks.journal import from_document, to_document
from rushes.tasks.migrations import MIGRATIONS

from .makers import START, a_record, polling

FLAT: Document = {
    "url": "https://cdn.example/1.mp4",
    "authenticated": False,
    "fallback_url": None,
    "expires_at": "2026-12-05T12:00:00Z",
    "mime_type": "video/mp4",
    "keeping": "kept",
    "keep_attempts": 2,
    "keep_after": None,
    "keep_problem": None,
    "path": "/out/1.mp4",
    "bytes": 12,
    "sha256": "ab" * 32,
    "width": 1280,
    "height": 720,
    "duration_seconds": 5.0,
    "frame_rate": 24.0,
    "has_audio": True,
}
WAITING: Document = {
    "url": "https://cdn.example/2.mp4",
    "keeping": "pending",
    "keep_attempts": 1,
    "keep_problem": "502",
}


def test_outputs_of_the_first_schema_are_told_apart_into_remote_and_kept() -> None:
    old: Document = {**to_document(a_record()), "schema": 1, "outputs": [FLAT, WAITING]}
    record = from_document(migrated(old, SCHEMA, MIGRATIONS))
    kept, waiting = record.outputs
    assert kept.kept is not None
    assert (kept.path, kept.kept.bytes, kept.kept.has_audio, kept.keeping.status) == ("/out/1.mp4", 12, True, "kept")
    assert kept.remote.url == "https://cdn.example/1.mp4"
    assert kept.remote.expires_at is not None and kept.remote.expires_at > START
    assert waiting.kept is None
    assert (waiting.pending, waiting.keeping.attempts, waiting.keeping.problem) == (True, 1, "502")


END = START + timedelta(minutes=1)
IN_VAIN = failure("internal", "no room", charged="yes")
UNSURE = failure("timeout", "too long", charged="unknown")
REFUSED = failure("content_violation", "refused", charged="no")
DONE = {"phase": "done", "open": False, "finished_at": END, "updated_at": END}
A_WHILE = (END + timedelta(minutes=2)).isoformat()


@pytest.mark.parametrize(
    ("record", "until"),
    [
        (a_record(), ALWAYS),
        (polling(state="running"), ALWAYS),
        (a_record(state="unknown", **DONE), ALWAYS),
        (a_record(state="succeeded", **DONE), A_WHILE),
        (a_record(state="cancelled", **DONE), None),
        (a_record(state="failed", failure=REFUSED, **DONE), None),
        (a_record(state="failed", failure=IN_VAIN, **DONE), ALWAYS),
        (a_record(state="failed", failure=UNSURE, **DONE), ALWAYS),
        (a_record(state="failed", failure=REFUSED, outputs=(Output(),), **DONE), A_WHILE),
        (a_record(state="failed", failure=REFUSED, outputs=(Output(),), phase="keeping", finished_at=END), ALWAYS),
    ],
)
def test_a_record_of_the_second_schema_counts_for_an_equal_call_as_a_new_one_does(
    record: TaskRecord, until: str | None
) -> None:
    new = to_document(record)
    old: Document = {name: value for name, value in new.items() if name != "counts_until"}
    assert migrated({**old, "schema": 2}, SCHEMA, MIGRATIONS)["counts_until"] == until
    assert new["counts_until"] == until
