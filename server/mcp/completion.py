"""Completion of the arguments of prompts and resource templates."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from mcp.server.context import ServerRequestContext
from mcp_types import CompleteRequestParams, CompleteResult, Completion, ResourceTemplateReference

from ...domain.errors import TaskNotFound
from ...domain.request import Kind
from ...tools import ANSWER_TEMPLATE, OUTPUT_TEMPLATE, TASK_TEMPLATE, ToolContext

VALUES_MAX = 100
"""The protocol's own limit."""
TASKS_LOOKED_AT = 100

KINDS: tuple[Kind, ...] = get_args(Kind)
ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")


class Completing:
    """Serves `completion/complete`."""

    def __init__(self, surroundings: ToolContext) -> None:
        self._surroundings = surroundings

    async def __call__(self, _: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> CompleteResult:
        """Values for one argument, with what is typed of it so far."""
        given = (params.context.arguments if params.context else None) or {}
        name, typed = params.argument.name, params.argument.value
        if isinstance(params.ref, ResourceTemplateReference):
            completion = matching(typed, await _of_resources(self._surroundings, params.ref.uri, name, given))
        elif (params.ref.name, name) == ("compare_models", "models"):
            completion = await _of_a_list(self._surroundings, typed, given)
        else:
            completion = matching(typed, await _of_prompts(self._surroundings, params.ref.name, name))
        return CompleteResult(completion=completion)


def matching(typed: str, values: Iterable[str]) -> Completion:
    """The values that begin with what was typed, whatever its case."""
    found = [value for value in values if value.casefold().startswith(typed.casefold())]
    return Completion(values=found[:VALUES_MAX], total=len(found), has_more=len(found) > VALUES_MAX)


async def _of_resources(surroundings: ToolContext, template: str, name: str, given: dict[str, str]) -> Sequence[str]:
    principal = surroundings.principal
    if name == "task_id" and template in {TASK_TEMPLATE, ANSWER_TEMPLATE, OUTPUT_TEMPLATE}:
        service = await surroundings.opened()
        page = await service.list_tasks(principal=principal, limit=TASKS_LOOKED_AT)
        return [record.task_id for record in page.records]
    if name == "index" and template == OUTPUT_TEMPLATE and "task_id" in given:
        service = await surroundings.opened()
        try:
            record = await service.get(given["task_id"], principal=principal)
        except TaskNotFound:
            return []
        return [str(index) for index in range(1, len(record.outputs) + 1)]
    return []


async def _of_prompts(surroundings: ToolContext, prompt: str, name: str) -> Sequence[str]:
    match prompt, name:
        case "compare_models", "kind":
            return KINDS
        case "storyboard", "aspect_ratio":
            return ASPECT_RATIOS
        case "storyboard", "model":
            return await _models(surroundings, "video")
        case _:
            return []


async def _of_a_list(surroundings: ToolContext, typed: str, given: dict[str, str]) -> Completion:
    """Names separated by commas: the last one is completed, the others stay before it."""
    before, comma, last = typed.rpartition(",")
    kind = given.get("kind", "image")
    names = await _models(surroundings, kind if kind in KINDS else "image")
    named = {name.strip() for name in before.split(",")}
    found = matching(last.strip(), [name for name in names if name not in named])
    return found.model_copy(update={"values": [f"{before}{comma}{name}" for name in found.values]})


async def _models(surroundings: ToolContext, kind: Kind) -> list[str]:
    service = await surroundings.opened()
    return [offer.name for offer in await service.models(kind=kind)]
