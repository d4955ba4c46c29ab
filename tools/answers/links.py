"""Links to produced media, for hosts that can open them; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ...domain.record import Output, TaskRecord
from .outputs import OUTPUTS_SHOWN, may_still_be_fetched, shown_mime, shown_url
from .result import Link
from .uris import output_uri


def output_links(record: TaskRecord, *, local_files: bool, now: datetime | None = None) -> tuple[Link, ...]:
    """One link an output: to its resource where it is kept, else to the gateway's URL while that may work.

    Args:
        record: The task.
        local_files: Whether the host shares this machine's files: the link says then where the file lies.
        now: For what has expired; by default this moment.
    """
    return tuple(_links(record, now or datetime.now(UTC), local_files=local_files))


def _links(record: TaskRecord, now: datetime, *, local_files: bool) -> Iterator[Link]:
    for index, output in enumerate(record.outputs[:OUTPUTS_SHOWN], start=1):
        kept = output.kept
        if kept is not None:
            yield Link(
                uri=output_uri(record.task_id, index),
                name=Path(kept.path).name,
                mime_type=shown_mime(output),
                bytes=kept.bytes,
                description=kept.path if local_files else None,
            )
        elif (url := shown_url(output.public_url)) is not None and _may_work(output, now):
            name = f"{record.kind}-{record.task_id}-{index}"
            yield Link(uri=url, name=name, mime_type=shown_mime(output))


def _may_work(output: Output, now: datetime) -> bool:
    """A dead link is worse than none; one that rushes itself still tries may live."""
    return output.pending or may_still_be_fetched(output, now)
