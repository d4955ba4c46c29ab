"""Records of earlier shapes are read by this one."""

from rushes.domain.document import Document, migrated
from rushes.domain.record import SCHEMA
from rushes.tasks.journal import from_document, to_document
from rushes.tasks.migrations import MIGRATIONS

from .makers import START, a_record

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
