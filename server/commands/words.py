"""Sentences written for agents, for people at a command line."""

_FOR_PEOPLE = {
    "Call list_models": "Run `rushes models`",
    "Call list_tasks": "Run `rushes tasks`",
    "Ask the user to check": "Check",
    "Ask the user to add": "Add",
    "Ask the user to set": "Set",
    "Ask the user to run": "Run",
    "Tell the user: it": "It",
    "call the generating tool again": "generate it again",
    "and call again": "and try again",
    "call check_task with its id as job_id": "run `rushes attach` with its id",
    "Call check_task without job_id": "Run `rushes check`",
    "list_models": "`rushes models`",
    "list_tasks": "`rushes tasks`",
    "check_task": "`rushes check`",
    "cancel_task": "`rushes cancel`",
    "force_new: true": "--force-new",
    "force_new": "--force-new",
    " (stdio)": "",
}


def for_people(text: str) -> str:
    """The text with the commands in place of the tools."""
    for tool, command in _FOR_PEOPLE.items():
        text = text.replace(tool, command)
    return text
