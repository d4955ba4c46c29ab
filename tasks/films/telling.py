"""How films are spoken of; pure."""

from collections.abc import Sequence


def seconds_text(seconds: float) -> str:
    """`5 s`, `4.96 s`."""
    return f"{round(seconds, 2):g} s"


def listed(numbers: Sequence[int]) -> str:
    """`Shot 2 is`, `Shots 1, 2 and 5 are`."""
    if len(numbers) == 1:
        return f"Shot {numbers[0]} is"
    return f"Shots {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} are"
