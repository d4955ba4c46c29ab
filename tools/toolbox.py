"""All tools."""

from .assemble import ASSEMBLE
from .follow import CANCEL_TASK, CHECK_TASK, LIST_TASKS
from .generate import GENERATE_AUDIO, GENERATE_IMAGE, GENERATE_VIDEO
from .models import LIST_MODELS
from .view import VIEW_OUTPUT

ALL_TOOLS = (
    GENERATE_VIDEO,
    GENERATE_IMAGE,
    GENERATE_AUDIO,
    CHECK_TASK,
    VIEW_OUTPUT,
    ASSEMBLE,
    LIST_TASKS,
    CANCEL_TASK,
    LIST_MODELS,
)
"""In the order in which a host sees them."""
