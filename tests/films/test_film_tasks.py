"""A film is a task like any other: journaled, followed, kept with where it comes from, cancelled, taken up again."""

import json
import os
from pathlib import Path

import anyio
import pytest
from mcp_types import ImageContent

from rushes.domain.principal import LOCAL

from ..clocks import a_moment
from ..hostile.processes import decoders_of, on_linux
from ..previews.media_files import BLUE, RED
from .studio import SECONDS, Document, Studio, a_studio, is_like, watched

pytestmark = pytest.mark.anyio


async def made(studio: Studio, kind: str, **arguments: object) -> Document:
    """A task of the sandbox once it has ended."""
    task = await studio.call(f"generate_{kind}", wait_seconds=45, **arguments)
    assert task["state"] == "succeeded", task
    return task


def output_of(task: Document) -> Document:
    outputs = task["outputs"]
    assert isinstance(outputs, list)
    assert isinstance(outputs[0], dict)
    return outputs[0]


async def test_outputs_of_tasks_become_a_kept_film_that_says_where_it_comes_from(studio: Studio) -> None:
    shot = await made(studio, "video", prompt="a fox", duration_seconds=1, resolution="480p")
    still = await made(studio, "image", prompt="a hare", size="640x360")
    score = await made(studio, "audio", prompt="la la la", duration_seconds=2)
    shots = [f"task:{shot['task_id']}#1", f"rushes://tasks/{still['task_id']}/outputs/1[1]"]

    task = await studio.film(*shots, sounds=[f"{score['task_id']}[-6dB]"], output_name="the fox and the hare")

    assert (task["state"], task["kind"], task["provider"], task["model"]) == (
        "succeeded",
        "video",
        "rushes",
        "assemble",
    )
    assert task.get("cost") is None
    output = output_of(task)
    path = Path(str(output["path"]))
    assert path.name.startswith("the-fox-and-the-hare-")
    assert (output.get("keeping", "kept"), output["width"], output["height"], output["mime_type"]) == (
        "kept",
        854,
        480,
        "video/mp4",
    )
    assert output["duration_seconds"] == pytest.approx(2, abs=0.05)
    sidecar = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    parents = [(medium["role"], medium["source"]) for medium in sidecar["record"]["request"]["media"]]
    ids = [shot["task_id"], still["task_id"], score["task_id"]]
    assert parents == list(zip(("shot", "shot", "sound"), (f"task:{each}#1" for each in ids), strict=True))


async def test_a_film_costs_nothing_and_leaves_no_price_to_be_known(studio: Studio) -> None:
    await studio.film(studio.video("a.mp4", RED))
    spent = await studio.engine.spend(principal=LOCAL)
    assert (spent.totals, spent.unpriced) == ((), 0)


async def test_a_film_stands_in_the_list_and_can_be_looked_at(studio: Studio) -> None:
    task = await studio.film(studio.video("a.mp4", RED))

    listed = await studio.call("list_tasks", kind="video")
    rows = listed["tasks"]
    assert isinstance(rows, list)
    assert isinstance(rows[0], dict)
    assert (rows[0]["task_id"], rows[0]["state"]) == (task["task_id"], "succeeded")
    assert rows[0]["prompt"] == "film of 1 shot, 1.0 s"
    seen = await studio.client.call_tool("view_output", {"task_id": task["task_id"]})
    assert [part.mime_type for part in seen.content if isinstance(part, ImageContent)] == ["image/jpeg"]


async def test_a_film_can_be_a_shot_of_another(studio: Studio) -> None:
    first = await studio.film(studio.video("a.mp4", RED), studio.video("b.mp4", BLUE))
    second = await studio.film(f"task:{first['task_id']}#1[1-2]")

    film = watched(second)
    assert film.seconds == 1
    assert is_like(film.colour(0.5), BLUE)


async def test_the_same_call_is_the_same_task(studio: Studio) -> None:
    path = studio.video("a.mp4", RED)
    first = await studio.film(path)
    again = await studio.call("assemble", shots=[str(path)])

    assert (again["task_id"], again["deduplicated"]) == (first["task_id"], True)


async def test_progress_is_told_while_somebody_waits(studio: Studio) -> None:
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    arguments = {"shots": [f"{studio.still('s.png', RED, (320, 180))}[40]"], "wait_seconds": 45}
    answer = await studio.client.call_tool("assemble", arguments, progress_callback=hear)

    assert answer.structured_content is not None
    assert answer.structured_content["state"] == "succeeded"
    assert heard == sorted(heard)


