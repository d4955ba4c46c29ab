"""`-o shot.mp4`: the kept file once more, where the person wants it. What is kept stays as it is."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path

from pydantic import JsonValue

from ...domain.errors import ConfigurationError
from ...domain.request import Kind
from .answer import Document
from .leaving import tasks_in

NOTHING_MADE = "Nothing was generated."


def check_target(target: Path, kind: Kind | None) -> None:
    """Refuse a place where the file could not be put, before anything is paid for.

    Raises:
        ConfigurationError: it exists, its folder does not, or its name is one of another kind of medium.
    """
    if target.is_dir():
        return
    if target.exists():
        raise ConfigurationError(f"{target} exists already.", hint=f"{NOTHING_MADE} Choose another name, or a folder.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"There is no folder {target.parent}.", hint=f"{NOTHING_MADE} Make the folder first.")
    named = (guess_type(target.name)[0] or "").partition("/")[0]
    if kind is not None and named in {"video", "image", "audio"} and named != kind:
        raise ConfigurationError(f"{target.name} is the name of {named}, not of {kind}.", hint=NOTHING_MADE)


def saved(document: Document, target: Path | None) -> Document:
    """The answer with the files copied to where the person wants them, and their names as `saved`.

    A file that cannot be written there is still kept: the answer says so, and where; `saved` is then empty.
    """
    if target is None:
        return document
    tasks = tasks_in(document)
    kept = [[*_kept(task)] for task in tasks]
    try:
        places = iter(save([file for files in kept for file in files], target))
    except OSError as error:
        said = f"It could not be written to {target} ({error.strerror or error}); it is kept where its path says."
        unsaved: list[Document] = [
            {**task, "saved": [], "warnings": [*_listed(task.get("warnings")), said]} for task in tasks
        ]
        return _with(document, unsaved)
    changed: list[Document] = []
    for task, files in zip(tasks, kept, strict=True):
        names: list[JsonValue] = [str(next(places)) for _ in files]
        warnings: list[JsonValue] = [*_listed(task.get("warnings")), *_misnamed(task, names)]
        changed.append({**task, **({"saved": names} if names else {}), **({"warnings": warnings} if warnings else {})})
    return _with(document, changed)


def _misnamed(task: Mapping[str, JsonValue], names: Sequence[JsonValue]) -> Iterator[str]:
    """What is another format than its name says."""
    for output, name in zip(_listed(task.get("outputs")), names, strict=False):
        named, made = guess_type(str(name))[0], output.get("mime_type") if isinstance(output, dict) else None
        if named is not None and isinstance(made, str) and named.replace("/x-", "/") != made.replace("/x-", "/"):
            yield f"{name} holds {made}, whatever its name says."


def _with(document: Document, tasks: list[Document]) -> Document:
    return {"tasks": [*tasks]} if "tasks" in document else tasks[0]


def _kept(task: Mapping[str, JsonValue]) -> Iterator[Path]:
    for output in _listed(task.get("outputs")):
        if isinstance(output, dict) and isinstance(path := output.get("path"), str):
            yield Path(path)


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def save(kept: Sequence[Path], target: Path) -> list[Path]:
    """Copy the files to the target: under their own names into a folder, else numbered where there are several.

    Raises:
        OSError: one cannot be read or written.
    """
    return [_copied(source, place) for source, place in zip(kept, _places(kept, target), strict=True)]


def _places(kept: Sequence[Path], target: Path) -> Iterator[Path]:
    for number, source in enumerate(kept, start=1):
        if target.is_dir():
            yield target / source.name
        elif len(kept) == 1:
            yield target
        else:
            yield target.with_name(f"{target.stem}-{number}{target.suffix}")


def _copied(source: Path, place: Path) -> Path:
    """Never over a file that is there: one that came meanwhile keeps its name."""
    free, number = place, 2
    while True:
        try:
            with source.open("rb") as read, free.open("xb") as written:
                try:
                    shutil.copyfileobj(read, written)
                except OSError:
                    free.unlink(missing_ok=True)
                    raise
        except FileExistsError:
            free = place.with_name(f"{place.stem}-{number}{place.suffix}")
            number += 1
        else:
            return free
