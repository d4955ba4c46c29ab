"""The report of a soak: one screen."""

from collections.abc import Iterator

from .soak import Outcome

MISMATCHES_SHOWN = 12


def report(outcome: Outcome) -> str:
    """What was done, what came of it, and each thing that must not be."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    counts, lives, balance = outcome.counts, outcome.lives, outcome.balance
    held = "every account matches" if not balance.mismatches else f"{len(balance.mismatches)} MISMATCHES"
    times = f"{_time(outcome.seconds)} and {_time(outcome.rest_seconds)} to rest"
    yield f"soak of {times}, seed {outcome.plan.seed}: {held}"
    yield ""
    yield (
        f"processes   {counts.started} servers and {lives.started} workers; {outcome.kills} killed "
        f"({lives.killed_at} of them between two steps)"
    )
    yield (
        f"            {counts.ended + lives.ended} told to end, {counts.stalled + lives.stalled} stopped for a while, "
        f"{lives.of_the_disk} ended by the full disk; a server had at most {counts.peak_mib} MiB"
    )
    steps = ", ".join(f"{step / 60:+.0f} min" for step in outcome.steps[:8]) or "none"
    more = f" and {len(outcome.steps) - 8} more" if len(outcome.steps) > 8 else ""
    yield f"clock       set {len(outcome.steps)} times, ahead by {steps}{more}"
    yield f"disk        full {outcome.times_full} times ({outcome.disk})"
    yield (
        f"agents      {counts.calls} calls, {counts.equal_calls} of them equal to another, {counts.checks} looks, "
        f"{counts.cancels} cancels; {counts.unanswered} without an answer"
    )
    yield "came        " + ", ".join(f"{came} {number}" for came, number in sorted(balance.came.items()))
    yield ""
    yield f"{'gateway':<12}{'prompts':>9}{'paid jobs':>11}{'kept':>7}{'told':>7}"
    for name, line in sorted(balance.lines.items()):
        yield f"{name:<12}{line.prompts:>9}{line.jobs:>11}{line.kept:>7}{line.told:>7}"
    if balance.mismatches:
        yield ""
        yield from (mismatch[:400] for mismatch in sorted(balance.mismatches, key=_graver)[:MISMATCHES_SHOWN])
        if len(balance.mismatches) > MISMATCHES_SHOWN:
            yield f"… and {len(balance.mismatches) - MISMATCHES_SHOWN} more"


def _graver(mismatch: str) -> bool:
    """What was lost because somebody did not come to rest is told last."""
    return "lost: " in mismatch


def _time(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
