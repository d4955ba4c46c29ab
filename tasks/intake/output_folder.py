"""`output_dir`: a folder of the person's project into which kept files are copied too."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio.to_thread

from ...domain.errors import RequestRefused
from ...domain.failure import clean_text
from ..service import Wish
from .references import is_reference_like, reference_of

_ELSEWHERE = ("https:", "http:", "data:")


def names_local_files(wish: Wish) -> bool:
    """Whether a wish names a folder or a file of this machine, as far as its texts tell."""
    texts = [source.text for source in wish.media]
    if wish.film is not None:
        texts += [clip.source for clip in (*wish.film.shots, *wish.film.sounds)]
    return wish.output_dir is not None or any(_is_path(text.strip()) for text in texts)


def _is_path(text: str) -> bool:
    if text.lower().startswith(_ELSEWHERE) or is_reference_like(text):
        return False
    try:
        return reference_of(text) is None
    except ValueError:
        return False


async def output_folder(wish: Wish, roots: Sequence[Path]) -> str | None:
    """The folder that `output_dir` names, without links; `None` where none is named. Nothing is written.

    Raises:
        RequestRefused: it is outside the folders that rushes may use, or a file has its name.
    """
    if wish.output_dir is None:
        return None
    if not wish.local_files:
        raise RequestRefused("invalid_input", "output_dir is taken only over stdio.", hint="Leave it out.")
    allowed = (*roots, *wish.host_roots)
    return str(await anyio.to_thread.run_sync(partial(_judged, wish.output_dir, wish.host_roots, allowed)))


def _judged(text: str, host_roots: Sequence[Path], allowed: Sequence[Path]) -> Path:
    """A path that is not absolute begins at the host's first folder, else at the current one."""
    shown = clean_text(text, 120)
    try:
        base = host_roots[0] if host_roots else Path.cwd()
        folder = (base / Path(text).expanduser()).resolve()
        inside = any(folder.is_relative_to(root.resolve()) for root in allowed)
        is_file = folder.exists() and not folder.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise RequestRefused("invalid_input", f"output_dir {shown} is not a folder: {error}.") from error
    if not inside:
        known = ", ".join(str(root) for root in allowed) or "none"
        raise RequestRefused(
            "invalid_input",
            f"output_dir {shown} is outside the folders that rushes may use ({known}).",
            hint="Name one inside, or ask the user to add it to `[inputs] roots = [...]` in rushes.toml.",
        )
    if is_file:
        raise RequestRefused("invalid_input", f"output_dir {shown} is a file.", hint="Name a folder.")
    return folder
