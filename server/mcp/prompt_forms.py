"""The prompts, registered; their words are in `tools/prompts.py`."""

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticUseDefault

from ...tools import (
    MODELS_COMPARED_MAX,
    SHOTS_MAX,
    AspectRatio,
    KindFilter,
    ToolContext,
    board_of,
    comparison_of,
    comparison_text,
    storyboard_text,
    stripped,
)


def _given(value: object) -> object:
    """Hosts send a text for each field of a form; one that was left blank is the same as an argument not given."""
    if isinstance(value, str) and not value.strip():
        raise PydanticUseDefault
    return value


MAY_BE_BLANK = BeforeValidator(_given)
STRIPPED = BeforeValidator(stripped)


def add_prompts(server: MCPServer[Any], surroundings: ToolContext) -> None:
    """Register `storyboard` and `compare_models`."""

    @server.prompt(
        title="Storyboard", description="Turn a brief into shots, each with the calls that make it, then make them."
    )
    async def storyboard(  # pyright: ignore[reportUnusedFunction]
        brief: Annotated[str, Field(description="What the film is about", min_length=1), STRIPPED],
        shots: Annotated[int, MAY_BE_BLANK, Field(description="1-12; default 4", ge=1, le=SHOTS_MAX)] = 4,
        aspect_ratio: Annotated[AspectRatio, MAY_BE_BLANK, Field(description="Default 16:9")] = "16:9",
        seconds: Annotated[
            float, MAY_BE_BLANK, Field(description="Seconds a shot; default 5", gt=0, allow_inf_nan=False)
        ] = 5,
        model: Annotated[str | None, MAY_BE_BLANK, Field(description="Video model; default: rushes chooses")] = None,
    ) -> str:
        board = await board_of(surroundings, aspect_ratio=aspect_ratio, seconds=seconds, model=model)
        return storyboard_text(brief, shots, board)

    @server.prompt(title="Compare models", description="Make one prompt on several models and compare the results.")
    async def compare_models(  # pyright: ignore[reportUnusedFunction]
        prompt: Annotated[str, Field(description="What to make", min_length=1), STRIPPED],
        kind: Annotated[KindFilter, MAY_BE_BLANK, Field(description="video, image or audio; default image")] = "image",
        models: Annotated[
            str | None, Field(description="Names with commas between; default: three usable ones")
        ] = None,
        seed: Annotated[int, MAY_BE_BLANK, Field(description="The same for all; default 1")] = 1,
    ) -> str:
        named = [name.strip() for name in (models or "").split(",") if name.strip()]
        return comparison_text(
            await comparison_of(surroundings, prompt, kind, named[:MODELS_COMPARED_MAX], seed, MODELS_COMPARED_MAX)
        )
