"""The addresses of resources; pure."""

import re

TASK_TEMPLATE = "rushes://tasks/{task_id}"
OUTPUT_TEMPLATE = "rushes://tasks/{task_id}/outputs/{index}"
ANSWER_TEMPLATE = "rushes://tasks/{task_id}/answer"
MODELS_URI = "rushes://models"

_OF_A_TASK = re.compile(r"rushes://tasks/(?P<task_id>[0-9A-Za-z]{1,64})(?:/outputs/(?P<index>[0-9]{1,4}))?\Z")


def task_uri(task_id: str) -> str:
    """`rushes://tasks/01J…`"""
    return f"rushes://tasks/{task_id}"


def output_uri(task_id: str, index: int) -> str:
    """`rushes://tasks/01J…/outputs/1`, counted from 1."""
    return f"rushes://tasks/{task_id}/outputs/{index}"


def task_id_in(uri: str) -> str | None:
    """The task that a resource shows; `None` for any other resource."""
    match = _OF_A_TASK.match(uri)
    return match["task_id"] if match else None