async def begun(studio: Studio, seconds: int, size: tuple[int, int]) -> str:
    """A film that is being made, for a long while."""
    still = studio.still("long.png", RED, size)
    task = await studio.call("assemble", shots=[f"{still}[{seconds}]"])
    with anyio.fail_after(SECONDS):
        while not (task["state"] == "running" and task.get("progress")):
            assert task["state"] in {"queued", "running"}, task
            task = await studio.call("check_task", task_id=task["task_id"], wait_seconds=1)
    return str(task["task_id"])


@on_linux
async def test_cancelling_ends_the_work_and_the_process_that_does_it(studio: Studio) -> None:
    task_id = await begun(studio, 1200, (1920, 1080))
    at_work = set(decoders_of(os.getpid()))

    cancelled = await studio.call("cancel_task", task_id=task_id)

    assert cancelled["state"] == "cancelled"
    assert isinstance(cancelled["failure"], dict)
    assert cancelled["failure"]["charged"] == "no"
    with anyio.fail_after(10):
        while at_work <= set(decoders_of(os.getpid())):
            await a_moment()
    # The next one is made all the same.
    assert (await studio.film(studio.video("a.mp4", RED)))["state"] == "succeeded"


async def test_a_film_that_a_process_left_is_made_by_the_next_one(tmp_path: Path) -> None:
    async with a_studio(tmp_path) as studio:
        task_id = await begun(studio, 40, (480, 270))
    async with a_studio(tmp_path) as studio:
        with anyio.fail_after(SECONDS):
            task = await studio.call("check_task", task_id=task_id, wait_seconds=45)
            while task["state"] == "running":
                task = await studio.call("check_task", task_id=task_id, wait_seconds=45)

    assert task["state"] == "succeeded", task
    assert output_of(task)["duration_seconds"] == pytest.approx(40, abs=0.1)


async def test_of_films_that_are_kept_little_stays_in_the_cache(studio: Studio) -> None:
    await studio.film(studio.video("a.mp4", RED))
    await studio.film(studio.video("b.mp4", BLUE))
    await studio.film(studio.video("c.mp4", BLUE, RED))

    assert len(list((studio.home / "cache" / "films").iterdir())) <= 2


async def test_a_film_waits_for_a_shot_that_is_still_being_made(studio: Studio) -> None:
    shot = await studio.call("generate_video", prompt="a fox [slow:3]", resolution="480p", duration_seconds=1)
    local = studio.video("a.mp4", RED)

    began = await studio.call("assemble", shots=[f"task:{shot['task_id']}[0.5]", str(local)])
    assert (began["state"], began["prompt"]) == ("queued", "film of 2 shots")
    with anyio.fail_after(SECONDS):
        task = await studio.call("check_task", task_id=began["task_id"], wait_seconds=45)

    assert task["state"] == "succeeded", task
    assert task["prompt"] == "film of 2 shots, 1.5 s"
    assert task["parents"] == [shot["task_id"]]


async def test_a_film_whose_shot_never_comes_fails_without_a_charge(studio: Studio) -> None:
    shot = await studio.call("generate_video", prompt="[slow:2][fail:provider_error]", resolution="480p")

    began = await studio.call("assemble", shots=[f"task:{shot['task_id']}#1"])
    with anyio.fail_after(SECONDS):
        task = await studio.call("check_task", task_id=began["task_id"], wait_seconds=45)

    assert task["state"] == "failed", task
    assert isinstance(task["failure"], dict)
    assert (task["failure"]["reason"], task["failure"]["charged"]) == ("invalid_media", "no")
    assert f"task {shot['task_id']} is failed and has no output" in str(task["failure"]["message"])


async def test_the_call_that_makes_a_film_again_is_shown_and_is_no_generation(studio: Studio) -> None:
    shot, score = studio.video("a.mp4", RED, RED), studio.tone("s.wav", 1)
    shots, sounds = [f"{shot}[0.5-1]", str(shot)], [f"{score}[-6dB]"]
    task = await studio.film(*shots, sounds=sounds, transition_seconds=0.2)

    shown = (await studio.call("check_task", task_id=task["task_id"]))["arguments"]
    generated = await studio.call("generate_video", from_task=task["task_id"])

    assert shown == {"shots": shots, "sounds": sounds, "transition_seconds": 0.2}
    told = generated["failure"]
    assert isinstance(told, dict)
    assert told["message"] == f"Task {task['task_id']} was assembled, and generated nothing."
