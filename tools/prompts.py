"""Prompts a person starts from: text for the model, with the exact tool calls in it; pure."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from ..domain.request import Kind

SHOTS_MAX = 12
MODELS_COMPARED_MAX = 6


def storyboard_text(brief: str, shots: int, aspect_ratio: str, seconds: float, model: str | None) -> str:
    """A brief becomes shots, each with the calls that make it."""
    frame = _call("generate_image", prompt="<what the first frame shows>", aspect_ratio=aspect_ratio)
    chosen: dict[str, JsonValue] = {"model": model} if model else {}
    shot = _call(
        "generate_video",
        prompt="<what happens, camera, light, sound>",
        image="task:<task_id of the first frame>#1",
        duration_seconds=seconds,
        aspect_ratio=aspect_ratio,
        output_name="shot-01",
        **chosen,
    )
    return f"""\
Turn this brief into a storyboard of {shots} {"shot" if shots == 1 else "shots"}, and then make it with rushes.

<brief>
{brief}
</brief>

1. Write a look that all shots share: subject, wardrobe, place, light, lens, palette. Repeat its words in each prompt.
2. List the shots in a table: number, seconds, what happens, camera, sound.
3. Under each shot write the two calls that make it. First its first frame, which is cheap to get right:
   {frame}
   then the moving shot from that frame:
   {shot}
4. Ask list_models(kind="video") whether the model makes {seconds:g} s at {aspect_ratio}; else change the
   plan. Show what one shot would send with dry_run: true.
5. Say how many paid calls that is ({2 * shots}) and wait for a yes.
6. Make the frames, look at each with view_output, and make again (with another prompt) what does not fit the look.
7. Start the shots, follow each task's `next`, look at each with view_output, and end with a table of the files.
"""


def comparison_text(prompt: str, kind: Kind, models: Sequence[str], seed: int) -> str:
    """One prompt on several models, side by side."""
    calls = "\n".join(f"   {_call(f'generate_{kind}', prompt=prompt, model=model, seed=seed)}" for model in models)
    return f"""\
Compare models on one prompt with rushes.

1. Show what each call would send (dry_run: true), and drop a model that cannot do what the prompt needs.
2. Say how many paid calls this is ({len(models)}) and wait for a yes. Then start all of them before you wait for any:
{calls}
3. Follow each task's `next` until it has ended. A model that failed stays in the table with its failure's reason.
4. Look at each result with view_output.
5. Answer with a table: model, provider, seconds from created_at to finished_at, cost, size and duration, how well it
   follows the prompt, faults you can see. Then say in two sentences which one to use for what.
"""


def _call(tool: str, **arguments: JsonValue) -> str:
    return f"{tool}({json.dumps(arguments, ensure_ascii=False)})"
