"""One fault point on one ground: processes that die, one that does not, and what came of the task."""

import signal
from dataclasses import dataclass
from pathlib import Path

from rushes.tasks.money.ledger import line_of, standing

from ..gateways.client import RunningGateways
from .account import Account, accepted, account_of
from .crew import Crew
from .fuse import Burn
from .gateways import Ground, address_of
from .orders import Order, Report
from .points import FaultPoint

LATER_SECONDS = 240.0
"""The next process starts so much later where no job was accepted: the search for it is over then."""

CANCEL_POLLS = 12


@dataclass(frozen=True)
class Scenario:
    """One try. `number` makes its prompt unique; odd ones repeat their call while the next process goes on."""

    point: FaultPoint
    ground: Ground
    number: int

    @property
    def name(self) -> str:
        return f"{self.point.name}, {self.ground.name}, {self.number}"

    @property
    def repeats_at_once(self) -> bool:
        return self.number % 2 == 1

    @property
    def prompt(self) -> str:
        words = f"[polls:{CANCEL_POLLS}]" if self.point.errand != "generate" else ""
        return f"a red fox {self.number} at {self.point.name} ({self.ground.name}) {words}".rstrip()

    async def run(self, home: Path, crew: Crew, gateways: RunningGateways) -> Account:
        """Kill one process after another at the point, let the last one end, and give the account."""
        base = address_of(self._order(home), gateways)
        await self._kill_all(base, crew)
        jobs, _ = await accepted(base, gateways) if self.ground.gateway != "sandbox" else ((), ())
        if self.point.accepted != "maybe" and "paid" in self.ground.abilities:
            assert len(jobs) == (1 if self.point.accepted == "yes" else 0)
        nothing = self.point.end == "nothing"
        generates = self.point.errand == "generate"
        last = base.model_copy(
            update={
                "order": f"{base.order}-last",
                "calls": 1 if nothing or (generates and self.repeats_at_once) else 0,
                "call_again": generates,
                "clock_ahead_seconds": LATER_SECONDS if "lists" in self.ground.abilities and not jobs else 0.0,
            }
        )
        worker = await crew.start(last)
        report = await worker.ends_well()
        account = await account_of(base, report, gateways)
        self._hold_calls(report, account)
        self._hold_money(report, account)
        return account

    def _order(self, home: Path) -> Order:
        return Order(
            order=f"{self.number}",
            home=home,
            gateway=self.ground.gateway,
            kind=self.ground.kind,
            prompt=self.prompt,
            asked=self.ground.asked,
        )

    async def _kill_all(self, base: Order, crew: Crew) -> None:
        for turn, place in enumerate(self.point.kills):
            first = turn == 0
            order = base.model_copy(
                update={
                    "order": f"{base.order}-{turn}",
                    "calls": int(first),
                    "cancel": _CANCEL[self.point.errand] if first else "no",
                    "fuse": Burn(
                        kill_at=place,
                        nth=self.point.nth if first else 1,
                        hold_at=self.point.held_at if first else None,
                    ),
                }
            )
            worker = await crew.start(order)
            if order.fuse.hold_at is not None:
                await worker.says("held")
                worker.send(signal.SIGTERM)
            assert await worker.ends() == -signal.SIGKILL, f"not killed at {place}: {worker.fault()}"

    def _hold_calls(self, report: Report, account: Account) -> None:
        """Every equal call was answered with the one task."""
        ids = {called.task_id for called in report.calls}
        assert ids <= {record.task_id for record in account.records[:1]}
        fresh = [called for called in report.calls if not called.deduplicated]
        assert len(fresh) == (1 if self.point.end == "nothing" else 0)

    def _hold_money(self, report: Report, account: Account) -> None:
        """The ledger says what the records say, and that is what the gateway charged, or may have charged."""
        assert report.ledger == {record.task_id: line_of(record).value for record in report.records}
        for record in account.records:
            now = standing(record)
            assert min(now.spent, now.reserved) == 0
            free = self.ground.gateway == "sandbox" or account.came == "refused"
            if not free and account.came in {"kept", "kept late", "unknown"}:
                # The price that every worker is given, where the gateway's own list has none.
                known = record.cost or record.estimate
                assert known is not None and known.amount > 0
                assert (now.spent + now.reserved, now.reserved > 0) == (known.amount, account.came == "unknown")
            elif free:
                assert now.spent == now.reserved == 0

    def hold(self, account: Account) -> None:
        """What must be true of the account."""
        assert not account.paid_twice
        assert len(account.posts) <= 1
        assert len(account.records) == 1
        assert account.came in self._may_come(account), account.records[0].failure

    def _may_come(self, account: Account) -> set[str]:
        match self.point.end:
            case "nothing" | "kept":
                return {"kept"}
            case "answer lost":
                return self._after_loss(account)
            case "cancelled" | "kept late":
                return {self.point.end}

    def _after_loss(self, account: Account) -> set[str]:
        if "paid" not in self.ground.abilities:
            return {"kept"}
        if "lists" not in self.ground.abilities or not account.jobs:
            return {"unknown"}
        # The gateway may take a POST whose sender is dead a moment after the search was over.
        return {"kept", "unknown"} if self.point.accepted == "maybe" else {"kept"}


_CANCEL = {"generate": "no", "cancel": "ask", "abandon": "abandon"}
