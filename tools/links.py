"""Links to produced media, for hosts that can open them; pure."""

from collections.abc import Iterator
from pathlib import Path

from ..domain.record import TaskRecord
from .result import Link
from .uris import output_uri


def output_links(record: TaskRecord, *, local_files: bool) -> tuple[Link, ...]:
    """One link an output: to its resource where it is kept, else to the gateway's URL.

    Args:
        record: The task.
        local_files: Whether the host shares this machine's files: the link says then where the file lies.
    """
    return tuple(_links(record, local_files=local_files))


def _links(record: TaskRecord, *, local_files: bool) -> Iterator[Link]:
    for index, output in enumerate(record.outputs, start=1):
        kept = output.kept
        if kept is not None:
            yield Link(
                uri=output_uri(record.task_id, index),
                name=Path(kept.path).name,
                mime_type=output.mime_type,
                bytes=kept.bytes,
                description=kept.path if local_files else None,
            )
        elif output.public_url is not None:
            name = f"{record.kind}-{record.task_id}-{index}"
            yield Link(uri=output.public_url, name=name, mime_type=output.mime_type)
