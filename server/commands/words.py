"""Sentences written for agents, for people at a command line."""

from decimal import Decimal

from ...domain.money import plain

_FOR_PEOPLE = {
    "Tell the user the price; if they agree, make the call in `next`.": "If that is right, run it again with --yes.",
    "Ask the user for a higher max_cost": "Give a higher --max-cost",
    "Ask the user whether the budget in rushes.toml may be raised": "Raise the budget in rushes.toml",
    "ask the user to raise": "raise",
    "ask the user to set": "set",
    "Leave max_cost out if the user accepts an unknown price.": "Leave --max-cost out if an unknown price is right.",
    "max_cost": "--max-cost",
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


def amount_text(amount: float) -> str:
    """An amount as it is, whatever its size: 1234567, and not 1.23457e+06."""
    return plain(Decimal(str(amount)))


def for_people(text: str) -> str:
    """The text with the commands in place of the tools."""
    for tool, command in _FOR_PEOPLE.items():
        text = text.replace(tool, command)
    return text
