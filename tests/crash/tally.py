"""The tally of a run: for each fault how often it was tried, and what came of the tasks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .account import Account
from .answers import BEHIND_PROXIES, OUTCOMES
from .points import POINTS

HEAD = ("fault", "tries", "paid jobs", "kept", "told", "told untruthfully", "lost", "paid twice")


@dataclass
class Row:
    """One fault. `kills` counts the processes that were killed for it."""

    fault: str
    kills: int = 0
    tries: int = 0
    jobs: int = 0
    jobs_without_file: int = 0
    paid_twice: int = 0
    came: Counter[str] = field(default_factory=Counter[str])

    def cells(self) -> tuple[str, ...]:
        """As in `HEAD`. *told*: a state that says the truth about a job whose output is not here, or that none is."""
        kept = self.came["kept"] + self.came["kept late"]
        untrue, lost = self.came["untrue"], self.came["lost"]
        told = self.tries - kept - untrue - lost
        numbers = (self.tries, self.jobs, kept, told, untrue, lost, self.paid_twice)
        return (self.fault, *map(str, numbers))


_NAMES = (*(point.name for point in POINTS), *(outcome.name for outcome in (*OUTCOMES, *BEHIND_PROXIES)))
_ORDER = {name: place for place, name in enumerate(_NAMES)}


class Tally:
    """All rows: the fault points as in `points.py`, the lost answers as in `answers.py`, then the others by name."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: dict[str, Row] = {row.fault: row for row in rows}

    def add(self, fault: str, account: Account, *, kills: int = 0) -> None:
        """Count one try."""
        row = self.rows.setdefault(fault, Row(fault))
        row.kills += kills
        row.tries += 1
        row.jobs += len(account.jobs)
        row.jobs_without_file += 0 if account.came.startswith("kept") else len(account.jobs)
        row.came[account.came] += 1
        row.paid_twice += account.paid_twice

    def join(self, other: "Tally") -> None:
        """Count another's tries too."""
        for each in other.rows.values():
            row = self.rows.setdefault(each.fault, Row(each.fault))
            row.kills += each.kills
            row.tries += each.tries
            row.jobs += each.jobs
            row.jobs_without_file += each.jobs_without_file
            row.paid_twice += each.paid_twice
            row.came += each.came

    @property
    def kills(self) -> int:
        return sum(row.kills for row in self.rows.values())

    def sentence(self) -> str:
        """What the figures are of, to stand above the table: `told` is no success."""
        jobs = sum(row.jobs for row in self.rows.values())
        without = sum(row.jobs_without_file for row in self.rows.values())
        return (
            f"One run, with {self.kills} processes killed. Of {jobs} jobs that the gateways charged, {jobs - without} "
            f"ended with their files on this machine and {without} without a file: these are *told*, as `unknown` or "
            "cancelled, and a person has to look for them at the gateway."
        )

    def _all(self) -> Iterable[tuple[str, ...]]:
        rows = sorted(self.rows.values(), key=lambda row: (_ORDER.get(row.fault, len(_ORDER)), row.fault))
        whole = Tally()
        for row in rows:
            yield row.cells()
            whole.join(Tally([replace(row, fault="all")]))
        yield from (row.cells() for row in whole.rows.values())

    def text(self) -> str:
        """For a terminal."""
        lines = [HEAD, *self._all()]
        width = max(len(line[0]) for line in lines)
        return "\n".join(f"{line[0]:<{width}}  {_right(line)}" for line in lines)

    def markdown(self) -> str:
        """For the docs."""
        head = "| " + " | ".join(HEAD) + " |\n|---|" + "---:|" * (len(HEAD) - 1)
        return "\n".join([head, *("| " + " | ".join(line) + " |" for line in self._all())])


def _right(line: tuple[str, ...]) -> str:
    return "  ".join(f"{cell:>{len(name)}}" for name, cell in zip(HEAD[1:], line[1:], strict=True))
