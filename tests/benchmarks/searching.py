"""`python -m tests.benchmarks searching [--tasks N]`: what a search in very many tasks takes of the processor, with
the index and without.

Whole calls of the store, as `list_tasks` makes them, over tasks of two principals of which hardly any has failed and
none of these has the common word. The worst that a bounded search can meet is a word that nearly every task has, and a
bound that nearly none of these meets.
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
from pydantic import JsonValue
from ulid import ULID

from rushes.cache.embedded import word_index
from rushes.cache.embedded.database import Database
from rushes.cache.embedded.diskcache_adapter import open_cache
from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.embedded.task_rows import create
from rushes.domain.document import Selection
from rushes.domain.record import SCHEMA

from .pages import table_of

GOAL_MS = 50.0
BEGIN = 1_700_000_000.0
APART_SECONDS = 30.0
ROUNDS = 9
LATER = str(ULID.from_timestamp(BEGIN + 1e9))

_SUBJECTS = ["snow", "forest", "harbour", "kitchen", "desert", "library", "train", "market", "glacier", "rooftop"]
_KINDS = (("video", "veo-3.1"), ("image", "flux-2"), ("audio", "suno"))
_ROOM = "x" * 1200
"""What else a record holds."""


def a_task(number: int, drawn: random.Random) -> Document:
    """One of a thousand has failed, one of a hundred is Anna's; the word `film` stands in all others."""
    kind, model = drawn.choice(_KINDS)
    failed, annas = number % 1000 == 0, number % 100 == 1
    words = " ".join(drawn.choices(_SUBJECTS, k=12))
    prompt = words if failed or annas else f"a film of a fox in the {words}, take {number}"
    request: dict[str, JsonValue] = {"kind": kind, "prompt": prompt, "model": "auto"}
    return {
        "task_id": str(ULID.from_timestamp(BEGIN + APART_SECONDS * number)),
        "owner": "anna" if annas else "local",
        "kind": kind,
        "state": "failed" if failed else "succeeded",
        "open": False,
        "worker": None,
        "request": request,
        "provider": "gate",
        "model": model,
        "plan_details": {"told": _ROOM},
    }


def questions(tasks: int) -> Mapping[str, Selection]:
    """What is asked: in words, and as the store is asked."""
    end = BEGIN + APART_SECONDS * tasks
    month = str(ULID.from_timestamp(end - 30 * 86_400))
    day = str(ULID.from_timestamp(BEGIN + 86_400))
    return {
        "a common word": Selection("local", words="film"),
        "a common word that hardly a failed task has": Selection("local", "failed", words="film"),
        "a model's name, and a kind that it does not make": Selection("local", kind="image", words="veo"),
        "a common word that none of the principal's tasks has": Selection("anna", words="film"),
        "all of these bounds at once": Selection("anna", "failed", "image", words="film fox"),
        "a common word in the last month": Selection("local", "failed", words="film", since=month),
        "a common word on the first day": Selection("local", "failed", words="film", before=day),
        "a rare word": Selection("local", words="take 777"),
        "a word that none has": Selection("local", words="badger"),
    }


def _made(folder: Path, tasks: int) -> None:
    drawn = random.Random(7)
    cache = open_cache(folder).cache
    try:
        db = Database(cache, SCHEMA, {})
        for begin in range(0, tasks, 1000):
            with cache.transaction(durable=False):
                for number in range(begin, min(begin + 1000, tasks)):
                    create(db, a_task(number, drawn))
    finally:
        cache.close()


async def _asked(store: TaskStore, asked: Mapping[str, Selection], rounds: int) -> dict[str, float]:
    """Milliseconds of processor time of each question: the median."""
    took: dict[str, list[float]] = {words: [] for words in asked}
    for _ in range(rounds):
        for words, selection in asked.items():
            begun = time.process_time()
            await store.page(selection, limit=11)
            took[words].append(1000 * (time.process_time() - begun))
    return {words: statistics.median(times) for words, times in took.items()}


async def measured(folder: Path, tasks: int) -> tuple[dict[str, float], dict[str, float]]:
    """With the index, and as where SQLite has none."""
    await anyio.to_thread.run_sync(_made, folder, tasks)
    asked = questions(tasks)
    async with TaskStore.opened(folder, schema=SCHEMA) as store:
        while await store.index_words(LATER):
            pass
        indexed = await _asked(store, asked, ROUNDS)
        await store.writer.run(word_index.begin_again)
        return indexed, await _asked(store, asked, 3)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a search with the index takes longer than the goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks searching")
    parser.add_argument("--tasks", type=int, default=100_000)
    asked = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        indexed, plain = anyio.run(measured, Path(folder) / "cache", asked.tasks)
    rows = [(words, f"{took:.1f} ms", f"{plain[words]:.0f} ms") for words, took in indexed.items()]
    print(f"{asked.tasks:,} tasks. Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}.\n")  # noqa: T201
    print(table_of(("looked for", f"with the index (goal: {GOAL_MS:.0f} ms)", "without"), rows))  # noqa: T201
    return 1 if max(indexed.values()) > GOAL_MS else 0
