"""Links to produced media, for hosts that can open them; pure."""

from collections.abc import Iterator
from pathlib import Path

from ..tasks.record import Output, TaskRecord
from .result import Link


def output_links(record: TaskRecord, *, local_files: bool) -> tuple[Link, ...]:
    """One link an output: the kept file where the host shares this machine's files, else the gateway's URL."""
    return tuple(_links(record, local_files=local_files))


def _links(record: TaskRecord, *, local_files: bool) -> Iterator[Link]:
    for number, output in enumerate(record.outputs, start=1):
        uri = _uri(output, local_files=local_files)
        if uri is not None:
            name = Path(output.path).name if output.path else f"{record.kind}-{record.task_id}-{number}"
            yield Link(uri=uri, name=name, mime_type=output.mime_type, bytes=output.bytes)


def _uri(output: Output, *, local_files: bool) -> str | None:
    if local_files and output.path:
        return Path(output.path).absolute().as_uri()
    return output.url if output.url and output.url.startswith("https://") and not output.authenticated else None
