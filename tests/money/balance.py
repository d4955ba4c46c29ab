"""The tables of docs/money.md: what a run came to, by gateway and medium, and how near the estimates were."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rushes.domain.money import plain
from rushes.tasks.money.ledger import standing

from .run import Accounts, Outcome

HEAD: Final = (
    "gateway, medium", "tasks", "jobs", "estimates", "cost told", "known: ledger", "known: gateway", "difference",
    "open", "open: reserved", "open: gateway", "settled: ledger", "all: gateway", "difference",
)  # fmt: skip

LISTED, LEARNED, FEW, CONFIGURED = "listed", "learned from 5 or more", "learned from fewer", "configured"
GOALS: Final = {LISTED: Decimal("0.10"), LEARNED: Decimal("0.25")}
ENOUGH: Final = 5


@dataclass(frozen=True)
class Row:
    """A gateway's tasks of one medium; amounts in its currency."""

    name: str
    currency: str
    tasks: int
    jobs: int
    estimates: Decimal
    told: Decimal
    known: Decimal
    """Spent by the ledger, of tasks that nobody had to settle."""
    known_charged: Decimal
    """The same by the gateway's account."""
    open: int
    """Tasks that a person had to settle."""
    reserved: Decimal
    """For these."""
    open_charged: Decimal
    """For these, by the gateway's account."""
    settled: Decimal
    """Spent by the ledger at the end, and reserved, of all."""
    charged: Decimal
    """By the gateway's account, of all."""

    @property
    def differences(self) -> tuple[Decimal, Decimal]:
        """Between the ledger and the gateway's account: of what was known without a person, and of all at the end."""
        return self.known - self.known_charged, self.settled - self.charged

    def cells(self) -> tuple[str, ...]:
        """As in `HEAD`."""
        before, after = map(plain, self.differences)
        first = (self.estimates, self.told, self.known, self.known_charged)
        rest = (self.reserved, self.open_charged, self.settled, self.charged)
        numbers = (str(self.tasks), str(self.jobs))
        name = f"{self.name} ({self.currency})"
        return (name, *numbers, *map(plain, first), before, str(self.open), *map(plain, rest), after)


@dataclass(frozen=True)
class Nearness:
    """How near the estimates of one basis were to what the jobs cost."""

    basis: str
    estimates: int
    furthest: Decimal
    """Of the cost, the part by which the worst one missed it."""

    @property
    def good(self) -> bool:
        return self.furthest <= GOALS.get(self.basis, self.furthest)


def rows_of(accounts: Iterable[Accounts]) -> list[Row]:
    """One row for each gateway and medium, then one for each currency."""
    by_what, by_currency = _Groups(), _Groups()
    for account in accounts:
        gateway, kind = account.asked.what
        by_what.add(f"{gateway}, {kind}", account)
        by_currency.add(_currency_of(account), account)
    each = [_row(name, group) for name, group in by_what.groups.items()]
    return each + [_row("all", group) for group in by_currency.groups.values()]


class _Groups:
    def __init__(self) -> None:
        self.groups: dict[str, list[Accounts]] = {}

    def add(self, key: str, account: Accounts) -> None:
        self.groups.setdefault(key, []).append(account)


def _currency_of(account: Accounts) -> str:
    return "yuto credits" if account.asked.call.gateway == "yuto" else "USD"


def _row(name: str, accounts: Sequence[Accounts]) -> Row:
    def total(amount: Callable[[Accounts], Decimal | None]) -> Decimal:
        return sum((amount(account) or Decimal(0) for account in accounts), Decimal(0))

    return Row(
        name=name,
        currency=_currency_of(accounts[0]),
        tasks=len(accounts),
        jobs=sum(len(account.jobs) for account in accounts),
        estimates=total(lambda a: a.record.estimate.amount if a.record.estimate is not None else None),
        told=total(lambda a: a.record.cost.amount if a.record.cost is not None else None),
        known=total(lambda a: None if a.open else standing(a.record).spent),
        known_charged=total(lambda a: None if a.open else a.charged),
        open=sum(account.open for account in accounts),
        reserved=total(lambda a: standing(a.record).reserved),
        open_charged=total(lambda a: a.charged if a.open else None),
        settled=total(lambda a: a.settled.standing.spent + a.settled.standing.reserved),
        charged=total(lambda a: a.charged),
    )


def nearness_of(accounts: Iterable[Accounts]) -> list[Nearness]:
    """For each basis; beside the cost told, or where none is told the price of the job at the gateway."""
    missed: dict[str, list[Decimal]] = {}
    for account in accounts:
        estimate, told = account.record.estimate, account.record.cost
        paid = told.amount if told is not None else account.price
        if estimate is None or not paid:
            continue
        basis: str = estimate.basis
        if basis == "learned":
            basis = LEARNED if (estimate.n or 0) >= ENOUGH else FEW
        missed.setdefault(basis, []).append(abs(estimate.amount - paid) / paid)
    order = (LISTED, LEARNED, FEW, CONFIGURED)
    return [Nearness(basis, len(missed[basis]), max(missed[basis])) for basis in order if basis in missed]


def sentence(outcome: Outcome) -> str:
    """What the figures are of."""
    troubles = Counter(account.asked.trouble for account in outcome.accounts)
    ends = Counter(account.record.state for account in outcome.accounts)
    ended = ", ".join(f"{number} {state}" for state, number in ends.most_common())
    return (
        f"One run of {len(outcome.accounts)} tasks in {outcome.processes} processes over one store, {outcome.kills} of "
        f"them killed: {troubles['killed']} tasks whose process dies in the middle, {troubles['lost']} whose answer is "
        f"lost, {troubles['refused']} that the gateway refuses, {troubles['failed']} that fail, and "
        f"{troubles['refunded']} that fail with a word about a refund. They ended as {ended}."
    )


def markdown(outcome: Outcome) -> str:
    """What the run writes into the page."""
    head = "| " + " | ".join(HEAD) + " |\n|---|" + "---:|" * (len(HEAD) - 1)
    table = "\n".join([head, *("| " + " | ".join(row.cells()) + " |" for row in rows_of(outcome.accounts))])
    furthest = "furthest from the cost told, or else from the price at the gateway"
    near = [f"| basis of the estimate | tasks | {furthest} | goal |", "|---|---:|---:|---|"]
    for each in nearness_of(outcome.accounts):
        goal = f"≤ {_percent(GOALS[each.basis])}" if each.basis in GOALS else ""
        near.append(f"| {each.basis} | {each.estimates} | {_percent(each.furthest)} | {goal} |")
    totals = ", ".join(f"{plain(t.spent)} {t.currency}" for t in outcome.spend.totals)
    return "\n\n".join([sentence(outcome), table, f"`rushes spend` at the end: {totals}.", "\n".join(near)])


def _percent(part: Decimal) -> str:
    return f"{100 * part:.0f} %"


def faults_of(outcome: Outcome) -> list[str]:
    """Everything that must not be."""
    found = list(outcome.faults)
    rows = rows_of(outcome.accounts)
    found += [f"{row.name}: differences of {row.differences} {row.currency}" for row in rows if any(row.differences)]
    found += [f"{each.basis}: {each.furthest} away" for each in nearness_of(outcome.accounts) if not each.good]
    ledger = {row.currency: row.settled for row in rows if row.name == "all"}
    summed = {total.currency: total.spent + total.reserved for total in outcome.spend.totals}
    if ledger != summed:
        found.append(f"spend says {summed}, and the ledger's lines {ledger}")
    return found
