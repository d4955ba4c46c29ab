"""The jobs that agents were given to try rushes, each as an agent does it that reads what it is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import JsonValue

from .agent import DOCUMENTS, ScriptedAgent

WAIT = 45


@dataclass(frozen=True)
class AgentJob:
    """A job, with what it took in a trial before there was help for it, and what it may take now."""

    words: str
    do: Callable[[ScriptedAgent], Awaitable[None]]
    calls_max: int
    before: str


async def one_image(agent: ScriptedAgent) -> None:
    task = await agent.made("generate_image", prompt="a red fox in snow", aspect_ratio="16:9", wait_seconds=WAIT)
    await agent.call("view_output", task_id=task)


async def image_to_video(agent: ScriptedAgent) -> None:
    image = await agent.made("generate_image", prompt="a red fox in snow", aspect_ratio="9:16", wait_seconds=WAIT)
    video = await agent.made(
        "generate_video",
        prompt="the fox turns its head",
        image=f"task:{image}#1",
        duration_seconds=5,
        aspect_ratio="9:16",
        wait_seconds=WAIT,
    )
    await agent.call("view_output", task_id=video)


async def storyboard(agent: ScriptedAgent) -> None:
    """A character, three frames, three shots, a score, and the film: looked at twice, waited for once."""
    sheet = await agent.made(
        "generate_image", prompt="a red fox from all sides", aspect_ratio="16:9", wait_seconds=WAIT
    )
    frames = [
        await agent.made("generate_image", prompt=f"frame {number}", images=[f"task:{sheet}#1"], aspect_ratio="16:9")
        for number in (1, 2, 3)
    ]
    shots = [
        await agent.made(
            "generate_video", prompt=f"shot {number}", image=f"task:{frame}#1", duration_seconds=5, audio=True
        )
        for number, frame in enumerate(frames, start=1)
    ]
    score = await agent.made("generate_audio", prompt="gentle strings, hopeful ending", purpose="music")
    every: list[JsonValue] = [*frames, *shots, score]
    followed = await agent.call("check_task", task_ids=every, wait_for="all", wait_seconds=WAIT)
    states = {str(row["state"]) for row in DOCUMENTS.validate_python(followed["tasks"])}
    assert states == {"succeeded"}, followed
    looked_at: list[JsonValue] = [*shots]
    await agent.call("view_output", task_ids=looked_at)
    files: list[JsonValue] = [f"task:{shot}#1" for shot in shots]
    film = await agent.call("assemble", shots=files, sounds=[f"task:{score}#1"], wait_seconds=WAIT)
    assert film["state"] == "succeeded", film


async def four_variations(agent: ScriptedAgent) -> None:
    """Four seeds and one look."""
    tasks = [
        await agent.made("generate_video", prompt="a red fox", seed=seed, wait_seconds=WAIT) for seed in (1, 2, 3, 4)
    ]
    every: list[JsonValue] = [*tasks]
    await agent.call("view_output", task_ids=every)


async def a_failure_and_its_cure(agent: ScriptedAgent) -> None:
    """A wish that no model of the named kind takes, and the one that is proposed instead."""
    refused = await agent.call(
        "generate_video", prompt="a red fox", provider="shuyou", model="veo-3.1", duration_seconds=12
    )
    assert "take exactly this" in str(refused), refused
    await agent.made("generate_video", prompt="a red fox", model="seedance-2.0", duration_seconds=12, wait_seconds=WAIT)


async def a_cancelled_task(agent: ScriptedAgent) -> None:
    task = await agent.made("generate_video", prompt="a red fox", provider="routeany")
    await agent.call("cancel_task", task_id=task)


async def wrong_arguments(agent: ScriptedAgent) -> None:
    """Another server's words, once corrected."""
    refused = await agent.call("generate_video", prompt="a red fox", first_frame="https://example.com/1.png", length=5)
    assert "'image'" in str(refused)
    assert "'duration_seconds'" in str(refused)


async def again_with_a_change(agent: ScriptedAgent) -> None:
    """What was made yesterday, with rain."""
    listed = await agent.call("list_tasks", since="7d", query="fox", limit=1)
    task = DOCUMENTS.validate_python(listed["tasks"])[0]["task_id"]
    await agent.made("generate_video", from_task=task, prompt="a red fox in the rain", wait_seconds=WAIT)


async def yesterday(agent: ScriptedAgent) -> None:
    listed = await agent.call("list_tasks", since="2d")
    assert listed["tasks"]


async def cheapest_that_fits(agent: ScriptedAgent) -> None:
    listed = await agent.call("list_models", kind="video", fits={"duration_seconds": 5, "resolution": "720p"})
    assert listed["models"]


async def a_fox(agent: ScriptedAgent) -> None:
    """What the jobs about earlier tasks find; it is not counted."""
    await agent.made("generate_video", prompt="a red fox in snow", wait_seconds=WAIT)
    agent.calls, agent.bytes, agent.pictures = 0, 0, 0


EARLIER = frozenset({"redo with a change", "what did we make yesterday"})
"""Jobs that need an earlier task."""

JOBS: tuple[AgentJob, ...] = (
    AgentJob("one image, and a look", one_image, 3, "3 calls, 1.8 kB"),
    AgentJob("image to a 5 s video in 9:16, and a look", image_to_video, 3, "3 calls, 1.3 kB"),
    AgentJob("storyboard: character, 3 frames, 3 shots, score, film", storyboard, 13, "21 calls, 14 kB, and no film"),
    AgentJob("four variations, and one look", four_variations, 5, "8 calls, 4.2 kB, four looks"),
    AgentJob("a wish that the named model does not take", a_failure_and_its_cure, 2, "not told what fits"),
    AgentJob("cancel", a_cancelled_task, 2, "4 calls"),
    AgentJob("arguments in another server's words", wrong_arguments, 1, "led to the reverse video"),
    AgentJob("redo with a change", again_with_a_change, 2, "not possible"),
    AgentJob("what did we make yesterday", yesterday, 1, "not possible"),
    AgentJob("what makes 5 s at 720p, cheapest first", cheapest_that_fits, 1, "30 calls, not answered"),
)
