"""Prompts a person starts from: text for the model, with the exact tool calls in it; pure."""

import json

from pydantic import JsonValue

from .follow import CheckTask
from .prompt_calls import Board, Comparison, ToolCall
from .toolbox import ALL_TOOLS
from .view import ViewOutput

SHOTS_MAX = 12
MODELS_COMPARED_MAX = 6


def storyboard_text(brief: str, shots: int, board: Board) -> str:
    """A brief becomes shots, each with the calls that make it, and the shots a film."""
    if board.shot is None:
        return f"{_opening(brief, shots)}\nNo video can be made with the configured providers: {board.refused}.\n"
    steps = [
        "Write a look that all shots share: subject, wardrobe, place, light, lens, palette. Repeat its words in each "
        "prompt.",
        *_sheet(board.sheet),
        "List the shots in a table: number, seconds, what happens, camera, sound.",
        *_shots(board, board.shot),
        *_sound(board),
        f"Say how many paid calls that is ({_paid(board, shots)}), with the estimate that dry_run: true shows for each "
        "kind of call, and wait for a yes.",
        *_order(board),
        *_ending(board, shots),
    ]
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
    return f"{_opening(brief, shots)}\n{numbered}\n"


def _opening(brief: str, shots: int) -> str:
    plural = "shot" if shots == 1 else "shots"
    return f"""\
Turn this brief into a storyboard of {shots} {plural}, and then make it into a film with rushes.

<brief>
{brief}
</brief>
"""


def _sheet(sheet: ToolCall | None) -> list[str]:
    if sheet is None:
        return [
            "No configured provider makes images, so describe the character in words so exact that each shot shows the "
            "same one, and repeat them in each prompt; or ask for a picture of it and give that as `image`."
        ]
    return [f"Make a character sheet first, once; every frame refers to it:\n   {_written(sheet)}"]


def _shots(board: Board, shot: ToolCall) -> list[str]:
    if board.frame is None:
        return [f"Under each shot write the call that makes it:\n   {_written(shot)}"]
    onward = "then the moving shot from that frame" if "image" in shot.arguments else "then the moving shot"
    return [
        "Under each shot write the two calls that make it. First its first frame, which is cheap to get right:\n"
        f"   {_written(board.frame)}\n   {onward}:\n   {_written(shot)}"
    ]


def _sound(board: Board) -> list[str]:
    if board.sound is None:
        own = "their own sound" if board.shot is not None and "audio" in board.shot.arguments else "no sound"
        return [f"No configured provider makes music or speech: the shots have {own}, and the film gets no other."]
    what = "score" if board.sound.arguments.get("purpose") == "music" else "narration"
    return [f"Write the {what} for the whole film:\n   {_written(board.sound)}"]


def _paid(board: Board, shots: int) -> int:
    each = 1 if board.frame is None else 2
    return each * shots + sum(call is not None for call in (board.sheet, board.sound))


def _order(board: Board) -> list[str]:
    start = f"Start {'the sound and ' if board.sound else ''}all shots without waiting between them"
    if board.sheet is None:
        return [f"{start}."]
    return [
        f"Make the character sheet, look at it with view_output, then start all frames at once. {_waiting('frame')} "
        f"{_looking('frame')} Make again, with another prompt, what does not fit the look.",
        f"{start}, each from its frame.",
    ]


def _ending(board: Board, shots: int) -> list[str]:
    sounds: list[JsonValue] = ["task:<task_id of the sound>#1"] if board.sound else []
    ending = f"Then wait once for all of it. {_waiting('shot')} {_looking('shot')}"
    if not any(spec.name == "assemble" for spec in ALL_TOOLS):
        return [f"{ending} End with a table of the files."]
    files: list[JsonValue] = [f"task:<task_id of shot {number}>#1" for number in range(1, shots + 1)]
    arguments: dict[str, JsonValue] = {"shots": files, "fade_out_seconds": 1, "output_name": "film"}
    if sounds:
        arguments["sounds"] = sounds
    return [f"{ending} End with the film, which is free, and with its file:\n   {_call('assemble', arguments)}"]


def _waiting(what: str) -> str:
    if "task_ids" not in CheckTask.model_fields:
        return "Follow each task's `next` until it has ended."
    every: dict[str, JsonValue] = {"task_ids": [f"<task_id of each {what}>"], "wait_for": "all", "wait_seconds": 45}
    return f"Wait with {_call('check_task', every)} until all have ended."


def _looking(what: str) -> str:
    if "task_ids" not in ViewOutput.model_fields:
        return "Look at each with view_output."
    return f"Look at them side by side with {_call('view_output', {'task_ids': [f'<task_id of each {what}>']})}."


def comparison_text(comparison: Comparison) -> str:
    """One prompt on several models, side by side."""
    if not comparison.calls:
        left_out = "; ".join(comparison.left_out) or "no provider that can be used now offers one that takes it"
        return f"No model can be compared on this prompt: {left_out}. Ask list_models what there is.\n"
    calls = "\n".join(f"   {_written(call)}" for call in comparison.calls)
    without = "".join(f"   Left out: {each}.\n" for each in comparison.left_out)
    return f"""\
Compare models on one prompt with rushes.

1. Show what each call would send and is expected to cost (dry_run: true).
2. Say how many paid calls this is ({len(comparison.calls)}) and wait for a yes. Then start all before you wait for any:
{calls}
{without}3. {_waiting("call")} A model that failed stays in the table with its failure's reason.
4. {_looking("call")}
5. Answer with a table: model, provider, seconds from created_at to finished_at, cost, size and duration, how well it
   follows the prompt, faults you can see. Then say in two sentences which one to use for what.
"""


def _written(call: ToolCall) -> str:
    return _call(call.tool, call.arguments)


def _call(tool: str, arguments: dict[str, JsonValue]) -> str:
    return f"{tool}({json.dumps(arguments, ensure_ascii=False)})"
